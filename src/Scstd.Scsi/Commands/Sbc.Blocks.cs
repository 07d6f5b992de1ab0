namespace Scstd.Scsi;

/// <summary>
/// The commands that move or compare blocks. DPO and FUA are looked at (MODE SENSE's DPOFUA is one); RDPROTECT,
/// WRPROTECT and VRPROTECT are not: the medium carries no protection information, so a value there is an invalid field.
/// Nor are RARC and the obsolete FUA_NV: to ignore that one would promise less than SBC-2 took it to mean.
/// </summary>
public static partial class Sbc
{
    private const byte DpoFua = 0x18;

    /// <summary>DPO, and both bits of BYTCHK.</summary>
    private const byte DpoByteCheck = 0x16;

    private const CommandTraits WritesBlocks = WritesMedium | CommandTraits.MayBeCutShort;

    // ---- READ ------------------------------------------------------------------------------------------------------

    public static readonly CommandRow Read6 = Six("READ (6)", 0x08, DataDirection.In, ReadsMedium);

    public static readonly CommandRow Read10 =
        Ten("READ (10)", 0x28, DpoFua, DataDirection.In, ReadsMedium, TransferLengths.BlocksIn7To8);

    public static readonly CommandRow Read12 =
        Twelve("READ (12)", 0xA8, DpoFua, DataDirection.In, ReadsMedium, TransferLengths.BlocksIn6To9);

    public static readonly CommandRow Read16 =
        Sixteen("READ (16)", 0x88, DpoFua, DataDirection.In, ReadsMedium, TransferLengths.BlocksIn10To13);

    public static readonly CommandRow Read32 =
        ThirtyTwo("READ (32)", 0x09, DpoFua, DataDirection.In, ReadsMedium, TransferLengths.BlocksIn28To31);

    // ---- WRITE -----------------------------------------------------------------------------------------------------

    public static readonly CommandRow Write6 = Six("WRITE (6)", 0x0A, DataDirection.Out, WritesBlocks);

    public static readonly CommandRow Write10 =
        Ten("WRITE (10)", 0x2A, DpoFua, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn7To8);

    public static readonly CommandRow Write12 =
        Twelve("WRITE (12)", 0xAA, DpoFua, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn6To9);

    public static readonly CommandRow Write16 =
        Sixteen("WRITE (16)", 0x8A, DpoFua, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn10To13);

    public static readonly CommandRow Write32 =
        ThirtyTwo("WRITE (32)", 0x0B, DpoFua, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn28To31);

    // ---- WRITE AND VERIFY ------------------------------------------------------------------------------------------

    public static readonly CommandRow WriteAndVerify10 = Ten(
        "WRITE AND VERIFY (10)", 0x2E, DpoByteCheck, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn7To8);

    public static readonly CommandRow WriteAndVerify12 = Twelve(
        "WRITE AND VERIFY (12)", 0xAE, DpoByteCheck, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn6To9);

    public static readonly CommandRow WriteAndVerify16 = Sixteen(
        "WRITE AND VERIFY (16)", 0x8E, DpoByteCheck, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn10To13);

    public static readonly CommandRow WriteAndVerify32 = ThirtyTwo(
        "WRITE AND VERIFY (32)", 0x0C, DpoByteCheck, DataDirection.Out, WritesBlocks, TransferLengths.BlocksIn28To31);

    // ---- VERIFY ----------------------------------------------------------------------------------------------------

    public static readonly CommandRow Verify10 =
        Ten("VERIFY (10)", 0x2F, DpoByteCheck, DataDirection.Out, ReadsMedium, TransferLengths.Verify10);

    public static readonly CommandRow Verify12 =
        Twelve("VERIFY (12)", 0xAF, DpoByteCheck, DataDirection.Out, ReadsMedium, TransferLengths.Verify12);

    public static readonly CommandRow Verify16 =
        Sixteen("VERIFY (16)", 0x8F, DpoByteCheck, DataDirection.Out, ReadsMedium, TransferLengths.Verify16);

    public static readonly CommandRow Verify32 =
        ThirtyTwo("VERIFY (32)", 0x0A, DpoByteCheck, DataDirection.Out, ReadsMedium, TransferLengths.Verify32);

    // ---- Others ----------------------------------------------------------------------------------------------------

    /// <summary>UNMAP; ANCHOR is not looked at: no block can be anchored.</summary>
    public static readonly CommandRow WriteSame10 =
        Ten("WRITE SAME (10)", 0x41, 0x08, DataDirection.Out, WritesMedium, TransferLengths.OneBlock);

