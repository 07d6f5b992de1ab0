namespace Scstd.Backends.Disk;

/// <summary>What one command may ask of a disk; told in the Block Limits page (SBC-4 §6.6.4) and kept.</summary>
internal static class DiskLimits
{
    /// <summary>Blocks can be unmapped, as the configuration wants and the store can. Whatever tells or does it asks
    /// here.</summary>
    public static bool IsThin(DiskOptions options, IBlockStore store) =>
        options.Thin && store.UnmapGranularityBlocks > 0;

    /// <summary>Our choice: what initiators split their largest requests to anyway, and little enough that a full
    /// command window does not exhaust a small pool.</summary>
    public const int MaxTransferBytes = 8 * 1024 * 1024;

    /// <summary>Our choice: from here on a longer transfer gains nothing.</summary>
    public const int OptimalTransferBytes = 1024 * 1024;

    /// <summary>Byte 13 of the CDB has no more.</summary>
    public const int MaxCompareAndWriteBlocks = 255;

    /// <summary>Our choice: what databases write at once, and no more than is copied in one go.</summary>
    private const int MaxAtomicBytes = 1024 * 1024;

    /// <summary>What WRITE ATOMIC takes; 0: the store cannot promise all or nothing over a loss of power. A disk in
    /// memory can: nothing of it survives.</summary>
    public static int MaxAtomicBlocks(IBlockStore store) =>
        store.IsInMemory ? MaxAtomicBytes / store.BlockLengthBytes : 0;

    /// <summary>Our choice: what the 10 byte form can say; it bounds what one command keeps busy.</summary>
    public const int MaxWriteSameBlocks = 0xFFFF;

    /// <summary>Our choice: a list of a page's size.</summary>
    public const int MaxUnmapDescriptors = 256;

    /// <summary>Our choice: PRE-FETCH reads no more than this; what it does not read is only not faster later.
    /// </summary>
    public const int MaxPrefetchBytes = 8 * 1024 * 1024;
}
