using System.Text;
using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What survives: synchronising, erasing, formatting, medium auxiliary memory.</summary>
public sealed partial class Cartridge
{
    /// <summary>Our choice: between two looks whether an erase was given up.</summary>
    private const long ErasedAtOnceBytes = 1L << 30;

    private const int OverwrittenAtOnceBytes = 1 << 20;

    /// <summary>Sequence number and checksum of a checkpoint are new each time; what is behind tells whether there is
    /// anything new.</summary>
    private const int ContentAt = 40;

    /// <summary>Our choice: what was written behind the last checkpoint is read when the cartridge is opened after a
    /// crash, and that takes seconds at the most.</summary>
    internal ulong CoveredAtLeastEveryBytes { get; set; } = 4UL << 30;

    /// <summary>Behind the last checkpoint.</summary>
    private ulong _uncoveredBytes;

    /// <summary>Something behind the end must not be taken in by a recovery.</summary>
    private bool _mustCover;

    private Checkpoint _covered;
    private byte[] _saved;
    private bool _hasUnsyncedData;
    private bool _isLabelCurrent;
    private MediumFaultException? _lost;

    public void Synchronize() => Guarded(_file, () =>
    {
        RequireNothingLost();
        if (_file.IsReadOnly)
            return true;
        SyncData();
        if (_mustCover || !Encode(out _).AsSpan(ContentAt).SequenceEqual(_saved.AsSpan(ContentAt)))
            SaveCheckpoint();
        return true;
    });

    public void Erase(bool isLong, Func<bool> isGivenUp) => Guarded(_file, () =>
    {
        RequireWritable();
        _header = null;
        // Also where the data ends already: what a crash left behind must not come back.
        Cut();
        if (isLong)
            Overwrite(Log, isGivenUp);
        return true;
    });

    public void Format(IReadOnlyList<ulong> partitionCapacitiesBytes) => Guarded(_file, () =>
    {
        RequireWritable();
        Invariant.That(
            partitionCapacitiesBytes.Count is > 0 and <= CartridgeFormat.PartitionsMax
            && CartridgeFiles.Fit(partitionCapacitiesBytes, _label.Medium.CapacityBytes),
            "partitions are no larger than the cartridge");
        if (_label.Medium.IsWorm && _logs.Any(log => log.End.ObjectCount > 0))
            throw Fault(MediumFaultKind.WriteProtected, "a WORM cartridge: its records would be lost");
        CartridgeLabel label = _label;
        PartitionLog[] logs = _logs;
        SortedDictionary<ushort, MediumAttribute>[] attributes = _attributes;
        uint epoch = _logs.Max(log => log.Epoch);
        _label = _label with
        {
            Seed = NewSeed(_label.Seed),
            Regions = CartridgeLabel.Lay(partitionCapacitiesBytes),
        };
        _logs =
        [
            .. partitionCapacitiesBytes.Select((_, number) => new PartitionLog(
                _file, _label, number, new PartitionEnd(epoch, LogEnd.Empty(_label.Seed)))),
        ];
        _attributes = [_attributes[0], .. partitionCapacitiesBytes.Skip(1).Select(_ => NoAttributes())];
        try
        {
            SaveCheckpoint();
        }
        catch
        {
            (_label, _logs, _attributes) = (label, logs, attributes);
            throw;
        }
        (_partition, _at, _header, _hasUnsyncedData, _isLabelCurrent) = (0, Cursor.Beginning, null, false, false);
        foreach (PartitionLog log in _logs)
            GiveBack(log.Region, 0);
        KeepLabel();
        return true;
    });

    public IReadOnlyList<MediumAttribute> Attributes(int partition) => [.. _attributes[LogOf(partition).Number].Values];

    public void SetAttributes(int partition, IReadOnlyList<MediumAttribute> attributes)
    {
        RequireNothingLost();
        if (_file.IsReadOnly)
            throw Fault(MediumFaultKind.WriteProtected, "the file may only be read");
        int number = LogOf(partition).Number;
        SortedDictionary<ushort, MediumAttribute> before = _attributes[number];
        var after = new SortedDictionary<ushort, MediumAttribute>(before);
        foreach (MediumAttribute attribute in attributes)
        {
            if (attribute.Value.IsEmpty)
                after.Remove(attribute.Identifier);
            else
                after[attribute.Identifier] = attribute with { Value = attribute.Value.ToArray() };
        }
        _attributes[number] = after;
        try
        {
            if (_attributes.Sum(all => all.Values.Sum(one => one.Value.Length + 5)) > CartridgeFormat.AttributeBytesMax)
            {
                throw new MediumFaultException(
                    new MediumFault(MediumFaultKind.Store, ErrorNumber.NoSpace),
                    $"{_file.Path}: its attributes would take more than {CartridgeFormat.AttributeBytesMax} bytes");
            }
            Synchronize();
        }
        catch
        {
            _attributes[number] = before;
            throw;
        }
    }

    private static SortedDictionary<ushort, MediumAttribute> NoAttributes() => [];

