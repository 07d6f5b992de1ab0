using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Writing: an entry is one call, and counts when that has returned.</summary>
public sealed partial class Cartridge
{
    private readonly PinnedBytes _head = new();
    private readonly PinnedBytes _tail = new();

    public bool Write(DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options)
    {
        Invariant.That(
            lengthBytes is > 0 and <= CartridgeFormat.RecordBytesMax, "a record is as long as a record may be");
        WriteOptions how = options;
        return Guarded(_file, () =>
        {
            RequireWritable();
            ReadOnlySpan<byte> coded = _coder.Encode(
                source, offsetBytes, lengthBytes, how, _at.Object, out EntryFlags flags);
            int storedBytes = flags == EntryFlags.None ? lengthBytes : coded.Length;
            ulong sizeBytes = CartridgeFormat.Align((ulong)(ObjectHeader.Bytes + storedBytes));
            if (!HasRoom(1, sizeBytes))
                return false;
            BeginWriting();
            uint checksum = flags == EntryFlags.None
                ? Crc32c.Finish(source.AppendCrc32c(Crc32c.Seed, offsetBytes, lengthBytes)) : Crc32c.Compute(coded);
            int count = flags == EntryFlags.None ? Gather(source, offsetBytes, lengthBytes, first: 1) : 2;
            if (flags != EntryFlags.None)
                _vectors[1] = new IoVector(_coder.Address, storedBytes);
            WriteRecord(
                new StoredRecord(flags, (uint)lengthBytes, (uint)storedBytes, checksum), sizeBytes, count);
            return true;
        });
    }

    public bool WriteMarks(TapeObjectKind kind, int count)
    {
        Invariant.That(
            kind is TapeObjectKind.FileMark or TapeObjectKind.SetMark && count >= 0,
            "a mark is a filemark or a setmark");
        return Guarded(_file, () =>
        {
            RequireWritable();
            if (!HasRoom((ulong)count, (ulong)count * ObjectHeader.Bytes))
                return false;
            if (count == 0)
                return true;
            BeginWriting();
            LogEnd before = Log.End;
            try
            {
                for (int left = count; left > 0;)
                    left -= WriteMarksOfInterval((EntryKind)kind, left);
            }
            catch
            {
                // Some may be in the file; they are behind the end of data, and what is written next takes their place.
                Log.End = before;
                throw;
            }
            _at = Log.EndCursor;
            return true;
        });
    }

    private void WriteRecord(in StoredRecord record, ulong sizeBytes, int count)
    {
        PartitionLog log = Log;
        Span<byte> head = _head.Take(ObjectHeader.Bytes);
        uint checksum = EntryWriter.WriteHeader(head, log.End, log, EntryKind.Record, record);
        _vectors[0] = new IoVector(_head.Address, head.Length);
        int padding = (int)(sizeBytes - ObjectHeader.Bytes - record.StoredBytes);
        LogEnd end = log.End.WithObject(EntryKind.Record, sizeBytes, checksum);
        bool hasNode = end.TailCount == 0;
        Span<byte> tail = _tail.Take(padding + (hasNode ? (int)IndexNode.SizeBytesOf(end.NodeCount) : 0));
        tail[..padding].Clear();
        if (hasNode)
            end = end.WithNode(EntryWriter.WriteNode(tail[padding..], end, log, log.Epoch));
        if (!tail.IsEmpty)
            _vectors[count++] = new IoVector(_tail.Address, tail.Length);
        Append(_vectors.AsSpan(0, count), end);
        _at = log.EndCursor;
    }

