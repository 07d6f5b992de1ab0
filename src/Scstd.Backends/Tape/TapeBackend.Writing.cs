using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>WRITE, WRITE FILEMARKS and ERASE, and where a write may be.</summary>
public sealed partial class TapeBackend
{
    /// <summary>Our choice: early warning leaves a fiftieth of a partition to write what a volume ends with, but no
    /// more than this.</summary>
    private const ulong MostBehindEarlyWarningBytes = 512UL * 1024 * 1024;

    /// <summary>And no less than two of the longest records, unless that is more than a tenth.</summary>
    private const ulong LeastBehindEarlyWarningBytes = 16UL * 1024 * 1024;

    private const int MostMarksAtOnce = 4096;
    private const ulong Megabyte = 1_000_000;

    /// <summary>What ALLOW OVERWRITE has allowed; until the next write or a change of the volume.</summary>
    private OverwriteAllowed? _overwrite;

    /// <summary>That the programmable early warning zone was entered was told since it was.</summary>
    private bool _isZoneTold;

    private readonly record struct OverwriteAllowed(bool IsFormat, int Partition, ulong ObjectNumber);

    private SenseData? ValidateWrite(ScsiCommand command)
    {
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        if (transfer.IsFixed && transfer.BlockLengthBytes == 0)
            return SenseData.InvalidFieldInCdb(1, 0);
        int length = transfer.LengthOfEachBytes - ProtectionOfWritesBytes(command.Nexus);
        if (transfer.Blocks > 0 && (length > Personality.MaxBlockLengthBytes || length <= 0))
            return SenseData.InvalidFieldInCdb(transfer.CountOffset);
        return JudgeAddress(transfer);
    }

    private SenseData? ValidateMarks(ScsiCommand command) =>
        JudgeAddress(new TapeTransfer(command.Cdb, _blockLengthBytes));

    private void Write(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        // A MODE SELECT that came in between has changed what the CDB means; the data are those of before.
        if (command.Data.LengthBytes != (long)transfer.Blocks * transfer.LengthOfEachBytes)
            command.CheckCondition(new SenseData(SenseKey.AbortedCommand, AdditionalSense.DataPhaseError));
        else if (transfer.Blocks == 0)
            command.Complete();
        else
            Work(command, medium => WriteRecords(command, transfer, medium));
    }

    private SenseData? WriteRecords(ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium)
    {
        if (BeginWrite(command, transfer, medium) is { } refused)
            return refused with { Information = transfer.Left(0) };
        bool wasBeforeEnd = !IsPastEarlyWarning(medium);
        var options = new WriteOptions(_pages.Compresses, KeyForWriting(command));
        ulong before = medium.Position.BytesBefore;
        SenseData? outcome = null;
        int done = 0;
        while (done < transfer.Blocks && outcome is null && !command.IsAborted)
            outcome = WriteRecord(command, transfer, medium, options, ref done);
        if (done > 0)
        {
            Wrote(command);
            int lengthBytes = transfer.LengthOfEachBytes - ProtectionOfWritesBytes(command.Nexus);
            _counts.Wrote((ulong)done * (uint)lengthBytes, medium.Position.BytesBefore - before);
        }
        return outcome ?? EndWrite(command, medium, isBuffered: true, wasBeforeEnd);
    }

    private SenseData? WriteRecord(
        ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium, in WriteOptions options, ref int done)
    {
        int offset = done * transfer.LengthOfEachBytes;
        int lengthBytes = transfer.LengthOfEachBytes - ProtectionOfWritesBytes(command.Nexus);
        if (_pages.ProtectionOfWrites(command.Nexus)?.Holds(command.Data, offset, lengthBytes) == false)
        {
            return new SenseData(SenseKey.HardwareError, AdditionalSense.LogicalBlockGuardCheckFailed)
            {
                Information = transfer.Left(done),
            };
        }
        try
        {
            if (!medium.Write(command.Data, offset, lengthBytes, options))
                return VolumeOverflow(transfer.Left(done));
        }
        catch (MediumFaultException fault)
        {
            return Noted(command, medium, fault, transfer.Left(done));
        }
        done++;
        return null;
    }

    private static SenseData VolumeOverflow(ulong left) =>
        new(SenseKey.VolumeOverflow, AdditionalSense.EndOfPartitionDetected)
        {
            EndOfMedium = true,
            Information = left,
        };

