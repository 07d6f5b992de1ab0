using System.CommandLine;
using Scstd.Hosting;

namespace Scstd.Tests.Hosting;

/// <summary>"scstd cartridge …", by what it returns and leaves behind.</summary>
public sealed class CartridgeCommandsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_cartridge_that_is_made_is_whole_and_is_listed()
    {
        string file = _folder.File("TST001L6");
        (int status, string output, string error) = Run("create", file);
        Assert.Equal((0, ""), (status, error));
        Assert.StartsWith($"{file}: TST001L6, LTO-6, 2500000000000 bytes, serial number ", output);
        Assert.Equal((0, $"{file}: whole; 1 partition(s), 0 object(s)\n", ""), Run("check", file));
        (status, output, _) = Run("list", file);
        Assert.Equal(0, status);
        Assert.Contains("partition 0: 0 objects, 0 of 2500000000000 bytes used", output);
    }

    [Theory]
    [InlineData("A00001L5", "LTO-5, 1500000000000 bytes")]
    [InlineData("A00001LZ", "18000000000000 bytes")]
    [InlineData("anything", "LTO-8, 12000000000000 bytes", "--generation", "8")]
    [InlineData("A00001L7", "LTO-7, 100000000000 bytes", "--capacity", "100GB")]
    [InlineData("A00001L7", "written once", "--worm")]
    [InlineData("A00001L7", "cleaning", "--cleaning")]
    [InlineData("A00001L7", "write protected", "--write-protected")]
    [InlineData("A00001L7", "B00002L7, LTO-7", "--barcode", "B00002L7")]
    public void What_is_asked_for_is_made(string name, string expected, params string[] options)
    {
        (int status, string output, _) = Run(["create", _folder.File(name), .. options]);
        Assert.Equal(0, status);
        Assert.Contains(expected, output);
    }

    [Theory]
    [InlineData("does not end as a barcode", "anything")]
    [InlineData("no generation 4", "A00001L4")]
    [InlineData("no generation 3", "anything", "--generation", "3")]
    [InlineData("expected a size", "A00001L6", "--capacity", "much")]
    public void What_makes_no_sense_is_refused_and_leaves_no_file(string expected, string name, params string[] options)
    {
        (int status, _, string error) = Run(["create", _folder.File(name), .. options]);
        Assert.Equal(1, status);
        Assert.Contains(expected, error);
        Assert.False(File.Exists(_folder.File(name)));
    }

    [Fact]
    public void Damage_is_status_2_until_it_is_repaired()
    {
        string file = _folder.File("TST001L6");
        Run("create", file);
        using (FileStream stream = File.OpenWrite(file))
            stream.Write(new byte[100]);

        (int status, string output, _) = Run("check", file);
        Assert.Equal(2, status);
        Assert.Contains("one of the two checkpoints is damaged", output);
        (status, output, _) = Run("repair", file);
        Assert.Equal(0, status);
        Assert.Contains("both checkpoints were written anew", output);
        Assert.Equal(0, Run("check", file).Status);
        Assert.Contains("nothing was to be repaired", Run("repair", file).Output);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("repair")]
    [InlineData("list")]
    public void What_is_no_cartridge_is_status_1(string command)
    {
        string file = _folder.Write("other", "something else");
        (int status, _, string error) = Run(command, file);
        Assert.Equal((1, $"scstd: {file}: this is no cartridge\n"), (status, error));
        (status, _, error) = Run(command, _folder.File("missing"));
        Assert.Equal((1, $"scstd: {_folder.File("missing")}: there is no such file\n"), (status, error));
    }

    private static (int Status, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { CartridgeCommands.Build() };
        int status = root.Parse(["cartridge", .. arguments]).Invoke(
            new InvocationConfiguration { Output = output, Error = error });
        return (status, output.ToString(), error.ToString());
    }
}
