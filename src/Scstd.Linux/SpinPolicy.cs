namespace Scstd.Linux;

/// <summary>What a reactor does when it has run out of work.</summary>
public enum ReactorLatency
{
    /// <summary>Sleeps at once: the least CPU time for the most latency.</summary>
    Power,

    /// <summary>Looks for work a little while before it sleeps, as long as that has been worth it lately.</summary>
    Balanced,

    /// <summary>Looks for work for a millisecond before it sleeps, whatever came of it the last time.</summary>
    Low,
}

/// <summary>
/// Whether looking for work is better than to sleep. Sleeping and being woken up costs both sides tens of
/// microseconds, which a single outstanding command feels whole; looking costs the CPU.
/// </summary>
/// <remarks>
/// Balanced keeps a score of the last waits. A wait that was short enough, whether it was slept through or not, speaks
/// for looking; one that looking did not shorten speaks strongly against it, for it has cost the most. So a steady
/// stream of commands, even one at a time, is looked for, and a trickle is slept through.
/// </remarks>
internal sealed class SpinPolicy
{
    /// <summary>Our choice: somewhat more than a sleep, a wake-up and a peer that does the same take.</summary>
    internal const int BalancedUs = 50;

    internal const int LowUs = 1000;

    /// <summary>Our choice: what a record of 256 KiB takes on its way to a tape.</summary>
    internal const int BesideBlockingUs = 200;

    private const int MostScore = 16;
    private const int EnoughScore = 8;
    private const int FailureScore = 4;

    private readonly bool _isAdaptive;
    private int _score;

    internal SpinPolicy(ReactorLatency latency, int balancedUs = BalancedUs)
    {
        _isAdaptive = latency == ReactorLatency.Balanced;
        BudgetUs = latency switch
        {
            ReactorLatency.Balanced => balancedUs,
            ReactorLatency.Low => LowUs,
            _ => 0,
        };
    }

    /// <summary>How long to look; 0: not at all.</summary>
    internal int BudgetUs { get; }

    internal bool IsWorthIt => _isAdaptive ? _score >= EnoughScore : BudgetUs > 0;

    /// <summary>There was work again, or the time was up.</summary>
    /// <param name="waitedUs">How long that took.</param>
    /// <param name="slept">Not found by looking.</param>
    internal void Waited(long waitedUs, bool slept)
    {
        int change;
        if (!slept)
            change = 1;
        else if (IsWorthIt)
            change = -FailureScore; // looked in vain
        else
            change = waitedUs < 2 * BudgetUs ? 1 : -1; // who is woken up comes later than who looks
        _score = Math.Clamp(_score + change, 0, MostScore);
    }
}
