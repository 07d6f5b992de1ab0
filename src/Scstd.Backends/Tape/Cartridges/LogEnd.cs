namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Where a partition's data ends, and all that is needed to go on from there. A value: who fails half-way
/// still has the one before. What lies in <see cref="Tail"/> behind the count is nobody's.</summary>
/// <param name="Offset">Where the next entry goes.</param>
/// <param name="ObjectCount">Records and marks.</param>
/// <param name="FileCount">Filemarks.</param>
/// <param name="SetCount">Setmarks.</param>
/// <param name="Checksum">The last header's: the next one is chained to it.</param>
/// <param name="Levels">Pointers to index nodes, as the next node will have them.</param>
/// <param name="PreviousLevels">As the last node has them.</param>
/// <param name="Tail">The objects behind the last node.</param>
internal readonly record struct LogEnd(
    ulong Offset, ulong ObjectCount, ulong FileCount, ulong SetCount, uint Checksum, NodePointer[] Levels,
    NodePointer[] PreviousLevels, ulong[] Tail)
{
    /// <summary>An empty partition, whose chain begins with what nothing older has.</summary>
    public static LogEnd Empty(uint seed) => new(0, 0, 0, 0, seed, [], [], NewTail());

    public ulong NodeCount => ObjectCount / CartridgeFormat.IntervalObjects;

    public int TailCount => (int)(ObjectCount % CartridgeFormat.IntervalObjects);

    public ulong IntervalFileNumber => Levels.Length > 0 ? Levels[0].FileNumber : 0;

    public ulong IntervalSetNumber => Levels.Length > 0 ? Levels[0].SetNumber : 0;

    /// <summary>One more object completes an interval, and its node comes with it.</summary>
    public bool IsNodeNext => TailCount == CartridgeFormat.IntervalObjects - 1;

    public static ulong[] NewTail() => new ulong[CartridgeFormat.IntervalObjects];

    public LogEnd WithObject(EntryKind kind, ulong sizeBytes, uint checksum)
    {
        Tail[TailCount] = Interval.Entry(kind, Offset);
        return this with
        {
            Offset = Offset + sizeBytes,
            ObjectCount = ObjectCount + 1,
            FileCount = FileCount + (kind == EntryKind.FileMark ? 1u : 0),
            SetCount = SetCount + (kind == EntryKind.SetMark ? 1u : 0),
            Checksum = checksum,
        };
    }

    /// <summary>With the node that is due behind the last object.</summary>
    public LogEnd WithNode(uint checksum)
    {
        ulong number = NodeCount;
        var pointer = new NodePointer(Offset, FileCount, SetCount, checksum);
        var levels = new NodePointer[IndexNode.LevelsOf(number)];
        for (int level = 0; level < levels.Length; level++)
            levels[level] = IndexNode.NodeOf(number, level) == number ? pointer : Levels[level];
        return this with
        {
            Offset = Offset + IndexNode.SizeBytesOf(number),
            Checksum = checksum,
            Levels = levels,
            PreviousLevels = Levels,
            Tail = NewTail(),
        };
    }
}
