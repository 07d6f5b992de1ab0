using Scstd.Backends.Tape.Cartridges;
using Scstd.Linux;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>The power has gone: no call of the file returns any more.</summary>
internal sealed class PowerLostException : Exception;

/// <summary>
/// A file in memory that forgets like a disk. What was written since the last sync may be there or not after a loss of
/// power, sector by sector, in any order, also how long the file is; the calls can be made to fail from one on.
/// </summary>
internal sealed unsafe class MemoryFile : ICartridgeFile
{
    private readonly int _sectorBytes;
    private readonly Dictionary<long, byte[]> _sectors;
    private readonly Dictionary<long, List<byte[]?>> _unsynced = [];
    private readonly List<long> _lengths = [];
    private long _length;

    /// <param name="sectorBytes">What is written as a whole or not at all.</param>
    public MemoryFile(int sectorBytes = 512)
        : this([], 0, sectorBytes)
    {
    }

    private MemoryFile(Dictionary<long, byte[]> sectors, long length, int sectorBytes) =>
        (_sectors, _length, _sectorBytes) = (sectors, length, sectorBytes);

    /// <summary>Whether what lies between two syncs is remembered, for <see cref="PowerLost"/>.</summary>
    public bool Remembers { get; init; } = true;

    /// <summary>Calls that change or sync the file, so far.</summary>
    public int Calls { get; private set; }

    /// <summary>How often something was read.</summary>
    public int Reads { get; private set; }

    /// <summary>The first call that finds no power.</summary>
    public int PowerLostAt { get; set; } = int.MaxValue;

    /// <summary>Called before each write, sync and hole; what it throws is thrown.</summary>
    public Action<string>? Before { get; set; }

    public bool PunchesHoles { get; set; } = true;

    public string Path => "cartridge in memory";

    public bool IsReadOnly { get; set; }

    public long LengthBytes => _length;

    /// <summary>The file system holds no larger one.</summary>
    public long LargestBytes { get; init; } = long.MaxValue;

    public bool CouldGrowTo(long lengthBytes) => lengthBytes <= LargestBytes;

    /// <summary>The file as another process finds it after the first was killed.</summary>
    public MemoryFile Killed() =>
        new(Copy(_sectors), _length, _sectorBytes) { PunchesHoles = PunchesHoles, Remembers = Remembers };

    /// <summary>The file as it is found after a loss of power.</summary>
    public MemoryFile PowerLost(Random random)
    {
        Dictionary<long, byte[]> sectors = Copy(_sectors);
        int taste = random.Next(3); // most of it lost, some, or hardly anything
        foreach ((long sector, List<byte[]?> versions) in _unsynced.OrderBy(pair => pair.Key))
        {
            // The last of the list is what is there now, the first what was there at the last sync.
            int version = random.Next(3) < taste ? versions.Count : random.Next(versions.Count + 1);
            if (version == versions.Count)
                continue;
            if (versions[version] is { } old)
                sectors[sector] = old;
            else
                sectors.Remove(sector);
        }
        long length = _lengths.Count == 0 || random.Next(2) == 0 ? _length : _lengths[random.Next(_lengths.Count)];
        foreach (long beyond in sectors.Keys.Where(sector => sector * _sectorBytes >= length).ToList())
            sectors.Remove(beyond);
        // Whoever lengthens it again finds zeros there.
        if (sectors.TryGetValue(length / _sectorBytes, out byte[]? last))
        {
            last = [.. last];
            last.AsSpan((int)(length % _sectorBytes)).Clear();
            sectors[length / _sectorBytes] = last;
        }
        return new MemoryFile(sectors, length, _sectorBytes);
    }

    public long Read(Span<IoVector> vectors, long offsetBytes)
    {
        Reads++;
        long done = 0;
        foreach (IoVector vector in vectors)
        {
            var to = new Span<byte>((void*)vector.Address, (int)vector.LengthBytes);
            to = to[..(int)Math.Max(0, Math.Min(to.Length, _length - offsetBytes - done))];
            ReadSectors(to, offsetBytes + done);
            done += to.Length;
            if (to.Length < (int)vector.LengthBytes)
                break;
        }
        return done;
    }

