namespace Scstd.Configuration;

/// <summary>A configuration file as lines, to find out how a value is written.</summary>
internal static class SourceText
{
    /// <summary>The value that begins at a place, with its quotes; null if there is none, or not on one line.</summary>
    public static string? ValueAt(string text, SourcePosition position)
    {
        string[] lines = text.Split('\n');
        if (position.Line < 1 || position.Line > lines.Length || position.Column < 1
            || position.Column > lines[position.Line - 1].Length)
        {
            return null;
        }
        string rest = lines[position.Line - 1][(position.Column - 1)..].TrimEnd('\r');
        if (rest[0] is '"' or '\'')
        {
            int end = rest.IndexOf(rest[0], 1);
            return end > 0 ? rest[..(end + 1)] : null;
        }
        int comment = rest.IndexOf(" #", StringComparison.Ordinal);
        string value = comment < 0 ? rest : rest[..comment];
        int stop = value.AsSpan().IndexOfAny(",}]");
        value = (stop < 0 ? value : value[..stop]).TrimEnd();
        // Anchors, aliases, tags and blocks are written by people who know why.
        return value.Length > 0 && !"&*!|>{[".Contains(value[0]) ? value : null;
    }
}
