using Scstd.Scsi;

namespace Scstd.Simulation.Tests;

/// <summary>Fixed seeds on every run; ten thousand of them are a stage of test.sh. A failure names its seed:
/// <c>dotnet run -c Release --project tests/Scstd.Simulation -- --seeds N 1 --trace</c> shows every move.</summary>
public sealed class MidLayerSimulationTests
{
    [Fact]
    public void The_laws_hold_for_every_interleaving() => Assert.Null(Seeds.FirstViolation(0, 400));

    [Fact]
    public void The_same_seed_is_the_same_world()
    {
        Assert.Equal(TraceOf(7), TraceOf(7));
        Assert.NotEqual(TraceOf(7), TraceOf(8));
    }

    [Fact]
    public void With_too_little_memory_commands_are_refused_and_nothing_hangs()
    {
        var counts = new Counts();
        for (int seed = 0; seed < 30; seed++)
            Assert.Null(Seeds.Violation(seed, new WorldOptions { SlabLimit = 0 }, counts));
        int refused = counts.Of(ScsiStatus.Busy) + counts.Of(ScsiStatus.TaskSetFull);
        Assert.True(refused > 100, $"only {refused} commands were refused");
    }

    [Fact]
    public void With_limits_of_commands_that_change_the_laws_hold_and_no_place_is_lost()
    {
        var counts = new Counts();
        for (int seed = 0; seed < 200; seed++)
            Assert.Null(Seeds.Violation(seed, new WorldOptions { LimitsCommands = true }, counts));
        Assert.True(counts.Of(ScsiStatus.Busy) > 1000 && counts.Of(ScsiStatus.TaskSetFull) > 1000, $"{counts}");
    }

    [Fact]
    public void The_simulation_reaches_what_it_is_for()
    {
        var counts = new Counts();
        for (int seed = 0; seed < 200; seed++)
            Assert.Null(Seeds.Violation(seed, new WorldOptions(), counts));
        Assert.True(counts.Of(ScsiStatus.Good) > 3000, $"{counts}");
        Assert.True(counts.Of(ScsiStatus.CheckCondition) > 1000, $"{counts}");
        Assert.True(counts.Of(ScsiStatus.ReservationConflict) > 500, $"{counts}");
        Assert.True(counts.Of(ScsiStatus.TaskAborted) > 100, $"{counts}");
        Assert.True(counts.Aborted > 1000, $"{counts}");
        Assert.True(counts.FunctionsAnswered > 500, $"{counts}");
        Assert.True(counts.SessionsLost > 50, $"{counts}");
        Assert.True(counts.SessionsMoved > 50, $"{counts}");
    }

    private static string TraceOf(int seed)
    {
        var moves = new List<string>();
        Assert.Null(Seeds.Violation(seed, moves.Add));
        return string.Join('\n', moves);
    }
}
