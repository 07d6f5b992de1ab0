using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// SAM: the device server. What a command does to the medium. Shared by all executors; what it keeps for one of them it
/// keeps by <see cref="IExecutor.Index"/>.
/// </summary>
public interface IBackend
{
    PeripheralDeviceType DeviceType { get; }

    /// <summary>Who the unit says it is (INQUIRY).</summary>
    LogicalUnitIdentity Identity { get; }

    /// <summary>The commands that the device type adds to those of the mid-layer.</summary>
    IReadOnlyList<CommandBinding> Commands { get; }

    /// <summary>Bytes in a logical block, or 1 for devices without blocks.</summary>
    int BlockLengthBytes { get; }

    /// <summary>The most that one command may transfer.</summary>
    int MaxTransferLengthBytes { get; }

    /// <summary>The store refuses writes.</summary>
    bool IsReadOnly { get; }

    /// <summary>What a command does depends on those before it, so its initiators' SIMPLE commands are done in their
    /// order unless they ask for less (QUEUE ALGORITHM MODIFIER).</summary>
    bool RestrictsReordering => false;

    /// <summary>Mode pages of the device type; the mid-layer adds its own (Control).</summary>
    IReadOnlyList<ModePage> ModePages { get; }

    /// <summary>Vital product data pages of the device type (B0h…), payload without the four byte header.</summary>
    IReadOnlyList<VitalProductDataPage> VitalProductData { get; }

    /// <summary>Log pages of the device type.</summary>
    IReadOnlyList<LogPage> LogPages => [];

    /// <summary>SEND DIAGNOSTIC takes this page, which is a vendor's, and has nothing to do for it.</summary>
    bool IgnoresDiagnosticPage(byte pageCode) => false;

    /// <summary>RECOMMENDED COMMAND TIMEOUT (SPC-4 §6.35.4) in seconds; 0: none is recommended.</summary>
    uint RecommendedTimeoutSeconds(CommandRow row) => 0;

    /// <summary>MODE SENSE's header: the DEVICE-SPECIFIC PARAMETER (SBC-4 §6.5.1: WP, DPOFUA).</summary>
    byte ModeDeviceSpecificParameter { get; }

    /// <summary>MODE SENSE's header: MEDIUM TYPE (SSC-4 §8.3: the vendor's).</summary>
    byte ModeMediumType => 0;

    /// <summary>What of the header and the block descriptor MODE SELECT may change; null: nothing.</summary>
    IModeHeader? ModeHeader => null;

    /// <summary>Writes the block descriptor (8 bytes, or 16 with LONGLBA) and returns its length; 0: none.</summary>
    int WriteModeBlockDescriptor(Span<byte> destination, bool longLba);

    /// <summary>A page has other values, and nothing is to be done for it: when the unit is composed, before it serves,
    /// or when a change that could not be carried through is taken back.</summary>
    void ModePageChanged(ModePage page);

    /// <summary>The same by MODE SELECT or a reset; runs alone on the unit and does not block.
    /// <paramref name="done"/> is called on <paramref name="executor"/>, now or later: with null when the new values
    /// hold, else with why what they ask for could not be done. MODE SELECT then takes the change back, a reset does
    /// not.</summary>
    void ModePageChanged(ModePage page, IExecutor executor, Action<SenseData?> done)
    {
        ModePageChanged(page);
        done(null);
    }

    /// <summary>Null if a command that needs the medium may run, else why not (NOT READY …).</summary>
    SenseData? NotReady { get; }

    /// <summary>The same for a command of a nexus, which ends with it: what that nexus must hear first (a deferred
    /// error, SPC-4 §4.5.7) may stand in its place, once.</summary>
    SenseData? TakeNotReady(ItNexus nexus) => NotReady;

    /// <summary>A deferred error was to be told by a status that is not sent after all: it is still to be told.
    /// </summary>
    void NotTold(ItNexus nexus, in SenseData deferred)
    {
    }

    /// <summary>Somebody wanted to write what is write protected. From any executor; must be quick.</summary>
    void WriteRefused()
    {
    }

    /// <summary>Hurry up with a command that was aborted; its completion must still come, exactly once.</summary>
    void Abort(ScsiCommand command);

    /// <summary>A logical unit reset happened; runs alone on the unit.</summary>
    void Reset();

    /// <summary>The device server keeps something for this nexus (PREVENT ALLOW MEDIUM REMOVAL …) that ends with it.
    /// </summary>
    bool HoldsStateOf(ItNexus nexus) => false;

