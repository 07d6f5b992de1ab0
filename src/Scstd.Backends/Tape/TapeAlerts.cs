namespace Scstd.Backends.Tape;

/// <summary>The TapeAlert flags that this drive can set (SSC-4 §4.2, TapeAlert; their numbers from 1 on).</summary>
internal enum TapeAlert
{
    HardError = 3,
    ReadFailure = 5,
    WriteFailure = 6,
    NotDataGrade = 8,
    WriteProtect = 9,
    NoRemoval = 10,
    CleaningMedia = 11,
    UnsupportedFormat = 12,
}

/// <summary>Flags that are set until a nexus has been told, for each of them.</summary>
internal static class TapeAlerts
{
    public const int FlagCount = 64;

    private static readonly TapeAlert[] Supported =
    [
        TapeAlert.ReadFailure, TapeAlert.WriteFailure, TapeAlert.WriteProtect, TapeAlert.NoRemoval,
        TapeAlert.CleaningMedia, TapeAlert.UnsupportedFormat,
    ];

    public static ulong Bit(TapeAlert alert) => 1UL << (FlagCount - (int)alert);

    /// <summary>Flag 1 is the highest bit of the first byte.</summary>
    public static byte[] SupportedFlags() => Bytes(Supported.Aggregate(0UL, (all, alert) => all | Bit(alert)));

    public static byte[] Bytes(ulong flags)
    {
        byte[] bytes = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, flags);
        return bytes;
    }
}
