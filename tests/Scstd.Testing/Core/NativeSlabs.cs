using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Testing;

/// <summary>Slabs of ordinary native memory, up to a bound, and how many of them are out.</summary>
public sealed unsafe class NativeSlabs(int limit = 64) : ISlabSource
{
    /// <summary>Memory of earlier tests: the system's zeroing of fresh pages would be most of a short test's
    /// time.</summary>
    private static readonly ConcurrentBag<nint> Kept = [];

    public int SlabsOut { get; private set; }

    public nint TakeSlab()
    {
        if (SlabsOut == limit)
            return 0;
        SlabsOut++;
        if (Kept.TryTake(out nint kept))
            return kept;
        void* slab = NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);
        // Whoever sends what he did not write is found out.
        new Span<byte>(slab, BufferPool.SlabBytes).Fill(0xA5);
        return (nint)slab;
    }

    public void ReturnSlab(nint slab)
    {
        SlabsOut--;
        if (Kept.Count < 16)
            Kept.Add(slab);
        else
            NativeMemory.AlignedFree((void*)slab);
    }
}
