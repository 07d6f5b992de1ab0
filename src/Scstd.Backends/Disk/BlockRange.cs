using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>
/// The blocks a CDB or a descriptor speaks of. Arithmetic is kept inside 64 bits by subtracting from the capacity and
/// never adding to an address.
/// </summary>
public readonly record struct BlockRange(ulong Lba, ulong Blocks)
{
    public static BlockRange Of(in BlockCdb cdb) => new(cdb.LogicalBlockAddress, cdb.TransferLengthBlocks);

    public static BlockRange Read(ReadOnlySpan<byte> cdb) => Of(new BlockCdb(cdb));

    public bool IsWithin(ulong blockCount) => Lba <= blockCount && Blocks <= blockCount - Lba;

    /// <summary>LOGICAL BLOCK ADDRESS OUT OF RANGE with the first address that does not exist.</summary>
    public SenseData OutOfRange(ulong blockCount) =>
        SenseData.IllegalRequest(AdditionalSense.LogicalBlockAddressOutOfRange) with
        {
            Information = Math.Max(Lba, blockCount),
        };

    /// <summary>A length of zero that means everything to the end (WRITE SAME, SYNCHRONIZE CACHE, PRE-FETCH).</summary>
    public BlockRange ToEnd(ulong blockCount) =>
        Blocks == 0 && Lba <= blockCount ? this with { Blocks = blockCount - Lba } : this;
}
