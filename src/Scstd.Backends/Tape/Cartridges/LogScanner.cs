using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Reads a log from header to header, without its index, and finds its way again behind damage.</summary>
internal sealed class LogScanner(ICartridgeFile file, PartitionLog log)
{
    private const int PieceBytes = 256 * 1024;

    private readonly byte[] _piece = new byte[PieceBytes];

    /// <summary>What goes on at an end of data: objects of its epoch, whole, one chained to the other. What of an
    /// unfinished interval lacks its node is left away.</summary>
    public LogEnd Follow(LogEnd end, uint epoch)
    {
        while (Next(end, epoch) is { } header)
        {
            bool completes = end.IsNodeNext;
            LogEnd next = end.WithObject(header.Kind, header.SizeBytes, header.Checksum);
            if (completes)
            {
                if (!HasNode(next, epoch, out uint checksum))
                    return end;
                next = next.WithNode(checksum);
            }
            end = next;
        }
        return end;
    }

    /// <summary>Where the objects of an interval are, between two places that are known. Null: they do not fit there.
    /// </summary>
    public ulong[]? ReadTable(in Cursor start, in Cursor end)
    {
        ulong[] table = new ulong[CartridgeFormat.IntervalObjects];
        Cursor at = start;
        while (at.Object < end.Object)
        {
            ObjectHeader? header = at.Offset < end.Offset ? log.ReadHeader(at.Offset) : null;
            if (header is { } whole && Fits(whole, at, end) && whole.ObjectNumber == at.Object)
            {
                table[at.Object - start.Object] = Interval.Entry(whole.Kind, at.Offset);
                at = Passed(at, whole);
                continue;
            }
            Cursor from = at;
            Cursor to = end;
            Cursor found = FindNext(
                at.Offset + CartridgeFormat.AlignmentBytes, end.Offset, next => Fits(next, from, to)) is { } next
                ? new Cursor(next.ObjectNumber, next.FileNumber, next.SetNumber, next.Offset) : end;
            if (!FillLost(table, start.Object, at, found))
                return null;
            at = found;
        }
        return at.Offset <= end.Offset ? table : null;
    }

    /// <summary>The next entry of this log between two places that satisfies; null: there is none.</summary>
    public ObjectHeader? FindNext(ulong from, ulong to, Func<ObjectHeader, bool> fits)
    {
        while (from + ObjectHeader.Bytes <= to)
        {
            // Holes are nothing, and there may be terabytes of them.
            if (file.NextData(log.Region.StartBytes + (long)from) is not { } data)
                return null;
            ulong offset = (ulong)Math.Max(0, data - log.Region.StartBytes) & ~(CartridgeFormat.AlignmentBytes - 1ul);
            from = Math.Max(from, offset);
            int length = (int)Math.Min((ulong)PieceBytes, to > from ? to - from : 0);
            Span<byte> piece = _piece.AsSpan(0, length);
            length = (int)file.Read(piece, log.Region.StartBytes + (long)from);
            piece = piece[..length];
            if (length < ObjectHeader.Bytes)
                return null;
            if (FindIn(piece, from, fits) is { } found)
                return found;
            from += (ulong)(length - ObjectHeader.Bytes + CartridgeFormat.AlignmentBytes)
                & ~(CartridgeFormat.AlignmentBytes - 1ul);
        }
        return null;
    }

    /// <summary>The bytes behind a header are those that it speaks of.</summary>
    public bool IsWhole(in ObjectHeader header)
    {
        uint state = Crc32c.Seed;
        long at = log.Region.StartBytes + (long)header.Offset + ObjectHeader.Bytes;
        for (uint left = header.StoredBytes; left > 0;)
        {
            Span<byte> piece = _piece.AsSpan(0, (int)Math.Min(left, PieceBytes));
            if (file.Read(piece, at) != piece.Length)
                return false;
            state = Crc32c.Append(state, piece);
            at += piece.Length;
            left -= (uint)piece.Length;
        }
        return Crc32c.Finish(state) == header.StoredChecksum;
    }

