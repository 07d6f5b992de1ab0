using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Composition;

/// <summary>
/// The memory of all reactors' buffer pools: one mapping as large as the administrator allows, of which the kernel
/// backs what is in use. So the bound is one number that nothing can pass, and huge pages come by themselves. From any
/// thread, without locks: slabs that came back are a stack of indices, with a count beside the top against reuse
/// between a look and a swap.
/// </summary>
internal sealed class SlabArena : ISlabSource, IDisposable
{
    // Our choice: what is likely to be wanted again soon stays warm; the rest goes back to the kernel.
    private const int MostWarmSlabs = 32;

    private readonly MemoryPages _pages;
    private readonly int[] _below;
    private long _top;
    private int _fresh;
    private int _taken;
    private int _idle;

    public SlabArena(long boundBytes)
    {
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

    public nint TakeSlab()
    {
        int index = TryPop();
        if (index < 0)
        {
            index = Interlocked.Increment(ref _fresh) - 1;
            if (index >= Capacity)
            {
                Interlocked.Decrement(ref _fresh);
                return 0;
            }
        }
        Interlocked.Increment(ref _taken);
        return _pages.Address + (nint)((long)index * BufferPool.SlabBytes);
    }

    public void ReturnSlab(nint slab)
    {
        long offset = slab - _pages.Address;
        Invariant.That(offset >= 0 && offset < _pages.SizeBytes && offset % BufferPool.SlabBytes == 0,
            "a slab is returned to the arena that it came from");
        Interlocked.Decrement(ref _taken);
        if (Interlocked.Increment(ref _idle) > MostWarmSlabs)
            _pages.Discard(offset, BufferPool.SlabBytes);
        Push((int)(offset / BufferPool.SlabBytes));
    }

    public void Dispose()
    {
        Invariant.That(Taken == 0, $"{Taken} slabs are still with their pools");
        _pages.Dispose();
    }

    // The top: below, 32 bits of index + 1 (0: empty); above, 32 bits that count.
    private int TryPop()
    {
        while (true)
        {
            long top = Volatile.Read(ref _top);
            int index = (int)(uint)top - 1;
            if (index < 0)
                return -1;
            if (Interlocked.CompareExchange(ref _top, Next(top, Volatile.Read(ref _below[index])), top) == top)
            {
                Interlocked.Decrement(ref _idle);
                return index;
            }
        }
    }

    private void Push(int index)
    {
        while (true)
        {
            long top = Volatile.Read(ref _top);
            Volatile.Write(ref _below[index], (int)(uint)top);
            if (Interlocked.CompareExchange(ref _top, Next(top, index + 1), top) == top)
                return;
        }
    }

    private static long Next(long top, int value) => ((top >> 32) + 1) << 32 | (uint)value;
}
