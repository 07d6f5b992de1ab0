using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>What the Control mode page asks for is done, SPC-4 §7.5.8.</summary>
public sealed class ControlModeTests : IDisposable
{
    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _a;
    private readonly TestInitiator _b;

    public ControlModeTests()
    {
        _a = _unit.Target.Login();
        _b = _unit.Target.Login();
    }

    public void Dispose() => _unit.Dispose();

    [Theory]
    [InlineData(0, 0x40, 4, 6)]
    [InlineData(1, 0x20, 5, 5)]
    [InlineData(1, 0x14, 5, 2)]
    [InlineData(2, 0x10, 6, 5)]
    [InlineData(0, 0x02, 4, 1)]
    public void A_value_that_is_reserved_is_refused_at_its_place(int offset, byte value, int field, int bit)
    {
        byte[] values = Values();
        values[offset] = value;
        SetControl(values).MustBe(SenseData.InvalidFieldInParameterList(field + 2, bit));
    }

    // ---- TST ---------------------------------------------------------------------------------------------------

    [Fact]
    public void With_a_task_set_per_nexus_an_ordered_command_waits_for_its_own_nexus_alone()
    {
        SetControl(Values(tst: 0x20)).MustBeGood();
        TestCommand foreign = Send(_b, HeldUnit.Move);
        TestCommand own = Send(_a, HeldUnit.Move);
        TestCommand ordered = Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand younger = Send(_a, HeldUnit.Move);
        TestCommand second = Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand foreignYounger = Send(_b, HeldUnit.Move);
        Assert.Equal([foreign, own, foreignYounger], _unit.Held);
        _unit.End(own);
        Assert.Equal([foreign, foreignYounger, ordered], _unit.Held);
        _unit.End(ordered);
        Assert.Equal([foreign, foreignYounger, younger], _unit.Held);
        _unit.End(younger);
        Assert.Equal([foreign, foreignYounger, second], _unit.Held);
    }

    [Fact]
    public void With_a_task_set_per_nexus_an_ordered_command_that_is_aborted_lets_the_next_in()
    {
        SetControl(Values(tst: 0x20)).MustBeGood();
        TestCommand first = Send(_a, HeldUnit.Move);
        TestCommand ordered = Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand younger = Send(_a, HeldUnit.Move);
        Abort(_a, ordered);
        Assert.True(ordered.WasAborted);
        Assert.Equal([first, younger], _unit.Held);
    }

    [Fact]
    public void An_ordered_command_begins_after_one_that_came_while_there_was_a_single_task_set()
    {
        _b.Port.HoldsDataOut = true;
        TestCommand older = Send(_b, HeldUnit.MoveOut, dataOut: new byte[512]);
        SetControl(Values(tst: 0x20)).MustBeGood();
        _b.TakeUnitAttentions();
        TestCommand ordered = Send(_b, HeldUnit.Move, TaskAttribute.Ordered);
        _b.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Equal([older], _unit.Held);
        _unit.End(older);
        Assert.Equal([ordered], _unit.Held);
    }

