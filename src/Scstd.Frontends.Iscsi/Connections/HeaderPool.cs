using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// Native memory for the headers of PDUs that wait to be sent, for one reactor: the kernel reads them after the call,
/// so they may not move. Two sizes: a header with its digest and tail, and one with a short data segment (sense data,
/// the header of a rejected PDU) behind it. And the text of logins: who is not let in yet takes nothing from the pool
/// of those who are, and those who are cannot keep others out by emptying it.
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

    /// <summary>The data segment of a login PDU.</summary>
    public const int TextBytes = PduRules.LoginDataSegmentLengthMax;

    private const int ChunkBytes = 64 * 1024;

    private readonly List<nint> _chunks = [];
    private nint _small;
    private nint _large;
    private nint _text;

    /// <summary>Slots that are out.</summary>
    public int SlotsOut { get; private set; }

    public nint Take(bool large) => large ? Take(ref _large, LargeBytes) : Take(ref _small, SmallBytes);

    public void Return(nint slot, bool large) => Return(slot, ref large ? ref _large : ref _small);

    /// <summary><see cref="TextBytes"/> for the text of one login PDU.</summary>
    public nint TakeText() => Take(ref _text, TextBytes);

    public void ReturnText(nint text) => Return(text, ref _text);

    private nint Take(ref nint free, int slotBytes)
    {
        if (free == 0)
            AddChunk(ref free, slotBytes);
        nint slot = free;
        free = *(nint*)slot;
        SlotsOut++;
        return slot;
    }

    private void Return(nint slot, ref nint free)
    {
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
        _small = _large = _text = 0;
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
