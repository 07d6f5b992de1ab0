using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>Which row is done by what: the commands of SBC-4 that this disk knows.</summary>
public sealed partial class DiskBackend
{
    private IEnumerable<CommandBinding> Bindings()
    {
        foreach (CommandRow row in (CommandRow[])[Sbc.Read6, Sbc.Read10, Sbc.Read12, Sbc.Read16, Sbc.Read32])
            yield return new(row, Read, ValidateTransfer, BlocksOf);
        foreach (CommandRow row in (CommandRow[])[Sbc.Write6, Sbc.Write10, Sbc.Write12, Sbc.Write16, Sbc.Write32])
            yield return new(row, Write, ValidateTransfer, BlocksOf);
        foreach (CommandRow row in (CommandRow[])
            [Sbc.WriteAndVerify10, Sbc.WriteAndVerify12, Sbc.WriteAndVerify16, Sbc.WriteAndVerify32])
            yield return new(row, Verify, ValidateWriteAndVerify, BlocksOf);
        foreach (CommandRow row in (CommandRow[])[Sbc.Verify10, Sbc.Verify12, Sbc.Verify16, Sbc.Verify32])
            yield return new(row, Verify, ValidateVerify, BlocksOf);
        foreach (CommandRow row in (CommandRow[])[Sbc.WriteSame10, Sbc.WriteSame16, Sbc.WriteSame32])
            yield return new(row, WriteSame, ValidateWriteSame, BlocksToEndOf);
        yield return new(Sbc.CompareAndWrite, CompareAndWrite, ValidateCompareAndWrite, BlocksOf);
        yield return new(Sbc.OrWrite16, OrWrite, ValidateTransfer, BlocksOf);
        yield return new(Sbc.SynchronizeCache10, SynchronizeCache, ValidateRange);
        yield return new(Sbc.SynchronizeCache16, SynchronizeCache, ValidateRange);
        yield return new(Sbc.Prefetch10, Prefetch, ValidateRange);
        yield return new(Sbc.Prefetch16, Prefetch, ValidateRange);
        yield return new(Sbc.ReadCapacity10, ReadCapacity10);
        yield return new(Sbc.ReadCapacity16, ReadCapacity16);
        yield return new(Sbc.StartStopUnit, StartStop, ValidateStartStop);
        yield return new(Sbc.PreventAllowMediumRemoval, _removal.PreventAllow, MediumRemoval.Validate);
        yield return new(Sbc.ReadDefectData10, ReadDefectData10);
        yield return new(Sbc.ReadDefectData12, ReadDefectData12);
        if (DiskLimits.MaxAtomicBlocks(Store) > 0)
            yield return new(Sbc.WriteAtomic16, WriteAtomic, ValidateWriteAtomic, BlocksOf);
        if (!IsThin)
            yield break;
        yield return new(Sbc.Unmap, command => LaneOf(command).Unmaps.Start(command));
        yield return new(Sbc.GetLbaStatus, command => LaneOf(command).LbaStatuses.Start(command), ValidateLbaStatus);
    }

    private static BlockExtent BlocksOf(ReadOnlySpan<byte> cdb)
    {
        BlockRange range = BlockRange.Read(cdb);
        return new BlockExtent(range.Lba, range.Blocks);
    }

    /// <summary>No blocks means all to the end (WRITE SAME).</summary>
    private BlockExtent BlocksToEndOf(ReadOnlySpan<byte> cdb)
    {
        BlockRange range = BlockRange.Read(cdb).ToEnd(BlockCount);
        return new BlockExtent(range.Lba, range.Blocks);
    }

    // ---- What is refused before any data is fetched ----------------------------------------------------------------

    private SenseData? ValidateRange(ScsiCommand command)
    {
        BlockRange range = BlockRange.Read(command.Cdb);
        return range.IsWithin(BlockCount) ? null : range.OutOfRange(BlockCount);
    }

    private SenseData? ValidateTransfer(ScsiCommand command)
    {
        BlockRange range = BlockRange.Read(command.Cdb);
        if (!range.IsWithin(BlockCount))
            return range.OutOfRange(BlockCount);
        return range.Blocks > (ulong)(DiskLimits.MaxTransferBytes / BlockLengthBytes) ? WrongLength(command) : null;
    }

    private static SenseData WrongLength(ScsiCommand command) =>
        SenseData.InvalidFieldInCdb(command.Binding.Row.LengthFieldOffset);

    /// <summary>BYTCHK 10b is reserved.</summary>
    private SenseData? ValidateVerify(ScsiCommand command) => new BlockCdb(command.Cdb).ByteCheck switch
    {
        1 => ValidateTransfer(command),
        2 => ReservedByteCheck(command),
        _ => ValidateRange(command),
    };

    /// <summary>BYTCHK 10b and 11b are reserved.</summary>
    private SenseData? ValidateWriteAndVerify(ScsiCommand command) =>
        new BlockCdb(command.Cdb).ByteCheck >= 2 ? ReservedByteCheck(command) : ValidateTransfer(command);

    /// <summary>DPO, FUA, BYTCHK and their like; SPC-4 §4.3.3: further on in the variable length CDBs.</summary>
    private static int FlagsOffset(ReadOnlySpan<byte> cdb) => cdb[0] == 0x7F ? 10 : 1;

    private static SenseData ReservedByteCheck(ScsiCommand command) =>
        SenseData.InvalidFieldInCdb(FlagsOffset(command.Cdb), 2);

