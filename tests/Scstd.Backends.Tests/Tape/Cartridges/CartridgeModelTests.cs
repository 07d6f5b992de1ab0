using Scstd.Backends.Tape.Cartridges;

namespace Scstd.Backends.Tests.Tape.Cartridges;

/// <summary>Seeded sequences of moves: cartridge and model never differ.</summary>
public sealed class CartridgeModelTests
{
    private const int MovesMost = 60;
    private const int PageBytes = 4096;

    /// <summary>Each part of its own, so that they share the processors.</summary>
    [Theory]
    [InlineData(0, 2500)]
    [InlineData(1, 2500)]
    [InlineData(2, 2500)]
    [InlineData(3, 2500)]
    public void Ten_thousand_sequences_of_moves_end_as_the_model_says(int part, int sequences)
    {
        for (int seed = part * sequences; seed < (part + 1) * sequences; seed++)
        {
            try
            {
                Play(seed);
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}: {exception}");
            }
        }
    }

    private static void Play(int seed)
    {
        var random = new Random(seed);
        ulong[] partitions = [.. Enumerable.Repeat(TapeMoves.CapacityBytes / 4, 1 + random.Next(2))];
        var file = new MemoryFile(PageBytes) { PunchesHoles = random.Next(4) > 0, Remembers = false };
        var moves = new TapeMoves(
            random, Cartridge.Create(file, TapeMoves.Options(partitions)),
            new ModelMedium(TapeMoves.Description, partitions));
        for (int left = random.Next(MovesMost); left > 0; left--)
        {
            moves.Move();
            if (random.Next(15) == 0)
                file = Reopen(random, file, moves);
        }
        moves.RequireSameTape();
    }

    /// <summary>Taken out properly, or the process was killed: what was written is there.</summary>
    private static MemoryFile Reopen(Random random, MemoryFile file, TapeMoves moves)
    {
        if (random.Next(2) == 0)
            moves.Cartridge.Dispose();
        file = file.Killed();
        moves.Cartridge = Cartridge.Open(file);
        moves.Model.Locate(0, 0);
        return file;
    }
}
