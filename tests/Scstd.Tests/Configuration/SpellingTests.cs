using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

public sealed class SpellingTests
{
    [Theory]
    [InlineData("address", "address", 0)]
    [InlineData("adress", "address", 1)]
    [InlineData("addrses", "address", 1)]
    [InlineData("Address", "address", 0)]
    [InlineData("block-size", "block_size", 0)]
    [InlineData("", "abc", 3)]
    [InlineData("abc", "", 3)]
    public void Distance_counts_edits(string left, string right, int distance) =>
        Assert.Equal(distance, Spelling.Distance(left, right));

    [Theory]
    [InlineData("adress", "address")]
    [InlineData("prot", "port")]
    [InlineData("reed_only", "read_only")]
    [InlineData("readonly", "read_only")]
    public void The_nearest_word_is_found(string written, string meant) =>
        Assert.Equal(meant, Spelling.Nearest(written, ["port", "address", "read_only", "lun"]));

    [Theory]
    [InlineData("colour")]
    [InlineData("x")]
    public void A_word_that_is_like_none_gets_no_suggestion(string written) =>
        Assert.Null(Spelling.Nearest(written, ["port", "address", "read_only", "lun"]));
}