    private SenseData? ValidateWriteSame(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        bool unmaps = new BlockCdb(cdb).Unmap;
        if (unmaps && !IsThin)
            return SenseData.InvalidFieldInCdb(FlagsOffset(cdb), 3);
        BlockRange range = BlockRange.Read(cdb);
        if (!range.IsWithin(BlockCount))
            return range.OutOfRange(BlockCount);
        // WSNZ 0: no blocks means all to the end, and the limit holds for that as well (SBC-4 §5.50.1).
        return range.ToEnd(BlockCount).Blocks > DiskLimits.MaxWriteSameBlocks || HasOtherLength(command)
            ? WrongLength(command) : null;
    }

    /// <summary>Longer than what is atomic: the length is the invalid field.</summary>
    private SenseData? ValidateWriteAtomic(ScsiCommand command) =>
        ValidateTransfer(command) ??
        (BlockRange.Read(command.Cdb).Blocks > (ulong)DiskLimits.MaxAtomicBlocks(Store) || HasOtherLength(command)
            ? WrongLength(command) : null);

    private SenseData? ValidateCompareAndWrite(ScsiCommand command) =>
        HasOtherLength(command) ? WrongLength(command) : ValidateRange(command);

    /// <summary>The initiator gives more than the CDB speaks of. Elsewhere the rest is a residual; where the Data-Out
    /// is a pattern or has two halves, the two do not mean the same blocks, and what would be written is not what was
    /// meant.</summary>
    private static bool HasOtherLength(ScsiCommand command) => command.ExpectedDataOutBytes > command.RequestedBytes;

    private SenseData? ValidateLbaStatus(ScsiCommand command)
    {
        BlockRange first = BlockRange.Read(command.Cdb) with { Blocks = 1 };
        return first.IsWithin(BlockCount) ? null : first.OutOfRange(BlockCount);
    }

    // ---- What is done ----------------------------------------------------------------------------------------------

    private void Read(ScsiCommand command)
    {
        BlockRange range = BlockRange.Read(command.Cdb);
        if (range.Blocks == 0)
        {
            command.Complete();
        }
        else if (MayLend && Store.TryLend(range.Lba, (int)range.Blocks, command.Data))
        {
            command.Data.CountAs(LaneOf(command).Lent);
            if (!command.TryLeaseCopy())
                return;
            command.DataInLengthBytes = command.Data.LengthBytes;
            command.Complete();
        }
        else
        {
            LaneOf(command).Reads.Start(command);
        }
    }

    /// <summary>What is lent shows writes that come before it is sent. That is any two commands' right that are under
    /// way together, but not where initiators rely on COMPARE AND WRITE: a reader must see its blocks before or after,
    /// and never half of each.</summary>
    private bool MayLend => !_isComparedAndWritten;

    private void Write(ScsiCommand command)
    {
        if (command.Data.IsEmpty)
            command.Complete();
        else
            LaneOf(command).Writes.Start(command);
    }

    private void Verify(ScsiCommand command) => LaneOf(command).Verifies.Start(command);

    private void WriteSame(ScsiCommand command) => LaneOf(command).WriteSames.Start(command);

    private void CompareAndWrite(ScsiCommand command) => StartUnseen(command, LaneOf(command).CompareAndWrites);

    /// <summary>To a memory disk a write is all or nothing: it ends with the daemon, and its blocks are held.</summary>
    private void WriteAtomic(ScsiCommand command) => StartUnseen(command, LaneOf(command).Writes);

    /// <summary>No reader may see a half of it.</summary>
    private void StartUnseen(ScsiCommand command, OperationPool operations)
    {
        if (command.Data.IsEmpty)
            command.Complete();
        else if (_nothingIsLent)
            operations.Start(command);
        else
            EndLending(command, operations);
    }

    /// <summary>The first COMPARE AND WRITE or WRITE ATOMIC: from now on nothing is lent, and what was lent before must
    /// have been sent, or a reader might see half of each. That waits for initiators, once in the life of a disk, and
    /// only where its memory was lent.</summary>
    private void EndLending(ScsiCommand command, OperationPool operations)
    {
        _isComparedAndWritten = true;
        DiskLane own = LaneOf(command);
        int left = _lanes.Length;
        foreach (DiskLane lane in _lanes)
            lane.Reactor.Post(() => lane.Lent.WhenNone(() => own.Reactor.Post(Returned)));

        void Returned()
        {
            if (--left > 0)
                return;
            _nothingIsLent = true;
            operations.Start(command);
        }
    }

    private void OrWrite(ScsiCommand command)
    {
        if (command.Data.IsEmpty)
            command.Complete();
        else
            LaneOf(command).OrWrites.Start(command);
    }

    /// <summary>The whole store is flushed, whatever the range: what was asked for is part of it.</summary>
    private void SynchronizeCache(ScsiCommand command)
    {
        DiskLane lane = LaneOf(command);
        if (!Store.HasVolatileCache)
        {
            command.Complete();
        }
        else if (new BlockCdb(command.Cdb).Immediate)
        {
            lane.Background.Start();
            command.Complete();
        }
        else
        {
            lane.Flushes.Start(command);
        }
    }

    /// <summary>CONDITION MET: all of it is in the cache now. GOOD: it need not be (SBC-4 §5.10).</summary>
    private void Prefetch(ScsiCommand command)
    {
        BlockRange range = BlockRange.Read(command.Cdb).ToEnd(BlockCount);
        if (Store.IsInMemory)
            command.Complete(ScsiStatus.ConditionMet);
        else if (_options.Direct || new BlockCdb(command.Cdb).Immediate ||
            range.Blocks > (ulong)(DiskLimits.MaxPrefetchBytes / BlockLengthBytes))
            command.Complete();
        else
            LaneOf(command).Prefetches.Start(command);
    }
}
