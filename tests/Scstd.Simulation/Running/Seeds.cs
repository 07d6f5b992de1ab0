namespace Scstd.Simulation;

/// <summary>Runs worlds, one seed after the other.</summary>
public static class Seeds
{
    /// <summary>Null, or the law that the seed breaks. Whatever the mid-layer throws is a broken law too: its own
    /// invariants stand behind them.</summary>
    public static string? Violation(int seed, Action<string>? trace = null) =>
        Violation(seed, new WorldOptions { Trace = trace }, new Counts());

    /// <summary>The first seed of these that breaks a law, in words, or null.</summary>
    public static string? FirstViolation(int first, int count)
    {
        for (int seed = first; seed < first + count; seed++)
        {
            if (Violation(seed) is { } broken)
                return $"seed {seed}: {broken}";
        }
        return null;
    }

    internal static string? Violation(int seed, WorldOptions options, Counts counts)
    {
        World? world = null;
        try
        {
            world = new World(seed, options);
            world.Run();
            counts.Add(world.Counts);
            return null;
        }
        catch (LawBrokenException broken)
        {
            return broken.Message;
        }
#pragma warning disable CA1031 // Any exception is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return $"at step {world?.NowMs}: {e.GetType().Name}: {e.Message}{FirstFrame(e)}";
        }
        finally
        {
            world?.Dispose();
        }
    }

    private static string FirstFrame(Exception e)
    {
        string trace = e.StackTrace ?? "";
        string[] lines = trace.Split('\n');
        return lines.Length > 2 ? $" [{lines[1].Trim()} | {lines[2].Trim()}]" : "";
    }
}
