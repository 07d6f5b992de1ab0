namespace Scstctl;

/// <summary>Columns as wide as their widest cell, numbers to the right.</summary>
internal sealed class Table(params string[] heads)
{
    private readonly List<string[]> _rows = [];

    public void Add(params object?[] cells) => _rows.Add([.. cells.Select(Text)]);

    public void Print(TextWriter output)
    {
        int[] widths =
            [.. heads.Select((head, column) => _rows.Select(row => row[column].Length).Append(head.Length).Max())];
        bool[] areNumbers =
            [.. heads.Select((_, column) => _rows.All(row => row[column].Length == 0 || IsNumber(row[column])))];
        foreach (string[] row in _rows.Prepend(heads))
        {
            IEnumerable<string> cells = row.Select((cell, column) =>
                areNumbers[column] ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    private static string Text(object? cell) => cell switch
    {
        null => "-",
        bool yes => yes ? "yes" : "no",
        _ => Convert.ToString(cell, System.Globalization.CultureInfo.InvariantCulture)!,
    };

    private static bool IsNumber(string cell)
    {
        string digits = cell.TrimStart('<').TrimEnd('B', 'K', 'M', 'G', 'T', 'P', 'i', 's', 'm', 'u');
        return cell == "-"
            || (digits.All(one => char.IsAsciiDigit(one) || one == '.') && digits.Count(one => one == '.') < 2);
    }
}
