using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A piece of native memory.</summary>
public readonly record struct DataSegment(nint Address, int LengthBytes);

/// <summary>
/// The Data-In or Data-Out of one command: segments that are leased from the pool, or lent by a store that has the data
/// in memory already. Lives as long as its (pooled) command; a lease ends with <see cref="Return"/>.
/// </summary>
public sealed unsafe class DataBuffer
{
    private DataSegment[] _segments = new DataSegment[4];
    private int _count;
    private BufferPool? _pool;
    private LentMemory? _lentBy;

    /// <summary>Bytes in all segments.</summary>
    public int LengthBytes { get; private set; }

    public bool IsEmpty => _count == 0;

    /// <summary>The memory is the store's, and other commands may change it at any time.</summary>
    public bool IsLent => _pool is null && _count > 0;

    public ReadOnlySpan<DataSegment> Segments => _segments.AsSpan(0, _count);

    /// <summary>Leases page-aligned memory of this many bytes; false when the pool has none to give.</summary>
    public bool TryLease(BufferPool pool, int lengthBytes)
    {
        Invariant.That(_count == 0, "a buffer is leased twice");
        _pool = pool;
        int left = lengthBytes;
        while (left > 0)
        {
            int take = Math.Min(left, BufferPool.MaxSegmentBytes);
            if (!pool.TryLease(take, out nint address))
            {
                Return();
                return false;
            }
            Append(new DataSegment(address, take));
            left -= take;
        }
        return true;
    }

    /// <summary>Adds memory that belongs to the store and outlives the command.</summary>
    public void Lend(nint address, int lengthBytes)
    {
        Invariant.That(_pool is null, "leased and lent memory do not mix");
        Append(new DataSegment(address, lengthBytes));
    }

    /// <summary>The lender wants to know when what it lent has come back.</summary>
    public void CountAs(LentMemory account)
    {
        Invariant.That(IsLent && _lentBy is null, "what is lent is counted once");
        _lentBy = account;
        account.Lend();
    }

    /// <summary>Ends the lease.</summary>
    public void Return()
    {
        if (_pool is not null)
        {
            for (int i = 0; i < _count; i++)
                _pool.Return(_segments[i].Address, _segments[i].LengthBytes);
            _pool = null;
        }
        _count = 0;
        LengthBytes = 0;
        if (_lentBy is { } lender)
        {
            _lentBy = null;
            lender.Return();
        }
    }

    /// <summary>What lies in one piece, from <paramref name="offsetBytes"/> to the end of its segment; empty behind the
    /// end.</summary>
    public Span<byte> Stretch(int offsetBytes)
    {
        foreach (ref readonly DataSegment segment in Segments)
        {
            if (offsetBytes < segment.LengthBytes)
                return new Span<byte>((void*)(segment.Address + offsetBytes), segment.LengthBytes - offsetBytes);
            offsetBytes -= segment.LengthBytes;
        }
        return [];
    }

    /// <summary>Appends bytes of it to a CRC32C that has been begun; see <see cref="Crc32c"/>.</summary>
    public uint AppendCrc32c(uint state, int offsetBytes, int lengthBytes)
    {
        while (lengthBytes > 0)
        {
            ReadOnlySpan<byte> stretch = Stretch(offsetBytes);
            stretch = stretch[..Math.Min(stretch.Length, lengthBytes)];
            state = Crc32c.Append(state, stretch);
            offsetBytes += stretch.Length;
            lengthBytes -= stretch.Length;
        }
        return state;
    }

    public void CopyFrom(ReadOnlySpan<byte> source, int offsetBytes)
    {
        foreach (ref readonly DataSegment segment in Segments)
        {
            if (source.IsEmpty)
                return;
            if (offsetBytes >= segment.LengthBytes)
            {
                offsetBytes -= segment.LengthBytes;
                continue;
            }
            int take = Math.Min(source.Length, segment.LengthBytes - offsetBytes);
            source[..take].CopyTo(new Span<byte>((void*)(segment.Address + offsetBytes), take));
            source = source[take..];
            offsetBytes = 0;
        }
        Invariant.That(source.IsEmpty, "data copied beyond the end of a buffer");
    }

    public void CopyTo(Span<byte> destination, int offsetBytes)
    {
        foreach (ref readonly DataSegment segment in Segments)
        {
            if (destination.IsEmpty)
                return;
            if (offsetBytes >= segment.LengthBytes)
            {
                offsetBytes -= segment.LengthBytes;
                continue;
            }
            int take = Math.Min(destination.Length, segment.LengthBytes - offsetBytes);
            new ReadOnlySpan<byte>((void*)(segment.Address + offsetBytes), take).CopyTo(destination);
            destination = destination[take..];
            offsetBytes = 0;
        }
        Invariant.That(destination.IsEmpty, "data copied from beyond the end of a buffer");
    }

    /// <summary>The contents as bytes of the managed heap; for parameter lists, not for the data path.</summary>
    public byte[] ToArray(int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        CopyTo(bytes, 0);
        return bytes;
    }

    public void Clear()
    {
        foreach (ref readonly DataSegment segment in Segments)
            new Span<byte>((void*)segment.Address, segment.LengthBytes).Clear();
    }

    private void Append(DataSegment segment)
    {
        if (_count == _segments.Length)
            Array.Resize(ref _segments, _count * 2);
        _segments[_count++] = segment;
        LengthBytes += segment.LengthBytes;
    }
}
