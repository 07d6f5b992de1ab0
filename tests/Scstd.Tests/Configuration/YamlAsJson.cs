using System.Globalization;
using System.Text.Json.Nodes;
using Scstd.Configuration;

namespace Scstd.Tests.Configuration;

/// <summary>YAML as an editor's schema checker sees it: plain words are what YAML 1.2's core schema says.</summary>
internal static class YamlAsJson
{
    public static JsonNode? Read(string yaml)
    {
        var problems = new Problems();
        SourceNode? root = SourceTree.Read(new StringReader(yaml), problems);
        Assert.Empty(problems.All);
        return root is null ? null : Convert(root);
    }

    private static JsonNode? Convert(SourceNode node) => node switch
    {
        MapNode map => new JsonObject(map.Entries.Select(entry =>
            KeyValuePair.Create(entry.Key.Text, Convert(entry.Value)))),
        ListNode list => new JsonArray([.. list.Items.Select(Convert)]),
        ScalarNode { IsPlain: false } quoted => JsonValue.Create(quoted.Text),
        ScalarNode { Text: "" or "~" or "null" } => null,
        ScalarNode { Text: "true" } => JsonValue.Create(true),
        ScalarNode { Text: "false" } => JsonValue.Create(false),
        ScalarNode plain when decimal.TryParse(plain.Text, NumberStyles.Float, CultureInfo.InvariantCulture,
            out decimal number) => JsonValue.Create(number),
        ScalarNode plain => JsonValue.Create(plain.Text),
        _ => throw new InvalidOperationException(node.Describe()),
    };
}
