using Scstd.Core.Tests.LogicalUnits;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Scsi.PersistentReserveOutAction;

namespace Scstd.Core.Tests.Reservations;

/// <summary>PREEMPT AND ABORT, SPC-4 §5.13.11.5: answered only when no command of a preempted nexus can act or answer.
/// </summary>
public sealed class PreemptAndAbortTests : IDisposable
{
    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _fenced;
    private readonly TestInitiator _fencing;
    private readonly TestInitiator _bystander;

    public PreemptAndAbortTests()
    {
        _fenced = _unit.Target.Login();
        _fencing = _unit.Target.Login();
        _bystander = _unit.Target.Login();
        _fenced.Register(0xF);
        _fencing.Register(0xA);
        _bystander.Register(0xB);
        _fenced.Out(Reserve, key: 0xF, type: 5).MustBeGood();
    }

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void It_waits_for_what_the_device_server_has()
    {
        TestCommand write = _unit.Send(_fenced, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand fence = Fence();
        Assert.False(fence.IsAnswered);
        _unit.EndAll();
        Assert.True(write.IsAnswered);
        fence.MustBeGood();
    }

    [Fact]
    public void A_write_that_waits_for_its_data_goes_silently_and_2F_00_tells_of_it()
    {
        _fenced.Port.HoldsDataOut = true;
        TestCommand write = _unit.Send(_fenced, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand fence = Fence();
        fence.MustBeGood();
        Assert.True(write.WasAborted);
        Assert.Empty(_fenced.Port.Owed);
        Assert.Equal([AdditionalSense.RegistrationsPreempted, AdditionalSense.CommandsClearedByAnotherInitiator],
            _fenced.Attentions());
        Assert.Empty(_unit.Held);
    }

    /// <summary>Its own registration goes with the key, and so do its own commands: all but the one that does it.
    /// </summary>
    [Fact]
    public void The_key_of_the_requester_takes_its_other_commands_silently()
    {
        _unit.Send(_bystander, HeldUnit.Move);
        TestCommand ordered = _unit.Send(_fencing, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand fence = _fencing.Send(
            Lun.FromNumber(0), PersistentReserve.Cdb(PreemptAndAbort, 24, 5), PersistentReserve.List(0xA, 0xA),
            attribute: TaskAttribute.HeadOfQueue);
        _unit.EndAll();
        _unit.Target.Executor.Run();
        fence.MustBeGood();
        Assert.True(ordered.WasAborted);
        Assert.Empty(_fencing.Attentions());
    }

    [Theory]
    [InlineData(0x02)]
    [InlineData(0x06)]
    public void It_and_a_fault_of_a_preempted_nexus_do_not_wait_for_each_other(byte queueError)
    {
        byte[] page = [0, 0, 0, 0, 0x0A, 0x0A, 0x00, (byte)(0x10 | queueError), 0, 0, 0, 0, 0xFF, 0xFF, 0, 0];
        _fencing.Execute([0x15, 0x10, 0, 0, 16, 0], page).MustBeGood();
        _fenced.TakeUnitAttentions();
        _bystander.TakeUnitAttentions();
        TestCommand failing = _unit.Send(_fenced, HeldUnit.Move);
        TestCommand fence = Fence();
        Assert.False(fence.IsAnswered);
        _unit.Fail(failing);
        Assert.True(failing.IsAnswered);
        fence.MustBeGood();
        Assert.Equal(TaskManagementResponse.FunctionComplete,
            _bystander.Request(TaskManagementFunction.LogicalUnitReset));
    }

    [Fact]
    public void With_TAS_it_ends_with_TASK_ABORTED_and_nothing_else_tells_of_it()
    {
        byte[] page = [0, 0, 0, 0, 0x0A, 0x0A, 0x00, 0x10, 0, 0x40, 0, 0, 0xFF, 0xFF, 0, 0];
        _fencing.Execute([0x15, 0x10, 0, 0, 16, 0], page).MustBeGood();
        _fenced.TakeUnitAttentions();
        _bystander.TakeUnitAttentions();
        _fenced.Port.HoldsDataOut = true;
        TestCommand write = _unit.Send(_fenced, HeldUnit.MoveOut, dataOut: new byte[512]);
        Fence().MustBeGood();
        Assert.Equal((false, ScsiStatus.TaskAborted), (write.WasAborted, write.Status));
        Assert.Equal([AdditionalSense.RegistrationsPreempted], _fenced.Attentions());
    }

    [Fact]
    public void It_clears_every_aca_condition_where_all_registrants_held_the_unit()
    {
        _fenced.Out(Release, key: 0xF, type: 5).MustBeGood();
        _fencing.TakeUnitAttentions();
        _bystander.TakeUnitAttentions();
        _fenced.Out(Reserve, key: 0xF, type: 7).MustBeGood();
        TestInitiator stranger = _unit.Target.Login();
        Fault(stranger);
        TestCommand fence = _fencing.Send(PreemptAndAbort, PersistentReserve.List(0xA, 0), type: 7);
        _unit.Target.Executor.Run();
        fence.MustBeGood();
        Assert.Equal(AdditionalSense.InvalidMessageError,
            stranger.Send(Lun.FromNumber(0), [0, 0, 0, 0, 0, 0], dataInBytes: 0, attribute: TaskAttribute.Aca)
            .Sense.Additional);
    }

    /// <summary>INQUIRY for a page without EVPD, which no reservation forbids.</summary>
    private void Fault(TestInitiator initiator)
    {
        const byte Naca = 0x04;
        TestCommand failing = initiator.Send(Lun.FromNumber(0), [0x12, 0, 1, 0, 0, Naca], dataInBytes: 0);
        _unit.Target.Executor.Run();
        Assert.Equal(ScsiStatus.CheckCondition, failing.Status);
    }

    [Fact]
    public void The_status_waits_for_the_frontend_to_let_go_of_a_buffer()
    {
        _fenced.Port.HoldsDataOut = true;
        TestCommand write = _unit.Send(_fenced, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand fence = _fencing.Send(PreemptAndAbort, PersistentReserve.List(0xA, 0xF), type: 5);
        while (!write.IsAnswered)
        {
            Assert.False(fence.IsAnswered);
            Assert.True(_unit.Target.Executor.RunOne());
        }
        _unit.Target.Executor.Run();
        fence.MustBeGood();
    }

    [Fact]
    public void What_waits_for_its_turn_or_for_the_gate_goes_too()
    {
        TestCommand before = _unit.Send(_bystander, HeldUnit.Move);
        TestCommand ordered = _unit.Send(_fenced, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand behind = _unit.Send(_fenced, HeldUnit.Move);
        TestCommand fence = _fencing.Send(
            Lun.FromNumber(0), PersistentReserve.Cdb(PreemptAndAbort, 24, 5), PersistentReserve.List(0xA, 0xF),
            attribute: TaskAttribute.HeadOfQueue);
        TestCommand change = _unit.Send(_fenced, HeldUnit.Change, TaskAttribute.HeadOfQueue);
        Assert.False(fence.IsAnswered);
        _unit.EndAll();
        _unit.Target.Executor.Run();
        before.MustBeGood();
        fence.MustBeGood();
        Assert.All(new[] { ordered, behind, change }, command => Assert.True(command.WasAborted));
        Assert.Empty(_unit.Held);
    }

    [Fact]
    public void Others_go_on_and_preempt_alone_aborts_nothing()
    {
        _bystander.Port.HoldsDataOut = _fenced.Port.HoldsDataOut = true;
        TestCommand own = _unit.Send(_bystander, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand fencedWrite = _unit.Send(_fenced, HeldUnit.MoveOut, dataOut: new byte[512]);
        _fencing.Out(Preempt, key: 0xA, newKey: 0xF, type: 5).MustBeGood();
        Assert.False(fencedWrite.IsAnswered);
        _fenced.TakeUnitAttentions();
        _fenced.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        fencedWrite.MustConflict();
        _bystander.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Single(_unit.Held);
        _unit.EndAll();
        own.MustBeGood();
        Assert.Empty(_bystander.Attentions());
    }

    private TestCommand Fence()
    {
        TestCommand fence = _fencing.Send(PreemptAndAbort, PersistentReserve.List(0xA, 0xF), type: 5);
        _unit.Target.Executor.Run();
        return fence;
    }
}
