using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// Native memory for the headers of PDUs that wait to be sent, for one reactor: the kernel reads them after the call,
/// so they may not move. Two sizes: a header with its digest and tail, and one with a short data segment (sense data,
/// the header of a rejected PDU) behind it.
/// </summary>
internal sealed unsafe class HeaderPool : IDisposable
{
    /// <summary>48 bytes, header digest at 48, padding that ends at 56, data digest at 56.</summary>
    public const int SmallBytes = 64;

    /// <summary>Header, digests and up to 448 bytes of data segment: 2 + 252 of sense (SPC-4 §4.5.1), or a rejected
    /// header with 256 of AHS.</summary>
    public const int LargeBytes = 512;

    /// <summary>The most that a large slot carries as a data segment.</summary>
    public const int LargeDataBytes = LargeBytes - 64;

    private const int ChunkBytes = 64 * 1024;

    private readonly List<nint> _chunks = [];
    private nint _small;
    private nint _large;

    /// <summary>Slots that are out.</summary>
    public int SlotsOut { get; private set; }

    public nint Take(bool large)
    {
        ref nint free = ref large ? ref _large : ref _small;
        if (free == 0)
            AddChunk(ref free, large ? LargeBytes : SmallBytes);
        nint slot = free;
        free = *(nint*)slot;
        SlotsOut++;
        return slot;
    }

    public void Return(nint slot, bool large)
    {
        ref nint free = ref large ? ref _large : ref _small;
        *(nint*)slot = free;
        free = slot;
        SlotsOut--;
    }

    public void Dispose()
    {
        Invariant.That(SlotsOut == 0, $"{SlotsOut} header slots were never returned");
        foreach (nint chunk in _chunks)
            NativeMemory.AlignedFree((void*)chunk);
        _chunks.Clear();
        _small = _large = 0;
    }

    private void AddChunk(ref nint free, int slotBytes)
    {
        nint chunk = (nint)NativeMemory.AlignedAlloc(ChunkBytes, 64);
        _chunks.Add(chunk);
        for (int offset = ChunkBytes - slotBytes; offset >= 0; offset -= slotBytes)
        {
            *(nint*)(chunk + offset) = free;
            free = chunk + offset;
        }
    }
}
