using Scstctl;
using Scstd.Configuration;
using Scstd.Control;

namespace Scstd.Tests.Administration;

/// <summary>One value of the configuration file is changed, and nothing else of it.</summary>
public sealed class SavingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a: 1MiB   # small", 4, "1MiB")]
    [InlineData("a: {b: 1MiB, c: 2}", 8, "1MiB")]
    [InlineData("a: {b: c d}", 8, "c d")]
    [InlineData("a: '1 MiB' # x", 4, "'1 MiB'")]
    [InlineData("a: \"x, y\"}", 4, "\"x, y\"")]
    [InlineData("a: 5\r", 4, "5")]
    [InlineData("a: *anchor", 4, null)]
    [InlineData("a: |", 4, null)]
    [InlineData("a: 'cut", 4, null)]
    [InlineData("a:", 4, null)]
    public void A_value_is_found_as_it_is_written(string line, int column, string? value) =>
        Assert.Equal(value, SourceText.ValueAt("# first\n" + line, new SourcePosition(2, column)));

    [Fact]
    public void The_rest_of_the_file_stays_byte_for_byte()
    {
        string path = _folder.Write("a.yaml", "# one\r\na: {size: 1MiB}   # two\n\n# ünd drei");
        UnixFileMode mode = File.GetUnixFileMode(path);
        using var said = new StringWriter();
        Assert.True(FileEdit.Settle(
            new AgreementRecord(path, false, new EditRecord(2, 11, "1MiB", "128MiB")), saves: true, said));
        Assert.Equal("# one\r\na: {size: 128MiB}   # two\n\n# ünd drei", File.ReadAllText(path));
        Assert.Equal("# one\r\na: {size: 1MiB}   # two\n\n# ünd drei", File.ReadAllText(path + "~"));
        Assert.Equal((mode, mode), (File.GetUnixFileMode(path), File.GetUnixFileMode(path + "~")));
        Assert.Contains("1MiB is 128MiB now", said.ToString());
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(1, 2)]
    [InlineData(9, 1)]
    public void A_file_that_is_another_by_now_is_left_alone(int line, int column)
    {
        string path = _folder.Write("a.yaml", "a: 1MiB\n");
        using var said = new StringWriter();
        Assert.False(FileEdit.Settle(
            new AgreementRecord(path, false, new EditRecord(line, column, "1MiB", "2MiB")), saves: true, said));
        Assert.Contains("the file has changed meanwhile", said.ToString());
        Assert.Equal("a: 1MiB\n", File.ReadAllText(path));
    }

    [Fact]
    public void What_cannot_be_written_is_known_before()
    {
        Assert.Null(FileEdit.WhyNotWritable(_folder.Write("a.yaml", "a: 1MiB\n")));
        Assert.NotNull(FileEdit.WhyNotWritable(_folder.File("gone.yaml")));
        Assert.NotNull(FileEdit.WhyNotWritable(_folder.Path));
    }

    [Fact]
    public void Without_save_it_says_what_the_file_says()
    {
        using var said = new StringWriter();
        Assert.False(FileEdit.Settle(
            new AgreementRecord("/a.yaml", false, new EditRecord(2, 3, "1MiB", "2MiB")), saves: false, said));
        Assert.Contains("/a.yaml:2:3 still says 1MiB", said.ToString());
        Assert.True(FileEdit.Settle(new AgreementRecord("/a.yaml", true, null), saves: false, said));
        Assert.False(FileEdit.Settle(new AgreementRecord("/a.yaml", false, null), saves: true, said));
        Assert.Contains("by hand", said.ToString());
    }
}
