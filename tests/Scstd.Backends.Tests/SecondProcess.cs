using System.Diagnostics;
using Scstd.Linux;

namespace Scstd.Backends.Tests;

/// <summary>Another process with a file open, as a second daemon would have it.</summary>
internal sealed class SecondProcess : IDisposable
{
    private const string Holding = "holding";

    private readonly Process _process;

    /// <summary>Returns when the other process has the file.</summary>
    public SecondProcess(string path)
    {
        _process = Process.Start(new ProcessStartInfo
        {
            FileName = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal)
                ? Environment.ProcessPath : "dotnet",
            ArgumentList = { "exec", typeof(SecondProcess).Assembly.Location, path },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal(Holding, _process.StandardOutput.ReadLine());
    }

    public static int Main(string[] arguments)
    {
        using BlockFile file = BlockFile.Open(arguments[0], new BlockFileOptions());
        Console.WriteLine(Holding);
        Console.ReadLine();
        return 0;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
