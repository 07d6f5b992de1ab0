using System.Numerics;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// Sees every move of every command on one executor's side of a unit: the last of them by name, and how long commands
/// stayed in each state. Plain stores and increments of what this executor alone touches; the time is the pass' own.
/// </summary>
internal sealed class CommandWatch(IExecutor executor)
{
    private readonly MoveRing _moves = new();
    private readonly uint[]?[] _rows = new uint[]?[LatencyHistogram.Rows];

    /// <summary>Learns what the device server takes; told of a stay there that is no ordinary one.</summary>
    public BackendRegulator? Regulator { get; set; }

    /// <summary>In which the last move lies first.</summary>
    public IReadOnlyList<CommandMove> Moves => _moves.Newest();

    public void Received(ScsiCommand command)
    {
        command.ReceivedUs = command.StateSinceUs = executor.NowUs;
        command.SizeClass = byte.MaxValue;
    }

    public void Moved(ScsiCommand command, CommandState from, CommandState to)
    {
        if (from == CommandState.Received)
        {
            // It was judged within the pass in which it came: no time has gone by.
            command.SizeClass = (byte)LatencyHistogram.SizeClassOf(command.RequestedBytes);
            _moves.Add(command.ReceivedUs, command.Tag, command.OperationCode, from, to);
            return;
        }
        long nowUs = executor.NowUs;
        long stayUs = nowUs - command.StateSinceUs;
        command.StateSinceUs = nowUs;
        _moves.Add(nowUs, command.Tag, command.OperationCode, from, to);
        if (from == to || command.SizeClass == byte.MaxValue)
            return;
        int row = LatencyHistogram.RowOf(from, command.Binding.Row.Direction);
        uint[] counts = _rows[row] ?? NewRow(row);
        counts[(command.SizeClass * LatencyHistogram.Buckets) + LatencyHistogram.BucketOf(stayUs)]++;
        if (from == CommandState.Enabled && Regulator is { } regulator)
            regulator.Left(command, stayUs, nowUs);
    }

    /// <summary>A copy, for whoever asks.</summary>
    public IReadOnlyList<LatencyHistogram> Histograms()
    {
        var histograms = new List<LatencyHistogram>();
        for (int row = 0; row < _rows.Length; row++)
        {
            if (_rows[row] is not { } counts)
                continue;
            for (int size = 0; size < LatencyHistogram.SizeClasses; size++)
            {
                uint[] buckets = counts.AsSpan(size * LatencyHistogram.Buckets, LatencyHistogram.Buckets).ToArray();
                if (buckets.AsSpan().ContainsAnyExcept(0u))
                    histograms.Add(new LatencyHistogram(row, size, buckets));
            }
        }
        return histograms;
    }

    /// <summary>Once in the life of the unit for each state and direction that really occurs.</summary>
    private uint[] NewRow(int row) =>
        _rows[row] = new uint[LatencyHistogram.SizeClasses * LatencyHistogram.Buckets];
}

/// <summary>How long commands of one direction and size stayed in one state, in powers of two.</summary>
public sealed class LatencyHistogram
{
    internal const int SizeClasses = 12;
    internal const int Buckets = 32;
    internal const int Rows = ((int)CommandState.Ended + 1) * 4;

    private const int SmallestClassShift = 12;

    internal LatencyHistogram(int row, int sizeClass, uint[] counts)
    {
        State = (CommandState)(row >> 2);
        Direction = (DataDirection)(row & 3);
        MaxBytes = sizeClass == 0 ? 0 : 1L << (sizeClass + SmallestClassShift - 1);
        Counts = counts;
    }

    public CommandState State { get; }

    public DataDirection Direction { get; }

    /// <summary>Commands that ask for this many bytes or fewer, and more than half of it: 0, 4 KiB, 8 KiB … 4 MiB; the
    /// last holds all that ask for more, too.</summary>
    public long MaxBytes { get; }

    /// <summary>Entry 0: no measurable time; entry n: at least 2^(n−1) microseconds and less than 2^n.</summary>
    public IReadOnlyList<uint> Counts { get; }

    internal static int RowOf(CommandState state, DataDirection direction) => ((int)state << 2) | (int)direction;

    internal static int SizeClassOf(long bytes) => bytes <= 0
        ? 0 : Math.Clamp(BitOperations.Log2((ulong)bytes - 1 | 1) + 2 - SmallestClassShift, 1, SizeClasses - 1);

    internal static int BucketOf(long us) => us <= 0 ? 0 : Math.Min(BitOperations.Log2((ulong)us) + 1, Buckets - 1);
}
