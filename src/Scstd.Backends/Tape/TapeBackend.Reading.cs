using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>READ and VERIFY, with implicit and with explicit addresses.</summary>
public sealed partial class TapeBackend
{
    private static readonly SenseData EndOfData =
        new(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected);

    /// <summary>SSC-4, READ (6): FIXED without a block length, and SILI with FIXED, are invalid fields; VERIFY has
    /// IMMED and BYTCMP in SILI's place.</summary>
    private SenseData? ValidateRead(ScsiCommand command)
    {
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        bool isRead = command.Binding.Row.Direction == DataDirection.In;
        if (transfer.IsFixed && transfer.BlockLengthBytes == 0)
            return SenseData.InvalidFieldInCdb(1, 0);
        if (isRead && transfer.IsFixed && transfer.SuppressesIncorrectLength)
            return SenseData.InvalidFieldInCdb(1, 1);
        return (isRead || Compares(transfer)) &&
            (long)transfer.Blocks * transfer.LengthOfEachBytes > MaxTransferLengthBytes
            ? SenseData.InvalidFieldInCdb(transfer.CountOffset) : JudgeAddress(transfer);
    }

    /// <summary>BYTCMP of a VERIFY.</summary>
    private static bool Compares(in TapeTransfer transfer) => (transfer.Flags & 0x02) != 0;

    /// <summary>PARTITION of an explicit address.</summary>
    private SenseData? JudgeAddress(in TapeTransfer transfer) =>
        transfer.IsExplicit && _view is { } view && transfer.Partition >= view.Partitions.Count
            ? SenseData.InvalidFieldInCdb(3) : null;

    private void Read(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        // SSC-4: a length of zero transfers nothing and moves nothing, an explicit address or not.
        if (transfer.Blocks == 0)
            command.Complete();
        else if (!transfer.IsExplicit && !_isDirty && _ahead is { } ahead)
            ReadOn(command, transfer, ahead);
        else
            Work(
                command, medium => Approach(command, transfer, medium),
                () => ReadOn(command, transfer, _ahead!.Value));
    }

    /// <summary>Brings the medium to where a read begins, and looks what lies there.</summary>
    private SenseData? Approach(ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium)
    {
        if (Flush(command, medium) is { } failed)
            return failed;
        if (transfer.IsExplicit && !IsAt(transfer, medium) &&
            !medium.Locate(transfer.Partition, transfer.ObjectNumber))
            return AtEndOfData(medium);
        _ahead = LookAhead(medium);
        return null;
    }

    private static bool IsAt(in TapeTransfer transfer, ITapeMedium medium) =>
        medium.Position.Partition == transfer.Partition && medium.Position.ObjectNumber == transfer.ObjectNumber;

    private static Ahead LookAhead(ITapeMedium medium)
    {
        TapePosition position = medium.Position;
        return new Ahead(
            medium.Peek(), medium.Partitions[position.Partition].ObjectCount - position.ObjectNumber);
    }

    /// <summary>Leases what the records that are there need, and no more: a transfer length may be anything.</summary>
    private void ReadOn(ScsiCommand command, TapeTransfer transfer, Ahead ahead)
    {
        long lengthBytes = ahead.Next.Kind != TapeObjectKind.Record ? 0 :
            transfer.IsFixed ? (long)Math.Min((ulong)transfer.Count, ahead.Left) * transfer.BlockLengthBytes :
            Math.Min(transfer.Count, ahead.Next.LengthBytes + ProtectionOfReadsBytes(command.Nexus));
        lengthBytes = Math.Min(lengthBytes, command.ExpectedDataInBytes);
        if (command.TryLeaseDataIn((int)lengthBytes))
            Work(command, medium => ReadRecords(command, transfer, medium));
    }

    private SenseData? ReadRecords(ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium)
    {
        SenseData? outcome = null;
        ulong before = medium.Position.BytesBefore;
        int done = 0;
        while (done < transfer.Blocks && outcome is null && !command.IsAborted)
            outcome = ReadRecord(command, transfer, medium, ref done);
        _counts.Read((ulong)command.DataInLengthBytes, medium.Position.BytesBefore - before);
        _ahead = TryLookAhead(medium);
        return outcome;
    }

    /// <summary>What is wrong with the next record is not this command's matter.</summary>
    private static Ahead? TryLookAhead(ITapeMedium medium)
    {
        try
        {
            return LookAhead(medium);
        }
        catch (MediumFaultException)
        {
            return null;
        }
    }