    /// <summary>A nexus whose state is held is gone; runs alone on the unit.</summary>
    void NexusEnded(ItNexus nexus)
    {
    }
}

/// <summary>A row and what does it.</summary>
/// <param name="Row">All about the command.</param>
/// <param name="Execute">Does it, without blocking; ends, now or later, with exactly one of the Complete calls of
/// <see cref="ScsiCommand"/>, on the command's own executor.</param>
/// <param name="Validate">Judges a CDB that its row has passed before any data is fetched: null, or the sense.
/// Must be cheap and change nothing; it is asked again before execution if the command had to wait.</param>
/// <param name="Blocks">The blocks that the command reads or writes, from a CDB that has been judged; null: any, if it
/// moves data of the medium at all.</param>
public sealed record CommandBinding(
    CommandRow Row,
    Action<ScsiCommand> Execute,
    Func<ScsiCommand, SenseData?>? Validate = null,
    BlocksOfCdb? Blocks = null)
{
    private readonly byte[] _reserved = [.. Row.Usage.Select((used, i) => (byte)~(used | IgnoredIn(Row, i)))];

    /// <summary>A bit is set that the row says nobody looks at: INVALID FIELD IN CDB with its place.</summary>
    internal SenseData? FindReservedBit(ReadOnlySpan<byte> cdb)
    {
        byte[] reserved = _reserved;
        for (int i = 1; i < reserved.Length; i++)
        {
            int wrong = cdb[i] & reserved[i];
            if (wrong != 0)
                return SenseData.InvalidFieldInCdb(i, System.Numerics.BitOperations.Log2((uint)wrong));
        }
        return null;
    }

    private static int IgnoredIn(CommandRow row, int offset) => offset < row.Ignored.Length ? row.Ignored[offset] : 0;
}

/// <summary>A page of INQUIRY's vital product data.</summary>
public sealed record VitalProductDataPage(byte PageCode, byte[] Payload);

/// <summary>A log page whose parameters are binary lists that nothing but the device changes (SPC-4 §7.3.2.2.2.5).
/// </summary>
/// <param name="PageCode">Its code.</param>
/// <param name="Read">The parameters as they are now, in the order of their codes; at least one. Must not block.
/// </param>
public sealed record LogPage(byte PageCode, Func<IReadOnlyList<LogParameter>> Read)
{
    /// <summary>Instead of <see cref="Read"/>, for a page that changes with its being told to a nexus (TapeAlert):
    /// with what is to be done once the nexus takes all of it.</summary>
    public Func<ItNexus, (IReadOnlyList<LogParameter> Parameters, Action Told)>? ReadFor { get; init; }

    /// <summary>LOG SELECT lets its counters begin anew, alone on the unit; false: nothing had been counted.</summary>
    public Func<bool>? Reset { get; init; }
}

/// <summary>One parameter: its code, and its bytes without the header.</summary>
/// <param name="Code">PARAMETER CODE.</param>
/// <param name="Value">PARAMETER VALUE.</param>
/// <param name="IsCounter">A counter (FORMAT AND LINKING 00b) and no binary list.</param>
public readonly record struct LogParameter(ushort Code, byte[] Value, bool IsCounter = false);

/// <summary>What INQUIRY tells of a unit's identity.</summary>
public sealed record LogicalUnitIdentity
{
    /// <summary>T10 VENDOR IDENTIFICATION, at most 8 ASCII characters.</summary>
    public required string Vendor { get; init; }

    /// <summary>PRODUCT IDENTIFICATION, at most 16 ASCII characters.</summary>
    public required string Product { get; init; }

    /// <summary>PRODUCT REVISION LEVEL, at most 4 ASCII characters.</summary>
    public required string Revision { get; init; }

    /// <summary>PRODUCT SERIAL NUMBER of VPD page 80h, ASCII.</summary>
    public required string SerialNumber { get; init; }

    /// <summary>NAA designator (8 or 16 bytes) of the unit, the same through every port.</summary>
    public required byte[] Naa { get; init; }

    public bool IsRemovable { get; init; }

    /// <summary>PROTECT: blocks can be sent with protection information.</summary>
    public bool ProtectsBlocks { get; init; }

    /// <summary>Bytes 36 to 55 of standard INQUIRY data, which are the vendor's.</summary>
    public byte[] VendorSpecific { get; init; } = [];

    /// <summary>VERSION DESCRIPTORS of the command set, SPC-4 §6.6.2 table 144, after SAM and SPC.</summary>
    public IReadOnlyList<ushort> VersionDescriptors { get; init; } = [];
}
