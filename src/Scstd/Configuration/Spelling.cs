namespace Scstd.Configuration;

/// <summary>Finds the word that somebody meant.</summary>
internal static class Spelling
{
    /// <summary>"; did you mean 'x'?", or nothing when no word is near.</summary>
    public static string Suggest(string written, IEnumerable<string> words) =>
        Nearest(written, words) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>The nearest word, if it is near enough to have been meant: a third of its letters may be wrong.
    /// </summary>
    public static string? Nearest(string written, IEnumerable<string> words)
    {
        string? nearest = null;
        int least = int.MaxValue;
        foreach (string word in words)
        {
            // "warn" for "warning" is not misspelt but cut short.
            bool isBeginning = written.Length >= 3 && word.StartsWith(written, StringComparison.OrdinalIgnoreCase);
            int distance = isBeginning ? 1 : Distance(written, word);
            if (distance < least && distance <= Math.Max(1, Math.Max(word.Length, written.Length) / 3))
                (nearest, least) = (word, distance);
        }
        return nearest;
    }

    /// <summary>Optimal string alignment: insertions, deletions, changes and swaps of neighbours; case and the
    /// choice between '-' and '_' do not count.</summary>
    public static int Distance(string left, string right)
    {
        // Our choice: nobody means a word by writing a page; and the table is quadratic.
        const int MostCharacters = 256;
        if (left.Length > MostCharacters || right.Length > MostCharacters)
            return int.MaxValue;
        var table = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
            table[i, 0] = i;
        for (int j = 0; j <= right.Length; j++)
            table[0, j] = j;
        for (int i = 1; i <= left.Length; i++)
        {
            for (int j = 1; j <= right.Length; j++)
            {
                int change = table[i - 1, j - 1] + (Same(left[i - 1], right[j - 1]) ? 0 : 1);
                int best = Math.Min(change, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && Same(left[i - 1], right[j - 2]) && Same(left[i - 2], right[j - 1]);
                table[i, j] = swapped ? Math.Min(best, table[i - 2, j - 2] + 1) : best;
            }
        }
        return table[left.Length, right.Length];
    }

    private static bool Same(char left, char right) => Fold(left) == Fold(right);

    private static char Fold(char character) => character == '-' ? '_' : char.ToLowerInvariant(character);
}
