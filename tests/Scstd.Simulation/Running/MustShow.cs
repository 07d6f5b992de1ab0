using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// The two promises that data depends on, each tried ten thousand times against a store with random delays: nothing
/// that a task management function covers lands after its answer, and nothing of others lands where one was granted the
/// unit alone.
/// </summary>
public static class MustShow
{
    private const int Times = 10_000;

    /// <summary>The exit code; what was tried is told in words.</summary>
    public static int Run(Action<string> tell)
    {
        bool holds = Aborts(Times, tell) & Reserves(Times, tell) & Preempts(Times, tell);
        tell(holds ? "nothing landed that should not" : "BROKEN");
        return holds ? 0 : 1;
    }

    /// <summary>Aborts and resets among writes.</summary>
    internal static bool Aborts(int times, Action<string> tell) => Try(
        new WorldOptions { Mix = CommandMix.Writes, FunctionsPerMille = 200, SlabLimit = 64 }, times,
        counts => counts.FunctionsThatAbort, "aborts and resets answered", tell);

    internal static bool Reserves(int times, Action<string> tell) => Try(
        new WorldOptions { Mix = CommandMix.Reserves, FunctionsPerMille = 20, SlabLimit = 64 }, times,
        counts => counts.ReservesGranted, "RESERVE granted", tell);

    internal static bool Preempts(int times, Action<string> tell) => Try(
        new WorldOptions { Mix = CommandMix.Preempts, FunctionsPerMille = 20, SlabLimit = 64 }, times,
        counts => counts.PreemptsAnswered, "PREEMPT AND ABORT done", tell);

    private static bool Try(
        WorldOptions options, int times, Func<Counts, int> tried, string what, Action<string> tell)
    {
        var counts = new Counts();
        int seed = 0;
        while (tried(counts) < times)
        {
            if (Seeds.Violation(seed, options, counts) is { } broken)
            {
                tell($"seed {seed}: {broken}");
                return false;
            }
            seed++;
        }
        tell($"{tried(counts)} {what} in {seed} worlds: {counts.WritesLanded} writes landed, " +
            $"{counts.Aborted} commands aborted, {counts.Of(ScsiStatus.Good)} answered GOOD, 0 writes too late");
        return true;
    }
}
