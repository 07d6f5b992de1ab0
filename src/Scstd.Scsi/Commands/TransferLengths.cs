using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>
/// Where the rows read how much a CDB asks to transfer. Static delegates that capture nothing: asking allocates
/// nothing.
/// </summary>
public static class TransferLengths
{
    // ---- Bytes: allocation lengths and parameter list lengths (SPC-4 §4.2.5.5, §4.2.5.6) ---------------------------

    public static readonly TransferLength BytesIn4 = static (cdb, _) => cdb[4];

    public static readonly TransferLength BytesIn3To4 = static (cdb, _) => Two(cdb, 3);

    public static readonly TransferLength BytesIn5To8 = static (cdb, _) => Four(cdb, 5);

    public static readonly TransferLength BytesIn6To8 = static (cdb, _) => (cdb[6] << 16) | Two(cdb, 7);

    public static readonly TransferLength BytesIn6To9 = static (cdb, _) => Four(cdb, 6);

    public static readonly TransferLength BytesIn7To8 = static (cdb, _) => Two(cdb, 7);

    public static readonly TransferLength BytesIn10To13 = static (cdb, _) => Four(cdb, 10);

    /// <summary>READ CAPACITY (10) has no allocation length: its answer is eight bytes (SBC-4).</summary>
    public static readonly TransferLength EightBytes = static (_, _) => 8;

    /// <summary>READ BLOCK LIMITS without MLOI (SSC-4).</summary>
    public static readonly TransferLength SixBytes = static (_, _) => 6;

    /// <summary>READ POSITION, short form (SSC-4).</summary>
    public static readonly TransferLength TwentyBytes = static (_, _) => 20;

    /// <summary>READ POSITION, long form (SSC-4).</summary>
    public static readonly TransferLength ThirtyTwoBytes = static (_, _) => 32;

    // ---- Blocks ----------------------------------------------------------------------------------------------------

    /// <summary>READ (6), WRITE (6): zero stands for 256 (SBC-4).</summary>
    public static readonly TransferLength BlocksIn4 = static (cdb, block) => (cdb[4] == 0 ? 256L : cdb[4]) * block;

    public static readonly TransferLength BlocksIn6To9 = static (cdb, block) => Four(cdb, 6) * block;

    public static readonly TransferLength BlocksIn7To8 = static (cdb, block) => (long)Two(cdb, 7) * block;

    public static readonly TransferLength BlocksIn10To13 = static (cdb, block) => Four(cdb, 10) * block;

    public static readonly TransferLength BlocksIn12To13 = static (cdb, block) => (long)Two(cdb, 12) * block;

    public static readonly TransferLength BlocksIn28To31 = static (cdb, block) => Four(cdb, 28) * block;

    // VERIFY sends data only when it shall be compared: BYTCHK 01b all blocks, 11b one for all, SBC-4.

    public static readonly TransferLength Verify10 = static (cdb, block) => Verified(cdb[1], Two(cdb, 7), block);

    public static readonly TransferLength Verify12 = static (cdb, block) => Verified(cdb[1], Four(cdb, 6), block);

    public static readonly TransferLength Verify16 = static (cdb, block) => Verified(cdb[1], Four(cdb, 10), block);

    public static readonly TransferLength Verify32 = static (cdb, block) => Verified(cdb[10], Four(cdb, 28), block);

    /// <summary>WRITE SAME (10): one block, whatever number of blocks gets it (SBC-4).</summary>
    public static readonly TransferLength OneBlock = static (_, block) => block;

    /// <summary>WRITE SAME (16): one block, none with NDOB (SBC-4).</summary>
    public static readonly TransferLength OneBlockUnlessNdob1 = static (cdb, block) => (cdb[1] & 1) != 0 ? 0 : block;

    /// <summary>WRITE SAME (32): NDOB is in byte 10.</summary>
    public static readonly TransferLength OneBlockUnlessNdob10 = static (cdb, block) => (cdb[10] & 1) != 0 ? 0 : block;

    /// <summary>COMPARE AND WRITE: what is compared, then what is written (SBC-4).</summary>
    public static readonly TransferLength TwiceBlocksIn13 = static (cdb, block) => 2L * cdb[13] * block;

    // Tapes: FIXED counts blocks of the length that the mode block descriptor says, else it is bytes (SSC-4).

    public static readonly TransferLength TapeBlocksIn2To4 = static (cdb, block) => Taped(cdb[1], Three(cdb, 2), block);

    public static readonly TransferLength TapeBlocksIn12To14 =
        static (cdb, block) => Taped(cdb[1], Three(cdb, 12), block);

    /// <summary>VERIFY sends data only to be compared (BYTCMP).</summary>
    public static readonly TransferLength TapeCompareIn2To4 =
        static (cdb, block) => (cdb[1] & 2) == 0 ? 0 : Taped(cdb[1], Three(cdb, 2), block);

    public static readonly TransferLength TapeCompareIn12To14 =
        static (cdb, block) => (cdb[1] & 2) == 0 ? 0 : Taped(cdb[1], Three(cdb, 12), block);

    private static long Taped(byte flags, long count, int blockLengthBytes) =>
        (flags & 1) == 0 ? count : count * blockLengthBytes;

    private static long Three(ReadOnlySpan<byte> cdb, int offset) => (cdb[offset] << 16) | Two(cdb, offset + 1);

    private static long Verified(byte flags, long blocks, int blockLengthBytes) => ((flags >> 1) & 3) switch
    {
        1 => blocks * blockLengthBytes,
        3 => blocks == 0 ? 0 : blockLengthBytes,
        _ => 0,
    };

    private static int Two(ReadOnlySpan<byte> cdb, int offset) => BinaryPrimitives.ReadUInt16BigEndian(cdb[offset..]);

    private static long Four(ReadOnlySpan<byte> cdb, int offset) => BinaryPrimitives.ReadUInt32BigEndian(cdb[offset..]);
}
