namespace Scstd.Linux;

/// <summary>A one-shot timer of one reactor; it may be armed again from its own callback.</summary>
public sealed class ReactorTimer
{
    private readonly Reactor _reactor;
    private readonly Action _expired;

    internal ReactorTimer(Reactor reactor, Action expired)
    {
        _reactor = reactor;
        _expired = expired;
    }

    public bool IsArmed => HeapIndex >= 0;

    /// <summary>When it is due, in the reactor's milliseconds; meaningful while armed.</summary>
    public long DueMs { get; internal set; }

    internal int HeapIndex { get; set; } = -1;

    /// <summary>Due in <paramref name="delayMs"/> from now; an armed timer is moved.</summary>
    public void Arm(long delayMs) => _reactor.Arm(this, _reactor.NowMs + delayMs);

    public void Cancel() => _reactor.Disarm(this);

    internal void Expire() => _expired();
}
