using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>A file with ten mistakes of different kinds is told all ten, each at its place.</summary>
public sealed class TenMistakesTests
{
    private const string Mistaken = """
        log: {levle: debug}
        reactors:
          count: 4
          cpus: 0-1
        limits:
          login_timeout: 15
        devices:
          system:
            store: fiel
            path: /dev/null
          scratch:
            store: memory
            size: 256Mib
        portals:
          lan: 192.0.2.1:3260
          backup: 192.0.2.1:3260
        targets:
          iqn.2026-13.org.example:store:
            luns: {0: system}
          iqn.2026-11.org.example:disks:
            authentication:
              users:
                - {name: host, secret: elevenbytes}
            luns:
              0: system
              0: scratch
              2: {device: scrach}
        """;

    private static readonly (string Position, string[] Words)[] Expected =
    [
        ("1:7", ["unknown key 'levle'", "did you mean 'level'?"]),
        ("3:10", ["4 reactors", "'cpus' lists 2"]),
        ("6:18", ["expected a duration from 1s to 5min", "found '15'"]),
        ("9:12", ["expected file, block, memory or null", "found 'fiel'", "did you mean 'file'?"]),
        ("13:11", ["expected a size", "found '256Mib'"]),
        ("16:11", ["portal 'backup' wants 192.0.2.1:3260", "portal 'lan'", "line 15"]),
        ("18:3", ["expected an iSCSI name such as iqn.", "found 'iqn.2026-13.org.example:store'"]),
        ("23:32", ["expected a secret of 12 to 255 bytes", "found 11"]),
        ("26:7", ["'0' stands here twice", "line 25"]),
        ("27:19", ["there is no device 'scrach'", "did you mean 'scratch'?"]),
    ];

    [Fact]
    public void A_file_with_ten_mistakes_is_told_all_of_them_with_their_places()
    {
        Assert.Equal(10, Expected.Length);
        ConfigurationFile file = Reading.Text(Mistaken);

        Assert.Equal(Expected.Select(row => row.Position), file.Problems.Select(p => p.Position.ToString()));
        foreach (((string _, string[] words), Problem problem) in Expected.Zip(file.Problems))
            Assert.All(words, word => Assert.Contains(word, problem.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void The_report_says_file_line_and_column_first()
    {
        ConfigurationFile file = Reading.Text(Mistaken);
        Assert.Equal("test.yaml:1:7: ", file.Report().First()[..15]);
        Assert.False(file.IsRight);
    }
}
