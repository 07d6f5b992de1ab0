using System.Diagnostics;
using System.Globalization;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;
using Scstd.Backends.Tests.Disk;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>kill -9 of a process that writes to a cartridge.</summary>
public sealed class CartridgeKillTests
{
    /// <summary>How often; the environment may want more.</summary>
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("SCSTD_CARTRIDGE_KILLS") ?? "15", CultureInfo.InvariantCulture);

    [Fact]
    public void What_was_synchronised_outlives_the_process()
    {
        using var folder = new TemporaryDirectory();
        string path = folder.File("TST001L6");
        Cartridge.Create(path, TapeMoves.Options()).Dispose();
        var random = new Random(1);
        ulong found = 0;
        for (int round = 1; round <= Kills; round++)
        {
            ulong least = WriteAndKill(path, round, random.Next(1, 60), found);
            Assert.True(CartridgeCheck.Run(path).IsWhole, $"round {round}");
            found = RequireWhole(path, round, least);
        }
        Assert.NotEqual(0u, found);
    }

    /// <summary>A process that another test starts at the same moment has our locks until it has become another
    /// program.</summary>
    private static Cartridge OpenAlone(string path)
    {
        Cartridge? cartridge = null;
        SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    cartridge = Cartridge.Open(path);
                    return true;
                }
                catch (MediumFaultException exception) when (exception.Message.Contains("another process"))
                {
                    return false;
                }
            },
            TimeSpan.FromSeconds(10));
        return cartridge ?? Cartridge.Open(path);
    }

    /// <summary>Kills it when it has said so many things, at whatever it is doing then; returns what must be there.
    /// </summary>
    private static ulong WriteAndKill(string path, int round, int lines, ulong least)
    {
        using Process process = SecondProcess.Start(
            CartridgeWriter.Word, path, round.ToString(CultureInfo.InvariantCulture));
        try
        {
            for (int line = 0; line < lines; line++)
                least = Least(process.StandardOutput.ReadLine(), least);
        }
        finally
        {
            process.Kill();
        }
        // What it has said before it died counts, too.
        while (process.StandardOutput.ReadLine() is { } last)
            least = Least(last, least);
        process.WaitForExit();
        return least;
    }

    private static ulong Least(string? line, ulong least)
    {
        Assert.NotNull(line);
        string[] words = line.Split(' ');
        ulong number = ulong.Parse(words[1], CultureInfo.InvariantCulture);
        return words[0] == "cut" ? Math.Min(least, number) : number;
    }

    private static ulong RequireWhole(string path, int round, ulong least)
    {
        using Cartridge cartridge = OpenAlone(path);
        ulong count = cartridge.EndOfData.ObjectNumber;
        Assert.True(count >= least, $"round {round}: {count} records of {least}");
        long before = 0;
        for (long place = 0; cartridge.Peek() is { Kind: TapeObjectKind.Record } next; place++)
        {
            using var memory = new RecordMemory(next.LengthBytes);
            cartridge.Read(memory.Data, 0, next.LengthBytes);
            byte[] record = memory.ToArray(next.LengthBytes);
            long written = BitConverter.ToInt64(record);
            Assert.InRange(written, before, round);
            Assert.Equal(CartridgeWriter.RecordOf((int)written, place), record);
            before = written;
        }
        Assert.Equal(count, cartridge.Position.ObjectNumber);
        return count;
    }
}
