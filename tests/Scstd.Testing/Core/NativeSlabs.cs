using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Testing;

/// <summary>Slabs of ordinary native memory, up to a bound, and how many of them are out.</summary>
public sealed unsafe class NativeSlabs(int limit = 64) : ISlabSource
{
    public int SlabsOut { get; private set; }

    public nint TakeSlab()
    {
        if (SlabsOut == limit)
            return 0;
        SlabsOut++;
        void* slab = NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);
        // Whoever sends what he did not write is found out.
        new Span<byte>(slab, BufferPool.SlabBytes).Fill(0xA5);
        return (nint)slab;
    }

    public void ReturnSlab(nint slab)
    {
        SlabsOut--;
        NativeMemory.AlignedFree((void*)slab);
    }
}
