using CsCheck;
using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("512", 512)]
    [InlineData("512B", 512)]
    [InlineData("4KiB", 4096)]
    [InlineData("4K", 4096)]
    [InlineData("4kB", 4000)]
    [InlineData("256MiB", 256L << 20)]
    [InlineData("256 MiB", 256L << 20)]
    [InlineData("1.5GiB", 3L << 29)]
    [InlineData("10GB", 10_000_000_000)]
    [InlineData("2TiB", 2L << 40)]
    [InlineData("1P", 1L << 50)]
    [InlineData("0", 0)]
    public void A_size_is_read(string text, long bytes)
    {
        Assert.True(Units.TryParseSize(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData("1.5B")]
    [InlineData("1..5KiB")]
    [InlineData("256mib")]
    [InlineData("256MiBs")]
    [InlineData("0x100")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    [InlineData("8192PiB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(Units.TryParseSize(text, out _));

    [Theory]
    [InlineData("20us", 0.02)]
    [InlineData("500ms", 500)]
    [InlineData("5s", 5_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("2min", 120_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("0", 0)]
    public void A_duration_is_read(string text, double milliseconds)
    {
        Assert.True(Units.TryParseDuration(text, out TimeSpan read));
        Assert.Equal(milliseconds, read.TotalMilliseconds);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("5m")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("0.1us")]
    [InlineData("9000000000000h")]
    [InlineData("99999999999h")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Units.TryParseDuration(text, out _));

    [Theory]
    [InlineData("1%", 1)]
    [InlineData("100%", 100)]
    public void A_percentage_is_read(string text, int percent)
    {
        Assert.True(Units.TryParsePercent(text, out int read));
        Assert.Equal(percent, read);
    }

    [Theory]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("-5%")]
    [InlineData("5")]
    [InlineData("%")]
    public void What_is_no_percentage_is_refused(string text) => Assert.False(Units.TryParsePercent(text, out _));

    [Theory]
    [InlineData("0", new[] { 0 })]
    [InlineData("0-3,8", new[] { 0, 1, 2, 3, 8 })]
    [InlineData("8, 1", new[] { 1, 8 })]
    public void A_list_of_CPUs_is_read(string text, int[] cpus)
    {
        Assert.True(Units.TryParseCpus(text, out IReadOnlyList<int> read));
        Assert.Equal(cpus, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("3-1")]
    [InlineData("1,1")]
    [InlineData("0-2,2")]
    [InlineData("a")]
    [InlineData("1-2-3")]
    [InlineData("0-8192")]
    public void What_is_no_list_of_CPUs_is_refused(string text) => Assert.False(Units.TryParseCpus(text, out _));

    [Fact]
    public void A_size_reads_back_as_it_is_written() =>
        Gen.Long[0, long.MaxValue].Sample(bytes =>
            Units.TryParseSize(Units.FormatSize(bytes), out long read) && read == bytes);

    [Fact]
    public void No_text_makes_the_parsers_throw() =>
        Gen.String.Sample(text =>
        {
            Units.TryParseSize(text, out _);
            Units.TryParseDuration(text, out _);
            Units.TryParsePercent(text, out _);
            Units.TryParseCpus(text, out _);
            PortalSection.TryParseAddress(text, out _);
        });
}
