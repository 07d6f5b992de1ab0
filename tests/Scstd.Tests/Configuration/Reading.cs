using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>Reads a configuration that stands in a test, in surroundings of the test's own.</summary>
internal static class Reading
{
    public const string Minimal = """
        portals:
          here: 127.0.0.1:3260
        devices:
          disk: {store: memory, size: 1MiB}
        targets:
          iqn.2026-11.org.example:one:
            luns: {0: disk}

        """;

    public static ConfigurationFile Text(string yaml, TemporaryFolder? folder = null, string? credentials = null) =>
        ConfigurationFile.Read("test.yaml", new StringReader(yaml),
            new Surroundings(System.IO.Path.Combine(folder?.Path ?? "/nowhere", "test.yaml"), credentials, "0-3"));

    /// <summary>What follows a configuration that is right.</summary>
    public static ConfigurationFile After(string yaml, TemporaryFolder? folder = null) =>
        Text(Minimal + yaml, folder);

    /// <summary>The same, with a second target that has these LUNs.</summary>
    public static ConfigurationFile After(string yaml, string targets) =>
        Text($"{Minimal}  iqn.2026-11.org.example:two:\n    luns: {targets}\n{yaml}");

    /// <summary>Exactly one problem, at this place, that says this.</summary>
    public static void OneProblem(ConfigurationFile file, string position, string words)
    {
        Problem problem = Assert.Single(file.Problems);
        Assert.Contains(words, problem.Message, StringComparison.Ordinal);
        Assert.Equal(position, problem.Position.ToString());
    }

    public static void Right(ConfigurationFile file) => Assert.Equal("", string.Join('\n', file.Report()));
}
