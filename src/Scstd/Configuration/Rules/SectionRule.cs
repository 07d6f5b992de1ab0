using System.Text.Json.Nodes;

namespace Scstd.Configuration;

/// <summary>A part of the configuration, and where it begins in the file.</summary>
public abstract class Section
{
    private readonly Dictionary<string, SourcePosition> _written = [];

    public SourcePosition Position { get; internal set; }

    /// <summary>The key is written, whether or not its value was right: nobody shall be told that a value is missing
    /// when it is only wrong.</summary>
    internal bool Has(string key) => _written.ContainsKey(key);

    /// <summary>Where the key's value stands, or else the section.</summary>
    internal SourcePosition PositionOf(string key) => _written.GetValueOrDefault(key, Position);

    /// <summary>The same, to be changed in a part without the one that is in force changing.</summary>
    internal Section Copy() => (Section)MemberwiseClone();

    internal void Written(string key, SourcePosition position) => _written[key] = position;
}

/// <summary>A section with keys that we choose: one row per key.</summary>
internal sealed class SectionRule<T>(string name, string about, params Row<T>[] rows) : Rule<T>
    where T : Section, new()
{
    public override string Expected => $"a section with keys ({KeyNames})";

    public IReadOnlyList<Row<T>> Rows => rows;

    public string Name => name;

    private string KeyNames => string.Join(", ", rows.Select(row => row.Key));

    /// <summary>Always gives a section, with whatever of it was right: what refers to it by name shall not be called
    /// wrong because of a mistake inside.</summary>
    public override bool TryRead(SourceNode node, Problems problems, out T value)
    {
        value = new T { Position = node.Position };
        if (node is ScalarNode { IsEmpty: true })
            node = new MapNode(node.Position, []);
        if (node is not MapNode map)
        {
            Refuse(node, problems);
            return true;
        }
        var seen = new Dictionary<string, SourcePosition>();
        foreach (MapEntry entry in map.Entries)
        {
            if (!seen.TryAdd(entry.Key.Text, entry.Key.Position))
            {
                problems.Add(entry.Key.Position,
                    $"key '{entry.Key.Text}' stands here twice; first on line {seen[entry.Key.Text].Line}");
                continue;
            }
            value.Written(entry.Key.Text, entry.Value.Position);
            if (rows.FirstOrDefault(row => row.Key == entry.Key.Text) is { } row)
                row.Read(entry.Value, value, problems);
            else
                Unknown(entry.Key, problems);
        }
        foreach (Row<T> row in rows.Where(row => row.IsRequired && !seen.ContainsKey(row.Key)))
            problems.AddMissing(node.Position, $"{name} lacks the key '{row.Key}': {row.About}");
        return true;
    }

    public override JsonObject Schema(SchemaDefinitions definitions) => definitions.Reference(name, () =>
    {
        var schema = new JsonObject
        {
            ["description"] = about,
            ["type"] = new JsonArray("object", "null"),
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject(rows.Select(row => KeyValuePair.Create<string, JsonNode?>(
                row.Key, row.Schema(definitions)))),
        };
        if (rows.Any(row => row.IsRequired))
        {
            schema["type"] = "object";
            schema["required"] = new JsonArray(
                [.. rows.Where(row => row.IsRequired).Select(row => JsonValue.Create(row.Key))]);
        }
        return schema;
    });

    private void Unknown(ScalarNode key, Problems problems)
    {
        string suggestion = Spelling.Suggest(key.Text, rows.Select(row => row.Key));
        problems.Add(key.Position, $"unknown key '{key.Text}'{suggestion} ({name} has: {KeyNames})");
    }
}

/// <summary>One key of a section: how it is called, what stands behind it, what it is for.</summary>
internal abstract class Row<T>(string key, string about, bool isRequired)
{
    public string Key { get; } = key;

    /// <summary>For the schema, the documentation, and for who forgot it.</summary>
    public string About { get; } = about;

    public bool IsRequired { get; } = isRequired;

    public abstract void Read(SourceNode node, T section, Problems problems);

    public abstract JsonObject Schema(SchemaDefinitions definitions);
}

internal sealed class Row<T, TValue>(
    string key, Rule<TValue> rule, Action<T, TValue> set, string about, bool isRequired = false)
    : Row<T>(key, about, isRequired)
{
    public override void Read(SourceNode node, T section, Problems problems)
    {
        if (rule.TryRead(node, problems, out TValue value))
            set(section, value);
    }

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        JsonObject schema = rule.Schema(definitions);
        schema["description"] = About;
        return schema;
    }
}
