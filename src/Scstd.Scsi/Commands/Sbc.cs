namespace Scstd.Scsi;

/// <summary>
/// The rows of SBC-4; those that move blocks in the other part. Reservation allowances: SBC-4 §4.17. GROUP NUMBER is
/// taken and has no effect.
/// </summary>
public static partial class Sbc
{
    private const CommandTraits ReadsMedium = CommandTraits.NeedsMedium | CommandTraits.AllowedUnderWriteExclusive;

    private const CommandTraits WritesMedium = CommandTraits.NeedsMedium | CommandTraits.WritesMedium;

    private const CommandTraits AllowedAlways = CommandTraits.AllowedUnderReserve |
        CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedUnderExclusiveAccess;

    /// <summary>LONGLIST, FMTDATA, CMPLST and the defect list format; FMTPINFO is not looked at.</summary>
    public static readonly CommandRow FormatUnit = new()
    {
        Name = "FORMAT UNIT",
        OperationCode = 0x04,
        Direction = DataDirection.Out,
        Traits = WritesMedium | CommandTraits.ChangesUnit,
        Usage = [0x04, 0x3F, 0, 0, 0, 0],
    };

    /// <summary>START with no power condition is allowed whoever holds a reservation.</summary>
    public static readonly CommandRow StartStopUnit = new()
    {
        Name = "START STOP UNIT",
        OperationCode = 0x1B,
        Traits = CommandTraits.ChangesUnit,
        TraitsOfCdb = static cdb => (cdb[4] & 0xF1) == 0x01 ? AllowedAlways : CommandTraits.None,
        Usage = [0x1B, 0x01, 0, 0x0F, 0xF7, 0],
    };

    /// <summary>To allow removal is allowed whoever holds a reservation; to prevent it is not.</summary>
    public static readonly CommandRow PreventAllowMediumRemoval = new()
    {
        Name = "PREVENT ALLOW MEDIUM REMOVAL",
        OperationCode = 0x1E,
        Traits = CommandTraits.ChangesUnit,
        TraitsOfCdb = static cdb => (cdb[4] & 0x03) == 0 ? AllowedAlways : CommandTraits.None,
        Usage = [0x1E, 0, 0, 0, 0x03, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    /// <summary>LOGICAL BLOCK ADDRESS and PMI are obsolete and shall be zero. Our choice (SPC-4 §5.15.2.4.4 lets us): a
    /// host that finds a path in standby learns the size there.</summary>
    public static readonly CommandRow ReadCapacity10 = new()
    {
        Name = "READ CAPACITY (10)",
        OperationCode = 0x25,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.NeedsMedium | CommandTraits.AllowedInStandby,
        Usage = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        TransferLength = TransferLengths.EightBytes,
    };

    public static readonly CommandRow ReadCapacity16 = new()
    {
        Name = "READ CAPACITY (16)",
        OperationCode = 0x9E,
        ServiceAction = 0x10,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.NeedsMedium | CommandTraits.AllowedInStandby,
        Usage = [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn10To13,
        LengthFieldOffset = 10,
    };

    public static readonly CommandRow GetLbaStatus = new()
    {
        Name = "GET LBA STATUS",
        OperationCode = 0x9E,
        ServiceAction = 0x12,
        Direction = DataDirection.In,
        Traits = ReadsMedium,
        Usage = [0x9E, 0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn10To13,
        LengthFieldOffset = 10,
    };

    /// <summary>SYNC_NV, of SBC-3 and obsolete in SBC-4, passes: initiators of that time set it, and stable storage
    /// is more than the non-volatile cache that it is content with.</summary>
    public static readonly CommandRow SynchronizeCache10 = new()
    {
        Name = "SYNCHRONIZE CACHE (10)",
        OperationCode = 0x35,
        Traits = CommandTraits.NeedsMedium,
        Usage = [0x35, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0xFF, 0xFF, 0],
        LengthFieldOffset = 7,
    };

    /// <summary>SYNC_NV as in the shorter one.</summary>
    public static readonly CommandRow SynchronizeCache16 = new()
    {
        Name = "SYNCHRONIZE CACHE (16)",
        OperationCode = 0x91,
        Traits = CommandTraits.NeedsMedium,
        Usage = [0x91, 0x06, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0],
        LengthFieldOffset = 10,
    };

    public static readonly CommandRow Prefetch10 = new()
    {
        Name = "PRE-FETCH (10)",
        OperationCode = 0x34,
        Traits = ReadsMedium,
        Usage = [0x34, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0xFF, 0xFF, 0],
        LengthFieldOffset = 7,
    };

    public static readonly CommandRow Prefetch16 = new()
    {
        Name = "PRE-FETCH (16)",
        OperationCode = 0x90,
        Traits = ReadsMedium,
        Usage = [0x90, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x3F, 0],
        LengthFieldOffset = 10,
    };

    /// <summary>REQ_PLIST, REQ_GLIST and the format of the list.</summary>
    public static readonly CommandRow ReadDefectData10 = new()
    {
        Name = "READ DEFECT DATA (10)",
        OperationCode = 0x37,
        Direction = DataDirection.In,
        Traits = ReadsMedium,
        Usage = [0x37, 0, 0x1F, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    /// <summary>Bytes 2 to 5: ADDRESS DESCRIPTOR INDEX.</summary>
    public static readonly CommandRow ReadDefectData12 = new()
    {
        Name = "READ DEFECT DATA (12)",
        OperationCode = 0xB7,
        Direction = DataDirection.In,
        Traits = ReadsMedium,
        Usage = [0xB7, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    /// <summary>ANCHOR is not looked at: no block can be anchored.</summary>
    public static readonly CommandRow Unmap = new()
    {
        Name = "UNMAP",
        OperationCode = 0x42,
        Direction = DataDirection.Out,
        Traits = WritesMedium,
        Usage = [0x42, 0, 0, 0, 0, 0, 0x3F, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };
}
