using CsCheck;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Pdus;

public sealed class AdditionalHeaderSegmentTests
{
    [Fact]
    public void Extended_cdb_carries_what_lies_behind_the_first_16_bytes()
    {
        var cdb = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        var ahs = new byte[64];
        var length = AdditionalHeaderSegments.WriteExtendedCdb(ahs, cdb);
        Hex.Equal("00110100 10111213 14151617 18191a1b 1c1d1e1f", ahs.AsSpan(0, length));
        Assert.True(AdditionalHeaderSegments.TryParse(ahs.AsSpan(0, length), out var segments));
        Assert.Equal(cdb[16..], segments.ExtendedCdb.ToArray());
        Assert.False(segments.HasBidirectionalReadLength);
    }

    [Fact]
    public void Bidirectional_read_length_has_its_own_segment()
    {
        var ahs = new byte[8];
        Assert.Equal(8, AdditionalHeaderSegments.WriteBidirectionalReadLength(ahs, 0x01020304));
        Hex.Equal("00050200 01020304", ahs);
        Assert.True(AdditionalHeaderSegments.TryParse(ahs, out var segments));
        Assert.True(segments.HasBidirectionalReadLength);
        Assert.Equal(0x01020304u, segments.BidirectionalReadExpectedDataTransferLength);
    }

    [Fact]
    public void Both_segments_may_come_together_and_need_no_more_than_the_limit()
    {
        var cdb = new byte[AdditionalHeaderSegments.CdbLengthMax];
        var ahs = new byte[PduRules.AhsLengthMax];
        var used = AdditionalHeaderSegments.WriteExtendedCdb(ahs, cdb);
        used += AdditionalHeaderSegments.WriteBidirectionalReadLength(ahs.AsSpan(used), 7);
        Assert.Equal(PduRules.AhsLengthMax, used);
        Assert.True(AdditionalHeaderSegments.TryParse(ahs, out var segments));
        Assert.Equal(244, segments.ExtendedCdb.Length);
        Assert.Equal(7u, segments.BidirectionalReadExpectedDataTransferLength);
    }

    [Theory]
    [InlineData("0011")] // shorter than a segment's beginning
    [InlineData("00110100 00000000")] // longer than what is there
    [InlineData("00000100")] // length zero: would never end
    [InlineData("00010100")] // an extended CDB without a byte of CDB
    [InlineData("00050300 00000000")] // unknown type
    [InlineData("00040200 00000000")] // wrong length of a bidirectional length
    [InlineData("00050200 00000000 00050200 00000000")] // twice
    public void Segments_that_contradict_themselves_are_not_read(string ahs) =>
        Assert.False(AdditionalHeaderSegments.TryParse(Hex.Bytes(ahs), out _));

    [Fact]
    public void Parsing_random_bytes_never_throws_and_never_leaves_the_segments() =>
        Gen.Byte.Array[0, 300].Sample(bytes =>
        {
            if (AdditionalHeaderSegments.TryParse(bytes, out var segments))
                Assert.True(segments.ExtendedCdb.Length <= bytes.Length);
        });

    [Fact]
    public void Extended_cdb_of_every_length_comes_back() =>
        Gen.Byte.Array[17, 260].Sample(cdb =>
        {
            var ahs = new byte[256];
            var length = AdditionalHeaderSegments.WriteExtendedCdb(ahs, cdb);
            Assert.Equal(0, length % 4);
            Assert.True(AdditionalHeaderSegments.TryParse(ahs.AsSpan(0, length), out var segments));
            Assert.Equal(cdb[16..], segments.ExtendedCdb.ToArray());
        });
}
