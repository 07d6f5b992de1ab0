using System.Security.Cryptography;
using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What a repair has done.</summary>
/// <param name="Done">Empty: there was nothing to do.</param>
/// <param name="Left">What is wrong still; damaged records stay damaged.</param>
public sealed record RepairReport(IReadOnlyList<string> Done, CartridgeReport Left);

/// <summary>
/// Makes a cartridge usable again: index nodes are written anew as they were; a log that the checkpoints do not fit any
/// more is followed from its beginning, from one whole entry to the next, and new checkpoints say where that ended. No
/// record is changed. It may be interrupted and begun again.
/// </summary>
public static class CartridgeRepair
{
    /// <summary>Throws <see cref="MediumFaultException"/> if nothing can be done.</summary>
    public static RepairReport Run(string path)
    {
        using ICartridgeFile file = CartridgeFiles.Open(path);
        return Run(file);
    }

    internal static RepairReport Run(ICartridgeFile file)
    {
        if (file.IsReadOnly)
        {
            throw new MediumFaultException(
                new MediumFault(MediumFaultKind.WriteProtected), $"{file.Path}: the file may only be read");
        }
        var done = new List<string>();
        try
        {
            Repair(file, done);
        }
        catch (LinuxException exception)
        {
            throw CartridgeFiles.Fault(file.Path, exception);
        }
        return new RepairReport(done, CartridgeCheck.Run(file));
    }

    private static void Repair(ICartridgeFile file, List<string> done)
    {
        byte[] head = CheckpointReader.Head(file);
        List<Checkpoint> whole = CheckpointReader.Checkpoints(head);
        Checkpoint? newest = whole.MaxBy(checkpoint => checkpoint.Sequence);
        CartridgeLabel label = newest?.Label ?? CheckpointReader.LabelOf(head) ?? throw new MediumFaultException(
            new MediumFault(MediumFaultKind.DamagedFormat),
            $"{file.Path}: both checkpoints and the label are damaged; nothing says any more what this was");
        if (whole.Count < CartridgeFormat.CheckpointCount)
            done.Add("both checkpoints were written anew");
        if (CheckpointReader.LabelOf(head) is not { } found || found.Seed != label.Seed)
            done.Add("the label was written anew");
        var ends = new List<PartitionEnd>();
        for (int number = 0; number < label.Regions.Count; number++)
            ends.Add(RepairLog(file, label, number, newest, whole.Count == 1, done));
        if (done.Count == 0)
            return;
        var repaired = new Checkpoint(
            newest?.Sequence ?? 0, label, ends,
            newest?.Attributes ?? [.. ends.Select(_ => new SortedDictionary<ushort, MediumAttribute>())],
            ChangedStatistics(newest?.Statistics));
        file.Sync();
        for (int i = 0; i < CartridgeFormat.CheckpointCount; i++)
        {
            repaired = repaired with { Sequence = repaired.Sequence + 1 };
            file.Write(repaired.Encode(), Cartridge.PlaceOf(repaired.Sequence));
            file.Sync();
        }
        file.Write(Checkpoint.EncodeLabel(label), CartridgeFormat.LabelOffsetBytes);
        file.Sync();
    }

    /// <summary>Who knew the cartridge before shall not take it for what it was. Where nobody knows how often it had
    /// changed the number is one that it has hardly had.</summary>
    private static Dictionary<string, ulong> ChangedStatistics(IReadOnlyDictionary<string, ulong>? before) =>
        before is null
            ? new Dictionary<string, ulong>
            {
                [TapeCounts.ChangesName] = (ulong)RandomNumberGenerator.GetInt32(1 << 24, int.MaxValue),
            }
            : new Dictionary<string, ulong>(before)
            {
                [TapeCounts.ChangesName] = before.GetValueOrDefault(TapeCounts.ChangesName) + 1,
            };

