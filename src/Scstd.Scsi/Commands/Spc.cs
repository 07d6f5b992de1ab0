namespace Scstd.Scsi;

/// <summary>
/// The rows of SPC-4 (and of SPC-2 for RESERVE and RELEASE), commands of every device type. Of the CONTROL byte
/// NACA is looked at, in every row; the obsolete link bits are not, so a set one is an invalid field (SAM-5 §5.2).
/// Reservation allowances: SPC-2 §5.5.1, SPC-4 §5.13.1.
/// </summary>
public static class Spc
{
    private const CommandTraits AllowedAlways = CommandTraits.AllowedUnderReserve | AllowedUnderPersistent;

    private const CommandTraits AllowedUnderPersistent =
        CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedUnderExclusiveAccess;

    private const CommandTraits AllowedInAnyAccessState = CommandTraits.AllowedInStandby |
        CommandTraits.AllowedWhenUnavailable | CommandTraits.AllowedInTransition;

    public static readonly CommandRow TestUnitReady = new()
    {
        Name = "TEST UNIT READY",
        OperationCode = 0x00,
        Traits = AllowedUnderPersistent | CommandTraits.NeedsMedium,
        Usage = [0x00, 0, 0, 0, 0, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
    };

    public static readonly CommandRow RequestSense = new()
    {
        Name = "REQUEST SENSE",
        OperationCode = 0x03,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.BypassesUnitAttention | CommandTraits.ImplicitHeadOfQueue |
            AllowedInAnyAccessState,
        Usage = [0x03, 0x01, 0, 0, 0xFF, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
        TransferLength = TransferLengths.BytesIn4,
        LengthFieldOffset = 4,
    };

    public static readonly CommandRow Inquiry = new()
    {
        Name = "INQUIRY",
        OperationCode = 0x12,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.BypassesUnitAttention | CommandTraits.ImplicitHeadOfQueue |
            AllowedInAnyAccessState,
        Usage = [0x12, 0x01, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn3To4,
        LengthFieldOffset = 3,
    };

    /// <summary>PF and SP; parameters are not reverted (RTD).</summary>
    public static readonly CommandRow ModeSelect6 = new()
    {
        Name = "MODE SELECT (6)",
        OperationCode = 0x15,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit | CommandTraits.AllowedInStandby,
        Usage = [0x15, 0x11, 0, 0, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn4,
        LengthFieldOffset = 4,
    };

    /// <summary>SPC-2 §7.21. Extents and third parties are obsolete: their bits are invalid fields.</summary>
    public static readonly CommandRow Reserve6 = new()
    {
        Name = "RESERVE (6)",
        OperationCode = 0x16,
        Traits = AllowedUnderPersistent | CommandTraits.ChangesUnit,
        Usage = [0x16, 0, 0, 0, 0, 0],
    };

    /// <summary>SPC-2 §7.17: without effect, and GOOD, from who holds nothing.</summary>
    public static readonly CommandRow Release6 = new()
    {
        Name = "RELEASE (6)",
        OperationCode = 0x17,
        Traits = AllowedAlways | CommandTraits.ChangesUnit,
        Usage = [0x17, 0, 0, 0, 0, 0],
    };

    public static readonly CommandRow ModeSense6 = new()
    {
        Name = "MODE SENSE (6)",
        OperationCode = 0x1A,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedInStandby,
        Usage = [0x1A, 0x08, 0xFF, 0xFF, 0xFF, 0],
        Ignored = CommandRow.FormerLogicalUnitNumber,
        TransferLength = TransferLengths.BytesIn4,
        LengthFieldOffset = 4,
    };

    public static readonly CommandRow ReceiveDiagnosticResults = new()
    {
        Name = "RECEIVE DIAGNOSTIC RESULTS",
        OperationCode = 0x1C,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedInStandby,
        Usage = [0x1C, 0x01, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn3To4,
        LengthFieldOffset = 3,
    };

    /// <summary>SELF-TEST CODE is not looked at: only the default self-test exists.</summary>
    public static readonly CommandRow SendDiagnostic = new()
    {
        Name = "SEND DIAGNOSTIC",
        OperationCode = 0x1D,
        Direction = DataDirection.Out,
        Traits = CommandTraits.AllowedInStandby,
        Usage = [0x1D, 0x17, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn3To4,
        LengthFieldOffset = 3,
    };

    public static readonly CommandRow WriteBuffer = new()
    {
        Name = "WRITE BUFFER",
        OperationCode = 0x3B,
        Direction = DataDirection.Out,
        Usage = [0x3B, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn6To8,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow ReadBuffer = new()
    {
        Name = "READ BUFFER",
        OperationCode = 0x3C,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive,
        Usage = [0x3C, 0x1F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn6To8,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow LogSelect = new()
    {
        Name = "LOG SELECT",
        OperationCode = 0x4C,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit | CommandTraits.AllowedInStandby,
        Usage = [0x4C, 0x02, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    /// <summary>SP is not looked at: log parameters are not saved.</summary>
    public static readonly CommandRow LogSense = new()
    {
        Name = "LOG SENSE",
        OperationCode = 0x4D,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.AllowedInStandby,
        Usage = [0x4D, 0, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    public static readonly CommandRow ModeSelect10 = new()
    {
        Name = "MODE SELECT (10)",
        OperationCode = 0x55,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit | CommandTraits.AllowedInStandby,
        Usage = [0x55, 0x11, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    /// <summary>SPC-2 §7.22.</summary>
    public static readonly CommandRow Reserve10 = new()
    {
        Name = "RESERVE (10)",
        OperationCode = 0x56,
        Traits = AllowedUnderPersistent | CommandTraits.ChangesUnit,
        Usage = [0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };

    /// <summary>SPC-2 §7.18.</summary>
    public static readonly CommandRow Release10 = new()
    {
        Name = "RELEASE (10)",
        OperationCode = 0x57,
        Traits = AllowedAlways | CommandTraits.ChangesUnit,
        Usage = [0x57, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };

    public static readonly CommandRow ModeSense10 = new()
    {
        Name = "MODE SENSE (10)",
        OperationCode = 0x5A,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive | CommandTraits.AllowedInStandby,
        Usage = [0x5A, 0x18, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    public static readonly CommandRow PersistentReserveInReadKeys =
        PersistentReserveIn("PERSISTENT RESERVE IN (READ KEYS)", 0x00);

    public static readonly CommandRow PersistentReserveInReadReservation =
        PersistentReserveIn("PERSISTENT RESERVE IN (READ RESERVATION)", 0x01);

    public static readonly CommandRow PersistentReserveInReportCapabilities =
        PersistentReserveIn("PERSISTENT RESERVE IN (REPORT CAPABILITIES)", 0x02);

    public static readonly CommandRow PersistentReserveInReadFullStatus =
        PersistentReserveIn("PERSISTENT RESERVE IN (READ FULL STATUS)", 0x03);

    public static readonly CommandRow PersistentReserveOutRegister =
        PersistentReserveOut("PERSISTENT RESERVE OUT (REGISTER)", 0x00);

    public static readonly CommandRow PersistentReserveOutReserve =
        PersistentReserveOut("PERSISTENT RESERVE OUT (RESERVE)", 0x01);

    public static readonly CommandRow PersistentReserveOutRelease =
        PersistentReserveOut("PERSISTENT RESERVE OUT (RELEASE)", 0x02);

    public static readonly CommandRow PersistentReserveOutClear =
        PersistentReserveOut("PERSISTENT RESERVE OUT (CLEAR)", 0x03);

    public static readonly CommandRow PersistentReserveOutPreempt =
        PersistentReserveOut("PERSISTENT RESERVE OUT (PREEMPT)", 0x04);

    public static readonly CommandRow PersistentReserveOutPreemptAndAbort =
        PersistentReserveOut("PERSISTENT RESERVE OUT (PREEMPT AND ABORT)", 0x05);

    public static readonly CommandRow PersistentReserveOutRegisterAndIgnoreExistingKey =
        PersistentReserveOut("PERSISTENT RESERVE OUT (REGISTER AND IGNORE EXISTING KEY)", 0x06);

    public static readonly CommandRow PersistentReserveOutRegisterAndMove =
        PersistentReserveOut("PERSISTENT RESERVE OUT (REGISTER AND MOVE)", 0x07);

    public static readonly CommandRow ReportLuns = new()
    {
        Name = "REPORT LUNS",
        OperationCode = 0xA0,
        Direction = DataDirection.In,
        Traits = AllowedAlways | CommandTraits.BypassesUnitAttention | CommandTraits.ImplicitHeadOfQueue |
            AllowedInAnyAccessState,
        Usage = [0xA0, 0, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow ReportTargetPortGroups = new()
    {
        Name = "REPORT TARGET PORT GROUPS",
        OperationCode = 0xA3,
        ServiceAction = 0x0A,
        Direction = DataDirection.In,
        Traits = AllowedUnderPersistent | AllowedInAnyAccessState,
        Usage = [0xA3, 0xEA, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow ReportSupportedOperationCodes = new()
    {
        Name = "REPORT SUPPORTED OPERATION CODES",
        OperationCode = 0xA3,
        ServiceAction = 0x0C,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive,
        Usage = [0xA3, 0x0C, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow ReportSupportedTaskManagementFunctions = new()
    {
        Name = "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        OperationCode = 0xA3,
        ServiceAction = 0x0D,
        Direction = DataDirection.In,
        Traits = CommandTraits.AllowedUnderWriteExclusive,
        Usage = [0xA3, 0x0D, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow ReportTimestamp = new()
    {
        Name = "REPORT TIMESTAMP",
        OperationCode = 0xA3,
        ServiceAction = 0x0F,
        Direction = DataDirection.In,
        Traits = AllowedUnderPersistent,
        Usage = [0xA3, 0x0F, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow SetTargetPortGroups = new()
    {
        Name = "SET TARGET PORT GROUPS",
        OperationCode = 0xA4,
        ServiceAction = 0x0A,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit | CommandTraits.AllowedInStandby | CommandTraits.AllowedWhenUnavailable,
        Usage = [0xA4, 0x0A, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    public static readonly CommandRow SetTimestamp = new()
    {
        Name = "SET TIMESTAMP",
        OperationCode = 0xA4,
        ServiceAction = 0x0F,
        Direction = DataDirection.Out,
        Traits = CommandTraits.ChangesUnit,
        Usage = [0xA4, 0x0F, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0],
        TransferLength = TransferLengths.BytesIn6To9,
        LengthFieldOffset = 6,
    };

    private static CommandRow PersistentReserveIn(string name, byte serviceAction) => new()
    {
        Name = name,
        OperationCode = 0x5E,
        ServiceAction = serviceAction,
        Direction = DataDirection.In,
        Traits = AllowedUnderPersistent | CommandTraits.AllowedInStandby,
        Usage = [0x5E, serviceAction, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn7To8,
        LengthFieldOffset = 7,
    };

    /// <summary>Allowed here whatever the reservation: each service action has rules of its own (SPC-4
    /// §5.13.1).</summary>
    private static CommandRow PersistentReserveOut(string name, byte serviceAction) => new()
    {
        Name = name,
        OperationCode = 0x5F,
        ServiceAction = serviceAction,
        Direction = DataDirection.Out,
        Traits = AllowedUnderPersistent | CommandTraits.ChangesUnit | CommandTraits.AllowedInStandby,
        Usage = [0x5F, serviceAction, 0xFF, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        TransferLength = TransferLengths.BytesIn5To8,
        LengthFieldOffset = 5,
    };
}
