using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>COMPARE AND WRITE (SBC-4 §5.3): alone on its blocks, so nothing comes between the
/// two.</summary>
internal sealed class CompareAndWriteOperation : ScanOperation
{
    private bool _isBegun;
    private bool _isWritten;

    protected override void Step()
    {
        if (_isWritten)
        {
            EndGood();
        }
        else if (!_isBegun)
        {
            _isBegun = true;
            BlockRange range = BlockRange.Read(Command.Cdb);
            NextLba = range.Lba;
            BlocksLeft = range.Blocks;
            // The most blocks that byte 13 can say fit into one piece.
            Fetch();
        }
        else
        {
            CompareThenWrite();
        }
    }

    protected override void Finished()
    {
        base.Finished();
        _isBegun = _isWritten = false;
    }

    private void CompareThenWrite()
    {
        int difference = BufferBytes.FindDifference(Command.Data, 0, Scratch, 0, FetchedBytes);
        if (difference >= 0)
        {
            EndMiscompared(difference);
            return;
        }
        _isWritten = true;
        Ask(Disk.KindOfWrite(new BlockCdb(Command.Cdb).Fua), NextLba, (ulong)FetchedBlocks, Command.Data, FetchedBytes);
    }
}

/// <summary>ORWRITE (SBC-4 §5.13): reads, ORs with the Data-Out, writes; alone on its blocks.</summary>
internal sealed class OrWriteOperation : ScanOperation
{
    private bool _isBegun;
    private bool _isWritten;
    private int _doneBytes;

    protected override void Step()
    {
        if (_isWritten)
        {
            EndGood();
            return;
        }
        if (!_isBegun)
        {
            _isBegun = true;
            _doneBytes = 0;
            BlockRange range = BlockRange.Read(Command.Cdb);
            NextLba = range.Lba;
            BlocksLeft = range.Blocks;
        }
        else
        {
            BufferBytes.Or(Command.Data, _doneBytes, Scratch, 0, FetchedBytes);
            _doneBytes += FetchedBytes;
            Fetched();
        }
        if (BlocksLeft > 0)
        {
            Fetch();
            return;
        }
        _isWritten = true;
        BlockRange all = BlockRange.Read(Command.Cdb);
        Ask(Disk.KindOfWrite(new BlockCdb(Command.Cdb).Fua), all.Lba, all.Blocks, Command.Data);
    }

    protected override void Finished()
    {
        base.Finished();
        _isBegun = _isWritten = false;
    }
}

/// <summary>WRITE SAME (SBC-4 §5.50): the same block to a whole range, or nothing at all where zeros may be unmapped.
/// </summary>
internal sealed class WriteSameOperation : ScanOperation
{
    private bool _isBegun;
    private bool _isUnmapping;
    private bool _isUnmapAsked;

    protected override void Step()
    {
        if (!_isBegun)
        {
            Begin();
            return;
        }
        if (_isUnmapping)
        {
            GoOnUnmapping();
            return;
        }
        if (BlocksLeft == 0)
        {
            EndGood();
            return;
        }
        ulong blocks = Math.Min(BlocksLeft, (ulong)(Scratch.LengthBytes / Disk.BlockLengthBytes));
        ulong lba = NextLba;
        NextLba += blocks;
        BlocksLeft -= blocks;
        Ask(Disk.KindOfWrite(forcesUnitAccess: false), lba, blocks, Scratch);
    }

    protected override void Finished()
    {
        base.Finished();
        _isBegun = _isUnmapAsked = false;
    }

    private void Begin()
    {
        _isBegun = true;
        BlockRange range = BlockRange.Read(Command.Cdb).ToEnd(Disk.BlockCount);
        NextLba = range.Lba;
        BlocksLeft = range.Blocks;
        bool zeros = new BlockCdb(Command.Cdb).NoDataOutBuffer ||
            BufferBytes.IsZero(Command.Data, Disk.BlockLengthBytes);
        _isUnmapping = new BlockCdb(Command.Cdb).Unmap && zeros;
        if (_isUnmapping)
            Again();
        else
            BeginWriting(zeros);
    }

    private void BeginWriting(bool zeros)
    {
        int block = Disk.BlockLengthBytes;
        if (BlocksLeft > 0)
        {
            int lengthBytes = (int)Math.Min(BlocksLeft, (ulong)(PieceBytes / block)) * block;
            if (!TryLease(Scratch, lengthBytes))
                return;
            if (zeros)
                BufferBytes.Clear(Scratch, 0, lengthBytes);
            else
                BufferBytes.Repeat(Command.Data, block, Scratch);
        }
        Again();
    }

    /// <summary>The range reads as zeros afterwards (LBPRZ): that is what was asked for. What cannot be unmapped is
    /// written (SBC-4 §5.50).</summary>
    private void GoOnUnmapping()
    {
        if (_isUnmapAsked)
        {
            _isUnmapAsked = false;
            if (IsUnmapRefused)
            {
                _isUnmapping = false;
                BeginWriting(zeros: true);
                return;
            }
            NextLba += Blocks;
            BlocksLeft -= Blocks;
        }
        if (BlocksLeft > 0)
        {
            _isUnmapAsked = true;
            Ask(BlockRequestKind.Unmap, NextLba, BlocksLeft);
        }
        else if (Disk.IsWriteThrough && Kind == BlockRequestKind.Unmap)
        {
            Ask(BlockRequestKind.Flush, 0, 0);
        }
        else
        {
            EndGood();
        }
    }
}
