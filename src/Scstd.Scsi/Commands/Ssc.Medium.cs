namespace Scstd.Scsi;

/// <summary>The rows of SSC-4 that concern the medium as a whole, or tell what the device can do.</summary>
public static partial class Ssc
{
    /// <summary>IMMED and FORMAT. VERIFY is not looked at, and there is no parameter list.</summary>
    public static readonly CommandRow FormatMedium = new()
    {
        Name = "FORMAT MEDIUM",
        OperationCode = 0x04,
        Traits = WritesMedium,
        Usage = [0x04, 0x01, 0x0F, 0, 0, 0],
    };

    /// <summary>MLOI is not looked at.</summary>
    public static readonly CommandRow ReadBlockLimits = new()
    {
        Name = "READ BLOCK LIMITS",
        OperationCode = 0x05,
        Direction = DataDirection.In,
        Traits = AllowedAlways,
        Usage = [0x05, 0, 0, 0, 0, 0],
        TransferLength = TransferLengths.SixBytes,
    };

    public static readonly CommandRow SetCapacity = new()
    {
        Name = "SET CAPACITY",
        OperationCode = 0x0B,
        Traits = WritesMedium,
        Usage = [0x0B, 0x01, 0, 0xFF, 0xFF, 0],
    };

    /// <summary>IMMED, HOLD, EOT, RETEN and LOAD.</summary>
    public static readonly CommandRow LoadUnload = new()
    {
        Name = "LOAD UNLOAD",
        OperationCode = 0x1B,
        Traits = CommandTraits.ChangesUnit,
        Usage = [0x1B, 0x01, 0, 0, 0x0F, 0],
    };

    /// <summary>To allow removal is allowed whoever holds a reservation; to prevent it is not.</summary>
    public static readonly CommandRow PreventAllowMediumRemoval = new()
    {
        Name = "PREVENT ALLOW MEDIUM REMOVAL",
        OperationCode = 0x1E,
        Traits = CommandTraits.ChangesUnit,
        TraitsOfCdb = static cdb => (cdb[4] & 0x03) == 0 ? AllowedAlways : CommandTraits.None,
        Usage = [0x1E, 0, 0, 0, 0x03, 0],
    };

    /// <summary>MEDIUM TYPE and MEDIA.</summary>
    public static readonly CommandRow ReportDensitySupport = new()
    {
        Name = "REPORT DENSITY SUPPORT",
        OperationCode = 0x44,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.ChangesUnit,
        Usage = [0x44, 0x03, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    public static readonly CommandRow AllowOverwrite = new()
    {
        Name = "ALLOW OVERWRITE",
        OperationCode = 0x82,
        Traits = MovesMedium,
        Usage = [0x82, 0, 0x0F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0],
    };

    // ---- SPC-4: medium auxiliary memory and security ----------------------------------------------------------------

    /// <summary>SERVICE ACTION, LOGICAL VOLUME NUMBER, PARTITION NUMBER, FIRST ATTRIBUTE IDENTIFIER; CACHE makes no
    /// difference. Its service actions differ in nothing but the answer, so they share a row.</summary>
    public static readonly CommandRow ReadAttribute = new()
    {
        Name = "READ ATTRIBUTE",
        OperationCode = 0x8C,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive | CommandTraits.ChangesUnit,
        Usage = [0x8C, 0x1F, 0, 0, 0, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0],
        TransferLength = TransferLengths.BytesIn10To13,
        LengthFieldOffset = 10,
    };

    /// <summary>WTC, LOGICAL VOLUME NUMBER and PARTITION NUMBER.</summary>
    public static readonly CommandRow WriteAttribute = new()
    {
        Name = "WRITE ATTRIBUTE",
        OperationCode = 0x8D,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit,
        Usage = [0x8D, 0x01, 0, 0, 0, 0xFF, 0, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn10To13,
        LengthFieldOffset = 10,
    };

    /// <summary>INC_512 is not looked at: lengths are in bytes.</summary>
    public static readonly CommandRow SecurityProtocolIn = new()
    {
        Name = "SECURITY PROTOCOL IN",
        OperationCode = 0xA2,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive | CommandTraits.ChangesUnit,
        Usage = [0xA2, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow SecurityProtocolOut = new()
    {
        Name = "SECURITY PROTOCOL OUT",
        OperationCode = 0xB5,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit,
        Usage = [0xB5, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };
}