    [Fact]
    public void With_a_task_set_per_nexus_clear_task_set_leaves_the_others_alone()
    {
        SetControl(Values(tst: 0x20)).MustBeGood();
        TestCommand own = Send(_a, HeldUnit.Move), foreign = Send(_b, HeldUnit.Move);
        _a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.ClearTaskSet });
        _unit.EndAll();
        Assert.True(own.WasAborted);
        Assert.False(foreign.WasAborted);
        Assert.Equal(0, _b.ItlNexus.UnitAttentions.Count);
        Assert.Single(_a.Port.FunctionsExecuted);
    }

    [Fact]
    public void Back_to_one_task_set_an_ordered_command_waits_for_all_again()
    {
        SetControl(Values(tst: 0x20)).MustBeGood();
        SetControl(Values()).MustBeGood();
        TestCommand foreign = Send(_b, HeldUnit.Move);
        Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        Assert.Equal([foreign], _unit.Held);
    }

    // ---- QUEUE ALGORITHM MODIFIER --------------------------------------------------------------------------------

    [Fact]
    public void With_restricted_reordering_a_write_waits_for_all_that_is_older_and_reads_for_writes()
    {
        SetControl(Values(modifier: 0x00)).MustBeGood();
        TestCommand read = Send(_a, HeldUnit.Read), read2 = Send(_a, HeldUnit.Read);
        TestCommand write = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand read3 = Send(_a, HeldUnit.Read), read4 = Send(_a, HeldUnit.Read);
        TestCommand foreign = Send(_b, HeldUnit.MoveOut, dataOut: new byte[512]);
        Assert.Equal([read, read2, foreign], _unit.Held);
        _unit.End(read);
        Assert.Equal([read2, foreign], _unit.Held);
        _unit.End(read2);
        Assert.Equal([foreign, write], _unit.Held);
        _unit.End(write);
        Assert.Equal([foreign, read3, read4], _unit.Held);
    }

    [Fact]
    public void With_restricted_reordering_a_write_that_waits_for_its_data_is_not_overtaken()
    {
        SetControl(Values(modifier: 0x00)).MustBeGood();
        _a.Port.HoldsDataOut = true;
        TestCommand write = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand read = Send(_a, HeldUnit.Read);
        Assert.Empty(_unit.Held);
        _a.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Equal([write], _unit.Held);
        _unit.End(write);
        Assert.Equal([read], _unit.Held);
    }

    [Fact]
    public void With_restricted_reordering_head_of_queue_and_inquiry_go_first_all_the_same()
    {
        SetControl(Values(modifier: 0x00)).MustBeGood();
        TestCommand write = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand head = Send(_a, HeldUnit.Read, TaskAttribute.HeadOfQueue);
        Assert.Equal([write, head], _unit.Held);
        _a.Execute([0x12, 0, 0, 0, 36, 0]).MustBeGood();
    }

    [Fact]
    public void What_waits_for_its_nexus_goes_on_when_reordering_is_free_again_or_it_is_aborted()
    {
        SetControl(Values(modifier: 0x00)).MustBeGood();
        TestCommand write = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand aborted = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand read = Send(_a, HeldUnit.Read);
        Abort(_a, aborted);
        Assert.True(aborted.WasAborted);
        Assert.Equal([write], _unit.Held);
        _unit.Target.Unit.Control.Current[1] = 0x10;
        _b.Request(TaskManagementFunction.ClearAca);
        _unit.End(write);
        Assert.Equal([read], _unit.Held);
    }

    [Fact]
    public void With_restricted_reordering_writes_whose_data_comes_in_another_order_begin_in_that_of_their_coming()
    {
        SetControl(Values(modifier: 0x00)).MustBeGood();
        TestCommand first = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        _a.Port.HoldsDataOut = true;
        TestCommand second = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        _a.Port.HoldsDataOut = false;
        TestCommand third = Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        _a.Port.GiveDataOut();
        _unit.End(first);
        Assert.Equal([second], _unit.Held);
        _unit.End(second);
        Assert.Equal([third], _unit.Held);
    }

    [Fact]
    public void An_ordered_command_of_the_single_task_set_waits_for_none_of_a_nexus_own()
    {
        TestCommand before = Send(_b, HeldUnit.Move);
        TestCommand select = _a.Send(Lun.FromNumber(0), [0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, .. Values(tst: 0x20, modifier: 0)]);
        TestCommand ordered = Send(_b, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand dormant = Send(_b, HeldUnit.MoveOut, dataOut: new byte[512]);
        _a.Nexus.TaskManagementRequested(new TaskManagementRequest
        {
            Function = TaskManagementFunction.AbortTask,
            Referenced = before,
        });
        _unit.End(before);
        select.MustBeGood();
        TestCommand own = Send(_b, HeldUnit.MoveOut, dataOut: new byte[512]);
        _unit.EndAll();
        Assert.All(new[] { ordered, dormant, own }, command => Assert.True(command.IsAnswered));
    }

    // ---- QERR --------------------------------------------------------------------------------------------------

    [Fact]
    public void Qerr_1_takes_the_whole_task_set_and_tells_those_that_lost_commands()
    {
        TestInitiator idle = _unit.Target.Login();
        SetControl(Values(queueError: 0x02)).MustBeGood();
        idle.TakeUnitAttentions();
        TestCommand own = Send(_a, HeldUnit.Move), foreign = Send(_b, HeldUnit.Move);
        TestCommand failing = Send(_a, HeldUnit.Move);
        _unit.Fail(failing);
        Assert.False(failing.IsAnswered);
        _unit.EndAll();
        Assert.Equal(ScsiStatus.CheckCondition, failing.Status);
        Assert.True(own.WasAborted && foreign.WasAborted);
        Assert.Equal([AdditionalSense.CommandsClearedByAnotherInitiator], Pending(_b));
        Assert.Empty(Pending(_a));
        Assert.Empty(Pending(idle));
    }

    [Fact]
    public void Qerr_1_with_tas_ends_the_others_with_task_aborted()
    {
        SetControl(Values(queueError: 0x02, tas: 0x40)).MustBeGood();
        TestCommand own = Send(_a, HeldUnit.Move), foreign = Send(_b, HeldUnit.Move);
        _unit.Fail(Send(_a, HeldUnit.Move));
        _unit.EndAll();
        Assert.True(own.WasAborted);
        Assert.Equal(ScsiStatus.TaskAborted, foreign.Status);
        Assert.Empty(Pending(_b));
    }

    [Theory]
    [InlineData(0x00, 0x06)]
    [InlineData(0x20, 0x06)]
    [InlineData(0x20, 0x02)]
    public void Qerr_3_or_a_task_set_per_nexus_takes_the_own_nexus_alone(byte tst, byte queueError)
    {
        SetControl(Values(tst: tst, queueError: queueError)).MustBeGood();
        TestCommand own = Send(_a, HeldUnit.Move), foreign = Send(_b, HeldUnit.Move);
        _unit.Fail(Send(_a, HeldUnit.Move));
        _unit.EndAll();
        Assert.True(own.WasAborted);
        Assert.False(foreign.WasAborted);
        Assert.Empty(Pending(_b));
    }

    [Fact]
    public void Of_two_that_fail_at_once_under_qerr_1_one_takes_the_other_with_it()
    {
        SetControl(Values(queueError: 0x02)).MustBeGood();
        TestCommand first = Send(_a, HeldUnit.Move), second = Send(_a, HeldUnit.Move);
        foreach (TestCommand command in (TestCommand[])[first, second])
            _unit.FailWithoutRunning(command);
        _unit.Target.Executor.Run();
        Assert.Equal(ScsiStatus.CheckCondition, first.Status);
        Assert.True(second.WasAborted);
    }

    // ---- UA_INTLCK_CTRL ------------------------------------------------------------------------------------------

    [Fact]
    public void With_an_interlock_a_unit_attention_stays_until_request_sense()
    {
        SetControl(Values(interlock: 0x20)).MustBeGood();
        _a.ItlNexus.UnitAttentions.Establish(AdditionalSense.CapacityDataHasChanged);
        for (int i = 0; i < 3; i++)
            Assert.Equal(AdditionalSense.CapacityDataHasChanged, Send(_a, HeldUnit.Move).Sense.Additional);
        Assert.Equal(0x2A, _a.Execute([0x03, 0, 0, 0, 18, 0]).DataIn[12]);
        Assert.Contains(Send(_a, HeldUnit.Move), _unit.Held);
    }

    [Fact]
    public void An_interlock_of_10b_remembers_no_status()
    {
        SetControl(Values(interlock: 0x20)).MustBeGood();
        Reserve(_b);
        Assert.Equal(ScsiStatus.ReservationConflict, Send(_a, HeldUnit.Move).Status);
        Assert.Empty(Pending(_a));
    }

    [Fact]
    public void An_interlock_of_11b_remembers_a_reservation_conflict()
    {
        SetControl(Values(interlock: 0x30)).MustBeGood();
        Reserve(_b);
        Assert.Equal(ScsiStatus.ReservationConflict, Send(_a, HeldUnit.Move).Status);
        Assert.Equal([AdditionalSense.PreviousReservationConflictStatus], Pending(_a));
    }

    [Fact]
    public void An_interlock_of_11b_remembers_a_full_task_set()
    {
        SetControl(Values(interlock: 0x30)).MustBeGood();
        for (int i = 0; i <= _unit.Target.Unit.NexusQueueDepth; i++)
            Send(_a, HeldUnit.Move);
        Assert.Equal([AdditionalSense.PreviousTaskSetFullStatus], Pending(_a));
    }

    [Fact]
    public void An_interlock_of_11b_remembers_a_busy_status()
    {
        SetControl(Values(interlock: 0x30)).MustBeGood();
        _b.TakeUnitAttentions();
        TestCommand fault = _b.Send(Lun.FromNumber(0), [0x0D, 0, 0, 0, 0, 0x04], dataInBytes: 0);
        _unit.Target.Executor.Run();
        Assert.Equal(ScsiStatus.CheckCondition, fault.Status);
        Assert.Equal(ScsiStatus.Busy, Send(_a, HeldUnit.Move).Status);
        Assert.Equal([AdditionalSense.PreviousBusyStatus], Pending(_a));
        _b.Request(TaskManagementFunction.ClearAca);
    }

    // ---- Reset -------------------------------------------------------------------------------------------------

    [Fact]
    public void A_reset_restores_the_page_and_what_it_asks_for()
    {
        SetControl(Values(tst: 0x20, modifier: 0, queueError: 0x02)).MustBeGood();
        _a.Request(TaskManagementFunction.LogicalUnitReset);
        _a.TakeUnitAttentions();
        _b.TakeUnitAttentions();
        TestCommand foreign = Send(_b, HeldUnit.Move);
        Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        Assert.Equal([foreign], _unit.Held);
    }

    private static AdditionalSense[] Pending(TestInitiator initiator) =>
        initiator.ItlNexus.UnitAttentions.Pending.ToArray();

    private static byte[] Values(
        byte tst = 0, byte modifier = 0x10, byte queueError = 0, byte interlock = 0, byte tas = 0) =>
        [tst, (byte)(modifier | queueError), interlock, tas, 0, 0, 0xFF, 0xFF, 0, 0];

    private TestCommand SetControl(byte[] values)
    {
        TestCommand command = _a.Execute([0x15, 0x10, 0, 0, 16, 0], [0, 0, 0, 0, 0x0A, 0x0A, .. values]);
        _a.TakeUnitAttentions();
        _b.TakeUnitAttentions();
        return command;
    }

    private void Reserve(TestInitiator initiator)
    {
        initiator.TakeUnitAttentions();
        initiator.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
    }

    private void Abort(TestInitiator initiator, TestCommand command)
    {
        initiator.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.AbortTask, Referenced = command });
        _unit.Target.Executor.Run();
    }

    private TestCommand Send(
        TestInitiator initiator, byte code, TaskAttribute attribute = TaskAttribute.Simple, byte[]? dataOut = null) =>
        _unit.Send(initiator, code, attribute, dataOut);
}
