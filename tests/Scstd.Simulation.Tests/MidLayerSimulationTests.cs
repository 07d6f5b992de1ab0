using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>Fixed seeds on every run. A failure names its seed: run it alone with
/// <c>SCSTD_SEED=n dotnet test tests/Scstd.Simulation.Tests</c>.</summary>
public sealed class MidLayerSimulationTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(2000)]
    [InlineData(3000)]
    public void The_laws_of_the_gate_hold_for_every_interleaving(int firstSeed)
    {
        for (int seed = firstSeed; seed < firstSeed + 150; seed++)
            Run(seed, steps: 1500);
    }

    [Fact]
    public void A_seed_from_the_environment_is_run_on_its_own()
    {
        string? seed = Environment.GetEnvironmentVariable("SCSTD_SEED");
        Run(seed is null ? 42 : int.Parse(seed), steps: 5000);
    }

    [Fact]
    public void With_too_little_memory_commands_are_refused_and_nothing_hangs()
    {
        int refused = 0;
        for (int seed = 0; seed < 20; seed++)
        {
            using var world = new World(seed, slabLimit: 0);
            world.Run(800);
            refused += world.CommandsThatMet(ScsiStatus.Busy) + world.CommandsThatMet(ScsiStatus.TaskSetFull);
        }
        Assert.True(refused > 100, $"only {refused} commands were refused");
    }

    [Fact]
    public void The_simulation_reaches_what_it_is_for()
    {
        int answered = 0, aborted = 0, conflicts = 0, checks = 0;
        for (int seed = 0; seed < 30; seed++)
        {
            using World world = Run(seed, steps: 1500);
            answered += world.Answered;
            aborted += world.Aborted;
            conflicts += world.CommandsThatMet(ScsiStatus.ReservationConflict);
            checks += world.CommandsThatMet(ScsiStatus.CheckCondition);
        }
        Assert.True(answered > 3000 && aborted > 300 && conflicts > 100 && checks > 300,
            $"answered {answered}, aborted {aborted}, conflicts {conflicts}, attentions {checks}");
    }

    private static World Run(int seed, int steps)
    {
        try
        {
            var world = new World(seed);
            world.Run(steps);
            world.Dispose();
            return world;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"SCSTD_SEED={seed}: {e.Message}", e);
        }
    }
}
