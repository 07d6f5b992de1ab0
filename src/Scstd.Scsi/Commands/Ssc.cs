namespace Scstd.Scsi;

/// <summary>
/// The rows of SSC-4 that every sequential-access device has, with implicit addresses. Whoever touches the medium runs
/// alone on the unit, in the order of arrival: the position is the unit's. Reservation allowances: SSC-4 §4.2, table of
/// commands allowed in the presence of reservations; to read moves the medium, so it conflicts like a write.
/// </summary>
public static partial class Ssc
{
    private const CommandTraits AllowedAlways = CommandTraits.AllowedUnderReserve |
        CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedUnderExclusiveAccess;

    private const CommandTraits MovesMedium = CommandTraits.NeedsMedium | CommandTraits.ChangesUnit;

    private const CommandTraits WritesMedium = MovesMedium | CommandTraits.WritesMedium;

    // ---- Data ------------------------------------------------------------------------------------------------------

    /// <summary>SILI and FIXED.</summary>
    public static readonly CommandRow Read6 = new()
    {
        Name = "READ (6)",
        OperationCode = 0x08,
        Direction = DataDirection.In,
        Traits = MovesMedium,
        Usage = [0x08, 0x03, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.TapeBlocksIn2To4,
        LengthFieldOffset = 2,
    };

    public static readonly CommandRow Write6 = new()
    {
        Name = "WRITE (6)",
        OperationCode = 0x0A,
        Direction = DataDirection.Out,
        Traits = WritesMedium,
        Usage = [0x0A, 0x01, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.TapeBlocksIn2To4,
        LengthFieldOffset = 2,
    };

    /// <summary>IMMED, BYTCMP and FIXED. VTE, VLBPM and VBF are not looked at.</summary>
    public static readonly CommandRow Verify6 = new()
    {
        Name = "VERIFY (6)",
        OperationCode = 0x13,
        Direction = DataDirection.Out,
        Traits = MovesMedium,
        Usage = [0x13, 0x07, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.TapeCompareIn2To4,
        LengthFieldOffset = 2,
    };

    /// <summary>IMMED. WSMK is not looked at: no density here has setmarks.</summary>
    public static readonly CommandRow WriteFilemarks6 = new()
    {
        Name = "WRITE FILEMARKS (6)",
        OperationCode = 0x10,
        Traits = WritesMedium,
        Usage = [0x10, 0x01, 0xFF, 0xFF, 0xFF, 0],
    };

    /// <summary>IMMED and LONG.</summary>
    public static readonly CommandRow Erase6 = new()
    {
        Name = "ERASE (6)",
        OperationCode = 0x19,
        Traits = WritesMedium,
        Usage = [0x19, 0x03, 0, 0, 0, 0],
    };

    // ---- Position --------------------------------------------------------------------------------------------------

    public static readonly CommandRow Rewind = new()
    {
        Name = "REWIND",
        OperationCode = 0x01,
        Traits = MovesMedium,
        Usage = [0x01, 0x01, 0, 0, 0, 0],
    };

    public static readonly CommandRow Space6 = new()
    {
        Name = "SPACE (6)",
        OperationCode = 0x11,
        Traits = MovesMedium,
        Usage = [0x11, 0x0F, 0xFF, 0xFF, 0xFF, 0],
    };

    /// <summary>PARAMETER LENGTH is not looked at: there is no parameter.</summary>
    public static readonly CommandRow Space16 = new()
    {
        Name = "SPACE (16)",
        OperationCode = 0x91,
        Traits = MovesMedium,
        Usage = [0x91, 0x0F, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    };

    /// <summary>BT, CP and IMMED.</summary>
    public static readonly CommandRow Locate10 = new()
    {
        Name = "LOCATE (10)",
        OperationCode = 0x2B,
        Traits = MovesMedium,
        Usage = [0x2B, 0x07, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0],
    };

    /// <summary>DEST_TYPE, CP, IMMED and BAM.</summary>
    public static readonly CommandRow Locate16 = new()
    {
        Name = "LOCATE (16)",
        OperationCode = 0x92,
        Traits = MovesMedium,
        Usage = [0x92, 0x3B, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    };

    public static readonly CommandRow ReadPositionShort =
        ReadPosition("READ POSITION (SHORT FORM)", 0x00, TransferLengths.TwentyBytes);

    /// <summary>The address is the vendor's; here it is the logical object's number, too.</summary>
    public static readonly CommandRow ReadPositionVendor =
        ReadPosition("READ POSITION (SHORT FORM, VENDOR SPECIFIC)", 0x01, TransferLengths.TwentyBytes);

    public static readonly CommandRow ReadPositionLong =
        ReadPosition("READ POSITION (LONG FORM)", 0x06, TransferLengths.ThirtyTwoBytes);

    /// <summary>The one form with an ALLOCATION LENGTH.</summary>
    public static readonly CommandRow ReadPositionExtended = new()
    {
        Name = "READ POSITION (EXTENDED FORM)",
        OperationCode = 0x34,
        ServiceAction = 0x08,
        Direction = DataDirection.In,
        Traits = MovesMedium,
        Usage = [0x34, 0x08, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    private static CommandRow ReadPosition(string name, byte serviceAction, TransferLength length) => new()
    {
        Name = name,
        OperationCode = 0x34,
        ServiceAction = serviceAction,
        Direction = DataDirection.In,
        Traits = MovesMedium,
        Usage = [0x34, serviceAction, 0, 0, 0, 0, 0, 0, 0, 0],
        TransferLength = length,
    };
}