    /// <summary>As many as one interval takes, in one call; returns how many.</summary>
    private int WriteMarksOfInterval(EntryKind kind, int most)
    {
        PartitionLog log = Log;
        LogEnd end = log.End;
        int count = Math.Min(most, CartridgeFormat.IntervalObjects - end.TailCount);
        bool hasNode = end.TailCount + count == CartridgeFormat.IntervalObjects;
        int marksBytes = count * ObjectHeader.Bytes;
        Span<byte> bytes = _tail.Take(marksBytes + (hasNode ? (int)IndexNode.SizeBytesOf(end.NodeCount + 1) : 0));
        for (int i = 0; i < count; i++)
        {
            uint checksum = EntryWriter.WriteHeader(bytes[(i * ObjectHeader.Bytes)..], end, log, kind);
            end = end.WithObject(kind, ObjectHeader.Bytes, checksum);
        }
        if (hasNode)
            end = end.WithNode(EntryWriter.WriteNode(bytes[marksBytes..], end, log, log.Epoch));
        var vector = new IoVector(_tail.Address, bytes.Length);
        Append(new Span<IoVector>(ref vector), end);
        return count;
    }

    /// <summary>Entries go to the end of the log, which is elsewhere if that succeeds.</summary>
    private void Append(Span<IoVector> vectors, in LogEnd end)
    {
        PartitionLog log = Log;
        _hasUnsyncedData = true;
        _uncoveredBytes += end.Offset - log.End.Offset;
        try
        {
            _file.Write(vectors, log.Region.StartBytes + (long)log.End.Offset);
        }
        catch (LinuxException)
        {
            // Parts of it may be whole in the file, and whoever asked for it has been told that it failed.
            log.EndEpoch();
            _mustCover = true;
            throw;
        }
        log.End = end;
    }

    /// <summary>Objects and the index nodes that come with them fit at the position.</summary>
    private bool HasRoom(ulong objects, ulong sizeBytes)
    {
        ulong nodes = _at.Object / CartridgeFormat.IntervalObjects;
        ulong last = (_at.Object + objects) / CartridgeFormat.IntervalObjects;
        for (ulong node = nodes + 1; node <= last; node++)
            sizeBytes += IndexNode.SizeBytesOf(node);
        return sizeBytes <= Log.Region.CapacityBytes - Math.Min(_at.Offset, Log.Region.CapacityBytes)
            && objects <= CartridgeFormat.ObjectsMax - _at.Object;
    }

    /// <summary>The position becomes the end of data.</summary>
    private void BeginWriting()
    {
        _header = null;
        if (_uncoveredBytes >= CoveredAtLeastEveryBytes)
        {
            SyncData();
            SaveCheckpoint();
        }
        if (!Log.IsAppending || _at.Object != Log.End.ObjectCount)
            Cut();
    }

    /// <summary>
    /// Before anything behind a position is overwritten, a checkpoint says on stable storage that the data ends there,
    /// and that what follows is of a new epoch: so nothing before it can be lost, and nothing behind it come back. What
    /// was there is given back to the file system, which also spares reading the pages that new data would share with
    /// it.
    /// </summary>
    private void Cut()
    {
        PartitionLog log = Log;
        RequireOverwritable(log);
        if (log.Epoch == uint.MaxValue)
            throw Fault(MediumFaultKind.Store, "was overwritten 2^32 times; format it");
        LogEnd end = log.EndAt(_at);
        SyncData();
        PartitionEnd before = log.Now;
        log.BeginEpoch(end);
        try
        {
            SaveCheckpoint();
        }
        catch
        {
            log.Restore(before);
            throw;
        }
        GiveBack(log.Region, end.Offset);
        KeepLabel();
    }

    /// <summary>Written once: no record, only marks behind the last one, may be overwritten.</summary>
    private void RequireOverwritable(PartitionLog log)
    {
        ulong marks = log.End.FileCount - _at.File + (log.End.SetCount - _at.Set);
        if (_label.Medium.IsWorm && log.End.ObjectCount - _at.Object > marks)
            throw Fault(MediumFaultKind.WriteProtected, "a WORM cartridge: a record would be overwritten");
    }

    private void RequireWritable()
    {
        RequireNothingLost();
        if (_file.IsReadOnly)
            throw Fault(MediumFaultKind.WriteProtected, "the file may only be read");
        if (_label.Medium.IsWriteProtected)
            throw Fault(MediumFaultKind.WriteProtected, "is write protected");
    }
}