    private ObjectHeader? Next(in LogEnd end, uint epoch)
    {
        if (end.Offset + ObjectHeader.Bytes > log.Region.CapacityBytes
            || log.ReadHeader(end.Offset) is not { } header
            || header.Kind == EntryKind.IndexNode
            || header.Epoch != epoch
            || header.PreviousChecksum != end.Checksum
            || header.ObjectNumber != end.ObjectCount
            || header.FileNumber != end.FileCount
            || header.SetNumber != end.SetCount
            || header.SizeBytes > log.Region.CapacityBytes - end.Offset
            || end.ObjectCount == CartridgeFormat.ObjectsMax)
            return null;
        return IsWhole(header) ? header : null;
    }

    /// <summary>A node says nothing that its objects do not: it must be what would be written.</summary>
    private bool HasNode(in LogEnd end, uint epoch, out uint checksum)
    {
        byte[] due = new byte[IndexNode.SizeBytesOf(end.NodeCount)];
        checksum = EntryWriter.WriteNode(due, end, log, epoch);
        byte[] found = new byte[due.Length];
        return end.Offset + (ulong)due.Length <= log.Region.CapacityBytes
            && file.Read(found.AsSpan(), log.Region.StartBytes + (long)end.Offset) == found.Length
            && found.AsSpan().SequenceEqual(due);
    }

    private bool Fits(in ObjectHeader header, in Cursor from, in Cursor to) =>
        header.Kind != EntryKind.IndexNode && header.Epoch <= log.Epoch
        && header.ObjectNumber >= from.Object && header.ObjectNumber < to.Object
        && header.FileNumber >= from.File && header.FileNumber <= to.File
        && header.SetNumber >= from.Set && header.SetNumber <= to.Set
        && header.FileNumber - from.File + (header.SetNumber - from.Set) <= header.ObjectNumber - from.Object
        && header.Offset + header.SizeBytes <= to.Offset;

    private static Cursor Passed(in Cursor at, in ObjectHeader header) => new(
        at.Object + 1, at.File + (header.Kind == EntryKind.FileMark ? 1u : 0),
        at.Set + (header.Kind == EntryKind.SetMark ? 1u : 0), at.Offset + header.SizeBytes);

    /// <summary>Objects that are gone, but counted: as many records and marks as the numbers around them say. False:
    /// the gap is too small for them.</summary>
    private static bool FillLost(ulong[] table, ulong first, in Cursor from, in Cursor to)
    {
        ulong count = to.Object - from.Object;
        ulong files = to.File - from.File;
        ulong sets = to.Set - from.Set;
        if (to.Object < from.Object || to.File < from.File || to.Set < from.Set || files + sets > count
            || to.Offset < from.Offset || to.Offset - from.Offset < count * ObjectHeader.Bytes)
            return false;
        for (ulong i = 0; i < count; i++)
        {
            EntryKind kind = i < count - files - sets ? EntryKind.Record
                : i < count - sets ? EntryKind.FileMark : EntryKind.SetMark;
            table[from.Object + i - first] = Interval.Entry(kind, from.Offset + (i * CartridgeFormat.AlignmentBytes));
        }
        return true;
    }

    private ObjectHeader? FindIn(ReadOnlySpan<byte> piece, ulong offset, Func<ObjectHeader, bool> fits)
    {
        for (int at = 0; at + ObjectHeader.Bytes <= piece.Length; at += CartridgeFormat.AlignmentBytes)
        {
            int found = piece[at..].IndexOf(ObjectHeader.Magic);
            if (found < 0)
                return null;
            at += found;
            if (at % CartridgeFormat.AlignmentBytes != 0)
            {
                at -= at % CartridgeFormat.AlignmentBytes;
                continue;
            }
            if (at + ObjectHeader.Bytes <= piece.Length
                && ObjectHeader.Read(piece[at..], log.Seed, log.Number, offset + (ulong)at) is { } header
                && fits(header))
                return header;
        }
        return null;
    }
}
