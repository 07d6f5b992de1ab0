using System.Xml.Linq;

namespace Scstd.Style.Tests;

/// <summary>
/// Who may reference whom: a reference points only to a lower floor, and neighbours never see each other.
/// docs/ARCHITECTURE.md tells why; this is the table that holds it.
/// </summary>
public static class ProjectGraph
{
    private static readonly string[] Frontend = ["Scstd.Core", "Scstd.Scsi", "Scstd.Linux"];

    /// <summary>The edges of src. A project that is not a row here may not exist.</summary>
    public static IReadOnlyDictionary<string, string[]> Allowed { get; } = new Dictionary<string, string[]>
    {
        ["Scstd.Scsi"] = [],
        ["Scstd.Linux"] = [],
        ["Scstd.Core"] = ["Scstd.Scsi"],
        ["Scstd.Frontends.Iscsi"] = Frontend,
        ["Scstd.Frontends.FibreChannel"] = Frontend,
        ["Scstd.Backends"] = Frontend,
        ["Scstd.Control"] = [],
        ["Scstd"] =
        [
            .. Frontend, "Scstd.Frontends.Iscsi", "Scstd.Frontends.FibreChannel", "Scstd.Backends", "Scstd.Control",
        ],
        ["Scstctl"] = ["Scstd.Control"],
    };

    public static IEnumerable<Violation> Check(IEnumerable<SourceFile> projects)
    {
        foreach (var project in projects)
        {
            var name = NameOf(project.Path);
            if (!Allowed.TryGetValue(name, out var allowed))
            {
                yield return new Violation(project.Path, 0, $"{name} is no room of the house");
                continue;
            }
            foreach (var target in References(project).Select(NameOf).Where(target => !allowed.Contains(target)))
                yield return new Violation(project.Path, 0, $"{name} may not reference {target}");
        }
    }

    public static IEnumerable<Violation> CheckSolution(SourceFile solution, IEnumerable<SourceFile> projects) =>
        projects.Where(project => !solution.Text.Contains($"\"{project.Path.Replace('/', '\\')}\"",
                StringComparison.Ordinal))
            .Select(project => new Violation(solution.Path, 0, $"{project.Path} is not in the solution"));

    /// <summary>A package's version stands in Directory.Packages.props, and the lock file beside the project.</summary>
    public static IEnumerable<Violation> CheckPins(IEnumerable<SourceFile> projects, IReadOnlySet<string> files)
    {
        foreach (var project in projects)
        {
            var packages = XDocument.Parse(project.Text).Descendants("PackageReference");
            foreach (var package in packages.Where(IsPinnedHere))
                yield return new Violation(project.Path, 0, $"{package.Attribute("Include")?.Value} is pinned here");
            var folder = project.Path[..(project.Path.LastIndexOf('/') + 1)];
            if (!files.Contains(folder + "packages.lock.json"))
                yield return new Violation(project.Path, 0, "has no packages.lock.json");
        }
    }

    private static bool IsPinnedHere(XElement package) =>
        package.Attribute("Version") is not null || package.Attribute("VersionOverride") is not null;

    private static IEnumerable<string> References(SourceFile project) =>
        XDocument.Parse(project.Text).Descendants("ProjectReference")
            .Select(reference => reference.Attribute("Include")?.Value ?? "");

    private static string NameOf(string path) => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'));
}
