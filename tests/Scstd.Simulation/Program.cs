using System.Diagnostics;
using Scstd.Simulation;

const string Usage = """
    Scstd.Simulation --seeds FIRST COUNT [--limits] [--trace]
                                                     runs worlds from seeds, with limits of commands or without; ends
                                                     with "COUNT seeds, N violations"
    Scstd.Simulation --mutations [WORDS]             plants bugs (with these words in their names) and looks whether
                                                     they are caught; ends with "caught N of M"
    Scstd.Simulation --must-show                     10,000 aborts, RESERVE and PREEMPT AND ABORT against a slow store
    """;

switch (args)
{
    case ["--seeds", var first, var count, .. var rest] when !rest.Except(["--trace", "--limits"]).Any():
        return RunSeeds(int.Parse(first), int.Parse(count), rest.Contains("--limits"), rest.Contains("--trace"));
    case ["--must-show"]:
        return MustShow.Run(Console.WriteLine);
    case ["--mutations"]:
        return MutationRun.All(MutationList.All);
    case ["--mutations", var words]:
        return MutationRun.All([.. MutationList.All.Where(mutation => mutation.Name.Contains(words))]);
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

static int RunSeeds(int first, int count, bool limits, bool trace)
{
    var clock = Stopwatch.StartNew();
    var counts = new Counts();
    int violations = 0;
    for (int seed = first; seed < first + count; seed++)
    {
        var options = new WorldOptions { LimitsCommands = limits, Trace = trace ? Console.WriteLine : null };
        if (Seeds.Violation(seed, options, counts) is not { } broken)
            continue;
        violations++;
        Console.WriteLine($"seed {seed}: {broken}");
    }
    Console.WriteLine($"{counts} in {clock.Elapsed.TotalSeconds:F1} s");
    Console.WriteLine($"{count} seeds, {violations} violations");
    return violations == 0 ? 0 : 1;
}
