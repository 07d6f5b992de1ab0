using Scstd.Core.Tests.LogicalUnits;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>A LUN is taken away while commands to it are under way, and then something else happens.</summary>
public sealed class DepartureTests
{
    private const byte Naca = 0x04;

    [Fact]
    public void The_nexus_may_be_lost_while_a_command_of_a_lun_that_was_taken_away_waits()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        unit.Send(b, HeldUnit.Move);
        unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        a.Nexus.ChangeMap(LunMap.Empty);
        unit.Target.Executor.Run();
        bool ended = false;
        a.Nexus.End(() => ended = true);
        unit.Target.Executor.Run();
        Assert.True(ended);
    }

    [Fact]
    public void An_aca_condition_of_a_lun_that_was_taken_away_does_not_stop_everybody_for_ever()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand failing = a.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, Naca], dataInBytes: 0);
        a.Port.HoldsDataOut = true;
        TestCommand write = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        bool settled = false;
        a.Nexus.ChangeMap(LunMap.Empty, () => settled = true);
        unit.Target.Executor.Run();
        unit.Fail(failing);
        a.Port.GiveDataOut();
        unit.Target.Executor.Run();
        unit.EndAll();
        a.Request(TaskManagementFunction.ClearAca);
        TestCommand others = unit.Send(b, HeldUnit.Move);
        Assert.False(others.IsAnswered, $"the other initiator got {others}");
        Assert.True(write.IsAnswered, $"the write to the old LUN is {write.State}");
        Assert.True(settled);
    }

    [Fact]
    public void A_condition_that_comes_on_a_lun_that_departs_does_not_outlive_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), other = unit.Target.Login();
        TestCommand failing = a.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, Naca], dataInBytes: 0);
        // The unit moves from LUN 0 to LUN 1.
        a.Nexus.ChangeMap(new LunMap([new LunMapEntry(1, unit.Target.Unit)]));
        unit.Target.Executor.Run();
        unit.Fail(failing);
        Assert.Equal(ScsiStatus.CheckCondition, failing.Status);
        a.TakeUnitAttentions();
        a.Request(TaskManagementFunction.ClearAca, Lun.FromNumber(1));
        TestCommand next = unit.Send(other, HeldUnit.Move);
        Assert.False(next.IsAnswered, $"the other nexus got {next}");
        TestCommand own = a.Send(Lun.FromNumber(1), [HeldUnit.Move, 0, 0, 0, 0, 0], dataInBytes: 0);
        unit.Target.Executor.Run();
        Assert.False(own.IsAnswered, $"got {own}");
    }

    [Fact]
    public void A_function_covers_what_came_by_its_lun_although_the_lun_is_taken_away_twice()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        var other = new LogicalUnit("other", unit.Backend, [unit.Target.Executor]);
        a.Port.HoldsDataOut = true;
        TestCommand first = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        a.Nexus.ChangeMap(new LunMap([new LunMapEntry(0, other)]));
        a.TakeUnitAttentions();
        TestCommand second = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        var abort = new TaskManagementRequest { Function = TaskManagementFunction.AbortTaskSet };
        a.Nexus.TaskManagementRequested(abort);
        a.Nexus.ChangeMap(LunMap.Empty);
        unit.Target.Executor.Run();
        Assert.Equal([abort], a.Port.FunctionsExecuted);
        Assert.True(first.WasAborted);
        Assert.True(second.WasAborted);
    }
}
