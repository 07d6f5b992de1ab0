using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>
/// SBC-4: a direct access block device. What a command means is here, how bytes come to rest is the store's; both are
/// shared by all reactors, and what a reactor needs for itself is its lane.
/// </summary>
public sealed partial class DiskBackend : IBackend, IDisposable
{
    private const byte WriteProtect = 0x80;
    private const byte DpoFua = 0x10;

    private readonly DiskOptions _options;
    private readonly DiskLane[] _lanes;
    private volatile bool _isWriteThrough;

    /// <summary>Somebody uses COMPARE AND WRITE or WRITE ATOMIC here: the unit is shared with care.</summary>
    private volatile bool _isComparedAndWritten;

    /// <summary>And nobody is sending from the store's own memory any more.</summary>
    private volatile bool _nothingIsLent;

    /// <summary>Takes the store over.</summary>
    public DiskBackend(DiskOptions options, IBlockStore store, IReadOnlyList<Reactor> reactors)
    {
        _options = options;
        Reactors = reactors;
        Store = store;
        BlockCount = store.BlockCount;
        BlockLengthBytes = store.BlockLengthBytes;
        Identity = DiskIdentity.Of(options);
        Thin = ThinProvisioning.Of(options, store);
        ModePages = DiskPages.Modes(options, store, Thin);
        VitalProductData = DiskPages.VitalProductData(options, store, Thin);
        LogPages = Thin is null ? [] : [Thin.LogPage];
        _isWriteThrough = !IsWriteCacheEnabled;
        _nothingIsLent = !store.IsInMemory;
        StoreCopies = store.CopiesItself;
        _lanes = [.. reactors.Select(reactor => new DiskLane(this, reactor))];
        Commands = [.. Bindings()];
    }

    /// <summary>Opens what the options describe. Throws <see cref="StoreUnavailableException"/>.</summary>
    public static DiskBackend Open(DiskOptions options, IReadOnlyList<Reactor> reactors)
    {
        DiskSize.Judge(options);
        IBlockStore store = options.Store switch
        {
            DiskStoreKind.Memory =>
                new MemoryStore(DiskSize.Blocks(options), options.BlockLengthBytes, options.Thin),
            DiskStoreKind.Null => new NullStore(DiskSize.Blocks(options), options.BlockLengthBytes, options.Thin),
            _ => FileStoreOpening.Open(options, reactors.Count),
        };
        return new DiskBackend(options, store, reactors);
    }

    public PeripheralDeviceType DeviceType => PeripheralDeviceType.DirectAccessBlock;

    public LogicalUnitIdentity Identity { get; }

    public IReadOnlyList<CommandBinding> Commands { get; }

    public int BlockLengthBytes { get; }

    public int MaxTransferLengthBytes => DiskLimits.MaxTransferBytes;

    public bool IsReadOnly => _options.ReadOnly || Store.IsReadOnly;

    public IReadOnlyList<ModePage> ModePages { get; }

    public IReadOnlyList<VitalProductDataPage> VitalProductData { get; }

    public IReadOnlyList<LogPage> LogPages { get; }

    /// <summary>What is measured of a thin disk; null: nothing is.</summary>
    public ThinProvisioning? Thin { get; }

    public byte ModeDeviceSpecificParameter => (byte)(DpoFua | (IsReadOnly ? WriteProtect : 0));

    /// <summary>The one place where the capacity is kept.</summary>
    public ulong BlockCount { get; private set; }

    public IBlockStore Store { get; }

    public IReadOnlyList<Reactor> Reactors { get; }

    /// <summary>Commands at work on the store, on one reactor; for a check that none is left.</summary>
    public int UnderWayOn(Reactor reactor) => _lanes[reactor.Index].UnderWay;

    /// <summary>Told of what the store could not do, on the reactor where it happened; must not block.</summary>
    public Action<StoreFailure>? Failed { get; set; }

    /// <summary>What the store could not do so far, on one reactor; to be asked there.</summary>
    public ulong FailuresOn(Reactor reactor) => _lanes[reactor.Index].Failures;

    /// <summary>What a store in memory has copied for reads and writes so far, on one reactor: its part is what the
    /// kernel does for a file. What it lends is not copied. To be asked there.</summary>
    public ulong CopiedBytesOn(Reactor reactor) => _lanes[reactor.Index].CopiedBytes;

    internal void CountCopied(Reactor reactor, long lengthBytes) =>
        _lanes[reactor.Index].CopiedBytes += (ulong)lengthBytes;

    internal void StoreFailed(BlockRequest request, string? initiator)
    {
        _lanes[request.Reactor.Index].Failures++;
        Failed?.Invoke(new StoreFailure(
            request.Kind, request.Lba, request.Blocks, request.Error, request.Fault, initiator));
    }

    /// <summary>Asked once: it does not change.</summary>
    internal bool StoreCopies { get; }

    internal bool IsThin => DiskLimits.IsThin(_options, Store);

    /// <summary>Caching mode page: WCE is zero, so every write is GOOD only on stable storage.</summary>
    internal bool IsWriteThrough => _isWriteThrough && Store.HasVolatileCache;

    /// <summary>A read may find what the medium does not have yet.</summary>
    internal bool HasVolatileWrites => !_isWriteThrough && Store.HasVolatileCache;

    internal BlockRequestKind KindOfWrite(bool forcesUnitAccess) =>
        _isWriteThrough || forcesUnitAccess ? BlockRequestKind.WriteThrough : BlockRequestKind.Write;

    private bool IsWriteCacheEnabled => ModePages.Any(DiskPages.HasWriteCache);

    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba)
    {
        if (longLba)
        {
            destination[..16].Clear();
            BinaryPrimitives.WriteUInt64BigEndian(destination, BlockCount);
            BinaryPrimitives.WriteUInt32BigEndian(destination[12..], (uint)BlockLengthBytes);
            return 16;
        }
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Math.Min(BlockCount, uint.MaxValue));
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], (uint)BlockLengthBytes);
        return 8;
    }

    /// <summary>Nothing has been written that a switched off write cache would have to bring to rest.</summary>
    public void ModePageChanged(ModePage page)
    {
        if (page.PageCode == DiskPages.Caching)
            _isWriteThrough = !DiskPages.HasWriteCache(page);
    }

    /// <summary>Who switches the write cache off may rely from then on that everything acknowledged is on stable
    /// storage, what was written before as well (SBC-4 §6.5.6). If that fails, the cache stays on.</summary>
    public void ModePageChanged(ModePage page, IExecutor executor, Action<SenseData?> done)
    {
        bool wasWriteThrough = _isWriteThrough;
        ModePageChanged(page);
        if (_isWriteThrough && !wasWriteThrough && Store.HasVolatileCache)
            _lanes[executor.Index].FlushThen(done);
        else
            done(null);
    }

    /// <summary>A store's request cannot be called back; a command of several stops before its next.</summary>
    public void Abort(ScsiCommand command)
    {
    }

    /// <summary>A stopped unit is started by a reset as by power on; an ejected medium stays out.</summary>
    public void Reset()
    {
        _removal.AllowAll();
        if (_medium == MediumState.Stopped)
            _medium = MediumState.Ready;
        Store.AcknowledgeErrors();
    }

    public void Dispose()
    {
        Thin?.Close();
        Store.Dispose();
        _resizing.Dispose();
    }

    /// <summary>For a disk that nobody has seen: it leaves no file behind that was created for it.</summary>
    public void Discard()
    {
        (Store as FileStore)?.RemoveIfCreated();
        Dispose();
    }

    private DiskLane LaneOf(ScsiCommand command) => _lanes[command.Nexus.Executor.Index];
}
