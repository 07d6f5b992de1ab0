using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Logical block protection with a CRC32C of four bytes behind each block (SSC-4 §4.2, logical block
/// protection; method 02h), in the byte order of iSCSI's digests.</summary>
internal static class BlockProtection
{
    public const int LengthBytes = 4;

    /// <summary>LOGICAL BLOCK PROTECTION METHOD: Castagnoli.</summary>
    public const byte Method = 0x02;

    public static uint Compute(DataBuffer data, int offsetBytes, int lengthBytes) =>
        Crc32c.Finish(data.AppendCrc32c(Crc32c.Seed, offsetBytes, lengthBytes));

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
}
