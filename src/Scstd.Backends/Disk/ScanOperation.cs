using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>Goes over a range piece by piece, with memory of its own for what it reads.</summary>
internal abstract class ScanOperation : DiskOperation
{
    /// <summary>Our choice: one segment of the pool's largest size.</summary>
    protected const int PieceBytes = BufferPool.MaxSegmentBytes;

    protected DataBuffer Scratch { get; } = new();

    /// <summary>The next block that nobody has looked at.</summary>
    protected ulong NextLba { get; set; }

    protected ulong BlocksLeft { get; set; }

    /// <summary>Of the piece in <see cref="Scratch"/>.</summary>
    protected int FetchedBlocks { get; private set; }

    protected int FetchedBytes => FetchedBlocks * Disk.BlockLengthBytes;

    /// <summary>Gets the next piece into <see cref="Scratch"/> and calls <see cref="DiskOperation.Step"/> when it is
    /// there.</summary>
    protected void Fetch()
    {
        FetchedBlocks = (int)Math.Min(BlocksLeft, (ulong)(PieceBytes / Disk.BlockLengthBytes));
        if (Disk.Store.IsInMemory)
        {
            Scratch.Return();
            Disk.Store.TryLend(NextLba, FetchedBlocks, Scratch);
            Account(FetchedBytes);
            Again();
            return;
        }
        if (Scratch.LengthBytes != FetchedBytes)
        {
            Scratch.Return();
            if (!TryLease(Scratch, FetchedBytes))
                return;
        }
        Ask(BlockRequestKind.Read, NextLba, (ulong)FetchedBlocks, Scratch);
    }

    protected void Fetched()
    {
        NextLba += (ulong)FetchedBlocks;
        BlocksLeft -= (ulong)FetchedBlocks;
        FetchedBlocks = 0;
    }

    protected override void Finished()
    {
        Scratch.Return();
        FetchedBlocks = 0;
    }

    /// <summary>MISCOMPARE DURING VERIFY OPERATION, with the offset of the first byte of the Data-Out that differs
    /// (SBC-4 §4.36).</summary>
    protected void EndMiscompared(long offsetBytes) =>
        EndWith(new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify)
        {
            Information = (ulong)offsetBytes,
        });
}

/// <summary>VERIFY (SBC-4 §5.38) and WRITE AND VERIFY (§5.47): the blocks are read, and compared if BYTCHK says so.
/// </summary>
internal sealed class VerifyOperation : ScanOperation
{
    private bool _isBegun;
    private int _byteCheck;
    private int _comparedBytes;

    protected override void Step()
    {
        if (!_isBegun)
        {
            Begin();
            return;
        }
        if (FetchedBlocks > 0)
        {
            int difference = Compare();
            if (difference >= 0)
            {
                EndMiscompared(difference);
                return;
            }
            Fetched();
        }
        if (BlocksLeft == 0)
            EndGood();
        else
            Fetch();
    }

    protected override void Finished()
    {
        base.Finished();
        _isBegun = false;
    }

    private void Begin()
    {
        _isBegun = true;
        _comparedBytes = 0;
        BlockRange range = BlockRange.Read(Command.Cdb);
        NextLba = range.Lba;
        bool writes = Command.Binding.Row.Has(CommandTraits.WritesMedium);
        // The blocks that came to be written may be fewer than the CDB asks for.
        BlocksLeft = writes ? (ulong)(Command.Data.LengthBytes / Disk.BlockLengthBytes) : range.Blocks;
        _byteCheck = new BlockCdb(Command.Cdb).ByteCheck;
        if (writes && BlocksLeft > 0)
            Ask(BlockRequestKind.WriteThrough, range.Lba, BlocksLeft, Command.Data);
        else
            Again();
    }

    /// <summary>Where in the Data-Out the first difference is, or −1.</summary>
    private int Compare()
    {
        switch (_byteCheck)
        {
            case 1:
                int difference = BufferBytes.FindDifference(Command.Data, _comparedBytes, Scratch, 0, FetchedBytes);
                int at = _comparedBytes;
                _comparedBytes += FetchedBytes;
                return difference < 0 ? -1 : at + difference;
            case 3:
                int block = Disk.BlockLengthBytes;
                for (int offset = 0; offset < FetchedBytes; offset += block)
                {
                    int inBlock = BufferBytes.FindDifference(Command.Data, 0, Scratch, offset, block);
                    if (inBlock >= 0)
                        return inBlock;
                }
                return -1;
            default:
                return -1;
        }
    }
}

/// <summary>PRE-FETCH (SBC-4 §5.10) of what the page cache can take.</summary>
internal sealed class PrefetchOperation : ScanOperation
{
    private bool _isBegun;

    protected override void Step()
    {
        if (!_isBegun)
        {
            _isBegun = true;
            BlockRange range = BlockRange.Read(Command.Cdb).ToEnd(Disk.BlockCount);
            NextLba = range.Lba;
            BlocksLeft = range.Blocks;
        }
        Fetched();
        if (BlocksLeft == 0)
            End(ScsiStatus.ConditionMet);
        else
            Fetch();
    }

    protected override void Finished()
    {
        base.Finished();
        _isBegun = false;
    }
}
