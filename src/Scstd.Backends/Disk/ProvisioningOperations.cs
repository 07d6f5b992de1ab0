using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>
/// UNMAP (SBC-4 §5.37). The whole list is judged before the first block is unmapped, so a refused command has
/// changed nothing. It is a hint: what the store cannot unmap stays mapped, and that is no error (§4.7.3.2).
/// </summary>
internal sealed class UnmapOperation : DiskOperation
{
    private const int HeaderBytes = 8;
    private const int DescriptorBytes = 16;

    private int _descriptors = -1;
    private int _next;
    private BlockRange _left;

    protected override void Step()
    {
        if (_descriptors < 0 && !TryBegin())
            return;
        if (_left.Blocks > 0)
            _left = new BlockRange(_left.Lba + Blocks, _left.Blocks - Blocks);
        while (_left.Blocks == 0 && _next < _descriptors)
            _left = Descriptor(_next++);
        if (_left.Blocks > 0)
        {
            Ask(BlockRequestKind.Unmap, _left.Lba, _left.Blocks);
            return;
        }
        if (Disk.IsWriteThrough && Kind == BlockRequestKind.Unmap && _descriptors > 0)
            Ask(BlockRequestKind.Flush, 0, 0);
        else
            EndGood();
    }

    protected override void Finished()
    {
        _descriptors = -1;
        _next = 0;
        _left = default;
        Kind = BlockRequestKind.Read;
    }

    /// <summary>False if the command has ended.</summary>
    private bool TryBegin()
    {
        int listBytes = Command.Data.LengthBytes;
        if (listBytes == 0)
        {
            EndGood();
            return false;
        }
        if (listBytes < HeaderBytes)
        {
            EndWith(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
            return false;
        }
        Span<byte> header = stackalloc byte[HeaderBytes];
        Command.Data.CopyTo(header, 0);
        int descriptorsBytes = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        if (descriptorsBytes > listBytes - HeaderBytes)
        {
            EndWith(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
            return false;
        }
        // An incomplete last descriptor is ignored.
        _descriptors = descriptorsBytes / DescriptorBytes;
        if (Judge() is not { } refused)
            return true;
        EndWith(refused);
        return false;
    }

    private SenseData? Judge()
    {
        if (_descriptors > DiskLimits.MaxUnmapDescriptors)
            return SenseData.InvalidFieldInParameterList(2);
        for (int i = 0; i < _descriptors; i++)
        {
            BlockRange range = Descriptor(i);
            if (!range.IsWithin(Disk.BlockCount))
                return range.OutOfRange(Disk.BlockCount);
        }
        return null;
    }

    private BlockRange Descriptor(int index)
    {
        Span<byte> bytes = stackalloc byte[DescriptorBytes];
        Command.Data.CopyTo(bytes, HeaderBytes + (index * DescriptorBytes));
        return new BlockRange(
            BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));
    }
}

/// <summary>GET LBA STATUS (SBC-4 §5.6).</summary>
internal sealed class LbaStatusOperation : DiskOperation
{
    private const int HeaderBytes = 8;
    private const int DescriptorBytes = 16;

    /// <summary>Our choice: an answer may be short, the initiator goes on where it ends.</summary>
    private const int MaxDescriptors = 64;

    private const byte Mapped = 0;
    private const byte Deallocated = 1;

    private readonly byte[] _answer = new byte[HeaderBytes + (MaxDescriptors * DescriptorBytes)];
    private int _wanted;
    private int _count;
    private ulong _next;
    private bool _isAsked;

    protected override void Step()
    {
        if (!_isAsked)
        {
            _isAsked = true;
            _next = BlockRange.Read(Command.Cdb).Lba;
            _wanted = (int)Math.Clamp((Command.RequestedBytes - HeaderBytes) / DescriptorBytes, 1, MaxDescriptors);
        }
        else
        {
            Add();
        }
        if (_count < _wanted && _next < Disk.BlockCount)
        {
            Ask(BlockRequestKind.FindExtent, _next, 0);
            return;
        }
        int lengthBytes = HeaderBytes + (_count * DescriptorBytes);
        BinaryPrimitives.WriteUInt32BigEndian(_answer, (uint)(lengthBytes - 4));
        EndWithData(_answer.AsSpan(0, lengthBytes));
    }

    protected override void Finished()
    {
        _isAsked = false;
        _count = 0;
    }

    private void Add()
    {
        uint blocks = (uint)Math.Min(Blocks, uint.MaxValue);
        Span<byte> descriptor = _answer.AsSpan(HeaderBytes + (_count++ * DescriptorBytes), DescriptorBytes);
        descriptor.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(descriptor, _next);
        BinaryPrimitives.WriteUInt32BigEndian(descriptor[8..], blocks);
        descriptor[12] = IsMapped ? Mapped : Deallocated;
        _next += blocks;
    }
}
