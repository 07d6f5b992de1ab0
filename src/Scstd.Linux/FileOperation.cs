using System.Runtime.InteropServices;

namespace Scstd.Linux;

public enum FileOperationKind
{
    Read,
    Write,

    /// <summary>A write that is on stable storage when it completes (RWF_DSYNC).</summary>
    WriteThrough,

    /// <summary>fdatasync.</summary>
    Flush,

    /// <summary>fallocate(PUNCH_HOLE | KEEP_SIZE): the range reads as zeros afterwards.</summary>
    PunchHole,
}

/// <summary>
/// One file operation, pooled by its owner. Its vectors are native memory which the kernel reads while the operation
/// runs; nothing here is touched by the owner between <see cref="Reactor.Submit"/> and <see cref="Completed"/>.
/// </summary>
public abstract unsafe class FileOperation : IDisposable, IWorkItem
{
    /// <summary>Our choice: 64 segments of at most 1 MiB cover any transfer the core accepts in one step.</summary>
    public const int MaxVectors = 64;

    private IoVector* _vectors;

    protected FileOperation() =>
        _vectors = (IoVector*)NativeMemory.AlignedAlloc((nuint)(MaxVectors * sizeof(IoVector)), 64);

    public FileOperationKind Kind { get; set; }

    public FileHandle? File { get; set; }

    public long OffsetBytes { get; set; }

    /// <summary>For <see cref="FileOperationKind.PunchHole"/>.</summary>
    public long LengthBytes { get; set; }

    public IoVector* Vectors => _vectors;

    public int VectorCount { get; set; }

    /// <summary>For the reactor's own bookkeeping.</summary>
    protected internal FileOperation? Next { get; set; }

    /// <summary>The reactor whose operation this is while it runs elsewhere.</summary>
    internal LoopReactor? Owner { get; set; }

    /// <summary>What a worker brings back.</summary>
    internal long WorkerResult { get; set; }

    internal bool IsUnderWay { get; set; }

    IWorkItem? IWorkItem.Following { get; set; }

    /// <summary>Bytes transferred (may be short) or 0, or a negated errno.</summary>
    public abstract void Completed(long result);

    void IWorkItem.Run()
    {
        WorkerResult = FileCalls.Run(this);
        Owner!.CompletedElsewhere(this);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_vectors);
        _vectors = null;
        GC.SuppressFinalize(this);
    }
}
