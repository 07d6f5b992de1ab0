using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>
/// Blocks in a file or a block device, through the page cache or around it. All reactors share one open file; each has
/// its own pool of operations. Never mapped into memory: a medium that fails or shrinks underneath is an error of one
/// command and not a signal to the process.
/// </summary>
/// <remarks>
/// Errors of writing back. The kernel tells the failure of a buffered write once, to whoever flushes next, and then
/// holds the pages for clean: a second flush would succeed over lost data. So the store remembers. After a flush has
/// failed, every further flush and every write that promises stable storage fails too, until all initiators have been
/// told by a logical unit reset (its unit attention says that a cache may have been lost) or the store was opened anew.
/// A write through that fails may have taken such an error away with it and counts the same, unless it only found no
/// room and the kernel has recorded nothing: then it is the write itself that had none. Around the page cache a write
/// meets its own errors alone, as long as no plain write was accepted, which the device may have cached.
///
/// Of several flushes and writes through that run together the kernel fails one, and the others succeed over the same
/// lost data. So every reactor has the file open once more, as its witness, and asks that after each success, before it
/// is believed: what was recorded by then is told by the witness, or has been told by it before and is kept.
/// </remarks>
public sealed class FileStore : IBlockStore
{
    private readonly BlockFile _file;
    private readonly FileTransferPool[] _pools;
    private volatile KeptFault? _kept;
    private volatile bool _hasCachedWrites;
    private volatile bool _isTruncated;

    /// <summary>Takes the file over. Throws LinuxException.</summary>
    public FileStore(BlockFile file, FileStoreGeometry geometry, int reactors)
    {
        _file = file;
        Geometry = geometry;
        _pools = new FileTransferPool[reactors];
        for (int i = 0; i < reactors; i++)
            _pools[i] = new FileTransferPool(this, file.OpenAgain());
    }

    public FileStoreGeometry Geometry { get; private set; }

    public string Description => Geometry.Description;

    public int BlockLengthBytes => Geometry.BlockLengthBytes;

    public ulong BlockCount => Geometry.BlockCount;

    public bool IsReadOnly => Geometry.IsReadOnly;

    public bool HasVolatileCache => !Geometry.IsReadOnly;

    public bool IsInMemory => false;

    public int UnmapGranularityBlocks => Geometry.UnmapGranularityBlocks;

    internal FileHandle Handle => _file.Handle;

    public bool TryLend(ulong lba, int blocks, DataBuffer data) => false;

    public void Submit(BlockRequest request)
    {
        Invariant.That(
            request.Lba <= BlockCount && request.Blocks <= BlockCount - request.Lba,
            "a request stays inside the store");
        request.Begin(parts: 1);
        switch (request.Kind)
        {
            case BlockRequestKind.Read or BlockRequestKind.Write or BlockRequestKind.WriteThrough:
                Transfer(request);
                break;
            case BlockRequestKind.Flush:
                Flush(request);
                break;
            case BlockRequestKind.Unmap:
                Unmap(request);
                break;
            case BlockRequestKind.FindExtent:
                FindExtent(request);
                return;
            default:
                break;
        }
        request.PartDone();
    }

    public void FlushAndWait()
    {
        if (_kept is not null)
            throw new IOException("an earlier failure to write back was never acknowledged");
        Sync();
        if (_pools[0].Witness.TakeWriteError() is > 0 and int error)
        {
            KeepFault(StoreFault.FromWrite(error, lba: null));
            throw new LinuxException(error, "fsync", _file.Path);
        }
        _hasCachedWrites = false;
    }

    /// <summary>What is kept has been told. Nobody's open file tells it once more; what nobody knows of yet is told
    /// still.</summary>
    public void AcknowledgeErrors()
    {
        _isTruncated = false;
        if (_kept is null)
            return;
        Handle.TakeWriteError();
        foreach (FileTransferPool pool in _pools)
            pool.Witness.TakeWriteError();
        _kept = null;
    }

