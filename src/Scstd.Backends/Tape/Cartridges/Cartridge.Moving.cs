using Scstd.Core;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Moving: by the index, O(log n).</summary>
public sealed partial class Cartridge
{
    public bool Locate(int partition, ulong objectNumber) => Moved(() =>
    {
        PartitionLog log = LogOf(partition);
        bool exists = objectNumber <= log.End.ObjectCount;
        Stand(partition, exists ? log.CursorAt(objectNumber) : log.EndCursor);
        return exists;
    });

    public bool LocateFile(int partition, ulong fileNumber) => Moved(() =>
    {
        PartitionLog log = LogOf(partition);
        bool exists = fileNumber <= log.End.FileCount;
        Stand(partition, !exists ? log.EndCursor
            : fileNumber == 0 ? Cursor.Beginning
            : log.CursorAt(log.FindMark(EntryKind.FileMark, fileNumber - 1) + 1));
        return exists;
    });

    public SpaceResult Space(SpaceUnit unit, long count, Func<bool>? isGivenUp = null) => Moved(() =>
    {
        if (unit == SpaceUnit.EndOfData)
        {
            _at = Log.EndCursor;
            return new SpaceResult(SpaceStop.Done, 0);
        }
        if (count == 0)
            return new SpaceResult(SpaceStop.Done, 0);
        ulong left = count < 0 ? (ulong)-(count + 1) + 1 : (ulong)count;
        bool backwards = count < 0;
        return unit switch
        {
            SpaceUnit.Records => backwards ? RecordsBackwards(left) : RecordsForwards(left),
            SpaceUnit.FileMarks => Marks(EntryKind.FileMark, left, backwards),
            SpaceUnit.SetMarks => Marks(EntryKind.SetMark, left, backwards),
            SpaceUnit.SequentialFileMarks => Run(EntryKind.FileMark, left, backwards, isGivenUp),
            _ => Run(EntryKind.SetMark, left, backwards, isGivenUp),
        };
    });

    private static SpaceStop StopOf(EntryKind mark) =>
        mark == EntryKind.FileMark ? SpaceStop.FileMark : SpaceStop.SetMark;

    private SpaceResult RecordsForwards(ulong count)
    {
        PartitionLog log = Log;
        ulong target = _at.Object + count;
        (ulong Object, EntryKind Kind)? mark = Nearer(
            NextMark(EntryKind.FileMark), NextMark(EntryKind.SetMark), backwards: false);
        if (mark is { } stop && stop.Object < target)
        {
            ulong left = target - stop.Object;
            _at = log.CursorAt(stop.Object + 1);
            return new SpaceResult(StopOf(stop.Kind), left);
        }
        if (target > log.End.ObjectCount)
        {
            _at = log.EndCursor;
            return new SpaceResult(SpaceStop.EndOfData, target - log.End.ObjectCount);
        }
        _at = log.CursorAt(target);
        return new SpaceResult(SpaceStop.Done, 0);
    }

    private SpaceResult RecordsBackwards(ulong count)
    {
        PartitionLog log = Log;
        (ulong Object, EntryKind Kind)? mark = Nearer(
            PreviousMark(EntryKind.FileMark), PreviousMark(EntryKind.SetMark), backwards: true);
        if (mark is { } stop && count > _at.Object - 1 - stop.Object)
        {
            ulong left = count - (_at.Object - 1 - stop.Object);
            _at = log.CursorAt(stop.Object);
            return new SpaceResult(StopOf(stop.Kind), left);
        }
        if (count > _at.Object)
        {
            ulong left = count - _at.Object;
            _at = Cursor.Beginning;
            return new SpaceResult(SpaceStop.BeginningOfPartition, left);
        }
        _at = log.CursorAt(_at.Object - count);
        return new SpaceResult(SpaceStop.Done, 0);
    }

    /// <summary>Over marks of a kind. A setmark ends the spacing over filemarks: it stands above them.</summary>
    private SpaceResult Marks(EntryKind kind, ulong count, bool backwards)
    {
        PartitionLog log = Log;
        ulong before = CountOf(kind, _at);
        ulong there = backwards ? before : CountOf(kind, log.EndCursor) - before;
        ulong? target = count > there ? null : log.FindMark(kind, backwards ? before - count : before + count - 1);
        (ulong Object, EntryKind Kind)? setMark = kind == EntryKind.SetMark ? null
            : backwards ? PreviousMark(EntryKind.SetMark) : NextMark(EntryKind.SetMark);
        if (setMark is { } stop && (target is null || (backwards ? stop.Object > target : stop.Object < target)))
        {
            Cursor at = log.CursorAt(backwards ? stop.Object : stop.Object + 1);
            ulong passed = backwards ? before - CountOf(kind, at) : CountOf(kind, at) - before;
            _at = at;
            return new SpaceResult(SpaceStop.SetMark, count - passed);
        }
        if (target is not { } found)
        {
            _at = backwards ? Cursor.Beginning : log.EndCursor;
            return new SpaceResult(
                backwards ? SpaceStop.BeginningOfPartition : SpaceStop.EndOfData, count - there);
        }
        _at = log.CursorAt(backwards ? found : found + 1);
        return new SpaceResult(SpaceStop.Done, 0);
    }

    /// <summary>To the far side of the first run of so many marks; not O(log n), for it looks at each mark.</summary>
    private SpaceResult Run(EntryKind kind, ulong count, bool backwards, Func<bool>? isGivenUp)
    {
        PartitionLog log = Log;
        ulong end = CountOf(kind, log.EndCursor);
        ulong run = 0;
        ulong last = 0;
        for (ulong ordinal = CountOf(kind, _at); backwards ? ordinal > 0 : ordinal < end;)
        {
            if (isGivenUp?.Invoke() == true)
                return new SpaceResult(SpaceStop.Done, count);
            ulong found = log.FindMark(kind, backwards ? --ordinal : ordinal++);
            bool follows = run > 0 && (backwards ? found + 1 == last : found == last + 1);
            run = follows ? run + 1 : 1;
            last = found;
            if (run == count)
            {
                _at = log.CursorAt(backwards ? found : found + 1);
                return new SpaceResult(SpaceStop.Done, 0);
            }
        }
        _at = backwards ? Cursor.Beginning : log.EndCursor;
        return new SpaceResult(backwards ? SpaceStop.BeginningOfPartition : SpaceStop.EndOfData, count);
    }

    private static ulong CountOf(EntryKind kind, in Cursor at) => kind == EntryKind.FileMark ? at.File : at.Set;

    private (ulong Object, EntryKind Kind)? NextMark(EntryKind kind) =>
        CountOf(kind, _at) < CountOf(kind, Log.EndCursor) ? (Log.FindMark(kind, CountOf(kind, _at)), kind) : null;

    private (ulong Object, EntryKind Kind)? PreviousMark(EntryKind kind) =>
        CountOf(kind, _at) > 0 ? (Log.FindMark(kind, CountOf(kind, _at) - 1), kind) : null;

    private static (ulong Object, EntryKind Kind)? Nearer(
        (ulong Object, EntryKind Kind)? left, (ulong Object, EntryKind Kind)? right, bool backwards) =>
        left is null ? right
        : right is null ? left
        : left.Value.Object < right.Value.Object != backwards ? left : right;

    private void Stand(int partition, in Cursor at) => (_partition, _at) = (partition, at);

    private T Moved<T>(Func<T> move)
    {
        RequireOpen();
        return Guarded(_file, move);
    }
}
