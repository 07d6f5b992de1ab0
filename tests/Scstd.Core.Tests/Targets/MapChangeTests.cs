using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>A map that changes under a live nexus: what stays, what goes and what comes.</summary>
public sealed class MapChangeTests : IDisposable
{
    private static readonly SenseData NotSupported =
        SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported);

    private readonly MapWorld _world = new();

    public void Dispose() => _world.Dispose();

    // ---- The event table -------------------------------------------------------------------------------------------

    [Fact]
    public void Event_3F_0E_is_pending_on_every_lun_of_the_nexus_whose_inventory_changed_and_on_no_other()
    {
        TestInitiator changed = _world.Login((0, _world.A), (1, _world.B));
        TestInitiator other = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(changed, (0, _world.A), (1, _world.B), (2, _world.C));

        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged], MapWorld.Pending(changed, 0));
        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged], MapWorld.Pending(changed, 1));
        Assert.Equal(
            [AdditionalSense.PowerOnResetOrBusDeviceReset, AdditionalSense.ReportedLunsDataHasChanged],
            MapWorld.Pending(changed, 2));
        Assert.All(other.Nexus.ItlNexuses, itl => Assert.Equal(0, itl.UnitAttentions.Count));
    }

    [Fact]
    public void Event_3F_0E_is_told_once_for_all_luns_of_the_nexus()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(initiator, (0, _world.A), (1, _world.B), (2, _world.C));
        _world.Send(initiator, 1).MustBe(SenseData.UnitAttention(AdditionalSense.ReportedLunsDataHasChanged));
        Assert.Empty(MapWorld.Pending(initiator, 0));
        Assert.Empty(MapWorld.Pending(initiator, 1));
        Assert.Equal([AdditionalSense.PowerOnResetOrBusDeviceReset], MapWorld.Pending(initiator, 2));
    }

    [Fact]
    public void Event_3F_0E_ends_with_report_luns_on_all()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(initiator, (0, _world.A));
        MapWorld.ReportLuns(initiator);
        Assert.Empty(MapWorld.Pending(initiator, 0));
    }

    [Fact]
    public void Event_3F_0E_that_could_not_be_sent_is_pending_on_all_again()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(initiator, (0, _world.A), (1, _world.B), (2, _world.C));
        TestCommand told = _world.Send(initiator, 1);
        told.KeepConditions();
        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged], MapWorld.Pending(initiator, 0));
        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged], MapWorld.Pending(initiator, 1));
    }

    [Fact]
    public void Event_3F_03_is_pending_where_a_lun_leads_to_another_unit_and_the_list_of_luns_did_not_change()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(initiator, (0, _world.A), (1, _world.C));
        Assert.Empty(MapWorld.Pending(initiator, 0));
        Assert.Equal(
            [AdditionalSense.PowerOnResetOrBusDeviceReset, AdditionalSense.InquiryDataHasChanged],
            MapWorld.Pending(initiator, 1));
    }

    [Fact]
    public void Another_way_to_write_the_luns_is_another_inventory()
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        _world.Change(initiator, new LunMap([new LunMapEntry(0, _world.A)], LunAddressing.Flat));
        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged], MapWorld.Pending(initiator, 0));
        TestCommand list = initiator.ExecuteOn(Lun.FromNumber(0), Hex.Bytes("A0 00 00 00 00 00 00 00 00 10 00 00"));
        Assert.Equal("00 00 00 08 00 00 00 00 40 00 00 00 00 00 00 00", list.DataOfGood());
    }

    // ---- What stays ------------------------------------------------------------------------------------------------

    [Fact]
    public void A_lun_that_stays_keeps_its_nexus_its_reservation_and_its_commands()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        initiator.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        TestCommand running = _world.Send(initiator, 0);
        ItlNexus before = initiator.Nexus.Find(Lun.FromNumber(0))!;
        _world.Change(initiator, (0, _world.A), (2, _world.C));
        Assert.Same(before, initiator.Nexus.Find(Lun.FromNumber(0)));
        Assert.Same(initiator.Nexus, _world.A.ReservationHolder);
        _world.End(running);
        running.MustBeGood();
    }

    [Fact]
    public void The_same_map_again_changes_nothing_for_anybody()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        _world.Change(initiator, (0, _world.A), (1, _world.B));
        Assert.All(initiator.Nexus.ItlNexuses, itl => Assert.Equal(0, itl.UnitAttentions.Count));
    }

    [Fact]
    public void Write_protection_of_a_lun_changes_in_place_and_is_told_as_a_changed_mode_parameter()
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        _world.Change(initiator, new LunMap([new LunMapEntry(0, _world.A, IsReadOnly: true)]));
        Assert.Equal([AdditionalSense.ModeParametersChanged], MapWorld.Pending(initiator, 0));
        initiator.TakeUnitAttentions();
        TestCommand refused = _world.Send(initiator, 0, MapWorld.MoveOut, dataOut: new byte[512]);
        Assert.Equal(SenseKey.DataProtect, refused.Sense.Key);
        _world.Change(initiator, (0, _world.A));
        initiator.TakeUnitAttentions();
        _world.Send(initiator, 0, MapWorld.MoveOut, dataOut: new byte[512]);
        Assert.Single(_world.Held);
    }

    // ---- What goes -------------------------------------------------------------------------------------------------

    [Fact]
    public void What_was_received_before_ends_by_the_old_mapping_and_what_comes_after_finds_nothing()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        TestCommand before = _world.Send(initiator, 1);
        bool settled = false;
        _world.Change(initiator, MapWorld.Map((0, _world.A)), () => settled = true);
        initiator.TakeUnitAttentions();
        _world.Send(initiator, 1).MustBe(NotSupported);
        Assert.False(settled);
        _world.End(before);
        before.MustBeGood();
        Assert.True(settled);
    }

    [Fact]
    public void A_write_whose_data_comes_after_the_change_ends_by_the_old_mapping()
    {
        TestInitiator initiator = _world.Login((1, _world.B));
        initiator.Port.HoldsDataOut = true;
        TestCommand write = _world.Send(initiator, 1, MapWorld.MoveOut, dataOut: new byte[512]);
        _world.Change(initiator, (1, _world.C));
        initiator.Port.GiveDataOut();
        _world.Target.Executor.Run();
        Assert.Same(_world.B, Assert.Single(_world.Held).Unit);
        _world.End(write);
        write.MustBeGood();
    }

    [Fact]
    public void Ordered_commands_that_wait_end_by_the_old_mapping_in_their_order()
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        TestCommand first = _world.Send(initiator, 0);
        TestCommand ordered = _world.Send(initiator, 0, attribute: TaskAttribute.Ordered);
        TestCommand behind = _world.Send(initiator, 0);
        _world.Change(initiator, (0, _world.B));
        initiator.TakeUnitAttentions();
        TestCommand toTheNew = _world.Send(initiator, 0);
        Assert.Equal([first, toTheNew], _world.Held);
        _world.End(first);
        Assert.Equal([toTheNew, ordered], _world.Held);
        _world.End(ordered);
        Assert.Equal([toTheNew, behind], _world.Held);
        Assert.Same(_world.B, toTheNew.Unit);
        Assert.Same(_world.A, behind.Unit);
    }

    [Fact]
    public void A_reservation_is_given_up_once_the_commands_under_it_are_gone()
    {
        TestInitiator holder = _world.Login((0, _world.A), (1, _world.B));
        TestInitiator other = _world.Login((1, _world.B));
        holder.ExecuteOn(Lun.FromNumber(1), [0x16, 0, 0, 0, 0, 0]).MustBeGood();
        TestCommand under = _world.Send(holder, 1);
        _world.Change(holder, (0, _world.A));
        _world.Send(other, 1).MustConflict();
        _world.End(under);
        Assert.Null(_world.B.ReservationHolder);
        TestCommand now = _world.Send(other, 1);
        Assert.Equal([now], _world.Held);
    }

    [Fact]
    public void A_reservation_stays_while_another_lun_of_the_nexus_leads_to_the_unit()
    {
        TestInitiator holder = _world.Login((0, _world.A), (1, _world.A));
        holder.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        _world.Change(holder, (1, _world.A));
        Assert.Same(holder.Nexus, _world.A.ReservationHolder);
        _world.Change(holder, (0, _world.B));
        Assert.Null(_world.A.ReservationHolder);
    }

    [Fact]
    public void A_reservation_made_through_the_lun_that_came_back_is_not_given_up_with_the_old_one()
    {
        TestInitiator holder = _world.Login((0, _world.A), (1, _world.B));
        TestCommand slow = _world.Send(holder, 1);
        _world.Change(holder, (0, _world.A));
        _world.Change(holder, (0, _world.A), (1, _world.B));
        holder.TakeUnitAttentions();
        TestCommand reserve = holder.Send(Lun.FromNumber(1), [0x16, 0, 0, 0, 0, 0]);
        _world.Target.Executor.Run();
        _world.End(slow);
        reserve.MustBeGood();
        Assert.Same(holder.Nexus, _world.B.ReservationHolder);
    }

    [Fact]
    public void It_is_settled_only_when_what_the_old_unit_lent_has_been_sent()
    {
        var port = new SlowPort();
        var nexus = new ItNexus(
            _world.Target.Executor, port, TestInitiator.Target, "slow", MapWorld.Map((0, _world.A)));
        var command = new TestCommand { Lun = Lun.FromNumber(0) };
        command.SetCdb([0, 0, 0, 0, 0, 0]);
        nexus.CommandReceived(command);
        bool settled = false;
        nexus.ChangeMap(MapWorld.Map((0, _world.B)), () => settled = true);
        _world.Target.Executor.Run();
        Assert.Equal((true, false), (command.State == CommandState.Ended, settled));
        command.Release();
        Assert.True(settled);
        nexus.End(static () => { });
        _world.Target.Executor.Run();
    }

    /// <summary>Whatever it is to send is long under way.</summary>
    private sealed class SlowPort : ITargetPort
    {
        public void ReceiveDataOut(ScsiCommand command)
        {
        }

        public void SendCommandComplete(ScsiCommand command)
        {
        }

        public void TerminateDataTransfer(ScsiCommand command)
        {
        }

        public void CommandAborted(ScsiCommand command)
        {
        }

        public void TaskManagementFunctionExecuted(TaskManagementRequest request)
        {
        }
    }

    [Fact]
    public void A_nexus_that_ends_takes_with_it_what_was_departing()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        initiator.ExecuteOn(Lun.FromNumber(1), [0x16, 0, 0, 0, 0, 0]).MustBeGood();
        TestCommand slow = _world.Send(initiator, 1);
        bool settled = false, ended = false;
        _world.Change(initiator, MapWorld.Map((0, _world.A)), () => settled = true);
        initiator.Nexus.End(() => ended = true);
        _world.Target.Executor.Run();
        Assert.False(ended || settled);
        _world.End(slow);
        Assert.True(ended && settled && slow.WasAborted);
        Assert.Null(_world.B.ReservationHolder);
    }

    [Fact]
    public void A_change_that_comes_while_the_nexus_ends_is_settled_when_it_has_ended()
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        TestCommand slow = _world.Send(initiator, 0);
        bool settled = false;
        initiator.Nexus.End(static () => { });
        _world.Change(initiator, MapWorld.Map((0, _world.B)), () => settled = true);
        Assert.False(settled);
        _world.End(slow);
        Assert.True(settled);
    }

    // ---- Task management -------------------------------------------------------------------------------------------

    [Theory]
    [InlineData(TaskManagementFunction.AbortTaskSet)]
    [InlineData(TaskManagementFunction.ClearTaskSet)]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    [InlineData(TaskManagementFunction.ItNexusReset)]
    public void A_function_that_came_after_the_change_is_answered_when_the_old_unit_has_let_go_too(
        TaskManagementFunction function)
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        TestCommand old = _world.Send(initiator, 0);
        _world.Change(initiator, (0, _world.B));
        TaskManagementRequest request = _world.Request(initiator, function, 0);
        Assert.DoesNotContain(request, initiator.Port.FunctionsExecuted);
        Assert.NotNull(request.WaitsFor);
        _world.End(old);
        Assert.True(old.WasAborted);
        Assert.Contains(request, initiator.Port.FunctionsExecuted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, request.Response);
    }

    [Fact]
    public void A_function_under_way_during_the_change_is_answered_by_the_old_mapping()
    {
        TestInitiator initiator = _world.Login((0, _world.A));
        TestCommand old = _world.Send(initiator, 0);
        TaskManagementRequest request = _world.Request(initiator, TaskManagementFunction.LogicalUnitReset, 0);
        _world.Change(initiator, (0, _world.B));
        Assert.DoesNotContain(request, initiator.Port.FunctionsExecuted);
        _world.End(old);
        Assert.True(old.WasAborted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, request.Response);
        Assert.Contains(request, initiator.Port.FunctionsExecuted);
    }

    [Fact]
    public void A_command_of_a_lun_that_is_gone_can_be_asked_for_and_aborted()
    {
        TestInitiator initiator = _world.Login((0, _world.A), (1, _world.B));
        TestCommand old = _world.Send(initiator, 1);
        _world.Change(initiator, (0, _world.A));
        Assert.Equal(TaskManagementResponse.FunctionSucceeded,
            _world.Request(initiator, TaskManagementFunction.QueryTask, 1, old).Response);
        TaskManagementRequest abort = _world.Request(initiator, TaskManagementFunction.AbortTask, 1, old);
        Assert.DoesNotContain(abort, initiator.Port.FunctionsExecuted);
        _world.End(old);
        Assert.True(old.WasAborted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, abort.Response);
        Assert.Equal(TaskManagementResponse.IncorrectLogicalUnitNumber,
            _world.Request(initiator, TaskManagementFunction.AbortTask, 1, old).Response);
    }

    [Fact]
    public void A_session_of_all_luns_can_be_made_changed_and_ended()
    {
        LogicalUnit[] units = [_world.A, _world.B];
        var all = new LunMap(Enumerable.Range(0, Lun.MaxNumber + 1).Select(n => new LunMapEntry(n, units[n & 1])));
        TestInitiator initiator = _world.Target.Login(map: all);
        var half = new LunMap(all.Entries.Where(entry => entry.Number % 2 == 0));
        bool settled = false;
        _world.Change(initiator, half, () => settled = true);
        Assert.True(settled);
        Assert.Equal(8192, initiator.Nexus.ItlNexuses.Count());
        Assert.Same(_world.A, initiator.Nexus.Find(new Lun(0x7FFE_0000_0000_0000))!.Unit);
        Assert.Null(initiator.Nexus.Find(new Lun(0x7FFF_0000_0000_0000)));
    }
}
