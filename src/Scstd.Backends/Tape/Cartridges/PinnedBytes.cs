using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Memory that stays where it is, for the kernel, and grows to what was ever needed at once.</summary>
internal sealed unsafe class PinnedBytes
{
    private byte[] _bytes = [];

    public nint Address { get; private set; }

    /// <summary>At least so many bytes; what was in them may be gone.</summary>
    public Span<byte> Take(int lengthBytes)
    {
        if (_bytes.Length < lengthBytes)
        {
            int size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(lengthBytes, 4096));
            _bytes = GC.AllocateUninitializedArray<byte>(size, pinned: true);
            Address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_bytes));
        }
        return _bytes.AsSpan(0, lengthBytes);
    }
}
