using CsCheck;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class TextValueTests
{
    [Theory]
    [InlineData("0", 0ul)]
    [InlineData("8192", 8192ul)]
    [InlineData("0x10", 16ul)]
    [InlineData("0XfF", 255ul)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    public void Numbers_are_decimal_or_hexadecimal(string value, ulong expected)
    {
        Assert.True(TextValue.TryNumber(value, out var number));
        Assert.Equal(expected, number);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("01")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.0")]
    [InlineData("0x")]
    [InlineData("0xg")]
    [InlineData("18446744073709551616")]
    [InlineData("Yes")]
    public void Anything_else_is_no_number(string value) => Assert.False(TextValue.TryNumber(value, out _));

    [Theory]
    [InlineData("Yes", true, true)]
    [InlineData("No", true, false)]
    [InlineData("yes", false, false)]
    [InlineData("1", false, false)]
    [InlineData("", false, false)]
    public void Booleans_are_Yes_or_No(string value, bool valid, bool expected)
    {
        Assert.Equal(valid, TextValue.TryBoolean(value, out var result));
        Assert.Equal(expected, result);
    }

    [Theory]
    [InlineData("1~5", true)]
    [InlineData("0x1~0x1", true)]
    [InlineData("5~1", false)]
    [InlineData("~1", false)]
    [InlineData("1~", false)]
    [InlineData("1", false)]
    public void Ranges_go_upwards(string value, bool valid) =>
        Assert.Equal(valid, TextValue.TryRange(value, out _, out _));

    [Theory]
    [InlineData("None,CRC32C", true)]
    [InlineData("None", true)]
    [InlineData("", false)]
    [InlineData("None,", false)]
    [InlineData("None,,CRC32C", false)]
    public void Lists_have_no_empty_elements(string value, bool valid) =>
        Assert.Equal(valid, TextValue.TryList(value, out _));

    [Theory]
    [InlineData("0x0a1B", "0a1b")]
    [InlineData("0Xa1b", "0a1b")] // an odd number of digits
    [InlineData("0bChs=", "0a1b")]
    [InlineData("0BChs=", "0a1b")]
    public void Binary_values_are_hexadecimal_or_base64(string value, string expected)
    {
        Assert.True(TextValue.TryBinary(value, out var bytes));
        Assert.Equal(expected, Convert.ToHexStringLower(bytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("0b")]
    [InlineData("0a1b")]
    [InlineData("0xzz")]
    [InlineData("0bChs")] // without padding
    [InlineData("0bCh s=")]
    [InlineData("0b====")]
    public void Anything_else_is_no_binary_value(string value) => Assert.False(TextValue.TryBinary(value, out _));

    [Fact]
    public void Binary_value_has_at_most_1024_bytes()
    {
        Assert.True(TextValue.TryBinary("0x" + new string('a', 2048), out _));
        Assert.False(TextValue.TryBinary("0x" + new string('a', 2049), out _));
        Assert.True(TextValue.TryBinary("0b" + Convert.ToBase64String(new byte[1024]), out var bytes));
        Assert.Equal(1024, bytes.Length);
        Assert.False(TextValue.TryBinary("0b" + Convert.ToBase64String(new byte[1025]), out _));
    }

    [Fact]
    public void Binary_values_come_back_from_both_encodings() =>
        Gen.Byte.Array[1, 1024].Sample(bytes =>
        {
            Assert.True(TextValue.TryBinary(TextValue.Binary(bytes), out var hexadecimal));
            Assert.True(TextValue.TryBinary("0b" + Convert.ToBase64String(bytes), out var base64));
            Assert.Equal(bytes, hexadecimal);
            Assert.Equal(bytes, base64);
        });

    [Fact]
    public void Readers_never_throw() =>
        Gen.OneOf(Gen.String, Gen.String.Select(s => "0x" + s), Gen.String.Select(s => "0b" + s)).Sample(value =>
        {
            TextValue.TryNumber(value, out _);
            TextValue.TryRange(value, out _, out _);
            TextValue.TryList(value, out _);
            TextValue.TryBinary(value, out _);
        });
}
