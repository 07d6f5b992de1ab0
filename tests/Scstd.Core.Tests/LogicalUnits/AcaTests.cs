using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>The ACA condition, SAM-5 §5.9: a CHECK CONDITION with NACA stops the task set until its nexus says
/// so.</summary>
public sealed class AcaTests : IDisposable
{
    private const byte Naca = 0x04;
    private const byte Unknown = 0x0D;

    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _faulted;
    private readonly TestInitiator _other;

    public AcaTests()
    {
        _faulted = _unit.Target.Login();
        _other = _unit.Target.Login();
    }

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void Inquiry_tells_of_normal_aca() =>
        Assert.Equal(0x20, _faulted.Execute([0x12, 0, 0, 0, 36, 0]).DataIn[3] & 0x20);

    [Fact]
    public void A_command_that_ends_well_with_naca_establishes_nothing()
    {
        TestCommand command = Send(_faulted, HeldUnit.Move, Naca);
        _unit.End(command);
        Assert.Equal(ScsiStatus.Good, command.Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_check_condition_without_naca_stops_nobody()
    {
        Assert.Equal(ScsiStatus.CheckCondition, Send(_faulted, Unknown).Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void The_faulted_nexus_gets_aca_active_for_whatever_has_not_the_aca_attribute()
    {
        Fault();
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move).Status);
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Ordered).Status);
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.HeadOfQueue).Status);
        Assert.Equal(ScsiStatus.AcaActive, _faulted.Execute([0x12, 0, 0, 0, 36, 0]).Status);
    }

    [Fact]
    public void Other_nexuses_get_busy_or_with_naca_aca_active()
    {
        Fault();
        Assert.Equal(ScsiStatus.Busy, Send(_other, HeldUnit.Move).Status);
        Assert.Equal(ScsiStatus.AcaActive, Send(_other, HeldUnit.Move, Naca).Status);
    }

    [Fact]
    public void A_nexus_that_is_born_during_the_condition_is_stopped_as_well()
    {
        Fault();
        TestInitiator young = _unit.Target.Login();
        Assert.Equal(ScsiStatus.Busy, Send(young, HeldUnit.Move).Status);
    }

    [Fact]
    public void One_command_with_the_aca_attribute_is_executed_at_a_time()
    {
        Fault();
        TestCommand first = Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Aca);
        Assert.Equal([first], _unit.Held);
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Aca).Status);
        _unit.End(first);
        Assert.Equal(ScsiStatus.Good, first.Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move, TaskAttribute.Aca).Status);
    }

    [Fact]
    public void With_tmf_only_no_command_with_the_aca_attribute_is_executed()
    {
        _unit.Target.Unit.Control.Current[0] |= 0x10;
        Fault();
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Aca).Status);
    }

    [Fact]
    public void Commands_of_the_task_set_are_blocked_until_the_condition_is_cleared()
    {
        TestCommand inside = Send(_other, HeldUnit.Move);
        _other.Port.HoldsDataOut = true;
        TestCommand waiting = _other.Send(Lun.FromNumber(0), [HeldUnit.MoveOut, 0, 0, 0, 0, 0], new byte[512]);
        TestCommand dormant = Send(_other, HeldUnit.Move, attribute: TaskAttribute.Ordered);
        TestCommand faulting = Send(_faulted, Unknown, Naca, TaskAttribute.HeadOfQueue);
        Assert.False(faulting.IsAnswered);
        _unit.End(inside);
        Assert.Equal(ScsiStatus.CheckCondition, faulting.Status);
        _other.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Empty(_unit.Held);
        Assert.Equal(TaskManagementResponse.FunctionComplete, _faulted.Request(TaskManagementFunction.ClearAca));
        Assert.Equal([waiting], _unit.Held);
        _unit.End(waiting);
        Assert.Equal([dormant], _unit.Held);
    }

    [Theory]
    [InlineData(0x02, true)]
    [InlineData(0x06, false)]
    public void Qerr_takes_away_what_would_have_been_blocked(byte queueError, bool ofAll)
    {
        _unit.Target.Unit.Control.Current[1] |= queueError;
        TestCommand own = Send(_faulted, HeldUnit.Move), foreign = Send(_other, HeldUnit.Move);
        TestCommand faulting = Send(_faulted, Unknown, Naca);
        _unit.EndAll();
        Assert.Equal(ScsiStatus.CheckCondition, faulting.Status);
        Assert.True(own.WasAborted);
        Assert.Equal(ofAll, foreign.WasAborted);
        Assert.Equal(
            ofAll ? [AdditionalSense.CommandsClearedByAnotherInitiator] : [],
            _other.ItlNexus.UnitAttentions.Pending.ToArray());
    }

    [Fact]
    public void With_a_task_set_per_nexus_the_condition_stops_the_faulted_nexus_alone()
    {
        HasTaskSetPerNexus();
        Fault();
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move).Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_other, HeldUnit.Move).Status);
        Assert.Equal(AdditionalSense.InvalidMessageError,
            Send(_other, HeldUnit.Move, attribute: TaskAttribute.Aca).Sense.Additional);
    }

    [Fact]
    public void Clear_aca_of_another_nexus_has_no_effect()
    {
        Fault();
        Assert.Equal(TaskManagementResponse.FunctionComplete, _other.Request(TaskManagementFunction.ClearAca));
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void Clear_aca_takes_the_command_with_the_aca_attribute_along()
    {
        Fault();
        TestCommand inside = Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Aca);
        var request = new TaskManagementRequest { Function = TaskManagementFunction.ClearAca };
        _faulted.Nexus.TaskManagementRequested(request);
        _unit.Target.Executor.Run();
        Assert.Empty(_faulted.Port.FunctionsExecuted);
        _unit.End(inside);
        Assert.True(inside.WasAborted);
        Assert.Equal([request], _faulted.Port.FunctionsExecuted);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_logical_unit_reset_ends_the_condition()
    {
        Fault();
        _other.Request(TaskManagementFunction.LogicalUnitReset);
        _faulted.TakeUnitAttentions();
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void The_loss_of_the_faulted_nexus_ends_the_condition_and_that_of_another_does_not()
    {
        Fault();
        _unit.Target.Login().Logout();
        Assert.Equal(ScsiStatus.Busy, Send(_other, HeldUnit.Move).Status);
        _faulted.Logout();
        Assert.Equal(ScsiStatus.Good, RunToEnd(_other, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_fault_inside_the_condition_is_told_and_the_condition_lasts()
    {
        Fault();
        TestCommand again = Send(_faulted, Unknown, Naca, TaskAttribute.Aca);
        Assert.Equal(ScsiStatus.CheckCondition, again.Status);
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move).Status);
        _faulted.Request(TaskManagementFunction.ClearAca);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_fault_of_the_command_with_the_aca_attribute_and_without_naca_clears_the_condition()
    {
        Fault();
        TestCommand blocked = Send(_other, HeldUnit.Move);
        Assert.Equal(ScsiStatus.Busy, blocked.Status);
        Assert.Equal(ScsiStatus.CheckCondition, Send(_faulted, Unknown, attribute: TaskAttribute.Aca).Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_other, HeldUnit.Move).Status);
        Assert.Equal(AdditionalSense.InvalidMessageError,
            Send(_faulted, HeldUnit.Move, attribute: TaskAttribute.Aca).Sense.Additional);
    }

    [Fact]
    public void A_fault_under_qerr_3_waits_until_the_condition_of_another_nexus_is_cleared()
    {
        _unit.Target.Unit.Control.Current[1] |= 0x06;
        TestCommand first = Send(_faulted, HeldUnit.Move, Naca), second = Send(_other, HeldUnit.Move);
        _unit.FailWithoutRunning(first);
        _unit.Fail(second);
        Assert.Equal(ScsiStatus.CheckCondition, first.Status);
        Assert.False(second.IsAnswered);
        _faulted.Request(TaskManagementFunction.ClearAca);
        Assert.Equal(ScsiStatus.CheckCondition, second.Status);
    }

    [Fact]
    public void A_command_with_the_aca_attribute_that_outlives_its_condition_is_blocked_by_the_next()
    {
        Fault();
        _faulted.Port.HoldsDataOut = true;
        TestCommand inside = _faulted.Send(
            Lun.FromNumber(0), [HeldUnit.MoveOut, 0, 0, 0, 0, 0], new byte[512], attribute: TaskAttribute.Aca);
        var older = new TaskManagementRequest
        {
            Function = TaskManagementFunction.LogicalUnitReset,
            Sequence = inside.Sequence,
        };
        _faulted.Nexus.TaskManagementRequested(older);
        _unit.Target.Executor.Run();
        _other.TakeUnitAttentions();
        Assert.Equal(ScsiStatus.CheckCondition, Send(_other, Unknown, Naca).Status);
        _faulted.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.False(inside.IsAnswered);
        _other.Request(TaskManagementFunction.ClearAca);
        Assert.True(inside.IsAnswered);
    }

    [Theory]
    [InlineData(Naca, 0)]
    [InlineData(0, 0x02)]
    public void Nothing_of_a_nexus_begins_before_a_unit_attention_that_does_something_to_others_is_sent(
        byte control, byte queueError)
    {
        _unit.Target.Unit.Control.Current[1] |= queueError;
        _faulted.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        TestCommand first = _faulted.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, control], dataInBytes: 0);
        TestCommand second = _faulted.Send(Lun.FromNumber(0), [HeldUnit.Change, 0, 0, 0, 0, 0], dataInBytes: 0);
        while (!first.IsAnswered && !second.IsAnswered)
        {
            Assert.Empty(_unit.Held);
            Assert.True(_unit.Target.Executor.RunOne());
        }
        Assert.Equal(AdditionalSense.CapacityDataHasChanged, first.Sense.Additional);
        _unit.Target.Executor.Run();
        _faulted.Request(TaskManagementFunction.ClearAca);
    }

    [Fact]
    public void A_unit_attention_that_was_reported_meanwhile_is_not_reported_again()
    {
        TestCommand held = Send(_other, HeldUnit.Move);
        _faulted.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        TestCommand first = _faulted.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, Naca], dataInBytes: 0);
        TestCommand second = _faulted.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, 0], dataInBytes: 0);
        Assert.Equal(AdditionalSense.CapacityDataHasChanged, second.Sense.Additional);
        _unit.Target.Executor.Run();
        Assert.False(first.IsAnswered);
        Assert.Contains(first, _unit.Held);
        _unit.End(held);
        _unit.End(first);
        first.MustBeGood();
    }

    [Fact]
    public void A_fault_that_has_done_something_to_others_is_told_although_its_command_is_aborted()
    {
        _unit.Target.Unit.Control.Current[1] |= 0x02;
        TestCommand held = Send(_faulted, HeldUnit.Move), failing = Send(_faulted, HeldUnit.Move);
        _unit.Fail(failing);
        var abort = new TaskManagementRequest
        {
            Function = TaskManagementFunction.AbortTask,
            Referenced = failing,
        };
        _faulted.Nexus.TaskManagementRequested(abort);
        _unit.Target.Executor.Run();
        Assert.Empty(_faulted.Port.FunctionsExecuted);
        _unit.End(held);
        Assert.True(held.WasAborted);
        Assert.Equal((false, ScsiStatus.CheckCondition), (failing.WasAborted, failing.Status));
        Assert.Equal([abort], _faulted.Port.FunctionsExecuted);
    }

    [Fact]
    public void A_second_fault_waits_until_the_first_condition_is_cleared()
    {
        TestCommand first = Send(_faulted, HeldUnit.Move, Naca), second = Send(_other, HeldUnit.Move, Naca);
        _unit.Fail(first);
        _unit.Fail(second);
        Assert.Equal(ScsiStatus.CheckCondition, first.Status);
        Assert.False(second.IsAnswered);
        _faulted.Request(TaskManagementFunction.ClearAca);
        Assert.Equal(ScsiStatus.CheckCondition, second.Status);
        Assert.Equal(ScsiStatus.AcaActive, Send(_other, HeldUnit.Move).Status);
        Assert.Equal(ScsiStatus.Busy, Send(_faulted, HeldUnit.Move).Status);
        _other.Request(TaskManagementFunction.ClearAca);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_reset_takes_a_fault_that_waits_with_it()
    {
        TestCommand first = Send(_faulted, HeldUnit.Move, Naca), second = Send(_other, HeldUnit.Move, Naca);
        _unit.Fail(first);
        _unit.Fail(second);
        Assert.Equal(
            TaskManagementResponse.FunctionComplete, _faulted.Request(TaskManagementFunction.LogicalUnitReset));
        Assert.True(second.WasAborted);
        _faulted.TakeUnitAttentions();
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_change_of_the_unit_that_waits_when_the_condition_comes_gives_its_turn_up()
    {
        TestCommand first = Send(_faulted, HeldUnit.Move, Naca), inside = Send(_faulted, HeldUnit.Move);
        TestCommand change = Send(_other, HeldUnit.Change);
        _unit.Fail(first);
        _unit.End(inside);
        Assert.True(first.IsAnswered);
        Assert.Equal(ScsiStatus.CheckCondition, first.Status);
        Assert.Equal(ScsiStatus.Good, RunToEnd(_faulted, HeldUnit.Change, TaskAttribute.Aca).Status);
        Assert.False(change.IsAnswered);
        _faulted.Request(TaskManagementFunction.ClearAca);
        Assert.Equal([change], _unit.Held);
    }

    [Fact]
    public void A_change_that_fails_with_naca_establishes_the_condition()
    {
        TestCommand change = Send(_faulted, HeldUnit.Change, Naca);
        _unit.Fail(change);
        Assert.Equal(ScsiStatus.CheckCondition, change.Status);
        Assert.Equal(ScsiStatus.Busy, Send(_other, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_unit_attention_reported_with_naca_establishes_the_condition()
    {
        _faulted.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        Assert.Equal(SenseKey.UnitAttention, Send(_faulted, HeldUnit.Move, Naca).Sense.Key);
        Assert.Equal(ScsiStatus.AcaActive, Send(_faulted, HeldUnit.Move).Status);
    }

    [Fact]
    public void A_lun_without_a_unit_keeps_no_condition()
    {
        _faulted.ExecuteOn(Lun.FromNumber(9), [0x12, 0, 0, 0, 36, Naca]).MustBeInvalidInCdb(5, 2);
    }

    private void Fault() => Assert.Equal(ScsiStatus.CheckCondition, Send(_faulted, Unknown, Naca).Status);

    private void HasTaskSetPerNexus() =>
        _faulted.Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x20, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).MustBeGood();

    private TestCommand Send(
        TestInitiator initiator, byte code, byte control = 0, TaskAttribute attribute = TaskAttribute.Simple)
    {
        if (initiator.ItlNexus.UnitAttentions.Pending.Contains(AdditionalSense.ModeParametersChanged))
            initiator.TakeUnitAttentions();
        TestCommand command = initiator.Send(
            Lun.FromNumber(0), [code, 0, 0, 0, 0, control], dataInBytes: 0, attribute: attribute);
        _unit.Target.Executor.Run();
        return command;
    }

    private TestCommand RunToEnd(
        TestInitiator initiator, byte code, TaskAttribute attribute = TaskAttribute.Simple)
    {
        TestCommand command = Send(initiator, code, attribute: attribute);
        _unit.EndAll();
        return command;
    }
}
