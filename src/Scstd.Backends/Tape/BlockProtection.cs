using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Scstd.Core;

namespace Scstd.Backends.Tape;

/// <summary>Logical block protection with a CRC32C of four bytes behind each block (SSC-4 §4.2, logical block
/// protection; method 02h), in the byte order of iSCSI's digests.</summary>
internal static class BlockProtection
{
    public const int LengthBytes = 4;

    /// <summary>LOGICAL BLOCK PROTECTION METHOD: Castagnoli.</summary>
    public const byte Method = 0x02;

    public static uint Compute(DataBuffer data, int offsetBytes, int lengthBytes)
    {
        uint crc = uint.MaxValue;
        while (lengthBytes > 0)
        {
            ReadOnlySpan<byte> stretch = data.Stretch(offsetBytes);
            stretch = stretch[..Math.Min(stretch.Length, lengthBytes)];
            crc = Add(crc, stretch);
            offsetBytes += stretch.Length;
            lengthBytes -= stretch.Length;
        }
        return ~crc;
    }

    /// <summary>Puts it behind a block in the buffer.</summary>
    public static void Append(DataBuffer data, int offsetBytes, int blockLengthBytes)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Compute(data, offsetBytes, blockLengthBytes));
        data.CopyFrom(bytes, offsetBytes + blockLengthBytes);
    }

    /// <summary>What lies behind a block is its protection information.</summary>
    public static bool Holds(DataBuffer data, int offsetBytes, int blockLengthBytes)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        data.CopyTo(bytes, offsetBytes + blockLengthBytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Compute(data, offsetBytes, blockLengthBytes);
    }

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
            crc = BitOperations.Crc32C(crc, word);
        foreach (byte one in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, one);
        return crc;
    }
}