    /// <summary>UNMAP and NDOB.</summary>
    public static readonly CommandRow WriteSame16 =
        Sixteen("WRITE SAME (16)", 0x93, 0x09, DataDirection.Out, WritesMedium, TransferLengths.OneBlockUnlessNdob1);

    public static readonly CommandRow WriteSame32 = ThirtyTwo(
        "WRITE SAME (32)", 0x0D, 0x09, DataDirection.Out, WritesMedium, TransferLengths.OneBlockUnlessNdob10);

    /// <summary>Reads, compares and writes without anything between: alone on its blocks.</summary>
    public static readonly CommandRow CompareAndWrite = new()
    {
        Name = "COMPARE AND WRITE",
        OperationCode = 0x89,
        Direction = DataDirection.Out,
        Traits = WritesMedium | CommandTraits.HoldsRange,
        Usage = [0x89, DpoFua, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0x3F, 0],
        TransferLength = TransferLengths.TwiceBlocksIn13,
        LengthFieldOffset = 13,
    };

    /// <summary>Reads and writes the same blocks: alone, or another's change between the two is lost.</summary>
    public static readonly CommandRow OrWrite16 = Sixteen(
        "ORWRITE (16)", 0x8B, DpoFua, DataDirection.Out, WritesMedium | CommandTraits.HoldsRange,
        TransferLengths.BlocksIn10To13);

    /// <summary>All of its blocks or none, whatever happens (SBC-4, atomic writes). ATOMIC BOUNDARY, bytes 10 and 11,
    /// is not looked at: nothing is atomic in pieces here.</summary>
    public static readonly CommandRow WriteAtomic16 = new()
    {
        Name = "WRITE ATOMIC (16)",
        OperationCode = 0x9C,
        Direction = DataDirection.Out,
        Traits = WritesMedium | CommandTraits.HoldsRange,
        Usage = [0x9C, DpoFua, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0x3F, 0],
        TransferLength = TransferLengths.BlocksIn12To13,
        LengthFieldOffset = 12,
    };

    // ---- The five shapes of a CDB with an address and a length ----------------------------------------------------

    private static CommandRow Six(string name, byte code, DataDirection direction, CommandTraits traits) => new()
    {
        Name = name,
        OperationCode = code,
        Direction = direction,
        Traits = traits,
        Usage = [code, 0x1F, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BlocksIn4,
        LengthFieldOffset = 4,
    };

    private static CommandRow Ten(
        string name, byte code, byte flags, DataDirection direction, CommandTraits traits, TransferLength length)
        => new()
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage = [code, flags, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0xFF, 0xFF, 0],
            TransferLength = length,
            LengthFieldOffset = 7,
        };

    private static CommandRow Twelve(
        string name, byte code, byte flags, DataDirection direction, CommandTraits traits, TransferLength length)
        => new()
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage = [code, flags, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0],
            TransferLength = length,
            LengthFieldOffset = 6,
        };

    private static CommandRow Sixteen(
        string name, byte code, byte flags, DataDirection direction, CommandTraits traits, TransferLength length)
        => new()
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage =
            [
                code, flags, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0,
            ],
            TransferLength = length,
            LengthFieldOffset = 10,
        };

    /// <summary>SPC-4 §4.3.3: CONTROL is byte 1; ADDITIONAL CDB LENGTH 18h. The block reference and application tags
    /// (bytes 20 to 27) have a meaning only together with protection information: they are ignored.</summary>
    private static CommandRow ThirtyTwo(
        string name, byte action, byte flags, DataDirection direction, CommandTraits traits, TransferLength length)
    {
        byte[] usage = new byte[32];
        usage[0] = 0x7F;
        usage[6] = 0x3F;
        usage[7] = 0x18;
        usage[9] = action;
        usage[10] = flags;
        usage.AsSpan(12, 8).Fill(0xFF);
        usage.AsSpan(28, 4).Fill(0xFF);
        byte[] ignored = new byte[32];
        ignored.AsSpan(20, 8).Fill(0xFF);
        return new CommandRow
        {
            Name = name,
            OperationCode = 0x7F,
            ServiceAction = action,
            Direction = direction,
            Traits = traits,
            Usage = usage,
            Ignored = ignored,
            TransferLength = length,
            LengthFieldOffset = 28,
        };
    }
}
