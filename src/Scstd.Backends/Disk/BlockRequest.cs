using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

public enum BlockRequestKind
{
    Read,

    /// <summary>Done when the store has it: in a volatile cache, if the store has one.</summary>
    Write,

    /// <summary>Done when it is on stable storage.</summary>
    WriteThrough,

    /// <summary>Done when every write that was done before is on stable storage.</summary>
    Flush,

    /// <summary>The range needs no memory any more and reads as zeros. The store may end early, with
    /// <see cref="BlockRequest.Blocks"/> saying how far it came (never nowhere): the rest is asked for again.</summary>
    Unmap,

    /// <summary>How many blocks from the first one on are in the same state as it, mapped or not.</summary>
    FindExtent,
}

/// <summary>
/// One thing asked of a store. Pooled by whoever asks, per reactor; between <see cref="IBlockStore.Submit"/> and
/// <see cref="Completed"/> it belongs to the store.
/// </summary>
public abstract class BlockRequest
{
    private int _parts;
    private SenseData _fault;

    public BlockRequestKind Kind { get; set; }

    /// <summary>Where it is submitted and completed.</summary>
    public Reactor Reactor { get; set; } = null!;

    public ulong Lba { get; set; }

    public ulong Blocks { get; set; }

    /// <summary>Where data comes from or goes to; stays leased until the request is completed.</summary>
    public DataBuffer? Data { get; set; }

    /// <summary>Where in <see cref="Data"/> the first block lies.</summary>
    public int DataOffsetBytes { get; set; }

    /// <summary>The answer to <see cref="BlockRequestKind.FindExtent"/>; <see cref="Blocks"/> has the length.</summary>
    public bool IsMapped { get; set; }

    /// <summary>The answer to <see cref="BlockRequestKind.Unmap"/>: the range cannot be unmapped, and is mapped still.
    /// </summary>
    public bool IsUnmapRefused { get; private set; }

    /// <summary>A read may be done in pieces of this many bytes, each told by <see cref="PieceRead"/>; a multiple of
    /// any block length.</summary>
    public virtual int PieceLengthBytes => int.MaxValue;

    /// <summary>The store could not do it.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The kernel's last error of a part, for the log; 0: none.</summary>
    public int Error { get; set; }

    /// <summary>Why, if <see cref="HasFailed"/>.</summary>
    public ref readonly SenseData Fault => ref _fault;

    /// <summary>The request is done or has failed, and belongs to its owner again.</summary>
    public abstract void Completed();

    /// <summary>The piece that begins here is in <see cref="Data"/>, while others may still be under way.</summary>
    public virtual void PieceRead(long startBytes)
    {
    }

    /// <summary>The owner has dealt with the failure.</summary>
    protected void ClearFault() => HasFailed = false;

    // ---- For stores ----------------------------------------------------------------------------------------------

    /// <summary>The request is carried out in this many parts; each ends with <see cref="PartDone"/>.</summary>
    public void Begin(int parts)
    {
        Invariant.That(_parts == 0 && parts > 0, "a request is begun once");
        _parts = parts;
        HasFailed = false;
        IsUnmapRefused = false;
        Error = 0;
    }

    public void RefuseUnmap() => IsUnmapRefused = true;

    /// <summary>Another part, while at least one is under way.</summary>
    public void AddPart()
    {
        Invariant.That(_parts > 0, "a part is added while the request is under way");
        _parts++;
    }

    /// <summary>Of several faults the one with the lowest block is told (SPC-4 §4.5.2.4: INFORMATION).</summary>
    public void Fail(in SenseData fault)
    {
        if (HasFailed && (_fault.Information ?? ulong.MaxValue) <= (fault.Information ?? ulong.MaxValue))
            return;
        HasFailed = true;
        _fault = fault;
    }

    public void PartDone()
    {
        Invariant.That(_parts > 0, "a part of a request ends once");
        if (--_parts == 0)
            Completed();
    }
}
