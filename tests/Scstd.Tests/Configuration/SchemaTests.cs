using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>The published schema, the installed example and the reader say the same.</summary>
public sealed partial class SchemaTests
{
    private static readonly string Example = Repository.Read("src/Scstd/Packaging/scstd.yaml");

    /// <summary>To write it anew: SCSTD_WRITE_DOCS=1 dotnet test tests/Scstd.Tests.</summary>
    [Fact]
    public void The_published_schema_is_the_readers_own()
    {
        string path = Path.Combine(Repository.Root, "docs", "scstd.schema.json");
        if (IsToBeWritten)
            File.WriteAllText(path, PublishedSchema.Text());
        Assert.Equal(PublishedSchema.Text(), File.ReadAllText(path));
    }

    /// <summary>Between its marks the page has the reader's own words. To write them anew: as above.</summary>
    [Fact]
    public void The_reference_page_has_every_key_in_the_readers_words()
    {
        const string Begin = "<!-- keys -->\n", End = "<!-- end of keys -->";
        string path = Path.Combine(Repository.Root, "docs", "configuration.md");
        string page = File.ReadAllText(path);
        int from = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int to = page.IndexOf(End, StringComparison.Ordinal);
        if (IsToBeWritten)
            File.WriteAllText(path, page[..from] + ReferenceTables() + page[to..]);
        else
            Assert.Equal(ReferenceTables(), page[from..to]);
        Assert.All(Keys(), key => Assert.Contains($"`{key}`", ReferenceTables(), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_key_of_the_reader_stands_in_the_example() =>
        Assert.All(Keys(), key => Assert.Matches($@"[\s{{#]{Regex.Escape(key)}:", Example));

    [Fact]
    public void The_installed_example_is_right_and_satisfies_the_schema()
    {
        Reading.Right(Reading.Text(Example));
        Assert.Empty(Reading.Text(Example).Warnings);
        Assert.Empty(Validate(Example));
    }

    [Fact]
    public void The_example_with_all_its_comments_lifted_is_right_but_for_files_that_it_names()
    {
        using var folder = new TemporaryFolder();
        foreach (string secret in (string[])["host1", "discovery", "store"])
            folder.Write(secret + ".secret", "a secret of " + secret);
        string lifted = CommentedOut().Replace(Example, "$1");

        ConfigurationFile file = Reading.Text(lifted, folder);

        string[] machine =
        [
            .. file.Problems.Select(problem => problem.Message).Where(
                message => !message.Contains("/var/lib/scstd") && !message.Contains("there is no group 'scstd'")),
        ];
        Assert.Equal(2, machine.Length);
        Assert.Contains("there is no block device /dev/disk/by-id/nvme-example", machine);
        Assert.Contains("this machine has no CPU 8 (it has 0-3)", machine);
        Assert.Empty(Validate(lifted));
    }

    /// <summary>What the schema refuses, the reader refuses too: an editor shows no mistake that is none.</summary>
    [Theory]
    [InlineData("log: {levle: debug}")]
    [InlineData("log: {level: loud}")]
    [InlineData("memory: lots")]
    [InlineData("reactors: {count: 0}")]
    [InlineData("reactors: {cpus: a-b}")]
    [InlineData("limits: {connections: 0}")]
    [InlineData("limits: {login_timeout: 15}")]
    [InlineData("discovery: {authentication: {}}")]
    [InlineData("discovery: {authentication: {users: []}}")]
    [InlineData("discovery: {authentication: {users: [{name: x, secret: twelve-bytes, other: 1}]}}")]
    [InlineData("    groups: [{name: a, initiators: '*', luns: []}]")]
    [InlineData("    groups: [{name: a, initiators: '*', luns: {a: disk}}]")]
    [InlineData("    limits: {queue_depth: a}")]
    [InlineData("    negotiation: {HeaderDigest: []}")]
    [InlineData("    groups: [{name: a}]")]
    [InlineData("  iqn.bad: {}")]
    [InlineData("libraries: {vtl: {}}")]
    [InlineData("libraries: {vtl: {cartridges: /var/lib, drives: []}}")]
    [InlineData("libraries: {vtl: {cartridges: /var/lib, drives: {count: 0}}}")]
    [InlineData("libraries: {vtl: {cartridges: /var/lib, personality: mine}}")]
    [InlineData("libraries: {vtl: {cartridges: {directory: /var/lib, barcodes: A}}}")]
    [InlineData("completely: wrong")]
    public void Schema_and_reader_refuse_the_same(string line)
    {
        Assert.NotEmpty(Reading.After(line).Problems);
        Assert.NotEmpty(Validate(Reading.Minimal + line));
    }

    [Theory]
    [InlineData("log:")]
    [InlineData("log: {level: debug}")]
    [InlineData("memory: 1GiB")]
    [InlineData("reactors: {count: auto, cpus: 0, io: epoll, latency: power}")]
    [InlineData("reactors: {count: 2, cpus: '0-1', latency: low}")]
    [InlineData("reactors: {zero_copy: off}")]
    [InlineData("reactors: {zero_copy: auto}")]
    [InlineData("discovery: {authentication: none}")]
    [InlineData("discovery: {authentication: {users: [{name: x, secret: twelve-bytes}]}}")]
    [InlineData("    groups: []")]
    [InlineData("    portals: here")]
    [InlineData("    negotiation: {HeaderDigest: CRC32C, InitialR2T: yes, MaxBurstLength: 65536}")]
    [InlineData("  naa.0123456789abcdef: {redirect: '[::1]:3261'}")]
    [InlineData("libraries: {vtl: {cartridges: /var/lib}}")]
    [InlineData("libraries: {vtl: {cartridges: {directory: /var/lib, create: 2, capacity: 1GiB}, drives: 3}}")]
    [InlineData("libraries: {vtl: {cartridges: /var/lib, drives: [1, {generation: lto-9}], personality: ibm-3573}}")]
    public void Schema_and_reader_accept_the_same(string line)
    {
        Reading.Right(Reading.After(line));
        Assert.Empty(Validate(Reading.Minimal + line));
    }

    private static IReadOnlyList<string> Validate(string yaml)
    {
        JsonNode? document = YamlAsJson.Read(yaml);
        return JsonSchemaSubset.Validate(JsonNode.Parse(PublishedSchema.Text())!.AsObject(), document);
    }

    private static bool IsToBeWritten => Environment.GetEnvironmentVariable("SCSTD_WRITE_DOCS") == "1";

    private static string ReferenceTables()
    {
        var text = new System.Text.StringBuilder();
        foreach ((string name, JsonNode? section) in PublishedSchema.Create()["$defs"]!.AsObject())
        {
            text.Append($"\n### {name}\n\n{section!["description"]}\n\n| key | what |\n|---|---|\n");
            var required = (section["required"] as JsonArray ?? []).Select(key => key!.GetValue<string>()).ToHashSet();
            foreach ((string key, JsonNode? row) in section["properties"]!.AsObject())
                text.Append($"| `{key}` | {row!["description"]}{(required.Contains(key) ? " Required." : "")} |\n");
        }
        return text.Append('\n').ToString();
    }

    /// <summary>Every key of every section, from the schema that the reader makes.</summary>
    private static IEnumerable<string> Keys() =>
        PublishedSchema.Create()["$defs"]!.AsObject()
            .SelectMany(section => section.Value!["properties"]!.AsObject().Select(property => property.Key))
            .Distinct();

    // "#key:" and "#  key:" are configuration, "# Words" is not.
    [GeneratedRegex(@"^#((?:  |[a-z]).*)?$", RegexOptions.Multiline)]
    private static partial Regex CommentedOut();
}
