using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>SAM-5 §7: a function is answered only when nothing that it covers can act any more.</summary>
public sealed class TaskManagementTests
{
    [Fact]
    public void Abort_task_is_answered_when_the_device_server_has_let_go()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand command = unit.Send(a, HeldUnit.Move);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.AbortTask, command);
        Assert.Empty(a.Port.FunctionsExecuted);
        Assert.NotNull(request.WaitsFor);
        Assert.Equal([command], unit.Backend.Aborted);
        unit.End(command);
        Assert.True(command.WasAborted);
        Assert.Equal([request], a.Port.FunctionsExecuted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, request.Response);
        Assert.Null(request.WaitsFor);
    }

    [Fact]
    public void Abort_task_of_a_write_that_waits_for_data_stops_the_transfer()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        a.Port.HoldsDataOut = true;
        TestCommand command = unit.Send(a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.AbortTask, command);
        Assert.True(command.WasAborted);
        Assert.Empty(a.Port.Owed);
        Assert.Equal(TaskManagementResponse.FunctionComplete, request.Response);
    }

    [Fact]
    public void Abort_task_of_what_is_not_known_says_so()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.AbortTask, null);
        Assert.Equal(TaskManagementResponse.TaskDoesNotExist, request.Response);
    }

    [Fact]
    public void Abort_task_set_leaves_the_other_nexuses_alone()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand own = unit.Send(a, HeldUnit.Move);
        TestCommand foreign = unit.Send(b, HeldUnit.Move);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.AbortTaskSet, null);
        unit.End(own);
        Assert.True(own.WasAborted);
        Assert.Contains(request, a.Port.FunctionsExecuted);
        unit.End(foreign);
        Assert.Equal(ScsiStatus.Good, foreign.Status);
        Assert.False(foreign.WasAborted);
    }

    [Fact]
    public void Clear_task_set_tells_those_whose_commands_it_took()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login(), idle = unit.Target.Login();
        TestCommand foreign = unit.Send(b, HeldUnit.Move);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.ClearTaskSet, null);
        Assert.Empty(a.Port.FunctionsExecuted);
        unit.End(foreign);
        Assert.True(foreign.WasAborted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, request.Response);
        Assert.Equal([AdditionalSense.CommandsClearedByAnotherInitiator], Pending(b));
        Assert.Empty(Pending(a));
        Assert.Empty(Pending(idle));
    }

    [Fact]
    public void With_tas_the_aborted_command_of_another_nexus_ends_with_task_aborted()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        unit.Target.Unit.Control.Current[3] |= 0x40;
        TestCommand foreign = unit.Send(b, HeldUnit.Move);
        Request(unit, a, TaskManagementFunction.ClearTaskSet, null);
        unit.End(foreign);
        Assert.False(foreign.WasAborted);
        Assert.Equal(ScsiStatus.TaskAborted, foreign.Status);
        Assert.Empty(Pending(b));
    }

    [Fact]
    public void A_logical_unit_reset_waits_for_every_nexus_and_tells_every_nexus()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand own = unit.Send(a, HeldUnit.Move);
        TestCommand foreign = unit.Send(b, HeldUnit.Move);
        TestCommand dormant = unit.Send(b, HeldUnit.Move, TaskAttribute.Ordered);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.LogicalUnitReset, null);
        Assert.True(dormant.WasAborted);
        unit.End(own);
        Assert.Empty(a.Port.FunctionsExecuted);
        Assert.Equal(0, unit.Backend.ResetCount);
        unit.End(foreign);
        Assert.Equal([request], a.Port.FunctionsExecuted);
        Assert.Equal(1, unit.Backend.ResetCount);
        Assert.Equal([AdditionalSense.BusDeviceResetFunctionOccurred], Pending(a));
        Assert.Equal([AdditionalSense.BusDeviceResetFunctionOccurred], Pending(b));
    }

    [Fact]
    public void A_command_that_comes_during_a_reset_waits_and_then_meets_the_unit_attention()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand old = unit.Send(a, HeldUnit.Move);
        Request(unit, a, TaskManagementFunction.LogicalUnitReset, null);
        TestCommand young = unit.Send(b, HeldUnit.Move);
        Assert.False(young.IsAnswered);
        unit.End(old);
        Assert.Equal(SenseKey.UnitAttention, young.Sense.Key);
    }

    [Fact]
    public void A_reset_covers_only_what_is_older_than_itself()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand older = unit.Send(a, HeldUnit.Move);
        TestCommand younger = unit.Send(a, HeldUnit.Move);
        var request = new TaskManagementRequest
        {
            Function = TaskManagementFunction.LogicalUnitReset,
            Sequence = younger.Sequence,
        };
        a.Nexus.TaskManagementRequested(request);
        unit.Target.Executor.Run();
        unit.End(older);
        unit.End(younger);
        Assert.True(older.WasAborted);
        Assert.False(younger.WasAborted);
        Assert.Contains(request, a.Port.FunctionsExecuted);
    }

    [Fact]
    public void A_lun_without_a_unit_is_named_as_such()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Assert.Equal(TaskManagementResponse.IncorrectLogicalUnitNumber,
            a.Request(TaskManagementFunction.LogicalUnitReset, Lun.FromNumber(9)));
    }

    [Fact]
    public void A_nexus_ends_after_its_commands_and_answers_none_of_them()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand command = unit.Send(a, HeldUnit.Move);
        bool ended = false;
        a.Nexus.End(() => ended = true);
        unit.Target.Executor.Run();
        Assert.False(ended);
        unit.End(command);
        Assert.True(ended);
        Assert.True(command.WasAborted);
    }

    [Fact]
    public void Query_task_tells_whether_the_command_is_there()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand command = unit.Send(a, HeldUnit.Move);
        Assert.Equal(TaskManagementResponse.FunctionSucceeded,
            Request(unit, a, TaskManagementFunction.QueryTask, command).Response);
        unit.End(command);
        Assert.Equal(TaskManagementResponse.FunctionComplete,
            Request(unit, a, TaskManagementFunction.QueryTask, command).Response);
    }

    [Fact]
    public void An_i_t_nexus_reset_does_what_a_nexus_loss_does()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        a.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        Assert.Equal(ScsiStatus.ReservationConflict, unit.Send(b, HeldUnit.Move).Status);
        TestCommand command = unit.Send(a, HeldUnit.Move);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.ItNexusReset, null);
        Assert.DoesNotContain(request, a.Port.FunctionsExecuted);
        unit.End(command);
        Assert.True(command.WasAborted);
        Assert.Contains(request, a.Port.FunctionsExecuted);
        Assert.Equal([AdditionalSense.ItNexusLossOccurred], Pending(a));
        Assert.Empty(Pending(b));
        Assert.Contains(unit.Send(b, HeldUnit.Move), unit.Held);
    }

    [Fact]
    public void A_unit_attention_whose_command_is_aborted_before_its_status_is_sent_stays_pending()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        a.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        const byte Naca = 0x04;
        TestCommand change = a.Send(Lun.FromNumber(0), [HeldUnit.Change, 0, 0, 0, 0, Naca], dataInBytes: 0);
        while (change.State != CommandState.Publishing && unit.Target.Executor.RunOne())
        {
        }
        Assert.Equal(CommandState.Publishing, change.State);
        Request(unit, a, TaskManagementFunction.AbortTask, change);
        Assert.True(change.WasAborted);
        Assert.Equal([AdditionalSense.CapacityDataHasChanged], Pending(a));
    }

    [Fact]
    public void A_reservation_newer_than_a_reset_outlives_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        TestCommand old = unit.Send(b, HeldUnit.Move);
        TestCommand reserve = a.Send(Lun.FromNumber(0), [0x16, 0, 0, 0, 0, 0], dataInBytes: 0);
        var request = new TaskManagementRequest
        {
            Function = TaskManagementFunction.LogicalUnitReset,
            Sequence = reserve.Sequence,
        };
        a.Nexus.TaskManagementRequested(request);
        unit.Target.Executor.Run();
        unit.End(old);
        Assert.Contains(request, a.Port.FunctionsExecuted);
        Assert.True(reserve.IsAnswered);
        Assert.Equal(SenseKey.UnitAttention, reserve.Sense.Key);
        a.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        b.TakeUnitAttentions();
        Assert.Equal(ScsiStatus.ReservationConflict, unit.Send(b, HeldUnit.Move).Status);
    }

    [Fact]
    public void Query_asynchronous_event_tells_the_first_unit_attention_and_leaves_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Assert.Equal(TaskManagementResponse.FunctionComplete,
            Request(unit, a, TaskManagementFunction.QueryAsynchronousEvent, null).Response);
        a.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        TaskManagementRequest one = Request(unit, a, TaskManagementFunction.QueryAsynchronousEvent, null);
        Assert.Equal(TaskManagementResponse.FunctionSucceeded, one.Response);
        Assert.Equal(new TaskManagementInformation(0x16, 0x2A, 0x09), one.AdditionalInformation);
        a.ItlNexus.UnitAttentions.Establish(AdditionalSense.BusDeviceResetFunctionOccurred);
        TaskManagementRequest two = Request(unit, a, TaskManagementFunction.QueryAsynchronousEvent, null);
        Assert.Equal(new TaskManagementInformation(0x26, 0x29, 0x03), two.AdditionalInformation);
        Assert.Equal(2, a.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Query_task_set_tells_whether_the_nexus_has_commands_there()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(), b = unit.Target.Login();
        unit.Send(a, HeldUnit.Move);
        Assert.Equal(TaskManagementResponse.FunctionSucceeded, a.Request(TaskManagementFunction.QueryTaskSet));
        Assert.Equal(TaskManagementResponse.FunctionComplete, b.Request(TaskManagementFunction.QueryTaskSet));
    }

    [Theory]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.ClearAca)]
    [InlineData(TaskManagementFunction.AbortTaskSet)]
    [InlineData(TaskManagementFunction.QueryTaskSet)]
    public void The_well_known_unit_has_nothing_to_abort_or_reset(TaskManagementFunction function)
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(function, Lun.WellKnownReportLuns));
        Assert.Empty(Pending(a));
    }

    [Fact]
    public void A_function_that_waits_long_says_for_what_and_is_not_answered_early()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        TestCommand stuck = unit.Send(a, HeldUnit.Move);
        TaskManagementRequest request = Request(unit, a, TaskManagementFunction.LogicalUnitReset, null);
        foreach (long ms in (long[])[4_999, 1, 9_999, 1, 20_000])
        {
            unit.Target.Executor.Advance(ms);
            unit.Target.Executor.Run();
        }
        Assert.Equal([(5_000L, "unit0"), (15_000, "unit0"), (35_000, "unit0")], a.Port.Delays);
        Assert.Empty(a.Port.FunctionsExecuted);
        unit.End(stuck);
        Assert.Equal([request], a.Port.FunctionsExecuted);
        unit.Target.Executor.Advance(1_000_000);
        unit.Target.Executor.Run();
        Assert.Equal(3, a.Port.Delays.Count);
    }

    private static AdditionalSense[] Pending(TestInitiator initiator) =>
        initiator.ItlNexus.UnitAttentions.Pending.ToArray();

    private static TaskManagementRequest Request(
        HeldUnit unit, TestInitiator initiator, TaskManagementFunction function, ScsiCommand? referenced)
    {
        var request = new TaskManagementRequest { Function = function, Referenced = referenced };
        initiator.Nexus.TaskManagementRequested(request);
        unit.Target.Executor.Run();
        return request;
    }
}
