namespace Scstd.Core.Tests.Liveness;

/// <summary>
/// Everything at once: nothing waits without end, nothing begins that an abort covers, no function is answered before
/// what it covers is gone, and every command ends once. SCSTD_LIVENESS_SEEDS runs more seeds than the usual few,
/// SCSTD_LIVENESS_SEED a single one.
/// </summary>
public sealed class LivenessTests
{
    /// <summary>Our choice: seconds for all of them, and each of the faults that this was written for was found by
    /// fewer.</summary>
    private const int UsualSeeds = 500;

    private const int Steps = 400;

    [Theory]
    [InlineData(LivenessOptions.None)]
    [InlineData(LivenessOptions.QueueErrors)]
    [InlineData(LivenessOptions.Preempts)]
    [InlineData(LivenessOptions.Preempts | LivenessOptions.QueueErrors)]
    [InlineData(LivenessOptions.Preempts | LivenessOptions.QueueErrors | LivenessOptions.FewFunctions)]
    [InlineData(LivenessOptions.Maps)]
    [InlineData(LivenessOptions.Maps | LivenessOptions.Preempts | LivenessOptions.QueueErrors)]
    public void Whatever_initiators_and_administrators_do_everything_ends_once(LivenessOptions options)
    {
        int seeds = Number("SCSTD_LIVENESS_SEEDS") ?? UsualSeeds;
        int? single = Number("SCSTD_LIVENESS_SEED");
        List<string> broken = [];
        for (int seed = single ?? 0; seed < (single + 1 ?? seeds) && broken.Count < 5; seed++)
        {
            var world = new LivenessWorld(seed, options);
            try
            {
                for (int step = 0; step < Steps; step++)
                    world.Step();
                world.Finish();
            }
            catch (Exception wrong) when (single is null)
            {
                broken.Add($"seed {seed}: {wrong.Message}");
            }
            catch (Exception wrong)
            {
                broken.Add($"seed {seed}: {wrong}\n{world.Trace}");
            }
        }
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out int number) ? number : null;
}

/// <summary>What else may happen.</summary>
[Flags]
public enum LivenessOptions
{
    None = 0,

    /// <summary>QERR other than 00b.</summary>
    QueueErrors = 1,

    /// <summary>Persistent reservations and PREEMPT AND ABORT.</summary>
    Preempts = 2,

    /// <summary>LUNs come, go, and lead to another unit.</summary>
    Maps = 4,

    /// <summary>Of task management, so that the others meet more often.</summary>
    FewFunctions = 8,
}