    /// <summary>What is behind a block device nobody tells.</summary>
    public StoreSpace? MeasureSpace()
    {
        if (_file.IsBlockDevice || UnmapGranularityBlocks == 0)
            return null;
        FileSpace space = _file.MeasureSpace();
        return new StoreSpace(space.AllocatedBytes, space.AvailableBytes, space.TotalBytes, IsShared: true);
    }

    /// <summary>A file grows; it is never cut, so that no slip of the pen costs data: what lies beyond a smaller size
    /// stays and is only not served.</summary>
    public ulong PrepareSize(ulong? sizeBytes)
    {
        try
        {
            ulong hasBytes = (ulong)_file.MeasureSize();
            ulong wantedBytes = sizeBytes ?? hasBytes;
            ulong blocks = DiskSize.Blocks(Description, wantedBytes, BlockLengthBytes);
            if (wantedBytes <= hasBytes)
                return blocks;
            if (_file.IsBlockDevice || IsReadOnly || wantedBytes > long.MaxValue)
                throw new StoreUnavailableException(
                    $"{Description}: has {hasBytes} bytes and cannot grow to {wantedBytes}");
            _file.SetSize((long)wantedBytes);
            Sync();
            return blocks;
        }
        catch (LinuxException exception)
        {
            throw new StoreUnavailableException($"{Description}: {exception.Message}", exception);
        }
    }

    /// <summary>What was cut off is no part of the disk any more, and every initiator is being told.</summary>
    public void Adopt(ulong blockCount)
    {
        Geometry = Geometry with { BlockCount = blockCount };
        _isTruncated = false;
    }

    /// <summary>Takes the file's name away if opening it created it, and nothing was ever written.</summary>
    public void RemoveIfCreated() => _file.RemoveIfCreated();

    public void Dispose()
    {
        foreach (FileTransferPool pool in _pools)
            pool.Dispose();
        _file.Dispose();
    }

    // ---- Parts of a request ----------------------------------------------------------------------------------------

    private void Transfer(BlockRequest request)
    {
        if (request.Kind != BlockRequestKind.Read)
        {
            if (_isTruncated)
            {
                request.Fail(StoreFault.WriteError(request.Lba));
                return;
            }
            if (request.Kind == BlockRequestKind.Write)
            {
                if (!_hasCachedWrites)
                    _hasCachedWrites = true;
            }
            else if (_kept is { } kept)
            {
                request.Fail(kept.Sense);
                return;
            }
        }
        FileTransferPool pool = _pools[request.Reactor.Index];
        long lengthBytes = (long)request.Blocks * BlockLengthBytes;
        for (long doneBytes = 0; doneBytes < lengthBytes;)
        {
            FileTransfer part = pool.Take(request);
            doneBytes += part.Fill(doneBytes, Math.Min(lengthBytes - doneBytes, request.PieceLengthBytes));
            request.Reactor.Submit(part);
        }
    }

    private void Flush(BlockRequest request)
    {
        if (_kept is { } kept)
        {
            request.Fail(kept.Sense);
            return;
        }
        FileTransfer part = _pools[request.Reactor.Index].Take(request);
        part.Kind = FileOperationKind.Flush;
        request.Reactor.Submit(part);
    }

    private void Unmap(BlockRequest request)
    {
        if (request.Blocks == 0)
            return;
        FileTransfer part = _pools[request.Reactor.Index].Take(request);
        part.Kind = FileOperationKind.PunchHole;
        part.OffsetBytes = (long)request.Lba * BlockLengthBytes;
        part.LengthBytes = (long)request.Blocks * BlockLengthBytes;
        request.Reactor.Submit(part);
    }

    /// <summary>Asking the file system for its map may wait for the device.</summary>
    private void FindExtent(BlockRequest request)
    {
        ulong lba = request.Lba;
        (bool IsMapped, ulong End) extent = default;
        request.Reactor.RunFileCall(
            () => extent = ExtentAt(lba),
            thrown =>
            {
                if (thrown is null)
                {
                    request.IsMapped = extent.IsMapped;
                    request.Blocks = extent.End - lba;
                }
                else
                {
                    request.Fail(StoreFault.InternalFailure);
                }
                request.PartDone();
            });
    }