    private SenseData? ReadRecord(ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium, ref int done)
    {
        ulong left = transfer.Left(done);
        TapeObject next = medium.Peek();
        if (next.Kind != TapeObjectKind.Record)
            return AtNoRecord(next.Kind, left, medium);
        if (JudgeEncryption(command, next, out TapeKey? key) is { } encrypted)
            return encrypted with { Information = left };
        int offset = command.DataInLengthBytes;
        int wanted = transfer.LengthOfEachBytes;
        BlockProtection? protection = _pages.ProtectionOfReads(command.Nexus);
        int isLong = next.LengthBytes + (protection is null ? 0 : BlockProtection.LengthBytes);
        int room = Math.Max(0, Math.Min(command.Data.LengthBytes - offset, wanted));
        try
        {
            medium.Read(command.Data, offset, Math.Min(room, next.LengthBytes), key: key);
        }
        catch (MediumFaultException fault)
        {
            return Noted(command, medium, fault, left);
        }
        if (protection is not null && room > next.LengthBytes)
            protection.Append(command.Data, offset, next.LengthBytes, room - next.LengthBytes);
        command.DataInLengthBytes = offset + Math.Min(isLong, wanted);
        if (isLong != wanted && !IsSuppressed(transfer, isLong))
            return IncorrectLength(transfer, isLong, left);
        done++;
        return null;
    }

    /// <summary>SSC-4, READ (6), SILI: a shorter record is no matter; a longer one is none if there is no block length
    /// that it could be held against.</summary>
    private static bool IsSuppressed(in TapeTransfer transfer, int lengthBytes) =>
        !transfer.IsFixed && transfer.SuppressesIncorrectLength &&
        (lengthBytes < transfer.Count || transfer.BlockLengthBytes == 0);

    /// <summary>INFORMATION: blocks that were not read, without this one; or the bytes asked for less those that there
    /// are, which is negative for a longer record.</summary>
    private static SenseData IncorrectLength(in TapeTransfer transfer, int lengthBytes, ulong left) =>
        new(SenseKey.NoSense, AdditionalSense.None)
        {
            IncorrectLengthIndicator = true,
            Information = transfer.IsFixed ? left : (ulong)(long)(transfer.Count - lengthBytes),
        };

    /// <summary>A mark is passed, the end of data is not.</summary>
    private SenseData AtNoRecord(TapeObjectKind kind, ulong left, ITapeMedium medium)
    {
        if (kind == TapeObjectKind.None)
            return AtEndOfData(medium) with { Information = left };
        medium.Skip();
        return new SenseData(
            SenseKey.NoSense,
            kind == TapeObjectKind.SetMark ? AdditionalSense.SetmarkDetected : AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = left,
        };
    }

    /// <summary>EOM, too, where the data ends at or behind early warning.</summary>
    private SenseData AtEndOfData(ITapeMedium medium) => EndOfData with { EndOfMedium = IsPastEarlyWarning(medium) };

    // ---- VERIFY -----------------------------------------------------------------------------------------------------

    /// <summary>Reads without a transfer; with BYTCMP against what the initiator gives.</summary>
    private void Verify(ScsiCommand command)
    {
        if (TellDeferred(command))
            return;
        var transfer = new TapeTransfer(command.Cdb, _blockLengthBytes);
        bool compares = Compares(transfer);
        if (compares && command.Data.LengthBytes != (long)transfer.Blocks * transfer.LengthOfEachBytes)
        {
            command.CheckCondition(new SenseData(SenseKey.AbortedCommand, AdditionalSense.DataPhaseError));
            return;
        }
        if (transfer.Blocks == 0)
        {
            command.Complete();
            return;
        }
        var own = new DataBuffer();
        Work(command, medium => Approach(command, transfer, medium), () =>
        {
            int lengthBytes = compares && _ahead!.Value.Next.Kind == TapeObjectKind.Record
                ? Math.Min(transfer.LengthOfEachBytes, Personality.MaxBlockLengthBytes) : 0;
            if (lengthBytes > 0 && !own.TryLease(command.Nexus.Executor.Buffers, lengthBytes))
            {
                command.CompleteOverloaded();
                return;
            }
            Work(command, medium => VerifyRecords(command, transfer, medium, own, compares), ended: own.Return);
        });
    }

    private SenseData? VerifyRecords(
        ScsiCommand command, in TapeTransfer transfer, ITapeMedium medium, DataBuffer own, bool compares)
    {
        _ahead = null;
        for (int done = 0; done < transfer.Blocks && !command.IsAborted; done++)
        {
            ulong left = transfer.Left(done);
            TapeObject next = medium.Peek();
            if (next.Kind != TapeObjectKind.Record)
                return AtNoRecord(next.Kind, left, medium);
            if (JudgeEncryption(command, next, out TapeKey? key) is { } encrypted)
                return encrypted with { Information = left };
            int compared = compares ? Math.Min(next.LengthBytes, own.LengthBytes) : 0;
            try
            {
                medium.Read(own, 0, compared, key: key);
            }
            catch (MediumFaultException fault)
            {
                return Noted(command, medium, fault, left);
            }
            if (compares && BufferBytes.FindDifference(
                command.Data, done * transfer.LengthOfEachBytes, own, 0,
                Math.Min(compared, transfer.LengthOfEachBytes)) >= 0)
            {
                return new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify)
                {
                    Information = left,
                };
            }
            if (next.LengthBytes != transfer.LengthOfEachBytes)
                return IncorrectLength(transfer, next.LengthBytes, left);
        }
        return null;
    }
}
