namespace Scstd.Configuration;

/// <summary>One mistake in the file.</summary>
public sealed record Problem(SourcePosition Position, string Message);

/// <summary>All that is wrong with a file. Reading never stops at the first.</summary>
internal sealed class Problems
{
    private readonly List<Problem> _all = [];

    /// <summary>The file stops being YAML before its end: what is missing may stand in the part that nobody could
    /// read, so nothing is said about what is missing.</summary>
    public bool IsCutShort { get; private set; }

    public int Count => _all.Count;

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<Problem> All => [.. _all.OrderBy(problem => problem.Position).Distinct()];

    public void Add(SourcePosition position, string message) => _all.Add(new Problem(position, message));

    /// <summary>Something should be there and is not; or a name that is used is not declared.</summary>
    public void AddMissing(SourcePosition position, string message)
    {
        if (!IsCutShort)
            Add(position, message);
    }

    public void CutShort(SourcePosition position, string message)
    {
        if (IsCutShort)
            return;
        IsCutShort = true;
        Add(position, message);
    }
}
