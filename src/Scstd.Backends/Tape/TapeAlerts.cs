using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Scstd.Core;

namespace Scstd.Backends.Tape;

/// <summary>The TapeAlert flags that this drive can set (SSC-4 §4.2, TapeAlert; their numbers from 1 on).</summary>
internal enum TapeAlert
{
    ReadFailure = 5,
    WriteFailure = 6,
    WriteProtect = 9,
    NoRemoval = 10,
    CleaningMedia = 11,
    UnsupportedFormat = 12,
    WormOverwriteAttempted = 60,
}

/// <summary>
/// Flags that are active for a nexus until it has read them (SSC-4: reading the page deactivates them for that I_T
/// nexus), and for nobody any more when another cartridge comes. LOG SENSE does not run alone, so there is a lock.
/// </summary>
internal sealed class TapeAlerts
{
    public const int FlagCount = 64;

    private readonly Lock _lock = new();

    /// <summary>For each flag when it was activated last; 0: it is not. The clock counts activations.</summary>
    private readonly long[] _activated = new long[FlagCount + 1];

    /// <summary>Up to when a nexus has been told; goes with the nexus.</summary>
    private readonly ConditionalWeakTable<ItNexus, StrongBox<long>> _told = [];
    private long _clock;

    /// <summary>All that are set, whoever has been told. Flag 1 is the highest bit.</summary>
    public ulong Set => Since(0);

    /// <summary>Flag 1 is the highest bit of the first byte.</summary>
    public static byte[] SupportedFlags() =>
        Bytes(Enum.GetValues<TapeAlert>().Aggregate(0UL, (all, alert) => all | Bit((int)alert)));

    /// <summary>Of the log page (SSC-4 and SMC-3 alike): one for each flag.</summary>
    public static IReadOnlyList<LogParameter> Parameters(ulong flags) =>
    [
        .. Enumerable.Range(1, FlagCount).Select(number => new LogParameter(
            (ushort)number, [(byte)((flags >> (FlagCount - number)) & 1)])),
    ];

    public static byte[] Bytes(ulong flags)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, flags);
        return bytes;
    }

    public void Activate(TapeAlert alert)
    {
        lock (_lock)
            _activated[(int)alert] = ++_clock;
    }

    /// <summary>Another cartridge.</summary>
    public void Clear()
    {
        lock (_lock)
            Array.Clear(_activated);
    }

    /// <summary>What this nexus has not read yet, up to a time that is to be given to <see cref="Tell"/>.</summary>
    public ulong UntoldTo(ItNexus nexus, out long upTo)
    {
        lock (_lock)
        {
            upTo = _clock;
            return Since(ToldTo(nexus).Value);
        }
    }

    public void Tell(ItNexus nexus, long upTo)
    {
        lock (_lock)
            ToldTo(nexus).Value = Math.Max(ToldTo(nexus).Value, upTo);
    }

    private StrongBox<long> ToldTo(ItNexus nexus) =>
        _told.GetValue(nexus, static _ => new StrongBox<long>());

    /// <param name="number">From 1 on.</param>
    public static ulong Bit(int number) => 1UL << (FlagCount - number);

    private ulong Since(long told)
    {
        ulong flags = 0;
        for (int number = 1; number <= FlagCount; number++)
        {
            if (_activated[number] > told)
                flags |= Bit(number);
        }
        return flags;
    }
}