    /// <summary>What was written is on stable storage.</summary>
    private void SyncData()
    {
        if (!_hasUnsyncedData)
            return;
        try
        {
            _file.Sync();
        }
        catch (LinuxException exception)
        {
            Lose(exception);
            throw;
        }
        _hasUnsyncedData = false;
    }

    /// <summary>Everything that was written, which is on stable storage, belongs to the tape from now on.</summary>
    private void SaveCheckpoint()
    {
        // Of an epoch that was begun before the cartridge was opened, or in which a write failed, something may stand
        // behind the end.
        foreach (PartitionLog log in _logs.Where(log => !log.IsAppending && log.Epoch < uint.MaxValue))
            log.BeginEpoch(log.End);
        byte[] bytes = Encode(out Checkpoint checkpoint);
        try
        {
            _file.Write(bytes, PlaceOf(checkpoint.Sequence));
            _file.Sync();
        }
        catch (LinuxException exception)
        {
            // Which of the two counts cannot be known before they are read again.
            Lose(exception);
            throw;
        }
        (_covered, _saved) = (checkpoint, bytes);
        _uncoveredBytes = 0;
        _mustCover = false;
    }

    private byte[] Encode(out Checkpoint checkpoint)
    {
        Invariant.That(
            _statistics.Count <= CartridgeFormat.StatisticsMax && _statistics.Keys.All(
                name => Encoding.UTF8.GetByteCount(name) <= CartridgeFormat.StatisticNameBytesMax),
            "there are few statistics, with short names");
        checkpoint = new Checkpoint(
            _covered.Sequence + 1, _label, [.. _logs.Select(log => log.Now)], _attributes, _statistics);
        return checkpoint.Encode();
    }

    /// <summary>
    /// What could not be brought to stable storage may be there or not, and the kernel takes it for written: a second
    /// try would say so and be wrong. So nothing is written any more until the cartridge is opened again; and that it
    /// then ends where the last checkpoint says, a new one is to say, if it can be written.
    /// </summary>
    private void Lose(LinuxException exception)
    {
        if (_lost is not null)
            return;
        _lost = CartridgeFiles.Fault(_file.Path, exception);
        try
        {
            Checkpoint covered = _covered with
            {
                Sequence = _covered.Sequence + 1,
                Partitions =
                [
                    .. _covered.Partitions.Select(end => end with { Epoch = Math.Max(end.Epoch, end.Epoch + 1) }),
                ],
            };
            _file.Write(covered.Encode(), PlaceOf(covered.Sequence));
            _file.Sync();
        }
        catch (LinuxException)
        {
            // The file cannot be written at all.
        }
    }

    private void RequireNothingLost()
    {
        RequireOpen();
        if (_lost is { } lost)
        {
            throw new MediumFaultException(
                lost.Fault, $"{lost.Message}; before that, and not written any more until it is loaded again", lost);
        }
    }

    /// <summary>What lies in a region from an offset on takes no room any more; only that, so a failure is none.
    /// </summary>
    private bool GiveBack(PartitionRegion region, ulong offset)
    {
        long start = region.StartBytes + (long)offset;
        long end = Math.Min(region.EndBytes, _file.LengthBytes);
        try
        {
            return start >= end || _file.TryPunchHole(start, end - start);
        }
        catch (LinuxException)
        {
            return false;
        }
    }

    /// <summary>Nothing of what was behind the end of data can be read any more.</summary>
    private void Overwrite(PartitionLog log, Func<bool> isGivenUp)
    {
        long end = Math.Min(log.Region.EndBytes, _file.LengthBytes);
        long at = log.Region.StartBytes + (long)log.End.Offset;
        bool punches = true;
        byte[] zeros = [];
        while (at < end && !isGivenUp())
        {
            long length = Math.Min(end - at, punches ? ErasedAtOnceBytes : OverwrittenAtOnceBytes);
            punches = punches && _file.TryPunchHole(at, length);
            if (!punches)
            {
                // A hole has nothing to be overwritten; ends at even places, or it would make the data it finds next.
                at = Math.Max(at, _file.NextData(at) ?? end);
                length = Math.Min(end - at, OverwrittenAtOnceBytes - (at % OverwrittenAtOnceBytes));
                if (length <= 0)
                    break;
                zeros = zeros.Length == 0 ? new byte[OverwrittenAtOnceBytes] : zeros;
                _file.Write(zeros.AsSpan(0, (int)length), at);
            }
            at += length;
        }
        _hasUnsyncedData = true;
        SyncData();
    }

    /// <summary>The label says the same as the checkpoint. Nothing depends on it as long as there is one.</summary>
    private void KeepLabel()
    {
        if (_isLabelCurrent)
            return;
        try
        {
            _file.Write(Checkpoint.EncodeLabel(_label), CartridgeFormat.LabelOffsetBytes);
            (_isLabelCurrent, _hasUnsyncedData) = (true, true);
        }
        catch (LinuxException)
        {
            // The next change tries again.
        }
    }
}