    private static PartitionEnd RepairLog(
        ICartridgeFile file, CartridgeLabel label, int number, Checkpoint? newest, bool isAlone, List<string> done)
    {
        PartitionEnd known = newest?.Partitions[number] ?? new PartitionEnd(uint.MaxValue, LogEnd.Empty(label.Seed));
        var log = new PartitionLog(file, label, number, known);
        ulong limit = (ulong)Math.Clamp(
            file.LengthBytes - log.Region.StartBytes, 0, (long)log.Region.CapacityBytes);
        if (newest is not null && new OpenedCheckpoint(newest, isAlone, true, file.LengthBytes, file.Path).Fits(log))
        {
            log.End = new LogScanner(file, log).Follow(log.End, log.Epoch);
            try
            {
                RestoreNodes(file, log, done);
                return new PartitionEnd(Next(log.Epoch), log.End);
            }
            catch (MediumFaultException exception) when (exception.Fault.Kind == MediumFaultKind.DamagedFormat)
            {
                limit = log.End.Offset;
            }
        }
        var rebuilder = new LogRebuilder(file, log);
        LogEnd end = rebuilder.Run(limit);
        done.Add($"partition {number}: its log was followed from the beginning; it has {end.ObjectCount} objects"
            + (newest is null ? "" : $", its checkpoint said {known.End.ObjectCount}"));
        return new PartitionEnd(Next(newest is null ? rebuilder.Epoch : Math.Max(rebuilder.Epoch, known.Epoch)), end);
    }

    private static uint Next(uint epoch) => epoch == uint.MaxValue ? epoch : epoch + 1;

    /// <summary>A node is what its objects and older nodes say: if the checksum comes out as the pointers have it, it
    /// is what was there.</summary>
    private static void RestoreNodes(ICartridgeFile file, PartitionLog log, List<string> done)
    {
        for (ulong node = 1; node <= log.End.NodeCount; node++)
        {
            NodePointer pointer = log.PointerTo(node);
            if (log.ReadNode(node, pointer) is not null)
                continue;
            ulong first = (node - 1) * CartridgeFormat.IntervalObjects;
            ulong[] table = log.IntervalOf(first).Table;
            (NodePointer[] levels, NodePointer[] previous) = log.LevelsAt(node - 1);
            ObjectHeader? last = log.ReadHeader(Interval.OffsetOf(table[^1]));
            var due = new LogEnd(
                pointer.Offset, node * CartridgeFormat.IntervalObjects, pointer.FileNumber, pointer.SetNumber,
                last?.Checksum ?? 0, levels, previous, table);
            byte[] bytes = new byte[IndexNode.SizeBytesOf(node)];
            if (EntryWriter.WriteNode(bytes, due, log, last?.Epoch ?? 0) != pointer.Checksum)
                continue;
            file.Write(bytes, log.Region.StartBytes + (long)pointer.Offset);
            done.Add($"partition {log.Number}: index node {node} was written anew");
        }
    }
}

/// <summary>Follows a log from its beginning by what its entries say of themselves.</summary>
internal sealed class LogRebuilder(ICartridgeFile file, PartitionLog log)
{
    private readonly LogScanner _scanner = new(file, log);
    private LogEnd _end = LogEnd.Empty(log.Seed);
    private bool _isNodeDue;
    private bool _isChained = true;
    private ulong _limit;

    /// <summary>Of the last entry.</summary>
    public uint Epoch { get; private set; }

    /// <summary>Where it ends, at most at a limit.</summary>
    public LogEnd Run(ulong limit)
    {
        _limit = limit;
        while (_isNodeDue ? TakeNode() : TakeObject() || TakeGap())
        {
        }
        return _end;
    }

    private bool TakeObject()
    {
        if (Header() is not { } header || !IsNext(header) || header.Kind == EntryKind.IndexNode
            || (_isChained && header.PreviousChecksum != _end.Checksum))
            return false;
        Epoch = header.Epoch;
        Put(header.Kind, header.SizeBytes, header.Checksum);
        _isChained = true;
        return true;
    }

