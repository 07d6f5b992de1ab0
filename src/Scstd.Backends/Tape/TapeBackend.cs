using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>
/// SSC-4: a sequential-access device. What a command means is here, how records come to rest is the medium's. Commands
/// that touch the medium run alone on the unit, so nothing here is locked; what others ask of the drive at the same
/// time (TEST UNIT READY, MODE SENSE, LOG SENSE) is replaced whole.
/// </summary>
public sealed partial class TapeBackend : IBackend, IModeHeader, IDisposable
{
    /// <summary>READ and WRITE count in 24 bits; the memory of a reactor is shared, so a transfer of fixed blocks ends
    /// here.</summary>
    public const int MostTransferBytes = 16 * 1024 * 1024;

    private const byte BufferedMode = 0x10;

    // SSC-3 and SSC-4, no version claimed.
    private static readonly ushort[] CommandSets = [0x0400, 0x0520];

    private readonly TapeOptions _options;
    private readonly IReadOnlyList<Reactor> _reactors;
    private readonly TapePages _pages;
    private readonly TapeCounts _counts = new();
    private ITapeMedium? _medium;
    private volatile MediumView? _view;
    private volatile TapeLoad _load = TapeLoad.Empty;
    private volatile int _blockLengthBytes;
    private volatile byte _bufferedMode = BufferedMode;

    /// <summary>What lies before the position, if the last command has looked.</summary>
    private Ahead? _ahead;

    /// <summary>Something was written and is not known to survive a loss of power.</summary>
    private bool _isDirty;

    /// <summary>Who wrote since everything was last known to survive.</summary>
    private ItNexus[] _writers = [];

    internal int WriterCount => _writers.Length;

    public TapeBackend(TapeOptions options, IReadOnlyList<Reactor> reactors)
    {
        _options = options;
        _reactors = reactors;
        Personality = options.Personality;
        Identity = new LogicalUnitIdentity
        {
            Vendor = options.Vendor ?? Personality.Vendor,
            Product = options.Product ?? Personality.Product,
            Revision = options.Revision ?? Personality.Revision,
            SerialNumber = options.SerialNumber,
            Naa = DerivedIdentity.LocallyAssignedNaa(options.SerialNumber),
            IsRemovable = true,
            ProtectsBlocks = true,
            VersionDescriptors = CommandSets,
        };
        _pages = new TapePages(options);
        ModePages = _pages.All;
        LogPages = [.. Logs()];
        Commands = [.. Bindings()];
    }

    public TapePersonality Personality { get; }

    public PeripheralDeviceType DeviceType => PeripheralDeviceType.SequentialAccess;

    public LogicalUnitIdentity Identity { get; }

    public IReadOnlyList<CommandBinding> Commands { get; }

    /// <summary>Of fixed blocks; 0: records are as long as they are asked for.</summary>
    public int BlockLengthBytes => _blockLengthBytes;

    public int MaxTransferLengthBytes => MostTransferBytes;

    /// <summary>The cartridge is write protected. What else may not be written is told with a reason of its own.
    /// </summary>
    public bool IsReadOnly => _view is { Description.IsWriteProtected: true };

    public void WriteRefused() => Alert(TapeAlert.WriteProtect);

    /// <summary>By page 80h a drive of IBM's is asked to make a dump of itself. Ours has nothing to put into one; but
    /// LTFS asks so after each error of a drive with that name, and again when it is refused.</summary>
    public bool IgnoresDiagnosticPage(byte pageCode) => pageCode == 0x80 && Identity.Vendor == "IBM";

    /// <summary>As LTO drives recommend: far more than anything here takes, for initiators give up a tape for which
    /// they have not waited.</summary>
    public uint RecommendedTimeoutSeconds(CommandRow row)
    {
        if (row == Ssc.Erase6 || row == Ssc.Erase16 || row == Ssc.FormatMedium)
            return 8 * 3600;
        return row.Has(CommandTraits.NeedsMedium) || row == Ssc.LoadUnload ? 1500u : 60u;
    }

    /// <summary>The position is where the command before has left it.</summary>
    public bool RestrictsReordering => true;

    public IReadOnlyList<ModePage> ModePages { get; }

    public IReadOnlyList<LogPage> LogPages { get; }

    /// <summary>Told of what a cartridge could not do, on the reactor where it happened; must not block.</summary>
    public Action<TapeFailure>? Failed { get; set; }

    public IReadOnlyList<Reactor> Reactors => _reactors;

    /// <summary>A command was aborted: long work looks at <see cref="ScsiCommand.IsAborted"/> itself.</summary>
    public void Abort(ScsiCommand command)
    {
    }

    /// <summary>Block length and buffered mode return to their defaults with the mode pages; keys and preventions end;
    /// the medium stays where it is (REWIND ON RESET zero).</summary>
    public void Reset()
    {
        _removal.AllowAll();
        _deferred = [];
        _overwrite = null;
        _blockLengthBytes = 0;
        _bufferedMode = BufferedMode;
        ForgetKeys();
        _pages.Show(_view);
    }

    public bool HoldsStateOf(ItNexus nexus) =>
        _removal.IsPreventedBy(nexus) || _deferred.Any(one => ReferenceEquals(one.Nexus, nexus)) ||
        HoldsKeysOf(nexus);

    public void NexusEnded(ItNexus nexus)
    {
        _removal.Allow(nexus);
        _deferred = [.. _deferred.Where(one => !ReferenceEquals(one.Nexus, nexus))];
        ForgetKeysOf(nexus);
    }

    public void Dispose()
    {
        _medium?.Dispose();
        _medium = null;
    }

    /// <summary>What lies before the position, and how many objects there are in all from there on.</summary>
    private readonly record struct Ahead(TapeObject Next, ulong Left);
}

/// <summary>Where the cartridge is.</summary>
public enum TapeLoad
{
    Empty,

    /// <summary>Ready: threaded, and its format can be read.</summary>
    Loaded,

    /// <summary>Threaded, but of a format that this drive does not read.</summary>
    Incompatible,

    /// <summary>Threaded, but what is on it cannot be read at all.</summary>
    Unreadable,

    /// <summary>In the drive and closed: its store did what no store may do, so nothing of it is trusted until it is
    /// opened again.</summary>
    Failed,

    /// <summary>In the drive, not threaded (HOLD).</summary>
    Held,

    /// <summary>At the door: waits to be taken.</summary>
    Ejected,
}

/// <summary>A cartridge as it was when the last command ended.</summary>
internal sealed record MediumView(
    MediumDescription Description, IReadOnlyList<PartitionDescription> Partitions, TapePosition Position);

/// <summary>What a cartridge could not do, for the log.</summary>
/// <param name="Barcode">Which cartridge.</param>
/// <param name="Fault">What is wrong.</param>
/// <param name="Message">In the store's words.</param>
/// <param name="Command">What was being done.</param>
/// <param name="Initiator">Who was told; null: nobody yet.</param>
public sealed record TapeFailure(string Barcode, MediumFault Fault, string Message, string Command, string? Initiator);
