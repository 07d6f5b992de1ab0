namespace Scstd.Scsi;

/// <summary>
/// The rows of SSC-4 whose CDB names partition and logical object itself (explicit address commands). FCS and LCS mark
/// a sequence of tagged writes.
/// </summary>
public static partial class Ssc
{
    /// <summary>SILI and FIXED.</summary>
    public static readonly CommandRow Read16 =
        Sixteen("READ (16)", 0x88, 0x03, DataDirection.In, MovesMedium, TransferLengths.TapeBlocksIn12To14);

    /// <summary>FCS, LCS and FIXED.</summary>
    public static readonly CommandRow Write16 =
        Sixteen("WRITE (16)", 0x8A, 0x0D, DataDirection.Out, WritesMedium, TransferLengths.TapeBlocksIn12To14);

    /// <summary>IMMED, BYTCMP and FIXED.</summary>
    public static readonly CommandRow Verify16 =
        Sixteen("VERIFY (16)", 0x8F, 0x07, DataDirection.Out, MovesMedium, TransferLengths.TapeCompareIn12To14);

    /// <summary>FCS, LCS and IMMED.</summary>
    public static readonly CommandRow WriteFilemarks16 =
        Sixteen("WRITE FILEMARKS (16)", 0x80, 0x0D, DataDirection.None, WritesMedium, null);

    /// <summary>FCS, LCS, IMMED and LONG.</summary>
    public static readonly CommandRow Erase16 = new()
    {
        Name = "ERASE (16)",
        OperationCode = 0x93,
        Traits = WritesMedium,
        Usage = [0x93, 0x0F, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    };

    private static CommandRow Sixteen(
        string name, byte code, byte flags, DataDirection direction, CommandTraits traits, TransferLength? length)
        => new()
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage =
            [
                code, flags, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0,
            ],
            TransferLength = length,
            LengthFieldOffset = (byte)(length is null ? 0 : 12),
        };
}
