using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Scstd.Scsi;

/// <summary>
/// CRC32C (generator 11EDC6F41h; Castagnoli): the digest of iSCSI (RFC 7143 §13.1), the checksum of records on tape.
/// Incremental: what is covered lies in several segments, so the caller carries the state from <see cref="Seed"/>
/// through <see cref="Append"/> to <see cref="Finish"/>. On the wire the finished value is stored least significant
/// byte first (Appendix A.4).
/// </summary>
/// <remarks>
/// Three ways to compute it, chosen once at start: folding 256 bytes at a time with VPCLMULQDQ, three interleaved
/// streams of the CRC32 instruction, or that instruction alone (which .NET replaces by a table or by ARM's own
/// instruction where there is none). For the 48 bytes of a header the plain instruction is the fastest.
/// </remarks>
public static class Crc32c
{
    public const uint Seed = 0xFFFFFFFF;

    /// <summary>P(x) without x^32, least significant bit first.</summary>
    internal const uint ReflectedPolynomial = 0x82F63B78;

    /// <summary>Our choice: a part of a first level cache of 32 KiB, source and destination.</summary>
    private const int CopiedAtOnceBytes = 4096;

    private static readonly bool Folds = Crc32cFold.IsSupported;
    private static readonly bool Interleaves = Crc32cInterleaved.IsSupported;

    public static uint Compute(ReadOnlySpan<byte> bytes) => Finish(Append(Seed, bytes));

    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= Crc32cFold.LengthMin && Folds) return Crc32cFold.Append(state, bytes);
        if (bytes.Length >= Crc32cInterleaved.LengthMin && Interleaves)
            return Crc32cInterleaved.Append(state, bytes);
        return AppendSerial(state, bytes);
    }

    /// <summary>
    /// Appends the bytes while copying them, in one pass over the memory. What is appended is what was copied, even if
    /// somebody writes to <paramref name="bytes"/> meanwhile.
    /// </summary>
    public static uint AppendCopying(uint state, ReadOnlySpan<byte> bytes, Span<byte> copy)
    {
        if (bytes.Length >= Crc32cFold.LengthMin && Folds) return Crc32cFold.AppendCopying(state, bytes, copy);
        while (!bytes.IsEmpty)
        {
            // What was just copied is read again while it is in the first level cache.
            var part = Math.Min(bytes.Length, CopiedAtOnceBytes);
            bytes[..part].CopyTo(copy);
            state = Append(state, copy[..part]);
            bytes = bytes[part..];
            copy = copy[part..];
        }
        return state;
    }

    /// <summary>Appends the padding that follows a data segment: 0 to 3 zero bytes, covered by the digest.</summary>
    public static uint AppendPadding(uint state, int dataSegmentLength)
    {
        for (var count = -dataSegmentLength & 3; count > 0; count--) state = BitOperations.Crc32C(state, (byte)0);
        return state;
    }

    public static uint Finish(uint state) => ~state;

    /// <summary>One instruction for 8 bytes.</summary>
    internal static uint AppendSerial(uint state, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        if (Sse42.X64.IsSupported)
        {
            ulong wide = state;
            foreach (var word in words) wide = Sse42.X64.Crc32(wide, word);
            state = (uint)wide;
        }
        else
        {
            foreach (var word in words)
                state = BitOperations.Crc32C(state, BitConverter.IsLittleEndian ? word : Swap(word));
        }
        foreach (var one in bytes[(words.Length * 8)..]) state = BitOperations.Crc32C(state, one);
        return state;
    }

    private static ulong Swap(ulong word) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word);

    /// <summary>x^n mod P(x), least significant bit first: how a CRC moves over n bits that follow.</summary>
    internal static uint PowerOfX(int n)
    {
        var value = 0x80000000u;
        for (; n > 0; n--) value = (value & 1) != 0 ? value >> 1 ^ ReflectedPolynomial : value >> 1;
        return value;
    }
}
