namespace Scstd.Core;

public sealed partial class ItNexus
{
    internal LatencyTable Times { get; } = new();

    /// <summary>How long its commands stayed in each state, at all of its units; to be called on its executor.
    /// </summary>
    public IReadOnlyList<LatencyHistogram> Histograms() => Times.Histograms();

    /// <summary>How long its commands were with device servers, all together; as
    /// <see cref="LatencyHistogram.Counts"/>.</summary>
    public IReadOnlyList<ulong> TimesEnabled() => Times.CountsOf(CommandState.Enabled);
}
