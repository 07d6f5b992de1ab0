using Scstd.Core;

namespace Scstd.Backends.Disk;

/// <summary>
/// Where a disk keeps its blocks. Shared by all reactors. A store knows blocks and stable storage and nothing of CDBs;
/// what goes wrong it says as sense data, because only it knows what it means.
/// </summary>
public interface IBlockStore : IDisposable
{
    /// <summary>What and where it is, for messages: "file /srv/disk0.img".</summary>
    string Description { get; }

    int BlockLengthBytes { get; }

    /// <summary>Changed by <see cref="Adopt"/> alone.</summary>
    ulong BlockCount { get; }

    bool IsReadOnly { get; }

    /// <summary>A plain write may be lost with the power until it is flushed.</summary>
    bool HasVolatileCache { get; }

    /// <summary>Every block can be had without waiting for a device.</summary>
    bool IsInMemory { get; }

    /// <summary>Reads and writes are done by copying in this process' memory, not by the kernel.</summary>
    bool CopiesItself => false;

    /// <summary>Blocks that are unmapped together; 0: unmapping is not supported.</summary>
    int UnmapGranularityBlocks { get; }

    /// <summary>
    /// Lends the blocks' own memory to <paramref name="data"/>; false if the store has none to lend, or the range shall
    /// be read. What is lent shows later writes: who must see one state (a digest over the data) copies it first.
    /// </summary>
    bool TryLend(ulong lba, int blocks, DataBuffer data);

    /// <summary>Begins a request, on <see cref="BlockRequest.Reactor"/>; <see cref="BlockRequest.Completed"/> follows
    /// there exactly once, later or from inside this call.</summary>
    void Submit(BlockRequest request);

    /// <summary>Writes back everything and waits for it; for the rare moments when nothing else runs on the unit.
    /// Throws IOException, after having kept the fault.</summary>
    void FlushAndWait();

    /// <summary>Every initiator is being told that what was not flushed may be gone: a write error that was kept
    /// (see <see cref="FileStore"/>) is forgotten.</summary>
    void AcknowledgeErrors();

    /// <summary>The room that its blocks have taken and could take; null where there is nothing to measure. May block:
    /// not for a reactor. Throws IOException.</summary>
    StoreSpace? MeasureSpace() => null;

    /// <summary>
    /// Sees to it that the store can have another size, and tells how many blocks that is; what it serves does not
    /// change yet. May block: not for a reactor. Throws <see cref="StoreUnavailableException"/>.
    /// </summary>
    /// <param name="sizeBytes">Wanted. Null: the size that the file or device has by now.</param>
    ulong PrepareSize(ulong? sizeBytes);

    /// <summary>Serves so many blocks from now on: no more than <see cref="PrepareSize"/> told. No request is under
    /// way.</summary>
    void Adopt(ulong blockCount);
}

/// <summary>The room of a store whose blocks take some only when they are written.</summary>
/// <param name="UsedBytes">Taken by this store.</param>
/// <param name="AvailableBytes">That it could still take.</param>
/// <param name="TotalBytes">Of what it takes from: with what others have taken of it.</param>
/// <param name="IsShared">Others take from it too.</param>
public sealed record StoreSpace(ulong UsedBytes, ulong AvailableBytes, ulong TotalBytes, bool IsShared);
