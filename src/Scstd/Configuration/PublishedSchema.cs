using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scstd.Configuration;

/// <summary>The configuration as JSON Schema, for editors. Made from the rules that read the file.</summary>
internal static class PublishedSchema
{
    private static readonly JsonSerializerOptions Format =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonObject Create()
    {
        var definitions = new SchemaDefinitions();
        JsonObject root = DaemonSection.Rule.Schema(definitions);
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "scstd.yaml",
            ["$ref"] = root["$ref"]!.DeepClone(),
            ["$defs"] = definitions.All(),
        };
    }

    public static string Text() => Create().ToJsonString(Format) + "\n";
}
