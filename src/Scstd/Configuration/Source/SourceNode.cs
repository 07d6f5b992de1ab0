namespace Scstd.Configuration;

/// <summary>
/// The file as a tree whose every node knows its place. Not YamlDotNet's own representation model, because that one
/// refuses a duplicate key by an exception, and a reader that shall tell all mistakes at once may not stop there.
/// </summary>
internal abstract record SourceNode(SourcePosition Position)
{
    /// <summary>What this is, for "found …".</summary>
    public abstract string Describe();
}

/// <param name="IsPlain">Written without quotes: "~" and nothing at all then mean that there is no value.</param>
internal sealed record ScalarNode(SourcePosition Position, string Text, bool IsPlain) : SourceNode(Position)
{
    private const int MostShownCharacters = 60; // Our choice: enough to recognise it by.

    public bool IsEmpty => IsPlain && Text is "" or "~";

    public override string Describe() => IsEmpty ? "nothing" : $"'{Shown}'";

    private string Shown => Text.Length <= MostShownCharacters ? Text : Text[..MostShownCharacters] + "…";
}

internal sealed record ListNode(SourcePosition Position, IReadOnlyList<SourceNode> Items) : SourceNode(Position)
{
    public override string Describe() => "a list";
}

internal sealed record MapNode(SourcePosition Position, IReadOnlyList<MapEntry> Entries) : SourceNode(Position)
{
    public override string Describe() => "a section with keys";
}

internal readonly record struct MapEntry(ScalarNode Key, SourceNode Value);
