using System.Globalization;
using Scstd.Backends.Tape;
using Scstd.Backends.Tape.Cartridges;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>A process that writes to a cartridge until it is killed, and says what it has synchronised.</summary>
internal static class CartridgeWriter
{
    /// <summary>What the process is started with, before the file and the number of the round.</summary>
    public const string Word = "write-cartridge";

    private const int LongestBytes = 40_000;

    public static int Run(string[] arguments)
    {
        int round = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        var random = new Random(round);
        using Cartridge cartridge = Cartridge.Open(arguments[0]);
        cartridge.Space(SpaceUnit.EndOfData, 0);
        while (true)
        {
            for (int records = random.Next(20); records > 0; records--)
                Write(cartridge, round, random);
            if (random.Next(10) == 0)
            {
                cartridge.Locate(0, (ulong)random.NextInt64((long)cartridge.EndOfData.ObjectNumber + 1));
                Console.WriteLine($"cut {cartridge.Position.ObjectNumber}");
                Write(cartridge, round, random);
            }
            cartridge.Synchronize();
            Console.WriteLine($"synchronised {cartridge.EndOfData.ObjectNumber}");
        }
    }

    /// <summary>The record that a round writes at a place: it says both, and the rest follows from them.</summary>
    public static byte[] RecordOf(int round, long place)
    {
        var random = new Random(HashCode(round, place));
        byte[] record = new byte[16 + random.Next(random.Next(4) == 0 ? LongestBytes : 500)];
        random.NextBytes(record);
        BitConverter.TryWriteBytes(record, (long)round);
        BitConverter.TryWriteBytes(record.AsSpan(8), place);
        return record;
    }

    private static int HashCode(int round, long place) => unchecked((round * 1_000_003) ^ (int)place);

    private static void Write(Cartridge cartridge, int round, Random random)
    {
        byte[] record = RecordOf(round, (long)cartridge.Position.ObjectNumber);
        using var memory = new RecordMemory(record, 4096);
        cartridge.Write(memory.Data, 0, record.Length, new WriteOptions(random.Next(4) == 0, null));
    }
}