    private void Wrote(ScsiCommand command)
    {
        _isDirty = true;
        if (!_writers.Contains(command.Nexus))
            _writers = [.. _writers.Where(one => !one.IsEnding), command.Nexus];
        _overwrite = null;
    }

    /// <summary>Null: the medium stands where the command may write.</summary>
    private SenseData? BeginWrite(ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium)
    {
        _ahead = null;
        if (transfer.IsExplicit)
        {
            // The first of a sequence says where it begins; the others must follow it (SSC-4, tagged writes).
            if (transfer.IsFirstInSequence && !IsAt(transfer, medium) &&
                (Flush(command, medium) ?? JudgeLocate(medium, transfer)) is { } lost)
                return lost;
            if (!IsAt(transfer, medium))
                return SenseData.IllegalRequest(AdditionalSense.SequentialPositioningError);
        }
        if (JudgeWritable(command, medium) is { } refused)
            return refused;
        // BUFFERED MODE 2h: data of another initiator are on the medium before this one's are buffered.
        if (_bufferedMode == 0x20 && Array.Exists(_writers, one => !ReferenceEquals(one, command.Nexus)) &&
            Flush(command, medium) is { } failed)
            return failed;
        if (!_counts.HasChanged)
            KeepChange(command, medium);
        return null;
    }

    /// <summary>The cartridge says that it is another before it is.</summary>
    private void KeepChange(ScsiCommand command, ITapeMedium medium)
    {
        _counts.Change();
        try
        {
            Synchronize(medium, command.Nexus);
        }
        catch (MediumFaultException)
        {
            _counts.ReferenceTold();
            throw;
        }
    }

    private SenseData? JudgeLocate(ITapeMedium medium, in TapeTransfer transfer) =>
        medium.Locate(transfer.Partition, transfer.ObjectNumber) ? null : AtEndOfData(medium);

    /// <summary>Null: something may be written at the position.</summary>
    private SenseData? JudgeWritable(ScsiCommand command, ITapeMedium medium)
    {
        if (JudgeKeyLock(command.Nexus) is { } changed)
            return changed;
        MediumDescription description = medium.Description;
        if (!Personality.Writes(description.DensityCode))
            return new SenseData(SenseKey.DataProtect, AdditionalSense.CannotWriteMediumIncompatibleFormat);
        if (_pages.IsSoftwareWriteProtected)
            return Protected(AdditionalSense.LogicalUnitSoftwareWriteProtected);
        TapePosition position = medium.Position;
        if (IsAppendPoint(medium))
            return null;
        if (description.IsWorm)
            return Protected(AdditionalSense.WormMediumOverwriteAttempted, TapeAlert.WormOverwriteAttempted);
        bool isAllowed = !_pages.IsAppendOnly || _overwrite is { IsFormat: false } allowed &&
            allowed.Partition == position.Partition && allowed.ObjectNumber == position.ObjectNumber;
        return isAllowed ? null : Protected(AdditionalSense.OperatorSelectedWriteProtect);
    }

    private SenseData Protected(AdditionalSense how, TapeAlert alert = TapeAlert.WriteProtect)
    {
        Alert(alert);
        return new SenseData(SenseKey.DataProtect, how);
    }

    /// <summary>Where nothing may be overwritten, the marks may that the data ends with, but for the first of them
    /// (WORM MODE FILEMARKS RESTRICTIONS 2): a volume is closed with them and goes on behind the first.</summary>
    private static bool IsAppendPoint(ITapeMedium medium)
    {
        TapePosition position = medium.Position;
        TapePosition end = medium.EndOfData;
        if (position.ObjectNumber == end.ObjectNumber)
            return true;
        bool hasOnlyMarksBehind = end.ObjectNumber - position.ObjectNumber ==
            end.FileNumber - position.FileNumber + (end.SetNumber - position.SetNumber);
        return hasOnlyMarksBehind &&
            (position.ObjectNumber == 0 || medium.Peek(backwards: true).Kind == TapeObjectKind.FileMark);
    }

