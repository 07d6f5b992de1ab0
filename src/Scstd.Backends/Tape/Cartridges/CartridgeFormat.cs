namespace Scstd.Backends.Tape.Cartridges;

/*  The file, all numbers little-endian (docs/cartridge-format.md has the whole layout and the reasons):

        0          checkpoint A     what the cartridge is and where its data ends; the newer one of two counts
        128 KiB    checkpoint B
        256 KiB    label            what it is, once more: all that is needed to rebuild a checkpoint from the log
        320 KiB    partition 0      a log of entries, each a header of 64 bytes and what belongs to it
        …          partition 1 …    each where the one before it could end

    Offsets are counted from the beginning of the partition and are multiples of eight.                              */

/// <summary>Sizes and limits of the format.</summary>
internal static class CartridgeFormat
{
    public const uint Version = 1;

    public const int CheckpointBytes = 128 * 1024;
    public const int CheckpointCount = 2;
    public const long LabelOffsetBytes = CheckpointCount * CheckpointBytes;
    public const int LabelBytes = 64 * 1024;
    public const long LogsOffsetBytes = LabelOffsetBytes + LabelBytes;

    /// <summary>Partitions begin at multiples of this, so that none shares a page or a sector with another.</summary>
    public const long PartitionAlignmentBytes = 4096;

    public const int AlignmentBytes = 8;

    /// <summary>Our choice: an index node stands behind every so many objects.</summary>
    public const int IntervalObjects = 512;

    /// <summary>A block length has 24 bits (SSC-4: READ BLOCK LIMITS).</summary>
    public const int RecordBytesMax = 1 << 24;

    /// <summary>As many as LTO knows.</summary>
    public const int PartitionsMax = 4;

    /// <summary>Levels of pointers: as many intervals as 32 bits can count, 512 times 2^32 objects.</summary>
    public const int LevelsMax = 32;

    public const ulong ObjectsMax = ((ulong)IntervalObjects << LevelsMax) - 1;

    /// <summary>Our choice, far beyond any tape: sums of such numbers do not overflow.</summary>
    public const ulong CapacityBytesMax = 1UL << 60;

    /// <summary>Text of the label: barcode, serial number.</summary>
    public const int TextBytesMax = 64;

    /// <summary>Of all attributes together; LTO's own memory has about as much.</summary>
    public const int AttributeBytesMax = 32 * 1024;

    public const int StatisticsMax = 256;
    public const int StatisticNameBytesMax = 48;

    public static ulong Align(ulong lengthBytes) => (lengthBytes + (AlignmentBytes - 1)) & ~(ulong)(AlignmentBytes - 1);
}
