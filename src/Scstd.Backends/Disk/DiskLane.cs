using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>A disk's side on one reactor: its pools of operations, touched there alone.</summary>
internal sealed class DiskLane
{
    private readonly OperationPool[] _all;
    private readonly IBlockStore _store;
    private int _flushes;

    public DiskLane(DiskBackend disk, Reactor reactor)
    {
        _all =
        [
            Reads = new(disk, reactor, static () => new ReadOperation()),
            Writes = new(disk, reactor, static () => new WriteOperation()),
            Verifies = new(disk, reactor, static () => new VerifyOperation()),
            Flushes = new(disk, reactor, static () => new FlushOperation()),
            Prefetches = new(disk, reactor, static () => new PrefetchOperation()),
            WriteSames = new(disk, reactor, static () => new WriteSameOperation()),
            CompareAndWrites = new(disk, reactor, static () => new CompareAndWriteOperation()),
            OrWrites = new(disk, reactor, static () => new OrWriteOperation()),
            Unmaps = new(disk, reactor, static () => new UnmapOperation()),
            LbaStatuses = new(disk, reactor, static () => new LbaStatusOperation()),
        ];
        Background = new BackgroundFlush(disk, reactor);
        _store = disk.Store;
        Reactor = reactor;
    }

    public OperationPool Reads { get; }

    public OperationPool Writes { get; }

    public OperationPool Verifies { get; }

    public OperationPool Flushes { get; }

    public OperationPool Prefetches { get; }

    public OperationPool WriteSames { get; }

    public OperationPool CompareAndWrites { get; }

    public OperationPool OrWrites { get; }

    public OperationPool Unmaps { get; }

    public OperationPool LbaStatuses { get; }

    public BackgroundFlush Background { get; }

    public Reactor Reactor { get; }

    /// <summary>What the store could not do.</summary>
    public ulong Failures { get; set; }

    /// <summary>What the store itself has copied, in bytes.</summary>
    public ulong CopiedBytes { get; set; }

    /// <summary>The store's memory that is being sent from.</summary>
    public LentMemory Lent { get; } = new();

    public int UnderWay => _all.Sum(pool => pool.UnderWay) + (Background.IsUnderWay ? 1 : 0) + _flushes;

    /// <summary>Brings everything to stable storage for a change of the unit; null, or why it could not.</summary>
    public void FlushThen(Action<SenseData?> done)
    {
        _flushes++;
        _store.Submit(new ChangeFlush(Reactor, failure =>
        {
            _flushes--;
            done(failure);
        }));
    }

    private sealed class ChangeFlush : BlockRequest
    {
        private readonly Action<SenseData?> _done;

        public ChangeFlush(Reactor reactor, Action<SenseData?> done)
        {
            Reactor = reactor;
            Kind = BlockRequestKind.Flush;
            _done = done;
        }

        public override void Completed() => _done(HasFailed ? Fault : null);
    }
}

/// <summary>
/// SYNCHRONIZE CACHE with IMMED: its command has ended, the flush goes on. If it fails the store keeps the fault, and
/// the next command that asks for stable storage reports it.
/// </summary>
internal sealed class BackgroundFlush : BlockRequest
{
    private readonly DiskBackend _disk;
    private bool _isAskedAgain;

    public BackgroundFlush(DiskBackend disk, Reactor reactor)
    {
        _disk = disk;
        Reactor = reactor;
        Kind = BlockRequestKind.Flush;
    }

    public bool IsUnderWay { get; private set; }

    /// <summary>A flush that has begun does not cover what was written since: another one follows it.</summary>
    public void Start()
    {
        if (IsUnderWay)
        {
            _isAskedAgain = true;
            return;
        }
        IsUnderWay = true;
        _disk.Store.Submit(this);
    }

    public override void Completed()
    {
        IsUnderWay = false;
        if (HasFailed)
            _disk.StoreFailed(this, initiator: null);
        ClearFault();
        if (!_isAskedAgain)
            return;
        _isAskedAgain = false;
        Start();
    }
}
