using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Scstd.Scsi;

/// <summary>
/// CRC32C in three streams: the CRC32 instruction answers after three cycles but starts every cycle, so three
/// neighbouring blocks are run side by side and joined by moving the first two over the bytes that follow them.
/// </summary>
internal static class Crc32cInterleaved
{
    /// <summary>Long enough to make the two joining products cheap, short enough to leave small remainders.</summary>
    private const int BlockBytes = 256;

    public const int LengthMin = 3 * BlockBytes;

    // crc32(0, clmul(a, k)) = a * k * x^33 mod P: 32 from the instruction, 1 from the reflected product.
    private static readonly uint OverOneBlock = Crc32c.PowerOfX(BlockBytes * 8 - 33);
    private static readonly uint OverTwoBlocks = Crc32c.PowerOfX(2 * BlockBytes * 8 - 33);

    public static bool IsSupported => Sse42.X64.IsSupported && Pclmulqdq.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        const int Words = BlockBytes / 8;
        while (bytes.Length >= LengthMin)
        {
            ref var words = ref Unsafe.As<byte, ulong>(ref MemoryMarshal.GetReference(bytes));
            ulong a = state;
            ulong b = 0;
            ulong c = 0;
            for (var i = 0; i < Words; i++)
            {
                a = Sse42.X64.Crc32(a, Unsafe.Add(ref words, i));
                b = Sse42.X64.Crc32(b, Unsafe.Add(ref words, i + Words));
                c = Sse42.X64.Crc32(c, Unsafe.Add(ref words, i + 2 * Words));
            }
            state = Move(a, OverTwoBlocks) ^ Move(b, OverOneBlock) ^ (uint)c;
            bytes = bytes[LengthMin..];
        }
        return Crc32c.AppendSerial(state, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Move(ulong crc, uint over)
    {
        var product = Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(crc), Vector128.CreateScalar((ulong)over), 0);
        return (uint)Sse42.X64.Crc32(0, product.ToScalar());
    }
}
