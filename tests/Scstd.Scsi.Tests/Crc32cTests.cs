using System.Text;
using CsCheck;

namespace Scstd.Scsi.Tests;

public sealed class Crc32cTests
{
    [Fact]
    public void Check_value_of_the_polynomial() =>
        Assert.Equal(0xE3069283u, Crc32c.Compute(Encoding.ASCII.GetBytes("123456789")));

    /// <summary>RFC 7143 Appendix A.4; values as the wire shows them, first byte first.</summary>
    [Theory]
    [InlineData("zeros", "aa36918a")]
    [InlineData("ones", "43aba862")]
    [InlineData("incrementing", "4e79dd46")]
    [InlineData("decrementing", "5cdb3f11")]
    [InlineData("read10", "563a96d9")]
    public void Examples_of_the_standard(string name, string wire)
    {
        var bytes = name switch
        {
            "zeros" => new byte[32],
            "ones" => Enumerable.Repeat((byte)0xFF, 32).ToArray(),
            "incrementing" => Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(),
            "decrementing" => Enumerable.Range(0, 32).Select(i => (byte)(31 - i)).ToArray(),
            _ => Convert.FromHexString("01c00000000000000000000000000000"
                + "14000000000004000000001400000018"
                + "28000000000000000200000000000000"),
        };
        var digest = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(digest, Crc32c.Compute(bytes));
        Assert.Equal(wire, Convert.ToHexStringLower(digest));
    }

    [Fact]
    public void All_ways_to_compute_agree_with_the_definition() =>
        Gen.Select(Gen.UInt, Gen.Byte.Array[0, 3000]).Sample((state, bytes) =>
        {
            var expected = BitByBit(state, bytes);
            Assert.Equal(expected, Crc32c.Append(state, bytes));
            Assert.Equal(expected, Crc32c.AppendSerial(state, bytes));
            if (Crc32cInterleaved.IsSupported) Assert.Equal(expected, Crc32cInterleaved.Append(state, bytes));
            if (Crc32cFold.IsSupported && bytes.Length >= Crc32cFold.LengthMin)
                Assert.Equal(expected, Crc32cFold.Append(state, bytes));
        });

    [Fact]
    public void Bytes_may_be_copied_on_the_way() =>
        Gen.Select(Gen.UInt, Gen.Byte.Array[0, 9000], Gen.Int[0, 100]).Sample((state, bytes, beyond) =>
        {
            var expected = BitByBit(state, bytes);
            var copies = new List<byte[]> { Copied(Crc32c.AppendCopying) };
            if (Crc32cFold.IsSupported && bytes.Length >= Crc32cFold.LengthMin)
                copies.Add(Copied(Crc32cFold.AppendCopying));
            byte[] whole = [.. bytes, .. new byte[beyond]];
            Assert.All(copies, copy => Assert.Equal(whole, copy));

            byte[] Copied(Copying copying)
            {
                var copy = new byte[bytes.Length + beyond];
                Assert.Equal(expected, copying(state, bytes, copy));
                return copy;
            }
        });

    private delegate uint Copying(uint state, ReadOnlySpan<byte> bytes, Span<byte> copy);

    [Fact]
    public void Segments_one_after_another_are_the_whole() =>
        Gen.Select(Gen.Byte.Array[0, 9000], Gen.Int[0, 9000], Gen.Int[0, 9000]).Sample((bytes, first, second) =>
        {
            var from = Math.Min(Math.Min(first, second), bytes.Length);
            var to = Math.Min(Math.Max(first, second), bytes.Length);
            var state = Crc32c.Append(Crc32c.Seed, bytes.AsSpan(0, from));
            state = Crc32c.Append(state, bytes.AsSpan(from, to - from));
            state = Crc32c.Append(state, bytes.AsSpan(to));
            Assert.Equal(Crc32c.Compute(bytes), Crc32c.Finish(state));
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(2, 2)]
    [InlineData(3, 1)]
    [InlineData(4, 0)]
    [InlineData(513, 3)]
    public void Padding_bytes_are_part_of_the_digest(int lengthBytes, int paddingBytes)
    {
        var padded = Enumerable.Repeat((byte)0x5A, lengthBytes).Concat(new byte[paddingBytes]).ToArray();
        var state = Crc32c.Append(Crc32c.Seed, padded.AsSpan(0, lengthBytes));
        Assert.Equal(Crc32c.Compute(padded), Crc32c.Finish(Crc32c.AppendPadding(state, lengthBytes)));
    }

    private static uint BitByBit(uint state, byte[] bytes)
    {
        foreach (var one in bytes)
        {
            state ^= one;
            for (var bit = 0; bit < 8; bit++)
                state = (state & 1) != 0 ? state >> 1 ^ Crc32c.ReflectedPolynomial : state >> 1;
        }
        return state;
    }
}
