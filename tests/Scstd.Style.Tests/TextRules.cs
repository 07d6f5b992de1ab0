using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Scstd.Style.Tests;

/// <summary>Rules about text of any kind: scripts, pages, project files.</summary>
public static partial class TextRules
{
    /// <summary>Places that exist on one machine only. Written apart so that this file keeps the rule too.</summary>
    private static readonly string[] MachinePaths = ["/" + "work/", "/" + "root/", "../" + "shared"];

    public static IEnumerable<Violation> NoMachinePaths(SourceFile file) =>
        Lines(file).SelectMany(row => MachinePaths.Where(path => row.Text.Contains(path, StringComparison.Ordinal))
            .Select(path => new Violation(file.Path, row.Number, $"speaks of {path}")));

    public static IEnumerable<Violation> NothingLeftUndone(SourceFile file) =>
        Lines(file).SelectMany(row => Undone().Matches(row.Text)
            .Select(match => new Violation(file.Path, row.Number, match.Value)));

    /// <summary>Each pinned package is named, with its reason, in the page's section on dependencies.</summary>
    public static IEnumerable<Violation> PackagesHaveReasons(SourceFile packages, SourceFile page)
    {
        var section = Section(page.Text, "Dependencies");
        if (section.Length == 0)
            yield return new Violation(page.Path, 0, "has no section \"Dependencies\"");
        foreach (var name in XDocument.Parse(packages.Text).Descendants("PackageVersion")
            .Select(package => package.Attribute("Include")?.Value ?? ""))
        {
            var row = section.Split('\n').FirstOrDefault(line => HasWord(line, name));
            if (row is null)
                yield return new Violation(page.Path, 0, $"{name} is not among the dependencies");
            else if (row.Replace(name, "", StringComparison.Ordinal).Count(char.IsLetter) < ShortestReasonLetters)
                yield return new Violation(page.Path, 0, $"{name} stands there without a reason");
        }
    }

    // Our choice: shorter than this nobody has given a reason yet.
    private const int ShortestReasonLetters = 15;

    private static bool HasWord(string line, string name) =>
        Regex.IsMatch(line, $@"(?<![\w.]){Regex.Escape(name)}(?![\w.]*\w)");

    /// <summary>What stands between a heading that starts with the title and the next heading as high.</summary>
    private static string Section(string text, string title)
    {
        var heading = Regex.Match(text, $@"^(#+) +{title}\b.*$", RegexOptions.Multiline);
        if (!heading.Success) return "";
        var rest = text[(heading.Index + heading.Length)..];
        var next = Regex.Match(rest, $@"^#{{1,{heading.Groups[1].Length}}} ", RegexOptions.Multiline);
        return next.Success ? rest[..next.Index] : rest;
    }

    private static IEnumerable<(string Text, int Number)> Lines(SourceFile file) =>
        file.Text.Split('\n').Select((line, index) => (line, index + 1));

    // The words in brackets so that they are not found here.
    [GeneratedRegex(@"\b(TOD[O]|FIXM[E]|HAC[K]|XX[X])\b")]
    private static partial Regex Undone();
}
