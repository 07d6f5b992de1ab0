using System.Text.Json.Nodes;

namespace Scstd.Configuration;

/// <summary>
/// What may stand at one place of the file: reads it, says what was expected when something else is there, and says the
/// same as JSON Schema. One description serves all three, so that they cannot disagree.
/// </summary>
internal abstract class Rule<T>
{
    /// <summary>For "expected …".</summary>
    public abstract string Expected { get; }

    /// <summary>False when the node is not what the rule says; the problem is then noted already.</summary>
    public abstract bool TryRead(SourceNode node, Problems problems, out T value);

    public abstract JsonObject Schema(SchemaDefinitions definitions);

    protected bool Refuse(SourceNode node, Problems problems, string suggestion = "")
    {
        problems.Add(node.Position, $"expected {Expected}, found {node.Describe()}{suggestion}");
        return false;
    }
}

/// <summary>Sections that are used in several places stand once in the schema, under their names.</summary>
internal sealed class SchemaDefinitions
{
    private readonly SortedDictionary<string, JsonObject> _byName = new(StringComparer.Ordinal);

    public JsonObject Reference(string name, Func<JsonObject> schema)
    {
        if (!_byName.ContainsKey(name))
        {
            _byName.Add(name, []);
            _byName[name] = schema();
        }
        return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
    }

    public JsonObject All() =>
        new(_byName.Select(row => KeyValuePair.Create<string, JsonNode?>(row.Key, row.Value)));
}
