using Scstd.Core.Tests.LogicalUnits;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>What an administrator does to his hosts on purpose must not harm the target.</summary>
public sealed class InjectedFaultTests
{
    [Fact]
    public void A_dropped_command_is_never_answered_and_leaves_with_its_abort()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DropCommand });
        TestCommand dropped = unit.Send(a, HeldUnit.Move);
        unit.Target.Executor.Advance(100_000);
        unit.Target.Executor.Run();
        Assert.False(dropped.IsAnswered);
        Assert.Empty(unit.Held);
        CommandView view = Assert.Single(unit.Target.Unit.ViewOn(unit.Target.Executor).Commands);
        Assert.Equal((CommandState.Dormant, "fault 1 (DropCommand)"), (view.State, view.WaitsFor));
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(TaskManagementFunction.AbortTaskSet));
        Assert.True(dropped.WasAborted);
    }

    [Fact]
    public void A_nexus_that_ends_takes_its_dropped_commands_with_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DropCommand });
        TestCommand dropped = unit.Send(a, HeldUnit.Change);
        a.Logout();
        Assert.True(dropped.WasAborted);
    }

    [Fact]
    public void A_delayed_command_is_executed_when_its_time_has_come_and_not_before()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DelayCommand, DelayMs = 500 });
        TestCommand delayed = unit.Send(a, HeldUnit.Move);
        Pass(unit, 499);
        Assert.Empty(unit.Held);
        Pass(unit, 1);
        unit.End(Assert.Single(unit.Held));
        delayed.MustBeGood();
    }

    [Fact]
    public void A_delayed_command_that_was_aborted_is_never_executed()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DelayCommand, DelayMs = 500 });
        unit.Send(a, HeldUnit.Move);
        a.Request(TaskManagementFunction.LogicalUnitReset);
        Pass(unit, 1_000);
        Assert.Empty(unit.Held);
    }

    [Fact]
    public void A_command_is_answered_with_the_status_or_the_sense_that_was_asked_for()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault
        {
            Id = 1,
            Effect = FaultEffect.AnswerCommand,
            Status = ScsiStatus.TaskSetFull,
            Count = 1,
        });
        Assert.Equal(ScsiStatus.TaskSetFull, unit.Send(a, HeldUnit.Move).Status);
        var sense = new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError);
        Set(unit, new InjectedFault
        {
            Id = 2,
            Effect = FaultEffect.AnswerCommand,
            Status = ScsiStatus.CheckCondition,
            Sense = sense,
        });
        unit.Send(a, HeldUnit.Move).MustBe(sense);
    }

    [Fact]
    public void A_counted_fault_meets_so_many_and_no_more()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.AnswerCommand, Count = 2 });
        Assert.Equal(ScsiStatus.Busy, unit.Send(a, HeldUnit.Move).Status);
        Assert.Equal(ScsiStatus.Busy, unit.Send(a, HeldUnit.Move).Status);
        TestCommand third = unit.Send(a, HeldUnit.Move);
        unit.End(Assert.Single(unit.Held));
        third.MustBeGood();
        FaultView view = Assert.Single(unit.Target.Unit.ViewOn(unit.Target.Executor).Faults);
        Assert.Equal((2UL, 0, 0), (view.Met, view.Holding, view.Remaining));
    }

    /// <summary>What waits for the count while the fault is spent meets the next one, too.</summary>
    [Fact]
    public void A_spent_fault_stands_in_the_way_of_no_other()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit,
            new() { Id = 1, Effect = FaultEffect.AnswerCommand, Status = ScsiStatus.TaskSetFull, Count = 1 },
            new() { Id = 2, Effect = FaultEffect.AnswerCommand, Status = ScsiStatus.Busy, Count = 2 });
        TestCommand[] together =
        [
            .. Enumerable.Range(0, 2).Select(_ => a.Send(
                Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, 0], null, 0, TaskAttribute.Simple)),
        ];
        unit.Target.Executor.Run();
        Assert.Equal([ScsiStatus.TaskSetFull, ScsiStatus.Busy], together.Select(command => command.Status));
        Assert.Equal(ScsiStatus.Busy, unit.Send(a, HeldUnit.Move).Status);
        TestCommand last = unit.Send(a, HeldUnit.Move);
        unit.End(Assert.Single(unit.Held));
        last.MustBeGood();
    }

    [Fact]
    public void A_counted_fault_of_functions_tells_what_remains_and_is_spent()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DropFunction, Count = 1 });
        a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset });
        unit.Target.Executor.Run();
        FaultView view = Assert.Single(unit.Target.Unit.ViewOn(unit.Target.Executor).Faults);
        Assert.Equal((1UL, 0), (view.Met, view.Remaining));
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(TaskManagementFunction.LogicalUnitReset));
    }

    [Fact]
    public void A_fault_aims_at_a_LUN_and_a_direction()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit,
            new InjectedFault { Id = 1, Effect = FaultEffect.AnswerCommand, Lun = 1 },
            new InjectedFault { Id = 2, Effect = FaultEffect.AnswerCommand, Direction = DataDirection.Out });
        unit.Send(a, HeldUnit.Move);
        unit.End(Assert.Single(unit.Held));
        Assert.Equal(ScsiStatus.Busy, unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]).Status);
    }

    [Fact]
    public void A_fault_with_a_probability_meets_about_that_part()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.AnswerCommand, Probability = 0.25 });
        int met = 0;
        for (int i = 0; i < 1000; i++)
        {
            TestCommand command = unit.Send(a, HeldUnit.Move);
            if (command.IsAnswered)
                met++;
            else
                unit.End(unit.Held[0]);
        }
        Assert.InRange(met, 200, 300);
    }

    [Fact]
    public void A_fault_for_one_initiator_leaves_the_others_alone()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestInitiator b = unit.Target.Login();
        Set(unit, new InjectedFault
        {
            Id = 1,
            Effect = FaultEffect.AnswerCommand,
            AppliesTo = nexus => ReferenceEquals(nexus, b.Nexus),
        });
        Assert.Equal(ScsiStatus.Busy, unit.Send(b, HeldUnit.Move).Status);
        unit.Send(a, HeldUnit.Move);
        unit.End(Assert.Single(unit.Held));
    }

    [Fact]
    public void An_abort_at_a_slow_store_is_answered_when_the_store_is_done_with_it()
    {
        using var world = new SlowWorld(wanted: 0);
        world.Store.ServiceMs = 1;
        world.SetFaults([new InjectedFault { Id = 1, Effect = FaultEffect.SlowStore, DelayMs = 20_000 }]);
        TestInitiatorPort port = world.Begin(ModelStore.Read);
        world.Run(19_000);
        Assert.False(port.Command.IsAnswered);
        TaskManagementRequest request = port.Request(TaskManagementFunction.AbortTaskSet);
        world.Run(900);
        Assert.Empty(port.Port.FunctionsExecuted);
        world.Run(200);
        Assert.Equal([request], port.Port.FunctionsExecuted);
        Assert.True(port.Command.WasAborted);
        Assert.Equal(0, world.Store.MostCommands);
    }

    [Fact]
    public void A_dropped_function_is_neither_carried_out_nor_answered()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand command = unit.Send(a, HeldUnit.Move);
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DropFunction });
        a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset });
        Pass(unit, 100_000);
        Assert.Empty(a.Port.FunctionsExecuted);
        unit.End(Assert.Single(unit.Held));
        command.MustBeGood();
    }

    [Fact]
    public void A_delayed_function_is_carried_out_at_once_and_answered_late()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.DelayFunction, DelayMs = 300 });
        a.Nexus.TaskManagementRequested(new TaskManagementRequest { Function = TaskManagementFunction.ClearTaskSet });
        Pass(unit, 0);
        Pass(unit, 299);
        Assert.Empty(a.Port.FunctionsExecuted);
        Pass(unit, 1);
        Assert.Single(a.Port.FunctionsExecuted);
    }

    [Fact]
    public void Faults_that_are_taken_away_are_gone()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Set(unit, new InjectedFault { Id = 1, Effect = FaultEffect.AnswerCommand });
        Set(unit);
        unit.Send(a, HeldUnit.Move);
        unit.End(Assert.Single(unit.Held));
        Assert.Empty(unit.Target.Unit.ViewOn(unit.Target.Executor).Faults);
    }

    private static void Set(HeldUnit unit, params InjectedFault[] faults)
    {
        bool done = false;
        unit.Target.Unit.SetFaults(faults, () => done = true);
        unit.Target.Executor.Run();
        Assert.True(done);
    }

    private static void Pass(HeldUnit unit, long ms)
    {
        unit.Target.Executor.Advance(ms);
        unit.Target.Executor.Run();
    }
}
