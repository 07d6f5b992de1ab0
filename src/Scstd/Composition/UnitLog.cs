using Scstd.Backends.Disk;
using Scstd.Linux;
using Serilog;

namespace Scstd.Composition;

/// <summary>
/// What goes wrong with one unit's store, for the log: what failed, and when it becomes slow and quick again. Called on
/// the reactors, and only where something is wrong.
/// </summary>
internal sealed class UnitLog(string unit, ILogger log, Func<long>? clockMs = null)
{
    /// <summary>Our choice: enough to see the pattern of a dying disk; thousands of commands may fail in a second.
    /// </summary>
    public const int MostFailuresPerSecond = 5;

    /// <summary>Our choice: a store on the edge changes several times a second, and nobody reads that.</summary>
    public const int QuietMs = 10_000;

    private readonly Func<long> _clockMs = clockMs ?? (() => Environment.TickCount64);
    private readonly Lock _lock = new();
    private long _second = long.MinValue;
    private int _written;
    private long _leftOut;
    private int _slowReactors;
    private bool _isSlowTold;
    private long _toldMs = long.MinValue / 2;

    public void Failed(StoreFailure failure)
    {
        lock (_lock)
        {
            long second = _clockMs() / 1000;
            if (second != _second)
            {
                if (_leftOut > 0)
                    log.Error("Device {Device:l}: {Count} more failures of its store were not logged", unit, _leftOut);
                (_second, _written, _leftOut) = (second, 0, 0);
            }
            if (_written == MostFailuresPerSecond)
            {
                _leftOut++;
                return;
            }
            _written++;
        }
        string blocks =
            failure.Kind == BlockRequestKind.Flush ? "" : $" of {failure.Blocks} block(s) from {failure.Lba}";
        string why = failure.Error == 0 ? "" : $": {LinuxException.Describe(failure.Error)} (errno {failure.Error})";
        log.Error("Device {Device:l}: {Kind:l}{Blocks:l} failed{Why:l}; told {Initiator:l}: {Sense:l}", unit,
            failure.Kind.ToString(), blocks, why, failure.Initiator ?? "whoever flushes next",
            $"{failure.Sense.Key}, {failure.Sense.Additional}");
    }

    /// <summary>One reactor's side of the unit limits what the store gets, or does so no more.</summary>
    public void SpeedChanged(bool isSlow, long expectedUs)
    {
        lock (_lock)
        {
            _slowReactors += isSlow ? 1 : -1;
            bool isSlowNow = _slowReactors > 0;
            long nowMs = _clockMs();
            if (isSlowNow == _isSlowTold || (isSlowNow && nowMs - _toldMs < QuietMs))
                return;
            (_isSlowTold, _toldMs) = (isSlowNow, nowMs);
        }
        if (isSlow)
        {
            log.Warning("Device {Device:l}: its store is slow, {Seconds:0.###} s for a command; commands wait, and "
                + "what cannot be done in time is answered BUSY", unit, expectedUs / 1e6);
        }
        else
        {
            log.Information("Device {Device:l}: its store is quick again", unit);
        }
    }
}
