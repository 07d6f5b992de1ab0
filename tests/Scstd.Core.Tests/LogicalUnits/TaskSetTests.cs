using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>Task attributes, SAM-5 §8.6, and the gate.</summary>
public sealed class TaskSetTests
{
    [Fact]
    public void Simple_commands_are_enabled_together()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        unit.Send(a, HeldUnit.Move);
        unit.Send(b, HeldUnit.Move);
        Assert.Equal(2, unit.Held.Count);
    }

    [Fact]
    public void An_ordered_command_waits_for_all_before_it_and_holds_all_behind_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand older = unit.Send(b, HeldUnit.Move);
        TestCommand ordered = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand younger = unit.Send(a, HeldUnit.Move);
        Assert.Equal([older], unit.Held);
        unit.End(older);
        Assert.Equal([ordered], unit.Held);
        unit.End(ordered);
        Assert.Equal([younger], unit.Held);
    }

    [Fact]
    public void An_ordered_command_never_overtakes_a_write_that_waits_for_its_data()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand write = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand ordered = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        Assert.Empty(unit.Held);
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        Assert.Equal([write], unit.Held);
        unit.End(write);
        Assert.Equal([ordered], unit.Held);
    }

    [Fact]
    public void An_ordered_write_is_enabled_when_its_data_and_its_turn_have_come()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand ordered = unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Ordered, new byte[512]);
        TestCommand younger = unit.Send(a, HeldUnit.Move);
        Assert.Empty(unit.Held);
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        Assert.Equal([ordered], unit.Held);
        unit.End(ordered);
        Assert.Equal([younger], unit.Held);
    }

    [Fact]
    public void A_head_of_queue_command_passes_those_that_wait()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        unit.Send(a, HeldUnit.Move);
        unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand first = unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        Assert.Contains(first, unit.Held);
        Assert.Equal(2, unit.Held.Count);
    }

    [Fact]
    public void Head_of_queue_goes_before_all_that_wait_at_a_shut_way_and_the_newest_is_first()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand change = unit.Send(b, HeldUnit.Change);
        TestCommand simple = unit.Send(a, HeldUnit.Move), ofB = unit.Send(b, HeldUnit.Move);
        TestCommand older = unit.Send(b, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand newer = unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand last = unit.Send(a, HeldUnit.Move);
        unit.End(change);
        Assert.Equal([newer, older], unit.Held);
        unit.End(newer);
        unit.End(older);
        Assert.Equal([simple, ofB, last], unit.Held);
    }

    [Fact]
    public void Head_of_queue_at_a_frozen_unit_goes_before_what_it_holds_and_before_a_waiting_ordered_command()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        unit.Target.Unit.Freeze("backup", static _ => { });
        unit.Target.Executor.Run();
        TestCommand simple = unit.Send(a, HeldUnit.Move);
        TestCommand ordered = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand first = unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        unit.Target.Unit.Thaw("backup", static _ => { });
        unit.Target.Executor.Run();
        Assert.Equal([first], unit.Held);
        unit.End(first);
        Assert.Equal([simple], unit.Held);
        unit.End(simple);
        Assert.Equal([ordered], unit.Held);
    }

    [Fact]
    public void A_change_with_head_of_queue_has_its_turn_before_the_changes_that_wait()
    {
        using var unit = new HeldUnit();
        TestInitiator[] initiators = [.. Enumerable.Range(0, 4).Select(_ => unit.Target.Login())];
        TestCommand running = unit.Send(initiators[0], HeldUnit.Change);
        TestCommand simple = unit.Send(initiators[1], HeldUnit.Change);
        TestCommand older = unit.Send(initiators[2], HeldUnit.Change, TaskAttribute.HeadOfQueue);
        TestCommand newer = unit.Send(initiators[3], HeldUnit.Change, TaskAttribute.HeadOfQueue);
        foreach (TestCommand next in (TestCommand[])[running, newer, older, simple])
        {
            Assert.Equal([next], unit.Held);
            unit.End(next);
        }
    }

    [Fact]
    public void An_aborted_head_of_queue_command_leaves_those_that_wait_as_they_are()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand change = unit.Send(b, HeldUnit.Change);
        TestCommand alone = unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(TaskManagementFunction.AbortTaskSet));
        Assert.True(alone.WasAborted);
        TestCommand first = unit.Send(b, HeldUnit.Move), second = unit.Send(b, HeldUnit.Move);
        unit.End(change);
        Assert.Equal([first, second], unit.Held);
    }

    [Fact]
    public void Ordered_commands_of_several_nexuses_run_one_by_one()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand first = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand second = unit.Send(b, HeldUnit.Move, TaskAttribute.Ordered);
        Assert.Equal([first], unit.Held);
        unit.End(first);
        Assert.Equal([second], unit.Held);
    }

    [Fact]
    public void An_aca_command_without_an_aca_condition_is_an_error()
    {
        using var unit = new HeldUnit();
        TestCommand command = unit.Send(unit.Target.Login(), HeldUnit.Move, TaskAttribute.Aca);
        Assert.Equal(ScsiStatus.CheckCondition, command.Status);
        Assert.Equal(AdditionalSense.InvalidMessageError, command.Sense.Additional);
    }

    [Fact]
    public void A_command_that_changes_the_unit_runs_alone()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand inside = unit.Send(a, HeldUnit.Move);
        TestCommand change = unit.Send(b, HeldUnit.Change);
        TestCommand behind = unit.Send(a, HeldUnit.Move);
        Assert.Equal([inside], unit.Held);
        unit.End(inside);
        Assert.Equal([change], unit.Held);
        unit.End(change);
        Assert.Equal([behind], unit.Held);
        Assert.True(change.IsAnswered);
    }

    [Fact]
    public void A_change_does_not_wait_for_an_initiator_that_owes_data()
    {
        using var unit = new HeldUnit();
        TestInitiator slow = unit.Target.Login(), b = unit.Target.Login();
        slow.Port.HoldsDataOut = true;
        unit.Send(slow, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand change = unit.Send(b, HeldUnit.Change);
        Assert.Equal([change], unit.Held);
    }

    [Fact]
    public void More_commands_than_the_queue_holds_are_told_to_wait()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        for (int i = 0; i < unit.Target.Unit.NexusQueueDepth; i++)
            unit.Send(a, HeldUnit.Move);
        TestCommand over = unit.Send(a, HeldUnit.Move);
        Assert.Equal(ScsiStatus.TaskSetFull, over.Status);
    }

    [Fact]
    public void A_command_costs_no_managed_memory()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand command = unit.Send(a, HeldUnit.Move);
        unit.End(command);
        Repeat(unit, a, command, 50);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(unit, a, command, 1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Repeat(HeldUnit unit, TestInitiator initiator, TestCommand command, int times)
    {
        for (int i = 0; i < times; i++)
        {
            initiator.Port.Forget(command);
            initiator.Nexus.CommandReceived(command);
            unit.End(command);
        }
    }
}
