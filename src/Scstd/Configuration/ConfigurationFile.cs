namespace Scstd.Configuration;

/// <summary>A configuration that was read: what it says, all that is wrong with it, and what is worth a word.</summary>
public sealed record ConfigurationFile(
    string Path, DaemonSection Daemon, IReadOnlyList<Problem> Problems, IReadOnlyList<Problem> Warnings)
{
    // Our choice: thousands of targets fit; a file that is longer is no configuration.
    private const int MostBytes = 4 << 20;

    /// <summary>Where the installed daemon looks for it.</summary>
    public const string InstalledPath = "/etc/scstd/scstd.yaml";

    public bool IsRight => Problems.Count == 0;

    /// <summary>Where relative paths begin.</summary>
    public string Folder => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    /// <summary>Reads and checks. A file that cannot be read at all is one problem at its beginning.</summary>
    public static ConfigurationFile Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            if (stream.Length > MostBytes)
                return Unreadable(path, $"longer than {Units.FormatSize(MostBytes)}");
            using var text = new StreamReader(stream);
            return Read(path, text, Surroundings.Of(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, exception switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "this is a directory",
                UnauthorizedAccessException => "permission denied",
                _ => exception.Message,
            });
        }
    }

    internal static ConfigurationFile Read(string path, TextReader text, Surroundings surroundings)
    {
        var problems = new Problems();
        SourceNode root = SourceTree.Read(text, problems) ?? new ScalarNode(new SourcePosition(1, 1), "", true);
        DaemonSection.Rule.TryRead(root, problems, out DaemonSection daemon);
        daemon.File = path;
        IReadOnlyList<Problem> warnings = ConfigurationChecks.Run(daemon, problems, surroundings);
        return new ConfigurationFile(path, daemon, problems.All, warnings);
    }

    /// <summary>file:line:column: what, as compilers write it and editors follow it.</summary>
    public IEnumerable<string> Report() =>
        Problems.Select(problem => $"{Path}:{problem.Position}: {problem.Message}");

    public IEnumerable<string> ReportWarnings() =>
        Warnings.Select(warning => $"{Path}:{warning.Position}: warning: {warning.Message}");

    private static ConfigurationFile Unreadable(string path, string why) =>
        new(path, new DaemonSection(), [new Problem(new SourcePosition(1, 1), why)], []);
}
