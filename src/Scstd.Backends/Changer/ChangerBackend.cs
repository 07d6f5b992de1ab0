using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>
/// SMC-3: a medium changer. One robot, slots, import/export slots and drives; cartridges are files on a shelf. The
/// inventory changes only alone on the unit; what may block (a cartridge's file) runs beside the reactors.
/// </summary>
public sealed partial class ChangerBackend : IBackend
{
    /// <summary>SMC-3, no version claimed (SPC-4 §6.6.2).</summary>
    private const ushort MediumChangerCommands3 = 0x0480;

    /// <summary>BarC of standard INQUIRY data, bit 0 of byte 55, of those from byte 36 on.</summary>
    private static readonly byte[] BarcodeReader = [.. new byte[19], 0x01];

    private readonly ChangerOptions _options;
    private readonly IReadOnlyList<IDriveBay> _bays;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isReady;

    /// <summary>No inventory was found. A restart must not begin another one, with other places.</summary>
    private bool _isNew;

    private ChangerBackend(
        ChangerOptions options, ICartridgeShelf shelf, IReadOnlyList<IDriveBay> bays, IReadOnlyList<Reactor> reactors,
        MediumLibrary library)
    {
        _options = options;
        _bays = bays;
        Shelf = shelf;
        Reactors = reactors;
        Library = library;
        string serial = options.SerialNumber ?? DerivedIdentity.SerialNumber(options.Name);
        Identity = new LogicalUnitIdentity
        {
            Vendor = Personality.Vendor,
            Product = Personality.Product,
            Revision = Personality.Revision,
            SerialNumber = serial,
            Naa = DerivedIdentity.LocallyAssignedNaa(serial),
            IsRemovable = true,
            VendorSpecific = Personality.TellsBarcodeReader ? BarcodeReader : [],
            VersionDescriptors = [MediumChangerCommands3],
        };
        LongestIdentifierBytes = bays.Count == 0 ? 0 : bays.Max(bay => IdentifierOf(bay).Length);
        ModePages = ChangerPages.Modes(Personality, library);
        LogPages = [ChangerPages.TapeAlert(library)];
        Commands = [.. Bindings()];
        // Nothing lies in a drive: nothing is to be waited for.
        _isReady = library.Elements.All(element => element.Type != ElementType.DataTransfer || !element.IsFull);
    }

    /// <summary>
    /// Finds the inventory again, or begins one with every cartridge of the shelf in a slot. Blocks. Throws
    /// <see cref="UnitStateException"/>, or <see cref="MediumFaultException"/> if the shelf cannot be read.
    /// </summary>
    /// <param name="options">What the administrator says of it.</param>
    /// <param name="shelf">Where its cartridges are kept.</param>
    /// <param name="bays">Its drives, in order.</param>
    /// <param name="reactors">All, in the order of their indices.</param>
    /// <param name="stateStore">The one that its unit will have; null: nothing outlives the daemon.</param>
    /// <param name="failed">As <see cref="Failed"/>; hears at once of what is not as it should be.</param>
    public static ChangerBackend Open(
        ChangerOptions options, ICartridgeShelf shelf, IReadOnlyList<IDriveBay> bays, IReadOnlyList<Reactor> reactors,
        IUnitStateStore? stateStore, Action<LibraryFailure>? failed = null)
    {
        byte[]? saved = stateStore?.Load(options.Name, MediumLibrary.StatePart);
        MediumLibrary library = MediumLibrary.Open(
            options, shelf, bays.Count, saved, failed ?? (static _ => { }));
        return new ChangerBackend(options, shelf, bays, reactors, library) { Failed = failed, _isNew = saved is null };
    }

    public PeripheralDeviceType DeviceType => PeripheralDeviceType.MediumChanger;

    public LogicalUnitIdentity Identity { get; }

    public IReadOnlyList<CommandBinding> Commands { get; }

    public int BlockLengthBytes => 1;

    /// <summary>What an ALLOCATION LENGTH of 24 bits can ask for.</summary>
    public int MaxTransferLengthBytes => 0xFF_FFFF;

    public bool IsReadOnly => false;

    /// <summary>Where a cartridge lies is where the command before has left it.</summary>
    public bool RestrictsReordering => true;

    public IReadOnlyList<ModePage> ModePages { get; }

    public IReadOnlyList<VitalProductDataPage> VitalProductData => [];

    public IReadOnlyList<LogPage> LogPages { get; }

    public byte ModeDeviceSpecificParameter => 0;

    public MediumLibrary Library { get; }

    public LibraryPersonality Personality => _options.Personality;

    /// <summary>Told of what an administrator should know; must not block.</summary>
    public Action<LibraryFailure>? Failed { get; set; }

    /// <summary>Until the cartridges that were in drives are there again.</summary>
    public SenseData? NotReady => _isReady ? null : new SenseData(SenseKey.NotReady, AdditionalSense.BecomingReady);

    internal ICartridgeShelf Shelf { get; }

    internal IReadOnlyList<Reactor> Reactors { get; }

    /// <summary>Of all drives: descriptors of a page are of one length.</summary>
    internal int LongestIdentifierBytes { get; }

    internal IDriveBay BayOf(LibraryElement drive) => _bays[drive.Number - 1];

    /// <summary>For DVCID.</summary>
    internal string IdentifierOf(LibraryElement drive) => IdentifierOf(BayOf(drive));

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba) => 0;

    public void ModePageChanged(ModePage page)
    {
    }

    /// <summary>The robot cannot be stopped on its way, for a cartridge must come to lie somewhere; but it need not
    /// wait for a drive that is at work.</summary>
    public void Abort(ScsiCommand command)
    {
        if (_carrying is { } carrying && ReferenceEquals(carrying.Command, command))
            carrying.Operation.GiveUp();
    }

    /// <summary>Cartridges and open import/export elements stay as they are.</summary>
    public void Reset()
    {
        _removal.AllowAll();
        _searches = [];
    }

    internal void Tell(LibraryElement place, string message) =>
        Failed?.Invoke(new LibraryFailure(place.Name, place.Cartridge?.Barcode, message));

    /// <summary>A cartridge could not be used. Runs alone on the unit.</summary>
    internal void NoteProblem(LibraryElement place, CartridgeProblem problem)
    {
        Tell(place, problem.Message);
        Library.Replace(place with { Cartridge = place.Cartridge! with { Problem = problem } });
    }

    /// <summary>A drive has a cartridge that it cannot use, and no way to open it. Runs alone on the unit.</summary>
    internal void NoteClosed(LibraryElement drive)
    {
        if (drive.Cartridge!.Problem is null)
        {
            NoteProblem(drive, new CartridgeProblem(
                CartridgeFaults.SenseOf(new MediumFault(MediumFaultKind.Store)),
                "was closed after a failure; put it into a slot and load it again"));
        }
    }

    private string IdentifierOf(IDriveBay bay) => Personality.DriveIdentifier == DriveIdentifier.SerialNumber
        ? Cut(bay.SerialNumber, DesignationDescriptors.MaxSerialNumberBytes)
        : $"{Cut(bay.Vendor, 8),-8}{Cut(bay.Product, 16),-16}"
            + Cut(bay.SerialNumber, DesignationDescriptors.MaxSerialNumberBytes);

    private static string Cut(string text, int mostCharacters) =>
        text.Length <= mostCharacters ? text : text[..mostCharacters];
}
