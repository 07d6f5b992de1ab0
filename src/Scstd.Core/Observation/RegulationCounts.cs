namespace Scstd.Core;

/// <summary>What stands between commands and the device server on one executor's side of a unit, in numbers.</summary>
/// <param name="Regulator">The window of a slow device server.</param>
/// <param name="WaitingForLimits">Commands that wait for a rate limit now, of the unit or of a group.</param>
/// <param name="FaultsMet">How often the faults that are injected now have struck.</param>
/// <param name="HeldByFaults">Commands that they keep now.</param>
public readonly record struct RegulationCounts(
    RegulatorView Regulator, int WaitingForLimits, ulong FaultsMet, int HeldByFaults)
{
    /// <summary>Nothing of all that ever happened.</summary>
    public bool IsQuiet => this == default;
}

public sealed partial class LogicalUnit
{
    /// <summary>To be called on the executor.</summary>
    public RegulationCounts RegulationOn(IExecutor executor)
    {
        Turnstile turnstile = TurnstileOf(executor);
        IReadOnlyList<FaultView> faults = turnstile.Injector?.Views(null) ?? [];
        return new RegulationCounts(
            turnstile.Regulator.View, turnstile.WaitingForLimits(),
            faults.Aggregate(0ul, (sum, fault) => sum + fault.Met), faults.Sum(fault => fault.Holding));
    }
}
