using System.Buffers.Binary;
using System.Numerics;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Where an index node is, and what lies before it.</summary>
/// <param name="Offset">Of its header.</param>
/// <param name="FileNumber">Filemarks of the partition before it.</param>
/// <param name="SetNumber">Setmarks before it.</param>
/// <param name="Checksum">Its header's.</param>
internal readonly record struct NodePointer(ulong Offset, ulong FileNumber, ulong SetNumber, uint Checksum)
{
    public const int Bytes = 32;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], FileNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], SetNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(to[24..], Checksum);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], 0);
    }

    public static NodePointer Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(from),
        BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[24..]));
}

/*  Node i (from 1 on) stands behind object 512·i − 1 and has, after the numbers of marks before its interval,

        the 512 objects of its interval   where each begins, and in the three lowest bits what it is
        P(i)                              pointers to the nodes ⌊(i−1)/2^j⌋·2^j, j = 0, 1, … as long as that is not 0
        P(i−1)                            those of the node before, so that a search passes by a node that is damaged

    From any node, the farthest of its pointers that is not yet before what is sought leads to a node that is a multiple
    of 2^j, whose own pointers are i−1, i−2, i−4 …: each step halves what is left.                                    */

/// <summary>An index node: where the objects of an interval are, and the way to older nodes.</summary>
internal sealed class IndexNode
{
    private const int CountsBytes = 24;
    private const int TableBytes = CartridgeFormat.IntervalObjects * 8;

    public const int StoredBytesMax = CountsBytes + TableBytes + (2 * CartridgeFormat.LevelsMax * NodePointer.Bytes);

    /// <summary>From 1 on.</summary>
    public required ulong Number { get; init; }

    public required Interval Interval { get; init; }

    public required NodePointer[] Levels { get; init; }

    public required NodePointer[] PreviousLevels { get; init; }

    /// <summary>How many levels of pointers there are to so many nodes.</summary>
    public static int LevelsOf(ulong nodes) => nodes == 0 ? 0 : BitOperations.Log2(nodes) + 1;

    /// <summary>Which node a level's pointer leads to, with so many nodes.</summary>
    public static ulong NodeOf(ulong nodes, int level) => nodes >> level << level;

    public static int StoredBytesOf(ulong number) =>
        CountsBytes + TableBytes
        + ((LevelsOf(number - 1) + (number > 1 ? LevelsOf(number - 2) : 0)) * NodePointer.Bytes);

    public static ulong SizeBytesOf(ulong number) =>
        CartridgeFormat.Align((ulong)(ObjectHeader.Bytes + StoredBytesOf(number)));

    /// <summary>What follows the header of the node that is due at this end.</summary>
    public static void WriteStored(Span<byte> to, in LogEnd end)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, end.ObjectCount / CartridgeFormat.IntervalObjects);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], end.IntervalFileNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], end.IntervalSetNumber);
        to = to[CountsBytes..];
        for (int i = 0; i < CartridgeFormat.IntervalObjects; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(to[(8 * i)..], end.Tail[i]);
        to = to[TableBytes..];
        foreach (NodePointer[] levels in (ReadOnlySpan<NodePointer[]>)[end.Levels, end.PreviousLevels])
        {
            foreach (NodePointer pointer in levels)
            {
                pointer.Write(to);
                to = to[NodePointer.Bytes..];
            }
        }
    }

    /// <summary>Null if it is not the node of this number at this place, or not one that can be believed.</summary>
    public static IndexNode? ReadStored(ReadOnlySpan<byte> from, ulong number, ulong offset)
    {
        if (from.Length != StoredBytesOf(number) || BinaryPrimitives.ReadUInt64LittleEndian(from) != number)
            return null;
        ulong[] table = new ulong[CartridgeFormat.IntervalObjects];
        for (int i = 0; i < table.Length; i++)
        {
            table[i] = BinaryPrimitives.ReadUInt64LittleEndian(from[(CountsBytes + (8 * i))..]);
            if (!Interval.IsEntry(table[i]) || Interval.OffsetOf(table[i]) >= offset
                || (i > 0 && Interval.OffsetOf(table[i]) <= Interval.OffsetOf(table[i - 1])))
                return null;
        }
        var node = new IndexNode
        {
            Number = number,
            Interval = new Interval(
                number - 1, BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(from[16..]), table, table.Length, offset),
            Levels = ReadLevels(from[(CountsBytes + TableBytes)..], number - 1),
            PreviousLevels = number > 1
                ? ReadLevels(
                    from[(CountsBytes + TableBytes + (LevelsOf(number - 1) * NodePointer.Bytes))..], number - 2)
                : [],
        };
        return node.Levels.All(pointer => pointer.Offset < offset) ? node : null;
    }

    private static NodePointer[] ReadLevels(ReadOnlySpan<byte> from, ulong nodes)
    {
        var levels = new NodePointer[LevelsOf(nodes)];
        for (int i = 0; i < levels.Length; i++)
            levels[i] = NodePointer.Read(from[(i * NodePointer.Bytes)..]);
        return levels;
    }
}

/// <summary>Where the objects between two index nodes are.</summary>
/// <param name="Number">From 0 on.</param>
/// <param name="FileNumber">Filemarks before its first object.</param>
/// <param name="SetNumber">Setmarks before it.</param>
/// <param name="Table">An entry for each.</param>
/// <param name="Count">How many of the table count.</param>
/// <param name="EndOffset">Where the last of them ends, or the node begins.</param>
internal sealed record Interval(
    ulong Number, ulong FileNumber, ulong SetNumber, ulong[] Table, int Count, ulong EndOffset)
{
    private const ulong KindMask = CartridgeFormat.AlignmentBytes - 1;

    public ulong FirstObject => Number * CartridgeFormat.IntervalObjects;

    public static ulong Entry(EntryKind kind, ulong offset) => offset | (ulong)kind;

    public static EntryKind KindOf(ulong entry) => (EntryKind)(entry & KindMask);

    public static ulong OffsetOf(ulong entry) => entry & ~KindMask;

    public static bool IsEntry(ulong entry) =>
        KindOf(entry) is EntryKind.Record or EntryKind.FileMark or EntryKind.SetMark
        && OffsetOf(entry) < CartridgeFormat.CapacityBytesMax;
}
