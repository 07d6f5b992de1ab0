namespace Scstd.Scsi;

/// <summary>
/// The rows of SMC-3. What moves, or may move, runs alone on the unit, so that a report shows every cartridge in one
/// place. Reservations: only what neither moves nor might (PREVENT of 0, READ ELEMENT STATUS with CURDATA) is allowed
/// to others than the holder.
/// </summary>
public static class Smc
{
    private const CommandTraits AllowedAlways = CommandTraits.AllowedUnderReserve |
        CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedUnderExclusiveAccess;

    private const CommandTraits Moves = CommandTraits.ChangesUnit | CommandTraits.NeedsMedium;

    private const byte CurrentData = 0x02;

    public static readonly CommandRow InitializeElementStatus = new()
    {
        Name = "INITIALIZE ELEMENT STATUS",
        OperationCode = 0x07,
        Traits = Moves,
        Usage = [0x07, 0, 0, 0, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    /// <summary>ACTION CODE in byte 4: 00h opens, 01h closes.</summary>
    public static readonly CommandRow OpenCloseImportExportElement = new()
    {
        Name = "OPEN/CLOSE IMPORT/EXPORT ELEMENT",
        OperationCode = 0x1B,
        Traits = Moves,
        Usage = [0x1B, 0, 0xFF, 0xFF, 0x1F, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    /// <summary>SPC-4 §6.15: one command for every device type.</summary>
    public static readonly CommandRow PreventAllowMediumRemoval = Sbc.PreventAllowMediumRemoval;

    /// <summary>INVERT is looked at, and refused: nothing here has two sides.</summary>
    public static readonly CommandRow PositionToElement = new()
    {
        Name = "POSITION TO ELEMENT",
        OperationCode = 0x2B,
        Traits = Moves,
        Usage = [0x2B, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0x01, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    /// <summary>FAST and RANGE; FAST is not acted on: looking takes no time worth saving.</summary>
    public static readonly CommandRow InitializeElementStatusWithRange = new()
    {
        Name = "INITIALIZE ELEMENT STATUS WITH RANGE",
        OperationCode = 0x37,
        Traits = Moves,
        Usage = [0x37, 0x03, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    public static readonly CommandRow MoveMedium = new()
    {
        Name = "MOVE MEDIUM",
        OperationCode = 0xA5,
        Traits = Moves,
        Usage = [0xA5, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0x01, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    /// <summary>INV1 and INV2 as INVERT elsewhere.</summary>
    public static readonly CommandRow ExchangeMedium = new()
    {
        Name = "EXCHANGE MEDIUM",
        OperationCode = 0xA6,
        Traits = Moves,
        Usage = [0xA6, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    public static readonly CommandRow RequestVolumeElementAddress = new()
    {
        Name = "REQUEST VOLUME ELEMENT ADDRESS",
        OperationCode = 0xB5,
        Direction = DataDirection.In,
        Traits = CommandTraits.NeedsMedium,
        Usage = [0xB5, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
        TransferLength = TransferLengths.BytesIn7To9,
        LengthFieldOffset = 7,
    };

    public static readonly CommandRow SendVolumeTag = new()
    {
        Name = "SEND VOLUME TAG",
        OperationCode = 0xB6,
        Direction = DataDirection.Out,
        Traits = Moves,
        Usage = [0xB6, 0x0F, 0xFF, 0xFF, 0, 0x1F, 0, 0, 0xFF, 0xFF, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
        TransferLength = TransferLengths.BytesIn8To9,
        LengthFieldOffset = 8,
    };

    /// <summary>CURDATA promises that nothing moves, which here holds with or without it.</summary>
    public static readonly CommandRow ReadElementStatus = new()
    {
        Name = "READ ELEMENT STATUS",
        OperationCode = 0xB8,
        Direction = DataDirection.In,
        Traits = CommandTraits.NeedsMedium,
        TraitsOfCdb = static cdb => (cdb[6] & CurrentData) != 0 ? AllowedAlways : CommandTraits.None,
        Usage = [0xB8, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0xFF, 0xFF, 0xFF, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
        TransferLength = TransferLengths.BytesIn7To9,
        LengthFieldOffset = 7,
    };
}
