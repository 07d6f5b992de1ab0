using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>A bounded source of slabs that knows which are out.</summary>
internal sealed unsafe class SimulatedSlabs(int limit) : ISlabSource
{
    private readonly List<nint> _out = [];

    public int Out => _out.Count;

    public nint TakeSlab()
    {
        if (_out.Count == limit)
            return 0;
        nint slab = (nint)NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);
        _out.Add(slab);
        return slab;
    }

    public void ReturnSlab(nint slab)
    {
        _out.Remove(slab);
        NativeMemory.AlignedFree((void*)slab);
    }

    /// <summary>After a broken law nobody returns anything.</summary>
    public void FreeAll()
    {
        foreach (nint slab in _out)
            NativeMemory.AlignedFree((void*)slab);
        _out.Clear();
    }
}
