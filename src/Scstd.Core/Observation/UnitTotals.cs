namespace Scstd.Core;

/// <summary>What all commands did on one executor's side of a unit, since it is served.</summary>
/// <param name="Commands">Those that the device server has ended.</param>
/// <param name="DataInBytes">Of those that ended well.</param>
/// <param name="DataOutBytes">Of those that ended well.</param>
/// <param name="TimesEnabled">How long they were with the device server; as <see cref="LatencyHistogram.Counts"/>.
/// </param>
public readonly record struct UnitTotals(
    ulong Commands, ulong DataInBytes, ulong DataOutBytes, IReadOnlyList<ulong> TimesEnabled);

public sealed partial class LogicalUnit
{
    /// <summary>To be called on the executor.</summary>
    public UnitTotals TotalsOn(IExecutor executor) => TurnstileOf(executor).Watch.Totals;
}
