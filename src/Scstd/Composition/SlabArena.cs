using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Composition;

/// <summary>
/// The memory of all reactors' buffer pools: one mapping as large as the administrator allows, of which the kernel
/// backs what is in use. So the bound is one number that nothing can pass, and huge pages come by themselves. From any
/// thread, without locks: slabs that came back are a stack of indices for each NUMA node, with a count beside the top
/// against reuse between a look and a swap. The kernel takes a page from the node whose CPU touches it first, and that
/// is the reactor that leases from the slab; so a slab comes back to the same node, or loses its pages.
/// </summary>
internal sealed class SlabArena : ISlabSource, IDisposable
{
    // Our choice: what is likely to be wanted again soon stays warm; the rest goes back to the kernel.
    private const int MostWarmSlabs = 32;

    private readonly MemoryPages _pages;
    private readonly int[] _below;
    private readonly long[] _tops;
    private int _fresh;
    private int _taken;
    private int _idle;

    /// <param name="boundBytes">The most that there may be.</param>
    /// <param name="nodes">NUMA nodes whose reactors take slabs.</param>
    public SlabArena(long boundBytes, int nodes = 1)
    {
        _tops = new long[nodes];
        Capacity = (int)Math.Min(boundBytes / BufferPool.SlabBytes, int.MaxValue / 2);
        Invariant.That(Capacity > 0, "the bound on memory is less than a slab");
        _pages = MemoryPages.Allocate((long)Capacity * BufferPool.SlabBytes);
        _below = new int[Capacity];
    }

    /// <summary>Slabs that there may be.</summary>
    public int Capacity { get; }

    /// <summary>All of it, as reactors are told.</summary>
    public SlabRegion Region => new(_pages.Address, BufferPool.SlabBytes, Capacity);

    /// <summary>Slabs that pools have now.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>For a reactor on this node.</summary>
    public ISlabSource OfNode(int node) => new NodeSource(this, node);

    public nint TakeSlab() => TakeSlab(0);

    public void ReturnSlab(nint slab) => ReturnSlab(slab, 0);

    private nint TakeSlab(int node)
    {
        int index = TryPop(ref _tops[node]);
        if (index < 0)
            index = TakeFresh();
        if (index < 0)
            index = TakeOfOtherNode(node);
        if (index < 0)
            return 0;
        Interlocked.Increment(ref _taken);
        return _pages.Address + (nint)((long)index * BufferPool.SlabBytes);
    }

    private int TakeFresh()
    {
        int index = Interlocked.Increment(ref _fresh) - 1;
        if (index < Capacity)
            return index;
        Interlocked.Decrement(ref _fresh);
        return -1;
    }

    private int TakeOfOtherNode(int node)
    {
        for (int other = 0; other < _tops.Length; other++)
        {
            int index = other == node ? -1 : TryPop(ref _tops[other]);
            if (index < 0)
                continue;
            _pages.Discard((long)index * BufferPool.SlabBytes, BufferPool.SlabBytes);
            return index;
        }
        return -1;
    }

    private void ReturnSlab(nint slab, int node)
    {
        long offset = slab - _pages.Address;
        Invariant.That(offset >= 0 && offset < _pages.SizeBytes && offset % BufferPool.SlabBytes == 0,
            "a slab is returned to the arena that it came from");
        Interlocked.Decrement(ref _taken);
        if (Interlocked.Increment(ref _idle) > MostWarmSlabs)
            _pages.Discard(offset, BufferPool.SlabBytes);
        Push(ref _tops[node], (int)(offset / BufferPool.SlabBytes));
    }

    public void Dispose()
    {
        Invariant.That(Taken == 0, $"{Taken} slabs are still with their pools");
        _pages.Dispose();
    }

    // A top: below, 32 bits of index + 1 (0: empty); above, 32 bits that count.
    private int TryPop(ref long stack)
    {
        while (true)
        {
            long top = Volatile.Read(ref stack);
            int index = (int)(uint)top - 1;
            if (index < 0)
                return -1;
            if (Interlocked.CompareExchange(ref stack, Next(top, Volatile.Read(ref _below[index])), top) == top)
            {
                Interlocked.Decrement(ref _idle);
                return index;
            }
        }
    }

    private void Push(ref long stack, int index)
    {
        while (true)
        {
            long top = Volatile.Read(ref stack);
            Volatile.Write(ref _below[index], (int)(uint)top);
            if (Interlocked.CompareExchange(ref stack, Next(top, index + 1), top) == top)
                return;
        }
    }

    private static long Next(long top, int value) => ((top >> 32) + 1) << 32 | (uint)value;

    private sealed class NodeSource(SlabArena arena, int node) : ISlabSource
    {
        public nint TakeSlab() => arena.TakeSlab(node);

        public void ReturnSlab(nint slab) => arena.ReturnSlab(slab, node);
    }
}
