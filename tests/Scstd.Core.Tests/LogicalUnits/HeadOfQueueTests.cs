using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>HEAD OF QUEUE, SAM-5 §8.6: nothing else that waits is enabled beside it.</summary>
public sealed class HeadOfQueueTests : IDisposable
{
    private readonly HeldUnit _unit = new();

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void A_simple_command_waits_for_a_head_of_queue_write_whose_data_is_still_to_come()
    {
        TestInitiator a = _unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand head = _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.HeadOfQueue, new byte[512]);
        TestCommand simple = _unit.Send(a, HeldUnit.Read);
        Assert.DoesNotContain(simple, _unit.Held);
        a.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Equal([head], _unit.Held);
    }

    [Fact]
    public void A_simple_command_waits_for_a_head_of_queue_command_that_is_enabled()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand head = _unit.Send(a, HeldUnit.Read, TaskAttribute.HeadOfQueue);
        _unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        Assert.Equal([head], _unit.Held);
    }

    [Theory]
    [InlineData(0x00)] // TST 000b, one task set for all
    [InlineData(0x20)] // TST 001b, one for each nexus
    public void Ordered_waits_for_head_of_queue(byte taskSetType)
    {
        TestInitiator a = _unit.Target.Login();
        a.Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, taskSetType, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).MustBeGood();
        TestCommand older = _unit.Send(a, HeldUnit.Move);
        TestCommand ordered = _unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand head = _unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        _unit.End(older);
        Assert.Equal([head], _unit.Held);
        _unit.End(head);
        Assert.Equal([ordered], _unit.Held);
    }

    [Fact]
    public void What_came_before_and_is_not_enabled_yet_waits_too()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand write = _unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand head = _unit.Send(b, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        a.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Equal([head], _unit.Held);
        _unit.End(head);
        Assert.Equal([write], _unit.Held);
    }

    [Fact]
    public void Head_of_queue_commands_do_not_wait_for_each_other()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        TestCommand first = _unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand second = _unit.Send(b, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand simple = _unit.Send(a, HeldUnit.Move);
        Assert.Equal([first, second], _unit.Held);
        _unit.End(first);
        Assert.Equal([second], _unit.Held);
        _unit.End(second);
        Assert.Equal([simple], _unit.Held);
    }

    [Fact]
    public void An_aborted_one_holds_nobody_up()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        a.Port.HoldsDataOut = true;
        _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.HeadOfQueue, new byte[512]);
        TestCommand simple = _unit.Send(b, HeldUnit.Move);
        Assert.Empty(_unit.Held);
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(TaskManagementFunction.AbortTaskSet));
        Assert.Equal([simple], _unit.Held);
    }

    [Fact]
    public void An_aborted_command_that_waited_for_one_never_begins()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand head = _unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand simple = _unit.Send(a, HeldUnit.Move), other = _unit.Send(a, HeldUnit.Move);
        a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.AbortTask, Referenced = simple });
        Assert.True(simple.WasAborted);
        _unit.End(head);
        Assert.Equal([other], _unit.Held);
    }

    [Fact]
    public void With_a_task_set_per_nexus_it_holds_its_own_nexus_alone()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        a.Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x20, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).MustBeGood();
        b.TakeUnitAttentions();
        TestCommand head = _unit.Send(a, HeldUnit.Move, TaskAttribute.HeadOfQueue);
        TestCommand own = _unit.Send(a, HeldUnit.Move), others = _unit.Send(b, HeldUnit.Move);
        Assert.Equal([head, others], _unit.Held);
        _unit.End(head);
        Assert.Equal([others, own], _unit.Held);
    }
}