    /// <summary>A block that has data in part is mapped.</summary>
    private (bool IsMapped, ulong End) ExtentAt(ulong lba)
    {
        long start = (long)lba * BlockLengthBytes;
        ulong dataLba = BlockCount;
        if (_file.NextData(start) is { } data)
            dataLba = Math.Min(BlockCount, (ulong)(data / BlockLengthBytes));
        if (dataLba > lba)
            return (false, dataLba);
        long hole = _file.NextHole(start) ?? start;
        ulong end = (ulong)((hole + BlockLengthBytes - 1) / BlockLengthBytes);
        return (true, Math.Clamp(end, lba + 1, BlockCount));
    }

    // ---- What the parts report -------------------------------------------------------------------------------------

    internal void ReadFailed(BlockRequest request, int error, ulong lba) =>
        request.Fail(StoreFault.FromRead(error, lba));

    /// <summary>The file ends before its size: someone cut it. What lies beyond is lost, and must not be papered over
    /// by writes that would let the file grow again with a hole of zeros.</summary>
    internal void EndOfFileMet(BlockRequest request, ulong lba)
    {
        _isTruncated = true;
        request.Fail(StoreFault.UnrecoveredRead(lba));
    }

    /// <summary>An earlier write may have found no room when it was written back (a thin volume, a network file system)
    /// and be told here; that is recorded, and what this write did not get room for is not.</summary>
    internal void WriteFailed(BlockRequest request, int error, ulong lba, FileHandle witness)
    {
        if (request.Reactor.TakeWriteError(witness) is > 0 and int recorded)
            KeepFault(StoreFault.FromWrite(recorded, lba: null));
        bool mayBeOfOthers = request.Kind == BlockRequestKind.WriteThrough && (_hasCachedWrites || !_file.IsDirect);
        if (mayBeOfOthers && !StoreFault.IsOutOfSpace(error))
            KeepFault(StoreFault.FromWrite(error, lba: null));
        request.Fail(StoreFault.FromWrite(error, lba));
    }

    /// <summary>The kernel says that it is on stable storage. That is true if nothing was lost by now.</summary>
    internal void BroughtToRest(BlockRequest request, FileHandle witness)
    {
        if (_kept is null && request.Reactor.TakeWriteError(witness) is > 0 and int error)
            KeepFault(StoreFault.FromWrite(error, lba: null));
        if (_kept is { } kept)
            request.Fail(kept.Sense);
    }

    internal void FlushFailed(BlockRequest request, int error)
    {
        SenseData fault = StoreFault.FromWrite(error, lba: null);
        KeepFault(fault);
        request.Fail(fault);
    }

    /// <summary>A device that knows no WRITE ZEROES or DISCARD, or a range that it does not cut: no fault, only not
    /// done.</summary>
    internal void UnmapFailed(BlockRequest request, int error)
    {
        if (error is ErrorNumber.NotSupported or ErrorNumber.InvalidArgument)
            request.RefuseUnmap();
        else
            request.Fail(StoreFault.FromWrite(error, lba: null));
    }

    /// <summary>Beside the reactors. Whatever it is for, it may be told what an earlier write lost.</summary>
    private void Sync()
    {
        try
        {
            _file.Sync();
        }
        catch (LinuxException exception)
        {
            KeepFault(StoreFault.FromWrite(exception.Error, lba: null));
            throw;
        }
    }

    private void KeepFault(in SenseData fault) => _kept ??= new KeptFault(fault);

    private sealed record KeptFault(SenseData Sense);
}

/// <summary>What was found out, once, when the file was opened.</summary>
/// <param name="Description">What and where it is, for messages.</param>
public sealed record FileStoreGeometry(
    string Description, ulong BlockCount, int BlockLengthBytes, bool IsReadOnly, int UnmapGranularityBlocks);
