using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>
/// A command at work on the store: one request after the other until it ends. Pooled per reactor; a store in memory
/// answers from inside the call, so the steps run in a loop and not in each other.
/// </summary>
internal abstract class DiskOperation : BlockRequest
{
    /// <summary>Our choice: a store that never waits lets others have their turn after this much.</summary>
    private const long MaxBytesInOneGo = 4 * 1024 * 1024;

    private readonly Action _resume;
    private ScsiCommand? _command;
    private long _bytesInOneGo;
    private bool _isRunning;
    private bool _isAnswered;
    private bool _hasEnded;

    protected DiskOperation() => _resume = Run;

    public DiskOperation? NextFree { get; set; }

    public OperationPool Pool { get; set; } = null!;

    public ScsiCommand Command => _command!;

    public DiskBackend Disk { get; set; } = null!;

    /// <summary>Takes the command over and takes the first step.</summary>
    public void Start(ScsiCommand command)
    {
        _command = command;
        _hasEnded = false;
        _bytesInOneGo = 0;
        Run();
    }

    /// <summary>The store has done, or failed, what was asked last.</summary>
    public sealed override void Completed()
    {
        if (_isRunning)
            _isAnswered = true;
        else
            Run();
    }

    /// <summary>Asks the store for the next thing, or ends the command. <see cref="BlockRequest.HasFailed"/> has been
    /// dealt with, and so has an abort.</summary>
    protected abstract void Step();

    /// <summary>The command has ended: sets the state for a new one.</summary>
    protected abstract void Finished();

    protected void Ask(BlockRequestKind kind, ulong lba, ulong blocks, DataBuffer? data = null, int offsetBytes = 0)
    {
        Kind = kind;
        Lba = lba;
        Blocks = blocks;
        Data = data;
        DataOffsetBytes = offsetBytes;
        if (data is not null)
        {
            long lengthBytes = (long)blocks * Disk.BlockLengthBytes;
            Account(lengthBytes);
            if (Disk.StoreCopies)
                Disk.CountCopied(Reactor, lengthBytes);
        }
        else if (kind == BlockRequestKind.Unmap)
            Account(Math.Min(MaxBytesInOneGo, (long)blocks * Disk.BlockLengthBytes));
        Disk.Store.Submit(this);
    }

    /// <summary>The next step follows without asking the store.</summary>
    protected void Again() => _isAnswered = true;

    /// <summary>Work that was done on this reactor's own time.</summary>
    protected void Account(long bytes) => _bytesInOneGo += bytes;

    protected void EndGood()
    {
        _hasEnded = true;
        Command.Complete();
    }

    protected void End(ScsiStatus status)
    {
        _hasEnded = true;
        Command.Complete(status);
    }

    protected void EndWithData(ReadOnlySpan<byte> data)
    {
        _hasEnded = true;
        Command.CompleteWithData(data);
    }

    protected void EndWith(in SenseData sense)
    {
        _hasEnded = true;
        Command.CheckCondition(sense);
    }

    /// <summary>Leases memory of its own; false if there is none: the command has ended.</summary>
    protected bool TryLease(DataBuffer data, int lengthBytes)
    {
        if (data.TryLease(Command.Nexus.Executor.Buffers, lengthBytes))
            return true;
        _hasEnded = true;
        Command.CompleteOverloaded();
        return false;
    }

    private void Run()
    {
        _isRunning = true;
        do
        {
            _isAnswered = false;
            if (HasFailed)
                StoreFailed();
            else if (Command.IsAborted)
                EndGood();
            else
                Step();
            if (_isAnswered && !_hasEnded && _bytesInOneGo >= MaxBytesInOneGo)
            {
                _bytesInOneGo = 0;
                _isRunning = false;
                Reactor.Post(_resume);
                return;
            }
        }
        while (_isAnswered && !_hasEnded);
        _isRunning = false;
        if (!_hasEnded)
            return;
        Finished();
        _command = null;
        Data = null;
        ClearFault();
        Pool.Return(this);
    }

    private void StoreFailed()
    {
        _hasEnded = true;
        Command.DataInLengthBytes = Command.DataInReadyBytes; // these may have left
        Disk.StoreFailed(this, Command.Nexus.InitiatorPort);
        Command.CheckCondition(Fault);
    }
}

/// <summary>The operations of one kind on one reactor, as many as were ever at work there at once.</summary>
internal sealed class OperationPool(DiskBackend disk, Reactor reactor, Func<DiskOperation> create)
{
    private DiskOperation? _free;

    /// <summary>Operations at work.</summary>
    public int UnderWay { get; private set; }

    public void Start(ScsiCommand command)
    {
        DiskOperation? operation = _free;
        if (operation is null)
        {
            operation = create();
            operation.Disk = disk;
            operation.Reactor = reactor;
            operation.Pool = this;
        }
        else
        {
            _free = operation.NextFree;
            operation.NextFree = null;
        }
        UnderWay++;
        operation.Start(command);
    }

    public void Return(DiskOperation operation)
    {
        operation.NextFree = _free;
        _free = operation;
        UnderWay--;
    }
}
