using System.Diagnostics;

namespace Scstd.Style.Tests;

/// <summary>One text file of the repository: its path from the top, with forward slashes, and what it says.</summary>
public sealed record SourceFile(string Path, string Text);

/// <summary>A broken house rule. <c>Line</c> counts from one; zero means the file as a whole.</summary>
public sealed record Violation(string Path, int Line, string What)
{
    public override string ToString() => $"{Path}:{Line}: {What}";
}

/// <summary>
/// The files that make the project: what git tracks, and what it would track if it were added. So a rule bites
/// before the commit that breaks it, and build products never count.
/// </summary>
public static class Repository
{
    private static readonly Lazy<IReadOnlyList<SourceFile>> LazyFiles = new(ReadFiles);

    public static string Top { get; } = FindTop();

    public static IReadOnlyList<SourceFile> Files => LazyFiles.Value;

    /// <summary>C# that people read: of the program, its tests and its benchmarks.</summary>
    public static IEnumerable<SourceFile> CSharp(params string[] folders) =>
        Files.Where(file => file.Path.EndsWith(".cs", StringComparison.Ordinal)
            && (folders.Length == 0 || folders.Any(folder => Within(file, folder))));

    public static IEnumerable<SourceFile> Named(string ending) =>
        Files.Where(file => file.Path.EndsWith(ending, StringComparison.Ordinal));

    private static bool Within(SourceFile file, string folder) =>
        file.Path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static string FindTop()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "scstd.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"no scstd.sln above {AppContext.BaseDirectory}");
    }

    private static IReadOnlyList<SourceFile> ReadFiles()
    {
        var start = new ProcessStartInfo("git", ["ls-files", "-z", "-co", "--exclude-standard"])
        {
            WorkingDirectory = Top,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start");
        var names = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        if (git.ExitCode != 0) throw new InvalidOperationException($"git ls-files ended with {git.ExitCode}");
        return [.. names.Distinct().Where(name => File.Exists(Path.Combine(Top, name)))
            .Select(name => new SourceFile(name, File.ReadAllText(Path.Combine(Top, name))))
            .Where(file => !file.Text.Contains('\0'))];
    }
}
