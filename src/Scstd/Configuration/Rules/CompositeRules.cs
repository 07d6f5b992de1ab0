using System.Text.Json.Nodes;

namespace Scstd.Configuration;

/// <summary>A list; one value alone may stand without its brackets.</summary>
internal sealed class ListRule<T>(Rule<T> item, bool orEmpty = false, bool orOne = true) : Rule<IReadOnlyList<T>>
{
    public override string Expected => orOne ? $"{item.Expected}, or a list of such" : $"a list of {item.Expected}";

    public override bool TryRead(SourceNode node, Problems problems, out IReadOnlyList<T> value)
    {
        value = [];
        if (node is not ListNode list)
        {
            if (!orOne || node is ScalarNode { IsEmpty: true })
                return Refuse(node, problems);
            bool read = item.TryRead(node, problems, out T only);
            value = read ? [only] : [];
            return read;
        }
        if (list.Items.Count == 0 && !orEmpty)
            return Refuse(node, problems, " without items");
        var values = new List<T>(list.Items.Count);
        foreach (SourceNode entry in list.Items)
        {
            if (item.TryRead(entry, problems, out T one))
                values.Add(one);
        }
        value = values;
        return true;
    }

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        var list = new JsonObject { ["type"] = "array", ["items"] = item.Schema(definitions) };
        if (!orEmpty)
            list["minItems"] = 1;
        return orOne ? new JsonObject { ["anyOf"] = new JsonArray(item.Schema(definitions), list) } : list;
    }
}

/// <summary>An entry of a section whose keys the administrator chooses.</summary>
internal readonly record struct Named<TKey, TValue>(TKey Key, SourcePosition Position, TValue Value);

/// <summary>A section whose keys are names or numbers of the administrator's choice; each stands once.</summary>
internal sealed class MapRule<TKey, TValue>(Rule<TKey> key, Rule<TValue> value, string expected)
    : Rule<IReadOnlyList<Named<TKey, TValue>>>
    where TKey : notnull
{
    public override string Expected => expected;

    public override bool TryRead(SourceNode node, Problems problems, out IReadOnlyList<Named<TKey, TValue>> entries)
    {
        entries = [];
        if (node is ScalarNode { IsEmpty: true })
            return true;
        if (node is not MapNode map)
            return Refuse(node, problems);
        var read = new List<Named<TKey, TValue>>();
        var seen = new Dictionary<string, SourcePosition>();
        foreach (MapEntry entry in map.Entries)
        {
            bool known = key.TryRead(entry.Key, problems, out TKey name);
            string identity = known ? Identity(name) : entry.Key.Text;
            if (!seen.TryAdd(identity, entry.Key.Position))
            {
                problems.Add(entry.Key.Position,
                    $"'{entry.Key.Text}' stands here twice; first on line {seen[identity].Line}");
            }
            if (value.TryRead(entry.Value, problems, out TValue one) && known)
                read.Add(new(name, entry.Key.Position, one));
        }
        entries = read;
        return true;
    }

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        JsonObject names = key.Schema(definitions);
        // Keys are text in JSON: a number's bounds would never be met.
        if (names["type"]?.GetValue<string>() == "integer")
            names = new JsonObject { ["pattern"] = "^[0-9]+$" };
        return new JsonObject
        {
            ["type"] = new JsonArray("object", "null"),
            ["propertyNames"] = names,
            ["additionalProperties"] = value.Schema(definitions),
        };
    }

    // A name's place does not make it another name, and 0x1 is 1.
    private static string Identity(TKey name) => name.ToString()!;
}

/// <summary>A short way to write what could also be written as a section.</summary>
internal sealed class ShortRule<TShort, T>(Rule<TShort> shortForm, Func<TShort, SourcePosition, T> expand, Rule<T> full)
    : Rule<T>
{
    public override string Expected => $"{shortForm.Expected}, or {full.Expected}";

    public override bool TryRead(SourceNode node, Problems problems, out T value)
    {
        if (node is MapNode)
            return full.TryRead(node, problems, out value);
        if (node is not ScalarNode { IsEmpty: false })
            Refuse(node, problems);
        else if (shortForm.TryRead(node, problems, out TShort written))
        {
            value = expand(written, node.Position);
            return true;
        }
        // The problem is noted; who refers to this by name shall find it.
        return full.TryRead(new MapNode(node.Position, []), new Problems(), out value);
    }

    public override JsonObject Schema(SchemaDefinitions definitions) => new()
    {
        ["anyOf"] = new JsonArray(shortForm.Schema(definitions), full.Schema(definitions)),
    };
}
