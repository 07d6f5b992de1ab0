using CsCheck;

namespace Scstd.Scsi.Tests;

public sealed class BlockCdbTests
{
    [Theory]
    [InlineData("08 12 34 56 07 00", 0x123456u, 7u)]
    [InlineData("08 FF FF FF 01 00", 0x1FFFFFu, 1u)]
    [InlineData("0A 00 00 00 00 00", 0u, 256u)]
    [InlineData("28 18 01 02 03 04 00 05 06 00", 0x01020304u, 0x0506u)]
    [InlineData("41 08 01 02 03 04 00 05 06 00", 0x01020304u, 0x0506u)]
    [InlineData("A8 18 01 02 03 04 05 06 07 08 00 00", 0x01020304u, 0x05060708u)]
    [InlineData("88 18 01 02 03 04 05 06 07 08 09 0A 0B 0C 00 00", 0x0102030405060708u, 0x090A0B0Cu)]
    [InlineData("89 18 01 02 03 04 05 06 07 08 FF FF FF 04 00 00", 0x0102030405060708u, 4u)]
    [InlineData(
        "7F 00 00 00 00 00 00 18 00 09 18 00 01 02 03 04 05 06 07 08 FF FF FF FF FF FF FF FF 09 0A 0B 0C",
        0x0102030405060708u, 0x090A0B0Cu)]
    public void Address_and_length_lie_where_the_shape_of_the_cdb_says(string hex, ulong address, uint blocks)
    {
        var cdb = new BlockCdb(Convert.FromHexString(hex.Replace(" ", "")));
        Assert.Equal(address, cdb.LogicalBlockAddress);
        Assert.Equal(blocks, cdb.TransferLengthBlocks);
    }

    [Theory]
    [InlineData("28 00 00 00 00 00 00 00 00 00", 0, false, false, 0)]
    [InlineData("28 F8 00 00 00 00 2A 00 00 00", 7, true, true, 0x2A)]
    [InlineData("2A 08 00 00 00 00 01 00 00 00", 0, false, true, 1)]
    [InlineData("A8 10 00 00 00 00 00 00 00 00 03 00", 0, true, false, 3)]
    [InlineData("8A 28 00 00 00 00 00 00 00 00 00 00 00 00 04 00", 1, false, true, 4)]
    [InlineData(
        "7F 00 00 00 00 00 05 18 00 0B 48 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        2, false, true, 5)]
    [InlineData("08 FF FF FF 00 00", 0, false, false, 0)]
    public void Flags_and_group_lie_where_the_shape_of_the_cdb_says(
        string hex, int protect, bool dpo, bool fua, int group)
    {
        var cdb = new BlockCdb(Convert.FromHexString(hex.Replace(" ", "")));
        Assert.Equal(protect, cdb.Protect);
        Assert.Equal(dpo, cdb.Dpo);
        Assert.Equal(fua, cdb.Fua);
        Assert.Equal(group, cdb.GroupNumber);
    }

    [Theory]
    [InlineData("2F 02 00 00 00 00 00 00 01 00", 1)]
    [InlineData("2F 06 00 00 00 00 00 00 01 00", 3)]
    [InlineData("2F 10 00 00 00 00 00 00 01 00", 0)]
    public void Byte_check_is_two_bits(string hex, int expected) =>
        Assert.Equal(expected, new BlockCdb(Convert.FromHexString(hex.Replace(" ", ""))).ByteCheck);

    [Fact]
    public void A_cdb_of_its_full_length_is_always_readable() => Gen.Byte.Array[32].Sample(bytes =>
    {
        var cdb = new BlockCdb(bytes);
        Assert.True(cdb.TransferLengthBlocks <= uint.MaxValue && cdb.Protect <= 7);
    });
}
