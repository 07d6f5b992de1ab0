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
    private readonly LatencyTable _times = new();
    private ulong _commands;
    private ulong _dataInBytes;
    private ulong _dataOutBytes;

    /// <summary>Learns what the device server takes; told of a stay there that is no ordinary one.</summary>
    public BackendRegulator? Regulator { get; set; }

    /// <summary>In which the last move lies first.</summary>
    public IReadOnlyList<CommandMove> Moves => _moves.Newest();

    public void Received(ScsiCommand command)
    {
        command.ReceivedUs = command.StateSinceUs = executor.NowUs;
        command.SizeClass = byte.MaxValue;
        command.Stays = default;
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
        command.Stays[(int)from] += stayUs;
        _moves.Add(nowUs, command.Tag, command.OperationCode, from, to);
        if (from == to || command.SizeClass == byte.MaxValue)
            return;
        int row = LatencyHistogram.RowOf(from, command.Binding.Row.Direction);
        int bucket = LatencyHistogram.BucketOf(stayUs);
        _times.Count(row, command.SizeClass, bucket);
        command.Nexus.Times.Count(row, command.SizeClass, bucket);
        if (from == CommandState.Enabled)
            LeftDeviceServer(command, stayUs, nowUs);
    }

    /// <summary>What all commands together did here.</summary>
    public UnitTotals Totals => new(_commands, _dataInBytes, _dataOutBytes, _times.CountsOf(CommandState.Enabled));

    private void LeftDeviceServer(ScsiCommand command, long stayUs, long nowUs)
    {
        _commands++;
        if (command.Status == ScsiStatus.Good)
        {
            DataDirection direction = command.Binding.Row.Direction;
            if ((direction & DataDirection.In) != 0)
                _dataInBytes += (ulong)command.RequestedBytes;
            if ((direction & DataDirection.Out) != 0)
                _dataOutBytes += (ulong)command.RequestedBytes;
        }
        Regulator?.Left(command, stayUs, nowUs);
    }

    /// <summary>A copy, for whoever asks.</summary>
    public IReadOnlyList<LatencyHistogram> Histograms() => _times.Histograms();
}

/// <summary>Histograms of state, direction and size. Each is made when the first command comes into it, and stays.
/// </summary>
/// <remarks>A unit has one on each executor, and each nexus has one. 250 bytes are always there; a row takes 120 bytes,
/// a histogram 152: with reads and writes of three sizes 2.5 KiB, and never more than 55 KiB.</remarks>
internal sealed class LatencyTable
{
    private readonly uint[]?[]?[] _rows = new uint[]?[LatencyHistogram.Rows][];

    public void Count(int row, int sizeClass, int bucket) => (_rows[row]?[sizeClass] ?? New(row, sizeClass))[bucket]++;

    public IReadOnlyList<LatencyHistogram> Histograms()
    {
        var histograms = new List<LatencyHistogram>();
        for (int row = 0; row < _rows.Length; row++)
        {
            for (int size = 0; size < LatencyHistogram.SizeClasses; size++)
            {
                if (_rows[row]?[size] is { } counts)
                    histograms.Add(new LatencyHistogram(row, size, counts.AsSpan().ToArray()));
            }
        }
        return histograms;
    }

    /// <summary>The counts of one state, of all directions and sizes.</summary>
    public ulong[] CountsOf(CommandState state)
    {
        ulong[] sum = new ulong[LatencyHistogram.Buckets];
        foreach (uint[]?[]? row in _rows.AsSpan(LatencyHistogram.RowOf(state, DataDirection.None), 4))
        {
            foreach (uint[]? counts in row ?? [])
            {
                for (int i = 0; i < sum.Length && counts is not null; i++)
                    sum[i] += counts[i];
            }
        }
        return sum;
    }

    private uint[] New(int row, int sizeClass) =>
        (_rows[row] ??= new uint[]?[LatencyHistogram.SizeClasses])[sizeClass] = new uint[LatencyHistogram.Buckets];
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
