using System.Runtime.Loader;

namespace Scstd.Simulation;

/// <summary>Runs seeds over sources with a planted bug until one of them breaks a law.</summary>
internal sealed class MutationRun(SourceTree sources)
{
    /// <summary>Enough for the rarest of the planted bugs with room to spare.</summary>
    public const int SeedsEach = 4000;

    /// <summary>As many again are free of violations by the same way without a bug.</summary>
    public const int SeedsOfControl = 500;

    /// <summary>The violation that gives the bug away, or null.</summary>
    public string? Violation(Mutation? mutation)
    {
        using MemoryStream image = sources.Compile(mutation);
        var context = new AssemblyLoadContext(mutation?.Name ?? "control", isCollectible: true);
        try
        {
            Type seeds = context.LoadFromStream(image).GetType(typeof(Seeds).FullName!)!;
            var first = seeds.GetMethod(nameof(Seeds.FirstViolation))!.CreateDelegate<Func<int, int, string?>>();
            return first(0, mutation is null ? SeedsOfControl : SeedsEach);
        }
        finally
        {
            context.Unload();
        }
    }

    /// <summary>The exit code: 0 only if every bug is caught and the control is clean.</summary>
    public static int All(IReadOnlyList<Mutation> mutations)
    {
        var run = new MutationRun(new SourceTree());
        if (run.Violation(null) is { } broken)
        {
            Console.WriteLine($"without a planted bug {broken}");
            return 1;
        }
        Console.WriteLine($"control: {SeedsOfControl} seeds without a planted bug, no violation");
        int caught = 0;
        foreach (Mutation mutation in mutations)
        {
            string? violation;
            try
            {
                violation = run.Violation(mutation);
            }
            catch (InvalidOperationException unfit)
            {
                Console.WriteLine($"UNFIT   {unfit.Message}");
                continue;
            }
            if (violation is not null)
                caught++;
            Console.WriteLine($"{(violation is null ? "MISSED" : "caught")}  {mutation.Name}: " +
                (violation ?? $"{SeedsEach} seeds saw nothing"));
        }
        Console.WriteLine($"caught {caught} of {mutations.Count}");
        return caught == mutations.Count ? 0 : 1;
    }
}
