using System.Numerics;

namespace Scstd.Linux.IoUring;

/// <summary>
/// Slabs of data memory that are registered with a ring: their pages are looked up and pinned once, and not again for
/// every operation around the page cache. A slab is registered while this reactor has it and no longer, so memory that
/// nobody has is not pinned. Its place in the ring's table is its place in the region.
/// </summary>
internal sealed unsafe class RegisteredMemory
{
    /// <summary>IORING_MAX_REG_BUFFERS of the kernel. Slabs behind it are served without.</summary>
    private const int MostSlabs = 1 << 14;

    private readonly Ring _ring;
    private readonly Action<string> _log;
    private readonly SlabRegion _region;
    private readonly int _slabShift;
    private readonly bool[] _registered;

    internal RegisteredMemory(Ring ring, SlabRegion region, Action<string> log)
    {
        if (!BitOperations.IsPow2(region.SlabBytes))
            throw new ArgumentException($"slabs of {region.SlabBytes} bytes", nameof(region));
        (_ring, _region, _log) = (ring, region, log);
        _slabShift = BitOperations.Log2((uint)region.SlabBytes);
        _registered = new bool[Math.Min(region.Count, MostSlabs)];
        if (_registered.Length == 0)
            return;
        var table = new ResourceRegistration { Count = (uint)_registered.Length, Flags = RingFlags.ResourcesSparse };
        int result = ring.Register(RingFlags.RegisterBuffers, &table, sizeof(ResourceRegistration));
        if (result < 0)
            GiveUp(-result);
        else
            IsInUse = true;
    }

    /// <summary>Nothing was refused yet.</summary>
    internal bool IsInUse { get; private set; }

    internal void Add(nint slab)
    {
        int index = SlabOf(slab, 1);
        if (!IsInUse || index < 0)
            return;
        int result = Update(index, new IoVector(slab, _region.SlabBytes));
        if (result < 0)
            GiveUp(-result);
        else
            _registered[index] = true;
    }

    /// <summary>No operation on it is under way.</summary>
    internal void Remove(nint slab)
    {
        int index = IndexOf(slab, 1);
        if (index < 0)
            return;
        _registered[index] = false;
        // The kernel cannot refuse to forget; if it did, the pages would only stay pinned until the ring is closed.
        _ = Update(index, default);
    }

    /// <summary>Which registered buffer holds the whole of a piece of memory; negative: none.</summary>
    internal int IndexOf(nint address, nuint lengthBytes)
    {
        int index = SlabOf(address, lengthBytes);
        return index >= 0 && _registered[index] ? index : -1;
    }

    private int SlabOf(nint address, nuint lengthBytes)
    {
        ulong offset = (ulong)(address - _region.Address);
        ulong index = offset >> _slabShift;
        bool isInside = index < (ulong)_registered.Length
            && (offset & ((ulong)_region.SlabBytes - 1)) + lengthBytes <= (ulong)_region.SlabBytes;
        return isInside ? (int)index : -1;
    }

    private int Update(int index, IoVector memory)
    {
        var update = new ResourceUpdate { First = (uint)index, Data = (nint)(&memory), Count = 1 };
        return _ring.Register(RingFlags.RegisterBuffersUpdate, &update, sizeof(ResourceUpdate));
    }

    /// <summary>What is registered already is used on.</summary>
    private void GiveUp(int error)
    {
        IsInUse = false;
        string hint = error == ErrorNumber.OutOfMemory ? " (the limit on locked memory, RLIMIT_MEMLOCK)" : "";
        _log($"io_uring registers no more data memory: {LinuxException.Describe(error)}{hint}; done without");
    }
}
