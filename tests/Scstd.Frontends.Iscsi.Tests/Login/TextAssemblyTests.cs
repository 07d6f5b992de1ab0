using System.Text;
using CsCheck;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class TextAssemblyTests
{
    private static string? Parse(string text, out List<TextPair> pairs) =>
        TextAssembly.Parse(Encoding.UTF8.GetBytes(text), out pairs);

    [Fact]
    public void Pairs_end_with_a_zero_byte_and_keep_their_order()
    {
        Assert.Null(Parse("B=1\0A=\0C=x=y\0", out var pairs));
        Assert.Equal([new("B", "1"), new("A", ""), new("C", "x=y")], pairs);
    }

    [Fact]
    public void No_text_has_no_pairs()
    {
        Assert.Null(Parse("", out var pairs));
        Assert.Empty(pairs);
    }

    [Fact]
    public void Zero_bytes_between_pairs_are_padding()
    {
        Assert.Null(Parse("\0A=1\0\0\0B=2\0\0", out var pairs));
        Assert.Equal([new("A", "1"), new("B", "2")], pairs);
    }

    [Theory]
    [InlineData("A=1")] // without terminator
    [InlineData("A=1\0B=2")]
    [InlineData("A\0")] // without '='
    [InlineData("=1\0")] // without key
    [InlineData("A B=1\0")] // a space in a key
    [InlineData("Ä=1\0")]
    public void Malformed_text_is_refused(string text) => Assert.NotNull(Parse(text, out _));

    [Fact]
    public void Text_that_is_not_utf8_is_refused() =>
        Assert.NotNull(TextAssembly.Parse([(byte)'A', (byte)'=', 0xFF, 0], out _));

    [Fact]
    public void Key_name_has_at_most_63_bytes()
    {
        Assert.Null(Parse(new string('K', 63) + "=1\0", out _));
        Assert.NotNull(Parse(new string('K', 64) + "=1\0", out _));
    }

    [Theory]
    [InlineData("InitiatorAlias", 255)]
    [InlineData("MaxBurstLength", 255)]
    [InlineData("CHAP_N", 255)]
    [InlineData("CHAP_C", 2050)]
    [InlineData("CHAP_R", 2050)]
    [InlineData("HeaderDigest", 8192)]
    [InlineData("X-org.example", 8192)]
    public void Value_is_as_long_as_its_key_allows(string key, int lengthMax)
    {
        Assert.Null(Parse($"{key}={new string('1', lengthMax)}\0", out _));
        Assert.NotNull(Parse($"{key}={new string('1', lengthMax + 1)}\0", out _));
    }

    [Fact]
    public void Number_of_keys_is_bounded()
    {
        Assert.Null(Parse(string.Concat(Enumerable.Repeat("A=\0", LoginLimits.KeysMax)), out _));
        Assert.NotNull(Parse(string.Concat(Enumerable.Repeat("A=\0", LoginLimits.KeysMax + 1)), out _));
    }

    [Fact]
    public void Text_over_all_pdus_is_bounded_and_nothing_is_kept_beyond()
    {
        var assembly = new TextAssembly();
        Assert.True(assembly.TryAppend(new byte[LoginLimits.TextLengthMax - 1]));
        Assert.False(assembly.TryAppend(new byte[2]));
        Assert.Equal(LoginLimits.TextLengthMax - 1, assembly.LengthBytes);
        Assert.True(assembly.TryAppend(new byte[1]));
    }

    [Fact]
    public void Text_may_be_cut_anywhere() =>
        Gen.Select(Gen.Char['a', 'z'].Array[1, 40].List[0, 20], Gen.Int[1, 50]).Sample((values, pieceLength) =>
        {
            var pairs = values.Select((value, i) => new TextPair($"X-key{i}", new string(value))).ToList();
            var text = TextPair.Encode(pairs);
            var assembly = new TextAssembly();
            foreach (var piece in text.Chunk(pieceLength)) Assert.True(assembly.TryAppend(piece));
            Assert.Null(assembly.Take(out var parsed));
            Assert.Equal(pairs, parsed);
            Assert.Equal(0, assembly.LengthBytes);
        });

    [Fact]
    public void Parsing_random_bytes_never_throws() =>
        Gen.OneOf(
            Gen.Byte.Array[0, 300],
            Gen.Int[0, 4].Select(i => "A=\0,\u00C3"[i]).Select(c => (byte)c).Array[0, 300])
        .Sample(bytes =>
        {
            var fault = TextAssembly.Parse(bytes, out var pairs);
            if (fault is null) Assert.True(bytes.Length == 0 || bytes[^1] == 0);
            Assert.True(pairs.Count <= LoginLimits.KeysMax);
        });
}
