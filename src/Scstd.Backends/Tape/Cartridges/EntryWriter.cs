using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Entries as bytes.</summary>
internal static class EntryWriter
{
    /// <summary>The header of the entry that goes to the end of a log; returns its checksum.</summary>
    public static uint WriteHeader(
        Span<byte> to, in LogEnd end, PartitionLog log, EntryKind kind, in StoredRecord record = default)
    {
        var header = new ObjectHeader(
            kind, record.Flags, (byte)log.Number, end.ObjectCount, end.FileCount, end.SetCount, end.Offset,
            record.LengthBytes, record.StoredBytes, record.Checksum, log.Epoch, end.Checksum);
        return header.Write(to, log.Seed);
    }

    /// <summary>The whole index node that is due at the end of a log; returns its header's checksum.</summary>
    public static uint WriteNode(Span<byte> to, in LogEnd end, PartitionLog log, uint epoch)
    {
        int storedBytes = IndexNode.StoredBytesOf(end.NodeCount);
        Span<byte> stored = to.Slice(ObjectHeader.Bytes, storedBytes);
        IndexNode.WriteStored(stored, end);
        to[(ObjectHeader.Bytes + storedBytes)..].Clear();
        var header = new ObjectHeader(
            EntryKind.IndexNode, EntryFlags.None, (byte)log.Number, end.ObjectCount, end.FileCount, end.SetCount,
            end.Offset, (uint)storedBytes, (uint)storedBytes, Crc32c.Compute(stored), epoch, end.Checksum);
        return header.Write(to, log.Seed);
    }
}

/// <summary>What a header says of the record behind it.</summary>
internal readonly record struct StoredRecord(
    EntryFlags Flags, uint LengthBytes, uint StoredBytes, uint Checksum);
