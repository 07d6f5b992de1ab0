using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>SAM-5 §6.3.4: an I_T nexus loss at several units, of which one has stopped.</summary>
public sealed class NexusLossTests : IDisposable
{
    private const byte Reserve = 0x16;
    private const byte Inquiry = 0x12;
    private const byte Naca = 0x04;

    private readonly MapWorld _world = new();
    private readonly TestInitiator _lost;
    private readonly TestInitiator _other;

    public NexusLossTests()
    {
        _lost = _world.Login((0, _world.A), (1, _world.B), (2, _world.B));
        _other = _world.Login((0, _world.A));
        foreach (TestInitiator initiator in new[] { _lost, _other })
            initiator.TakeUnitAttentions();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_it_held_of_a_unit_is_given_up_whatever_the_store_of_another_does(bool isReset)
    {
        Hold();
        TestCommand stalled = _world.Send(_lost, 1);
        Func<bool> ended = Begin(isReset);
        Assert.Equal((false, null), (ended(), _world.A.ReservationHolder));
        TestCommand free = _world.Send(_other, 0);
        Assert.Contains(free, _world.Held);
        _world.End(free);
        _world.End(stalled);
        Assert.True(ended() && stalled.WasAborted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_unit_is_given_up_after_the_last_command_by_any_lun_that_leads_to_it(bool isReset)
    {
        _lost.ExecuteOn(Lun.FromNumber(1), [Reserve, 0, 0, 0, 0, 0]).MustBeGood();
        TestCommand first = _world.Send(_lost, 1), second = _world.Send(_lost, 2);
        Func<bool> ended = Begin(isReset);
        _world.End(first);
        Assert.NotNull(_world.B.ReservationHolder);
        _world.End(second);
        Assert.Equal((true, null), (ended(), _world.B.ReservationHolder));
    }

    [Fact]
    public void A_limit_that_comes_while_the_nexus_ends_leaves_no_trace_at_a_unit_that_has_forgotten_it()
    {
        ItlNexus gone = _lost.Nexus.Find(Lun.FromNumber(0))!;
        TestCommand stalled = _world.Send(_lost, 1);
        Begin(isReset: false);
        Assert.DoesNotContain(gone, gone.Turnstile.Nexuses);
        _lost.Nexus.SetRateLimit(new RateLimit([_world.Target.Executor], 1, 1));
        Assert.False(gone.IsCountedAsLimited);
        _world.End(stalled);
    }

    public void Dispose() => _world.Dispose();

    /// <summary>An SPC-2 reservation of A, and an ACA condition there: INQUIRY for a page without EVPD, which no
    /// reservation forbids.</summary>
    private void Hold()
    {
        _lost.ExecuteOn(Lun.FromNumber(0), [Reserve, 0, 0, 0, 0, 0]).MustBeGood();
        TestCommand failing = _lost.Send(Lun.FromNumber(0), [Inquiry, 0, 1, 0, 0, Naca], dataInBytes: 0);
        _world.Target.Executor.Run();
        Assert.Equal(ScsiStatus.CheckCondition, failing.Status);
        Assert.Equal(ScsiStatus.Busy, _world.Send(_other, 0).Status);
    }

    /// <summary>Returns what tells whether it is done.</summary>
    private Func<bool> Begin(bool isReset)
    {
        if (isReset)
        {
            TaskManagementRequest request = _world.Request(_lost, TaskManagementFunction.ItNexusReset, 0);
            return () => _lost.Port.FunctionsExecuted.Contains(request);
        }
        bool ended = false;
        _lost.Nexus.End(() => ended = true);
        _world.Target.Executor.Run();
        return () => ended;
    }
}
