using System.Numerics;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>READ (SBC-4 §5.15 and its longer forms) from a store that has no memory to lend. A long one is read in
/// pieces, all at once; what is there from the beginning on is sent while the rest is still being read.</summary>
internal sealed class ReadOperation : DiskOperation
{
    /// <summary>Our choice: a piece is worth an operation of its own, and no more PDUs than without.</summary>
    private const int ReadPieceBytes = 256 * 1024;

    private bool _isFlushed;
    private bool _isRead;

    /// <summary>One bit for each piece that was read: <see cref="DiskLimits.MaxTransferBytes"/> has half as many.
    /// </summary>
    private ulong _pieces;

    public override int PieceLengthBytes => ReadPieceBytes;

    /// <summary>The last piece goes with the status.</summary>
    public override void PieceRead(long startBytes)
    {
        if (Data!.LengthBytes <= ReadPieceBytes)
            return;
        _pieces |= 1UL << (int)(startBytes / ReadPieceBytes);
        int readyBytes = BitOperations.TrailingZeroCount(~_pieces) * ReadPieceBytes;
        if (readyBytes > 0 && readyBytes < Data.LengthBytes)
            Command.SendDataIn(readyBytes);
    }

    protected override void Step()
    {
        if (_isRead)
        {
            Command.DataInLengthBytes = Command.Data.LengthBytes;
            EndGood();
            return;
        }
        // FUA: what a volatile cache has and the medium has not is written first.
        if (!_isFlushed && Disk.HasVolatileWrites && new BlockCdb(Command.Cdb).Fua)
        {
            _isFlushed = true;
            Ask(BlockRequestKind.Flush, 0, 0);
            return;
        }
        BlockRange range = BlockRange.Read(Command.Cdb);
        if (!TryLease(Command.Data, (int)range.Blocks * Disk.BlockLengthBytes))
            return;
        _isRead = true;
        Ask(BlockRequestKind.Read, range.Lba, range.Blocks, Command.Data);
    }

    protected override void Finished()
    {
        _isFlushed = _isRead = false;
        _pieces = 0;
    }
}

/// <summary>WRITE (SBC-4 §5.44 and its longer forms).</summary>
internal sealed class WriteOperation : DiskOperation
{
    private bool _isWritten;

    protected override void Step()
    {
        if (_isWritten)
        {
            EndGood();
            return;
        }
        _isWritten = true;
        // The blocks that came, which may be fewer than the CDB asks for.
        ulong blocks = (ulong)(Command.Data.LengthBytes / Disk.BlockLengthBytes);
        Ask(Disk.KindOfWrite(new BlockCdb(Command.Cdb).Fua), BlockRange.Read(Command.Cdb).Lba, blocks, Command.Data);
    }

    protected override void Finished() => _isWritten = false;
}

/// <summary>SYNCHRONIZE CACHE (SBC-4 §5.36); also the writing back before the unit stops.</summary>
internal sealed class FlushOperation : DiskOperation
{
    private bool _isFlushed;

    protected override void Step()
    {
        if (!_isFlushed)
        {
            _isFlushed = true;
            Ask(BlockRequestKind.Flush, 0, 0);
            return;
        }
        Disk.Flushed(Command);
        EndGood();
    }

    protected override void Finished() => _isFlushed = false;
}
