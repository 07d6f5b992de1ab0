using System.Diagnostics;
using Scstd.Backends.Tests.Tape.Cartridges;
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
        _process = Start(path);
        Assert.Equal(Holding, _process.StandardOutput.ReadLine());
    }

    public static int Main(string[] arguments)
    {
        if (arguments is [CartridgeWriter.Word, .. string[] rest])
            return CartridgeWriter.Run(rest);
        using BlockFile file = BlockFile.Open(arguments[0], new BlockFileOptions());
        Console.WriteLine(Holding);
        Console.ReadLine();
        return 0;
    }

    /// <summary>Runs <see cref="Main"/> elsewhere.</summary>
    public static Process Start(params string[] arguments)
    {
        string program = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal)
            ? Environment.ProcessPath : "dotnet";
        return Process.Start(new ProcessStartInfo(
            program, ["exec", typeof(SecondProcess).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
