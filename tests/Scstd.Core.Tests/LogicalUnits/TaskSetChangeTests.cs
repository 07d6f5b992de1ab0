using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>TST changes (SPC-4 §7.5.8) while commands are in task sets of the other kind: none of those is overtaken,
/// and none waits for one that came later.</summary>
public sealed class TaskSetChangeTests
{
    [Fact]
    public void After_a_change_of_tst_an_older_ordered_command_is_not_starved_by_younger_commands()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand older = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand ordered = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand select = b.Send(Lun.FromNumber(0), [0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x20, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0], 0, TaskAttribute.HeadOfQueue);
        unit.Target.Executor.Run();
        select.MustBeGood();
        a.TakeUnitAttentions();
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        TestCommand previous = unit.Send(b, HeldUnit.Move);
        unit.End(older);
        Assert.False(ordered.IsAnswered);
        for (int i = 0; i < 1000 && !unit.Held.Contains(ordered) && !ordered.IsAnswered; i++)
        {
            // There is always one under way, as under any load.
            TestCommand next = unit.Send(b, HeldUnit.Move);
            unit.End(previous);
            previous = next;
        }
        bool begun = unit.Held.Contains(ordered) || ordered.IsAnswered;
        unit.EndAll();
        Assert.True(begun, "after 1000 younger commands the ORDERED one has not begun");
    }

    [Fact]
    public void A_change_of_tst_beside_an_ordered_command_stops_nobody_for_ever()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand write = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand ordered = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand read = unit.Send(a, HeldUnit.Read);
        // TST 001b and QUEUE ALGORITHM MODIFIER 0h.
        TestCommand select = b.Send(Lun.FromNumber(0), [0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x20, 0x00, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0], 0, TaskAttribute.HeadOfQueue);
        unit.Target.Executor.Run();
        select.MustBeGood();
        a.TakeUnitAttentions();
        TestCommand younger = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        a.Port.GiveDataOut();
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        for (int i = 0; i < 10; i++)
            unit.EndAll();
        Assert.True(write.IsAnswered);
        Assert.True(ordered.IsAnswered, $"ORDERED is {ordered.State}");
        Assert.True(read.IsAnswered && younger.IsAnswered);
    }

    [Fact]
    public void Ordered_waits_for_older_commands_of_a_task_set_that_was_the_nexus_own()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        byte[] Page(byte tst) => [0, 0, 0, 0, 0x0A, 0x0A, tst, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0];
        b.Execute([0x15, 0x10, 0, 0, 16, 0], Page(0x20)).MustBeGood();
        a.TakeUnitAttentions();
        a.Port.HoldsDataOut = true;
        TestCommand write = unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Simple, new byte[512]);
        TestCommand first = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand second = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        b.Execute([0x15, 0x10, 0, 0, 16, 0], Page(0x00)).MustBeGood();
        a.TakeUnitAttentions();
        TestCommand third = unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        Assert.Equal([write], unit.Held);
        unit.End(write);
        Assert.Equal([first], unit.Held);
        unit.End(first);
        Assert.Equal([second], unit.Held);
        unit.End(second);
        Assert.Equal([third], unit.Held);
    }

    [Theory]
    [InlineData(0x20)]
    [InlineData(0x00)]
    public void On_no_executor_a_newcomer_begins_before_the_last_of_the_old_task_sets_has_left(byte tst)
    {
        TestExecutor[] executors = [new(0), new(1)];
        using var backend = new HeldUnit();
        var unit = new LogicalUnit("unit", backend.Backend, executors);
        var map = new LunMap([new LunMapEntry(0, unit)]);
        TestInitiator a = new(executors[0], "iqn.2026-11.test:a,i,0x1", map);
        TestInitiator b = new(executors[1], "iqn.2026-11.test:b,i,0x1", map);
        b.TakeUnitAttentions();
        Select((byte)(tst ^ 0x20));
        a.Port.HoldsDataOut = true;
        TestCommand older = Send(a, HeldUnit.MoveOut, new byte[512]);
        Select(tst);
        TestCommand ofA = Send(a, HeldUnit.Move), ofB = Send(b, HeldUnit.Move), aborted = Send(b, HeldUnit.Move);
        b.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.AbortTask, Referenced = aborted });
        TestExecutor.RunAll(executors);
        Assert.True(aborted.WasAborted);
        TestCommand first = Send(b, HeldUnit.Move, attribute: TaskAttribute.HeadOfQueue);
        Assert.Equal([first], backend.Held);
        End(first);
        Assert.Empty(backend.Held);
        a.Port.GiveDataOut();
        TestExecutor.RunAll(executors);
        Assert.Equal([older], backend.Held);
        End(older);
        Assert.Equal([ofA, ofB], backend.Held.OrderBy(command => command.Nexus.InitiatorPort));
        End(ofA);
        End(ofB);

        void Select(byte value)
        {
            Send(b, 0x15, [0, 0, 0, 0, 0x0A, 0x0A, value, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]);
            a.TakeUnitAttentions();
            b.TakeUnitAttentions();
            Assert.Equal(value, unit.Control.Current[0]);
        }

        TestCommand Send(
            TestInitiator initiator, byte code, byte[]? dataOut = null, TaskAttribute attribute = TaskAttribute.Simple)
        {
            byte[] cdb = [code, (byte)(code == 0x15 ? 0x10 : 0), 0, 0, (byte)(code == 0x15 ? 16 : 0), 0];
            TestCommand command = initiator.Send(Lun.FromNumber(0), cdb, dataOut, 0, attribute);
            TestExecutor.RunAll(executors);
            return command;
        }

        void End(ScsiCommand command)
        {
            backend.End(command);
            TestExecutor.RunAll(executors);
        }
    }
}