    public void Write(Span<IoVector> vectors, long offsetBytes)
    {
        // The end of the world may come in the middle of a call.
        if (Calls == PowerLostAt)
            Put(new ReadOnlySpan<byte>((void*)vectors[0].Address, (int)vectors[0].LengthBytes * 3 / 4), offsetBytes);
        Count("write");
        foreach (IoVector vector in vectors)
        {
            Assert.NotEqual(0, (int)vector.LengthBytes);
            Put(new ReadOnlySpan<byte>((void*)vector.Address, (int)vector.LengthBytes), offsetBytes);
            offsetBytes += (long)vector.LengthBytes;
        }
    }

    /// <summary>Damages or repairs what is there, past everybody.</summary>
    public void Put(ReadOnlySpan<byte> bytes, long offsetBytes)
    {
        for (int at = 0; at < bytes.Length;)
        {
            long sector = (offsetBytes + at) / _sectorBytes;
            int within = (int)((offsetBytes + at) % _sectorBytes);
            int take = Math.Min(bytes.Length - at, _sectorBytes - within);
            _sectors.TryGetValue(sector, out byte[]? old);
            byte[] changed = Changeable(old);
            bytes.Slice(at, take).CopyTo(changed.AsSpan(within));
            Replace(sector, old, changed);
            at += take;
        }
        Grow(offsetBytes + bytes.Length);
    }

    public byte[] Bytes(long offsetBytes, int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        ReadSectors(bytes, offsetBytes);
        return bytes;
    }

    public void Cut(long lengthBytes)
    {
        foreach (long beyond in _sectors.Keys.Where(sector => sector * _sectorBytes >= lengthBytes).ToList())
            _sectors.Remove(beyond);
        _length = lengthBytes;
    }

    public void Sync()
    {
        Count("sync");
        _unsynced.Clear();
        _lengths.Clear();
    }

    public bool TryPunchHole(long offsetBytes, long lengthBytes)
    {
        if (!PunchesHoles)
            return false;
        Count("punch");
        long end = offsetBytes + lengthBytes;
        foreach (long sector in _sectors.Keys.ToList())
        {
            long from = Math.Max(offsetBytes, sector * _sectorBytes);
            long to = Math.Min(end, (sector + 1) * _sectorBytes);
            if (from >= to)
                continue;
            byte[] old = _sectors[sector];
            byte[] changed = Changeable(old);
            changed.AsSpan((int)(from - (sector * _sectorBytes)), (int)(to - from)).Clear();
            Replace(sector, old, changed);
        }
        return true;
    }

    public long? NextData(long offsetBytes)
    {
        long first = offsetBytes / _sectorBytes;
        if (_sectors.ContainsKey(first))
            return offsetBytes;
        long? next = null;
        foreach (long sector in _sectors.Keys)
            next = sector > first && (next is null || sector < next) ? sector : next;
        return next * _sectorBytes;
    }

    public void Dispose()
    {
    }

    /// <summary>Sectors that are remembered are never changed, only replaced.</summary>
    private Dictionary<long, byte[]> Copy(Dictionary<long, byte[]> sectors) =>
        Remembers ? new(sectors) : sectors.ToDictionary(pair => pair.Key, pair => (byte[])pair.Value.Clone());

    private void ReadSectors(Span<byte> to, long offsetBytes)
    {
        for (int at = 0; at < to.Length;)
        {
            long sector = (offsetBytes + at) / _sectorBytes;
            int within = (int)((offsetBytes + at) % _sectorBytes);
            int take = Math.Min(to.Length - at, _sectorBytes - within);
            if (_sectors.TryGetValue(sector, out byte[]? bytes))
                bytes.AsSpan(within, take).CopyTo(to[at..]);
            else
                to.Slice(at, take).Clear();
            at += take;
        }
    }

    private byte[] Changeable(byte[]? old) =>
        old is null ? new byte[_sectorBytes] : Remembers ? [.. old] : old;

    private void Replace(long sector, byte[]? old, byte[] changed)
    {
        _sectors[sector] = changed;
        if (!Remembers)
            return;
        if (!_unsynced.TryGetValue(sector, out List<byte[]?>? versions))
            _unsynced[sector] = versions = [];
        versions.Add(old);
    }

    private void Grow(long length)
    {
        if (length <= _length)
            return;
        _lengths.Add(_length);
        _length = length;
    }

    private void Count(string call)
    {
        if (Calls++ >= PowerLostAt)
            throw new PowerLostException();
        Before?.Invoke(call);
    }
}