    /// <summary>The node that is there, or else a new one in its place.</summary>
    private bool TakeNode()
    {
        if (Header() is { Kind: EntryKind.IndexNode } header && IsNext(header) && _scanner.IsWhole(header)
            && header.SizeBytes == IndexNode.SizeBytesOf(_end.NodeCount))
        {
            _end = _end.WithNode(header.Checksum);
            _isNodeDue = false;
            return true;
        }
        return PutNode(log.Region.CapacityBytes);
    }

    private bool PutNode(ulong limit)
    {
        byte[] bytes = new byte[IndexNode.SizeBytesOf(_end.NodeCount)];
        if (_end.Offset + (ulong)bytes.Length > limit)
            return false;
        uint checksum = EntryWriter.WriteNode(bytes, _end, log, Epoch);
        file.Write(bytes, log.Region.StartBytes + (long)_end.Offset);
        _end = _end.WithNode(checksum);
        _isNodeDue = false;
        return true;
    }

    /// <summary>Damage: on to the next entry that can have come after it. What is missing is counted, and damaged.
    /// </summary>
    private bool TakeGap()
    {
        // A whole entry that is not chained to the last was there before that: the data ends here.
        if (Header() is not null && _isChained)
            return false;
        LogEnd before = _end;
        if (_scanner.FindNext(_end.Offset + CartridgeFormat.AlignmentBytes, _limit, MayFollow) is not { } next)
            return false;
        ulong lost = next.ObjectNumber - _end.ObjectCount;
        ulong files = next.FileNumber - _end.FileCount;
        ulong sets = next.SetNumber - _end.SetCount;
        for (; lost > 0; lost--)
        {
            EntryKind kind = lost > files + sets ? EntryKind.Record
                : lost > sets ? EntryKind.FileMark : EntryKind.SetMark;
            files -= kind == EntryKind.FileMark ? 1u : 0;
            sets -= kind == EntryKind.SetMark ? 1u : 0;
            Put(kind, CartridgeFormat.AlignmentBytes, 0);
            bool isItself = lost == 1 && next.Kind == EntryKind.IndexNode;
            if (_isNodeDue && !isItself && !PutNode(next.Offset))
            {
                (_end, _isNodeDue) = (before, false);
                return false;
            }
        }
        _end = _end with { Offset = next.Offset };
        _isChained = false;
        return true;
    }

    private void Put(EntryKind kind, ulong sizeBytes, uint checksum)
    {
        _end = _end.WithObject(kind, sizeBytes, checksum);
        _isNodeDue = _end.TailCount == 0;
    }

    private ObjectHeader? Header() =>
        _end.Offset + ObjectHeader.Bytes <= _limit && log.ReadHeader(_end.Offset) is { } header
        && header.Offset + header.SizeBytes <= CartridgeFormat.Align(_limit) ? header : null;

    private bool IsNext(in ObjectHeader header) =>
        header.ObjectNumber == _end.ObjectCount && header.FileNumber == _end.FileCount
        && header.SetNumber == _end.SetCount && header.Epoch >= Epoch;

    private bool MayFollow(ObjectHeader next)
    {
        ulong lost = next.ObjectNumber - _end.ObjectCount;
        return next.ObjectNumber >= _end.ObjectCount && next.FileNumber >= _end.FileCount
            && next.SetNumber >= _end.SetCount
            && next.FileNumber - _end.FileCount + (next.SetNumber - _end.SetCount) <= lost
            && lost <= (next.Offset - _end.Offset) / ObjectHeader.Bytes
            && next.Offset + next.SizeBytes <= CartridgeFormat.Align(_limit)
            && next.Epoch >= Epoch
            && (next.Kind != EntryKind.IndexNode || (lost > 0
                && next.ObjectNumber % CartridgeFormat.IntervalObjects == 0));
    }
}
