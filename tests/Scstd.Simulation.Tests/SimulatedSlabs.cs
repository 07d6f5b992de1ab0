using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>A bounded source of slabs that knows how many are out.</summary>
internal sealed unsafe class SimulatedSlabs(int limit) : ISlabSource
{
    public int Out { get; private set; }

    public nint TakeSlab()
    {
        if (Out == limit)
            return 0;
        Out++;
        return (nint)NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);
    }

    public void ReturnSlab(nint slab)
    {
        Out--;
        NativeMemory.AlignedFree((void*)slab);
    }
}
