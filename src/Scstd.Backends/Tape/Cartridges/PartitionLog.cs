using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>A place in a partition: before an object.</summary>
internal readonly record struct Cursor(ulong Object, ulong File, ulong Set, ulong Offset)
{
    public static Cursor Beginning => default;
}

/// <summary>The log of a partition: where its objects are. Every look-up reads O(log n) index nodes.</summary>
internal sealed class PartitionLog(
    ICartridgeFile file, CartridgeLabel label, int number, PartitionEnd opened)
{
    /// <summary>Our choice: twice the levels that a search through a full tape passes.</summary>
    private const int KeptNodes = 64;

    private readonly IndexNode?[] _nodes = new IndexNode?[KeptNodes];

    public uint Seed => label.Seed;

    public int Number => number;

    public PartitionRegion Region => label.Regions[number];

    /// <summary>Of what is written now.</summary>
    public uint Epoch { get; private set; } = opened.Epoch;

    public LogEnd End { get; set; } = opened.End;

    /// <summary>Entries of this epoch may be appended to the end: nothing of it stands behind that.</summary>
    public bool IsAppending { get; private set; }

    public Cursor EndCursor => new(End.ObjectCount, End.FileCount, End.SetCount, End.Offset);

    public PartitionEnd Now => new(Epoch, End);

    public PartitionDescription Description => new(Region.CapacityBytes, End.Offset, End.ObjectCount);

    /// <summary>The data ends elsewhere from now on, and what follows is of a new epoch.</summary>
    public void BeginEpoch(in LogEnd end)
    {
        End = end;
        Epoch++;
        IsAppending = true;
        Array.Clear(_nodes);
    }

    /// <summary>A write has failed: what came of it must not be taken for what is written in its place.</summary>
    public void EndEpoch() => IsAppending = false;

    /// <summary>Undoes <see cref="BeginEpoch"/>.</summary>
    public void Restore(in PartitionEnd before)
    {
        (Epoch, End, IsAppending) = (before.Epoch, before.End, false);
        Array.Clear(_nodes);
    }

    // ---- Places ----------------------------------------------------------------------------------------------------

    public Cursor CursorAt(ulong objectNumber)
    {
        if (objectNumber == End.ObjectCount)
            return EndCursor;
        Interval interval = IntervalOf(objectNumber);
        int index = (int)(objectNumber - interval.FirstObject);
        (ulong files, ulong sets) = (interval.FileNumber, interval.SetNumber);
        foreach (ulong entry in interval.Table.AsSpan(0, index))
        {
            files += Interval.KindOf(entry) == EntryKind.FileMark ? 1u : 0;
            sets += Interval.KindOf(entry) == EntryKind.SetMark ? 1u : 0;
        }
        return new Cursor(objectNumber, files, sets, Interval.OffsetOf(interval.Table[index]));
    }

    public EntryKind KindAt(ulong objectNumber)
    {
        if (objectNumber >= End.ObjectCount)
            return EntryKind.None;
        Interval interval = IntervalOf(objectNumber);
        return Interval.KindOf(interval.Table[objectNumber - interval.FirstObject]);
    }

    /// <summary>Behind the object at a place that is not the end.</summary>
    public Cursor After(in Cursor at)
    {
        Interval interval = IntervalOf(at.Object);
        int index = (int)(at.Object - interval.FirstObject);
        EntryKind kind = Interval.KindOf(interval.Table[index]);
        ulong next = at.Object + 1;
        ulong offset = next == End.ObjectCount ? End.Offset
            : index + 1 < interval.Count ? Interval.OffsetOf(interval.Table[index + 1])
            : interval.EndOffset + IndexNode.SizeBytesOf(interval.Number + 1);
        return new Cursor(
            next, at.File + (kind == EntryKind.FileMark ? 1u : 0), at.Set + (kind == EntryKind.SetMark ? 1u : 0),
            offset);
    }

    /// <summary>Before the object that ends at a place that is not the beginning.</summary>
    public Cursor Before(in Cursor at)
    {
        Interval interval = IntervalOf(at.Object - 1);
        ulong entry = interval.Table[at.Object - 1 - interval.FirstObject];
        EntryKind kind = Interval.KindOf(entry);
        return new Cursor(
            at.Object - 1, at.File - (kind == EntryKind.FileMark ? 1u : 0),
            at.Set - (kind == EntryKind.SetMark ? 1u : 0), Interval.OffsetOf(entry));
    }

    /// <summary>Which object is the mark before which there are so many of its kind.</summary>
    public ulong FindMark(EntryKind kind, ulong ordinal)
    {
        ulong number = First(new Target(kind, ordinal)) is { } node ? node.Number - 1 : End.NodeCount;
        Interval interval = IntervalOf(number * CartridgeFormat.IntervalObjects);
        ulong before = kind == EntryKind.FileMark ? interval.FileNumber : interval.SetNumber;
        for (int i = 0; i < interval.Count; i++)
        {
            if (Interval.KindOf(interval.Table[i]) == kind && before++ == ordinal)
                return interval.FirstObject + (ulong)i;
        }
        throw Damaged("its index and its marks do not agree");
    }

    /// <summary>The objects around one, which is there.</summary>
    public Interval IntervalOf(ulong objectNumber)
    {
        ulong interval = objectNumber / CartridgeFormat.IntervalObjects;
        if (interval == End.NodeCount)
        {
            return new Interval(
                interval, End.IntervalFileNumber, End.IntervalSetNumber, End.Tail, End.TailCount, End.Offset);
        }
        ulong node = interval + 1;
        if (_nodes[node % KeptNodes] is { } kept && kept.Number == node)
            return kept.Interval;
        NodePointer pointer = PointerTo(node);
        return (Load(node, pointer) ?? Rebuild(node, pointer)).Interval;
    }

    // ---- Index nodes -----------------------------------------------------------------------------------------------

    public NodePointer PointerTo(ulong node) => First(new Target(EntryKind.IndexNode, node))!.Value.Pointer;

    /// <summary>The end of data as it was when an object was the next to be written.</summary>
    public LogEnd EndAt(in Cursor at)
    {
        if (at.Object == End.ObjectCount)
            return End;
        if (at.Object == 0)
            return LogEnd.Empty(Seed);
        ulong nodes = at.Object / CartridgeFormat.IntervalObjects;
        (NodePointer[] levels, NodePointer[] previous) = LevelsAt(nodes);
        ulong[] tail = LogEnd.NewTail();
        int tailCount = (int)(at.Object % CartridgeFormat.IntervalObjects);
        uint checksum = 0;
        if (tailCount == 0)
        {
            checksum = levels[0].Checksum;
        }
        else
        {
            Interval interval = IntervalOf(at.Object);
            interval.Table.AsSpan(0, tailCount).CopyTo(tail);
            // A damaged header has none to be chained to; the checkpoint knows what stands for it.
            checksum = ReadHeader(Interval.OffsetOf(tail[tailCount - 1]))?.Checksum ?? 0;
        }
        return new LogEnd(at.Offset, at.Object, at.File, at.Set, checksum, levels, previous, tail);
    }

    /// <summary>The header at a place; null: what is there is none.</summary>
    public ObjectHeader? ReadHeader(ulong offset)
    {
        Span<byte> bytes = stackalloc byte[ObjectHeader.Bytes];
        return file.Read(bytes, Region.StartBytes + (long)offset) == bytes.Length
            ? ObjectHeader.Read(bytes, Seed, Number, offset) : null;
    }

    /// <summary>An index node as it was written; null: it is damaged.</summary>
    public IndexNode? ReadNode(ulong node, in NodePointer pointer)
    {
        byte[] bytes = new byte[ObjectHeader.Bytes + IndexNode.StoredBytesOf(node)];
        if (file.Read(bytes.AsSpan(), Region.StartBytes + (long)pointer.Offset) != bytes.Length
            || ObjectHeader.Read(bytes, Seed, Number, pointer.Offset) is not { Kind: EntryKind.IndexNode } header
            || header.Checksum != pointer.Checksum
            || header.StoredBytes != bytes.Length - ObjectHeader.Bytes
            || header.StoredChecksum != Crc32c.Compute(bytes.AsSpan(ObjectHeader.Bytes)))
            return null;
        return IndexNode.ReadStored(bytes.AsSpan(ObjectHeader.Bytes), node, pointer.Offset);
    }

    /// <summary>The pointers that the node behind so many nodes has, its own and those of the one before it.</summary>
    public (NodePointer[] Levels, NodePointer[] Previous) LevelsAt(ulong nodes)
    {
        if (nodes == End.NodeCount)
            return (End.Levels, End.PreviousLevels);
        if (Load(nodes + 1, PointerTo(nodes + 1)) is { } next)
            return (next.Levels, next.PreviousLevels);
        return (Levels(nodes), nodes == 0 ? [] : Levels(nodes - 1));

        NodePointer[] Levels(ulong count) =>
            [.. Enumerable.Range(0, IndexNode.LevelsOf(count))
                .Select(level => PointerTo(IndexNode.NodeOf(count, level)))];
    }

    private IndexNode? Load(ulong node, in NodePointer pointer)
    {
        if (_nodes[node % KeptNodes] is { } kept && kept.Number == node)
            return kept;
        IndexNode? read = ReadNode(node, pointer);
        _nodes[node % KeptNodes] = read ?? _nodes[node % KeptNodes];
        return read;
    }

    /// <summary>The first node that reaches a target; null: none does, it is behind the last.</summary>
    private (ulong Number, NodePointer Pointer)? First(in Target target)
    {
        if (Farthest(target, End.NodeCount, End.Levels) is not { } found)
            return null;
        while (!(target.Kind == EntryKind.IndexNode && found.Number == target.Value)
            && Farthest(target, found.Number - 1, LevelsOf(found.Number, found.Pointer)) is { } nearer)
            found = nearer;
        return found;
    }

    private static (ulong Number, NodePointer Pointer)? Farthest(in Target target, ulong nodes, NodePointer[] levels)
    {
        (ulong, NodePointer)? farthest = null;
        for (int level = 0; level < levels.Length; level++)
        {
            ulong node = IndexNode.NodeOf(nodes, level);
            if (!target.IsReachedBy(node, levels[level]))
                break;
            farthest = (node, levels[level]);
        }
        return farthest;
    }

    /// <summary>The pointers of a node, or their copy in the next one if it is damaged.</summary>
    private NodePointer[] LevelsOf(ulong node, in NodePointer pointer)
    {
        if (Load(node, pointer) is { } whole)
            return whole.Levels;
        if (node == End.NodeCount)
            return End.PreviousLevels;
        return Load(node + 1, PointerTo(node + 1))?.PreviousLevels
            ?? throw Damaged($"two neighbouring index nodes, {node} and {node + 1}, are damaged");
    }

    /// <summary>A damaged node's table from the headers of its objects. What cannot be found is in the table all the
    /// same: so many objects lie there, each of them damaged.</summary>
    private IndexNode Rebuild(ulong node, in NodePointer pointer)
    {
        NodePointer before = node > 1 ? PointerTo(node - 1) : default;
        var start = new Cursor(
            (node - 1) * CartridgeFormat.IntervalObjects, before.FileNumber, before.SetNumber,
            node > 1 ? before.Offset + IndexNode.SizeBytesOf(node - 1) : 0);
        var end = new Cursor(
            node * CartridgeFormat.IntervalObjects, pointer.FileNumber, pointer.SetNumber, pointer.Offset);
        ulong[] table = new LogScanner(file, this).ReadTable(start, end)
            ?? throw Damaged($"index node {node} is damaged and what is before it does not fit");
        var rebuilt = new IndexNode
        {
            Number = node,
            Interval = new Interval(
                node - 1, before.FileNumber, before.SetNumber, table, table.Length, pointer.Offset),
            Levels = LevelsOf(node, pointer),
            PreviousLevels = node > 1 ? LevelsOf(node - 1, before) : [],
        };
        _nodes[node % KeptNodes] = rebuilt;
        return rebuilt;
    }

    private MediumFaultException Damaged(string why) => new(
        new MediumFault(MediumFaultKind.DamagedFormat),
        $"{file.Path}: partition {Number}: {why}; see 'scstd cartridge check' and 'repair'");

    private readonly record struct Target(EntryKind Kind, ulong Value)
    {
        public bool IsReachedBy(ulong node, in NodePointer pointer) => Kind switch
        {
            EntryKind.FileMark => pointer.FileNumber > Value,
            EntryKind.SetMark => pointer.SetNumber > Value,
            _ => node >= Value,
        };
    }
}
