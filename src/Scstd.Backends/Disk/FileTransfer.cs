using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Disk;

/// <summary>One kernel operation of a request, submitted again until all of its bytes are through.</summary>
internal sealed unsafe class FileTransfer(FileTransferPool pool, FileStore store) : FileOperation
{
    private long _startBytes;
    private long _leftBytes;

    public BlockRequest? Request { get; set; }

    public FileTransfer? NextFree { get; set; }

    /// <summary>Takes what begins at <paramref name="startBytes"/> of the request, as far as the vectors reach; returns
    /// how many bytes that is.</summary>
    public long Fill(long startBytes, long lengthBytes)
    {
        Kind = Request!.Kind switch
        {
            BlockRequestKind.Read => FileOperationKind.Read,
            BlockRequestKind.Write => FileOperationKind.Write,
            _ => FileOperationKind.WriteThrough,
        };
        OffsetBytes = ((long)Request.Lba * store.BlockLengthBytes) + startBytes;
        long skipBytes = Request.DataOffsetBytes + startBytes;
        int count = 0;
        long filledBytes = 0;
        foreach (ref readonly DataSegment segment in Request.Data!.Segments)
        {
            if (skipBytes >= segment.LengthBytes)
            {
                skipBytes -= segment.LengthBytes;
                continue;
            }
            if (count == MaxVectors || filledBytes == lengthBytes)
                break;
            int take = (int)Math.Min(segment.LengthBytes - skipBytes, lengthBytes - filledBytes);
            Vectors[count++] = new IoVector(segment.Address + (nint)skipBytes, take);
            filledBytes += take;
            skipBytes = 0;
        }
        Invariant.That(filledBytes > 0, "a request's data lies in its buffer");
        VectorCount = count;
        _startBytes = startBytes;
        _leftBytes = filledBytes;
        return filledBytes;
    }

    public override void Completed(long result)
    {
        if (result is -ErrorNumber.Interrupted or -ErrorNumber.TryAgain)
        {
            Request!.Reactor.Submit(this);
            return;
        }
        if (result < 0)
            Request!.Error = (int)-result;
        switch (Kind)
        {
            case FileOperationKind.Flush:
                if (result < 0)
                    store.FlushFailed(Request!, (int)-result);
                else
                    store.BroughtToRest(Request!, pool.Witness);
                break;
            case FileOperationKind.PunchHole:
                if (result < 0)
                    store.UnmapFailed(Request!, (int)-result);
                break;
            default:
                if (!Transferred(result))
                    return;
                break;
        }
        BlockRequest request = Request!;
        pool.Return(this);
        request.PartDone();
    }

    /// <summary>False if the rest has been submitted.</summary>
    private bool Transferred(long result)
    {
        BlockRequest request = Request!;
        ulong lba = (ulong)(OffsetBytes / store.BlockLengthBytes);
        if (result < 0)
        {
            if (Kind == FileOperationKind.Read)
                store.ReadFailed(request, (int)-result, lba);
            else
                store.WriteFailed(request, (int)-result, lba, pool.Witness);
            return true;
        }
        if (result == 0)
        {
            if (Kind == FileOperationKind.Read)
                store.EndOfFileMet(request, lba);
            else
                store.WriteFailed(request, ErrorNumber.InputOutput, lba, pool.Witness);
            return true;
        }
        _leftBytes -= result;
        Invariant.That(_leftBytes >= 0, "the kernel transfers what it was asked for, or less");
        if (_leftBytes == 0)
        {
            if (Kind == FileOperationKind.WriteThrough)
                store.BroughtToRest(request, pool.Witness);
            else if (Kind == FileOperationKind.Read)
                request.PieceRead(_startBytes);
            return true;
        }
        Advance(result);
        request.Reactor.Submit(this);
        return false;
    }

    /// <summary>Drops what is through from the front of the vectors.</summary>
    private void Advance(long doneBytes)
    {
        OffsetBytes += doneBytes;
        int first = 0;
        while (doneBytes >= (long)Vectors[first].LengthBytes)
            doneBytes -= (long)Vectors[first++].LengthBytes;
        VectorCount -= first;
        for (int i = 0; i < VectorCount; i++)
            Vectors[i] = Vectors[first + i];
        Vectors[0].Address += (nint)doneBytes;
        Vectors[0].LengthBytes -= (nuint)doneBytes;
    }
}

/// <summary>The operations of one store on one reactor. Grows to what the reactor has ever had under way at once, which
/// the command window and the queue depths bound.</summary>
/// <param name="store">Theirs.</param>
/// <param name="witness">Its file, opened once more; asked on this reactor alone, or while nothing is under way.
/// </param>
internal sealed class FileTransferPool(FileStore store, FileHandle witness) : IDisposable
{
    private FileTransfer? _free;

    public FileHandle Witness => witness;

    public FileTransfer Take(BlockRequest request)
    {
        request.AddPart();
        FileTransfer transfer = _free ?? new FileTransfer(this, store);
        _free = transfer.NextFree;
        transfer.NextFree = null;
        transfer.Request = request;
        transfer.File = store.Handle;
        return transfer;
    }

    public void Return(FileTransfer transfer)
    {
        transfer.Request = null;
        transfer.NextFree = _free;
        _free = transfer;
    }

    public void Dispose()
    {
        // What is still under way (a reactor that had to stop without it) keeps its memory for ever.
        for (; _free is not null; _free = _free.NextFree)
            _free.Dispose();
        witness.Dispose();
    }
}
