using System.Numerics;
using System.Runtime.InteropServices;

namespace Scstd.Core;

/// <summary>Where a pool gets its slabs from; given from outside: huge pages are the system's business.</summary>
public interface ISlabSource
{
    /// <summary>Page-aligned memory of <see cref="BufferPool.SlabBytes"/>, or 0 when the bound is reached.</summary>
    nint TakeSlab();

    void ReturnSlab(nint slab);
}

/// <summary>
/// Page-aligned native memory in size classes of powers of two, for one executor, without locks. Slabs come from a
/// bounded common source and are split by halves (a buddy system), so memory that was cut small for one load grows
/// together again for the next.
/// </summary>
public sealed unsafe class BufferPool : IDisposable
{
    /// <summary>Our choice: a huge page.</summary>
    public const int SlabBytes = 2 * 1024 * 1024;

    /// <summary>The largest segment; longer buffers are several.</summary>
    public const int MaxSegmentBytes = SlabBytes / 2;

    /// <summary>The smallest: a page.</summary>
    public const int MinSegmentBytes = 4096;

    private const int MinShift = 12;
    private const int SlabShift = 21;
    private const int Classes = SlabShift - MinShift + 1;

    private readonly ISlabSource _source;
    private readonly List<Slab> _slabs = [];
    private readonly Dictionary<nint, Slab> _byAddress = [];
    private readonly nint[] _free = new nint[Classes];

    /// <summary>Looked up last: most loads live in one slab.</summary>
    private Slab? _latest;

    public BufferPool(ISlabSource source) => _source = source;

    /// <summary>Leases that are out.</summary>
    public long LeasesOut { get; private set; }

    /// <summary>Bytes that are out, rounded up to their size classes.</summary>
    public long BytesOut { get; private set; }

    public int SlabCount => _slabs.Count;

    /// <summary>Leases memory of at least <paramref name="lengthBytes"/>, at most
    /// <see cref="MaxSegmentBytes"/>.</summary>
    public bool TryLease(int lengthBytes, out nint address)
    {
        Invariant.That(lengthBytes > 0 && lengthBytes <= MaxSegmentBytes, "a lease of a length that no class has");
        int @class = ClassOf(lengthBytes);
        int from = @class;
        while (from < Classes && _free[from] == 0)
            from++;
        if (from == Classes)
        {
            if (!TryAddSlab())
            {
                address = 0;
                return false;
            }
            from = Classes - 1;
        }
        address = Pop(from);
        while (from > @class)
        {
            from--;
            Push(from, address + (1 << (from + MinShift)));
        }
        SlabOf(address).MarkLeased(address, @class);
        LeasesOut++;
        BytesOut += 1L << (@class + MinShift);
        return true;
    }

    /// <summary>Ends a lease; the length is the one it was leased with.</summary>
    public void Return(nint address, int lengthBytes)
    {
        int @class = ClassOf(lengthBytes);
        Slab slab = SlabOf(address);
        slab.MarkReturned(address, @class);
        LeasesOut--;
        BytesOut -= 1L << (@class + MinShift);
        while (@class < Classes - 1)
        {
            nint buddy = slab.Base + ((address - slab.Base) ^ (1 << (@class + MinShift)));
            if (!slab.IsFree(buddy, @class))
                break;
            Unlink(@class, buddy);
            address = Math.Min(address, buddy);
            @class++;
        }
        Push(@class, address);
        // One free slab is kept: a load that comes and goes shall not go to the system each time.
        if (@class == Classes - 1 && _slabs.Count > 1 && HasTwoFreeSlabs())
            DropSlab(slab);
    }

    /// <summary>Gives all memory back. A lease that is still out is our bug.</summary>
    public void Dispose()
    {
        Invariant.That(LeasesOut == 0, $"{LeasesOut} leases were never returned");
        foreach (Slab slab in _slabs)
            _source.ReturnSlab(slab.Base);
        _slabs.Clear();
        _byAddress.Clear();
        _latest = null;
        Array.Clear(_free);
    }

    private static int ClassOf(int lengthBytes) =>
        Math.Max(0, 32 - BitOperations.LeadingZeroCount((uint)(lengthBytes - 1)) - MinShift);

    private Slab SlabOf(nint address)
    {
        nint memory = address & ~((nint)SlabBytes - 1);
        if (_latest is { } latest && latest.Base == memory)
            return latest;
        bool known = _byAddress.TryGetValue(memory, out Slab? slab);
        Invariant.That(known, "memory of another pool was returned");
        return _latest = slab!;
    }

    private bool TryAddSlab()
    {
        nint memory = _source.TakeSlab();
        if (memory == 0)
            return false;
        Invariant.That((memory & (SlabBytes - 1)) == 0, "a slab is aligned to its size");
        var slab = new Slab(memory);
        _slabs.Add(slab);
        _byAddress.Add(memory, slab);
        Push(Classes - 1, memory);
        return true;
    }

    private bool HasTwoFreeSlabs()
    {
        nint first = _free[Classes - 1];
        return first != 0 && ((Link*)first)->Next != 0;
    }

    private void DropSlab(Slab slab)
    {
        Unlink(Classes - 1, slab.Base);
        _slabs.Remove(slab);
        _byAddress.Remove(slab.Base);
        _latest = null;
        _source.ReturnSlab(slab.Base);
    }

    // Free blocks are linked through their own memory.
    private void Push(int @class, nint address)
    {
        var link = (Link*)address;
        link->Previous = 0;
        link->Next = _free[@class];
        if (link->Next != 0)
            ((Link*)link->Next)->Previous = address;
        _free[@class] = address;
        SlabOf(address).MarkFree(address, @class);
    }

    private nint Pop(int @class)
    {
        nint address = _free[@class];
        Unlink(@class, address);
        return address;
    }

    private void Unlink(int @class, nint address)
    {
        var link = (Link*)address;
        if (link->Previous != 0)
            ((Link*)link->Previous)->Next = link->Next;
        else
            _free[@class] = link->Next;
        if (link->Next != 0)
            ((Link*)link->Next)->Previous = link->Previous;
        SlabOf(address).MarkTaken(address);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Link
    {
        public nint Next;
        public nint Previous;
    }

    /// <summary>What each page of a slab begins: nothing, a free block or a leased one, and of which class.</summary>
    private sealed class Slab(nint memory)
    {
        private const byte Free = 0x40;
        private const byte Leased = 0x80;
        private readonly byte[] _pages = new byte[SlabBytes / MinSegmentBytes];

        public nint Base { get; } = memory;

        public bool IsFree(nint address, int @class) => _pages[Page(address)] == (Free | @class);

        public void MarkFree(nint address, int @class) => _pages[Page(address)] = (byte)(Free | @class);

        public void MarkTaken(nint address) => _pages[Page(address)] = 0;

        public void MarkLeased(nint address, int @class) => _pages[Page(address)] = (byte)(Leased | @class);

        public void MarkReturned(nint address, int @class)
        {
            Invariant.That(_pages[Page(address)] == (Leased | @class),
                "a lease is returned twice, or with another length");
            _pages[Page(address)] = 0;
        }

        private int Page(nint address) => (int)((address - Base) >> MinShift);
    }
}