    /// <summary>Everything is written; what there is to say of where that ended.</summary>
    private SenseData? EndWrite(ScsiCommand command, ITapeMedium medium, bool isBuffered, bool wasBeforeEnd)
    {
        bool isPastEnd = IsPastEarlyWarning(medium);
        // BUFFERED MODE 0h: GOOD when it is on the medium. SEW: so is everything when early warning is met.
        if (!isBuffered || _bufferedMode == 0 || (isPastEnd && wasBeforeEnd && _pages.SynchronizesAtEarlyWarning))
            Synchronize(medium, command.Nexus);
        // The zone is told once, by the first write that ends in it or behind it, and before early warning itself.
        bool isInZone = !_isZoneTold && IsPastProgrammableWarning(medium);
        if (!isInZone && !isPastEnd)
            return null;
        _isZoneTold |= isInZone;
        AdditionalSense where = isInZone
            ? AdditionalSense.ProgrammableEarlyWarningDetected : AdditionalSense.EndOfPartitionDetected;
        return new SenseData(SenseKey.NoSense, where) { EndOfMedium = true, Information = 0 };
    }

    // ---- Marks ------------------------------------------------------------------------------------------------------

    /// <summary>SSC-4, WRITE FILEMARKS: without IMMED everything that is buffered is on the medium before GOOD, also
    /// with a count of zero.</summary>
    private void WriteFilemarks(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        bool isImmediate = (transfer.Flags & 0x01) != 0;
        Work(command, medium =>
        {
            if (transfer.Count == 0)
            {
                if (!isImmediate)
                    Synchronize(medium, command.Nexus);
                return null;
            }
            bool wasBeforeEnd = !IsPastEarlyWarning(medium);
            if (BeginWrite(command, transfer, medium) is { } refused)
                return refused with { Information = (ulong)transfer.Count };
            if (WriteMarks(command, transfer.Count, medium) is { } full)
                return full;
            return EndWrite(command, medium, isImmediate, wasBeforeEnd);
        });
    }

    /// <summary>A CDB may ask for sixteen million: an abort comes in between.</summary>
    private SenseData? WriteMarks(ScsiCommand command, int count, ITapeMedium medium)
    {
        for (int left = count; left > 0 && !command.IsAborted;)
        {
            int some = Math.Min(left, MostMarksAtOnce);
            try
            {
                if (!medium.WriteMarks(TapeObjectKind.FileMark, some))
                    return VolumeOverflow((ulong)left);
            }
            catch (MediumFaultException fault)
            {
                return Noted(command, medium, fault, (ulong)left);
            }
            Wrote(command);
            left -= some;
        }
        return null;
    }

    /// <summary>SSC-4, ERASE: the data ends at the position, and with LONG nothing of what was behind it is left. The
    /// position stays.</summary>
    private void Erase(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        bool isLong = (transfer.Flags & 0x01) != 0;
        Work(command, medium =>
        {
            if ((BeginWrite(command, transfer, medium) ?? Flush(command, medium)) is { } refused)
                return refused;
            medium.Erase(isLong, () => command.IsAborted);
            Wrote(command);
            Synchronize(medium, command.Nexus);
            return null;
        });
    }

    // ---- The end of a partition -------------------------------------------------------------------------------------

    private static bool IsPastEarlyWarning(ITapeMedium medium) => IsPastEarlyWarning(
        medium.Partitions[medium.Position.Partition], medium.Position);

    private static bool IsPastEarlyWarning(in PartitionDescription partition, in TapePosition position) =>
        position.BytesBefore >= EarlyWarningBytes(partition);

    private bool IsPastProgrammableWarning(ITapeMedium medium) => IsPastProgrammableWarning(
        medium.Partitions[medium.Position.Partition], medium.Position);

    /// <summary>PEWS megabytes before early warning; zero: there is no such zone.</summary>
    private bool IsPastProgrammableWarning(in PartitionDescription partition, in TapePosition position)
    {
        ulong zone = _pages.ProgrammableEarlyWarningMegabytes * Megabyte;
        ulong end = EarlyWarningBytes(partition);
        return zone > 0 && position.BytesBefore >= (zone >= end ? 0 : end - zone);
    }

    private static ulong EarlyWarningBytes(in PartitionDescription partition)
    {
        ulong capacity = partition.CapacityBytes;
        ulong least = Math.Min(LeastBehindEarlyWarningBytes, capacity / 10);
        return capacity - Math.Clamp(capacity / 50, least, MostBehindEarlyWarningBytes);
    }
}
