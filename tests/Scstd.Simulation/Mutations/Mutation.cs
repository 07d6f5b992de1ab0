namespace Scstd.Simulation;

/// <summary>A planted bug.</summary>
/// <param name="Name">What is wrong then.</param>
/// <param name="File">The source file, from the top of the repository.</param>
/// <param name="Original">Text that stands there exactly once.</param>
/// <param name="Planted">What it is replaced by.</param>
internal sealed record Mutation(string Name, string File, string Original, string Planted)
{
    /// <summary>A mutation that does not apply proves nothing: that is an error of the list.</summary>
    public string Apply(string source)
    {
        int first = source.IndexOf(Original, StringComparison.Ordinal);
        if (first < 0 || source.IndexOf(Original, first + 1, StringComparison.Ordinal) >= 0)
            throw new InvalidOperationException($"\"{Name}\": its text must stand exactly once in {File}");
        return source.Replace(Original, Planted, StringComparison.Ordinal);
    }
}
