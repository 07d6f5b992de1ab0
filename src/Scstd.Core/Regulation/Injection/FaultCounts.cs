namespace Scstd.Core;

/// <summary>How many more commands a counted fault will meet on a unit: kept by the home executor, which everybody
/// asks, so that the number is exact however many executors there are.</summary>
internal sealed class FaultCounts
{
    private readonly Dictionary<InjectedFault, int> _remaining = [];

    public void Keep(IReadOnlyList<InjectedFault> faults)
    {
        foreach (InjectedFault gone in _remaining.Keys.Where(fault => !faults.Contains(fault)).ToArray())
            _remaining.Remove(gone);
        foreach (InjectedFault fault in faults)
        {
            if (fault.Count is { } count)
                _remaining.TryAdd(fault, count);
        }
    }

    public bool TryTake(InjectedFault fault)
    {
        if (!_remaining.TryGetValue(fault, out int left) || left == 0)
            return false;
        _remaining[fault] = left - 1;
        return true;
    }

    public int? RemainingOf(InjectedFault fault) => _remaining.TryGetValue(fault, out int left) ? left : null;
}

public sealed partial class LogicalUnit
{
    internal FaultCounts FaultCounts { get; } = new();

    /// <summary>On the home executor: whether the fault may meet one more. With the last one every executor is told to
    /// pass it over from now on.</summary>
    internal bool TryTakeFault(InjectedFault fault)
    {
        if (!FaultCounts.TryTake(fault))
            return false;
        if (FaultCounts.RemainingOf(fault) == 0)
            Gate.Tell([turnstile => turnstile.Injector?.Spend(fault)], openExclusion: false, static () => { });
        return true;
    }

    /// <summary>From now on no more than this is done a second; null: anything. From any thread.</summary>
    public void SetRateLimit(RateLimit? limit) => Home.Post(() =>
        Gate.Tell([turnstile => turnstile.SetRateLimit(limit)], openExclusion: false, static () => { }));

    /// <summary>From now on the unit has these injected faults and no others; those that it had already go on counting.
    /// What an earlier one holds is let go, but for what it has dropped. From any thread;
    /// <paramref name="done"/> is called on the home executor when every executor has taken it in.</summary>
    public void SetFaults(IReadOnlyList<InjectedFault> faults, Action? done = null) => Home.Post(() =>
    {
        FaultCounts.Keep(faults);
        Gate.Tell([turnstile => turnstile.SetFaults(faults)], openExclusion: false, () => done?.Invoke());
    });
}
