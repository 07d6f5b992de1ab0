using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Logical block protection with a check of four bytes behind each block (SSC-4 §4.2, logical block
/// protection): one of the two methods that there are.</summary>
internal sealed class BlockProtection
{
    public const int LengthBytes = 4;

    /// <summary>Method 01h: the Reed-Solomon code of ECMA-319, its first byte first.</summary>
    public static readonly BlockProtection ReedSolomon = new(0x01, ReedSolomonOf);

    /// <summary>Method 02h: CRC32C in the byte order of iSCSI's digests.</summary>
    public static readonly BlockProtection Castagnoli = new(
        0x02, static (data, offsetBytes, lengthBytes) => BinaryPrimitives.ReverseEndianness(
            Crc32c.Finish(data.AppendCrc32c(Crc32c.Seed, offsetBytes, lengthBytes))));

    private readonly Func<DataBuffer, int, int, uint> _compute;

    private BlockProtection(byte method, Func<DataBuffer, int, int, uint> compute) =>
        (Method, _compute) = (method, compute);

    /// <summary>In the order of their codes.</summary>
    public static IReadOnlyList<BlockProtection> All { get; } = [ReedSolomon, Castagnoli];

    /// <summary>LOGICAL BLOCK PROTECTION METHOD.</summary>
    public byte Method { get; }

    /// <summary>Null: there is no such method, or none is wanted (00h).</summary>
    public static BlockProtection? Find(byte method) => All.FirstOrDefault(one => one.Method == method);

    /// <summary>B5h, Logical Block Protection: a descriptor for each method, none among them; LBP_W and LBP_R.
    /// </summary>
    /*   0  DESCRIPTOR LENGTH (7)                   2  PROTECTION INFORMATION LENGTH 5-0
         1  LOGICAL BLOCK PROTECTION METHOD         3  LBP_W 7 | LBP_R 6
                                                    4- reserved                          */
    public static byte[] Descriptors() =>
    [
        0x07, 0, 0, 0, 0, 0, 0, 0,
        .. All.SelectMany(one => (byte[])[0x07, one.Method, LengthBytes, 0xC0, 0, 0, 0, 0]),
    ];

    /// <summary>Puts it behind a block in the buffer, as much of it as there is room for.</summary>
    public void Append(DataBuffer data, int offsetBytes, int blockLengthBytes, int roomBytes)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, _compute(data, offsetBytes, blockLengthBytes));
        data.CopyFrom(bytes[..Math.Min(LengthBytes, roomBytes)], offsetBytes + blockLengthBytes);
    }

    /// <summary>What lies behind a block is its protection information.</summary>
    public bool Holds(DataBuffer data, int offsetBytes, int blockLengthBytes)
    {
        Span<byte> bytes = stackalloc byte[LengthBytes];
        data.CopyTo(bytes, offsetBytes + blockLengthBytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes) == _compute(data, offsetBytes, blockLengthBytes);
    }

    private static uint ReedSolomonOf(DataBuffer data, int offsetBytes, int lengthBytes)
    {
        uint check = 0;
        while (lengthBytes > 0)
        {
            ReadOnlySpan<byte> stretch = data.Stretch(offsetBytes);
            stretch = stretch[..Math.Min(stretch.Length, lengthBytes)];
            check = ReedSolomonCheck.Append(check, stretch);
            offsetBytes += stretch.Length;
            lengthBytes -= stretch.Length;
        }
        return check;
    }
}

/// <summary>The remainder of a division by x⁴ + α²⁰¹x³ + α²⁴⁶x² + α²⁰¹x + 1 over GF(2⁸), whose field is made by
/// x⁸ + x⁴ + x³ + x² + 1 (ECMA-319).</summary>
internal static class ReedSolomonCheck
{
    /// <summary>α²⁰¹, α²⁴⁶, α²⁰¹ and 1.</summary>
    private const uint Generator = 0x38CF3801;

    /// <summary>The generator times each byte.</summary>
    private static readonly uint[] Products = [.. Enumerable.Range(0, 256).Select(factor => Times((byte)factor))];

    /// <summary>From 0 on.</summary>
    public static uint Append(uint check, ReadOnlySpan<byte> bytes)
    {
        uint[] products = Products;
        foreach (byte one in bytes)
            check = (check << 8) ^ products[(check >> 24) ^ one];
        return check;
    }

    private static uint Times(byte factor)
    {
        uint product = 0;
        uint power = Generator;
        for (; factor != 0; factor >>= 1, power = Doubled(power))
        {
            if ((factor & 1) != 0)
                product ^= power;
        }
        return product;
    }

    /// <summary>Each of four bytes times α.</summary>
    private static uint Doubled(uint four) =>
        ((four << 1) & 0xFEFEFEFE) ^ (((four >> 7) & 0x01010101) * 0x1D);
}
