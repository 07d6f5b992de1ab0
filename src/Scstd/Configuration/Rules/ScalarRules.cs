using System.Globalization;
using System.Text.Json.Nodes;

namespace Scstd.Configuration;

/// <summary>A single value.</summary>
internal abstract class ScalarRule<T> : Rule<T>
{
    public sealed override bool TryRead(SourceNode node, Problems problems, out T value)
    {
        value = default!;
        if (node is ScalarNode { IsEmpty: false } scalar && TryParse(scalar, out value))
            return true;
        return Refuse(node, problems, node is ScalarNode wrong ? Suggest(wrong.Text) : "");
    }

    protected abstract bool TryParse(ScalarNode scalar, out T value);

    protected virtual string Suggest(string written) => "";
}

/// <summary>Text that a function understands.</summary>
internal sealed class ParsedRule<T>(
    string expected, ParsedRule<T>.Parser parser, string? pattern = null, JsonObject? schema = null) : ScalarRule<T>
{
    public delegate bool Parser(string text, out T value);

    public override string Expected => expected;

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        if (schema is not null)
            return schema.DeepClone().AsObject();
        // What looks like a number is one to YAML; a pattern speaks of text only.
        var text = new JsonObject { ["type"] = new JsonArray("string", "number") };
        if (pattern is not null)
            text["pattern"] = pattern;
        return text;
    }

    protected override bool TryParse(ScalarNode scalar, out T value) => parser(scalar.Text, out value);
}

/// <summary>A word and where it stands.</summary>
internal sealed class NameRule(string expected, int mostCharacters, Func<string, bool>? isValid, string? pattern)
    : ScalarRule<Word>
{
    public override string Expected => expected;

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        var schema = new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = mostCharacters };
        if (pattern is not null)
            schema["pattern"] = pattern;
        return schema;
    }

    protected override bool TryParse(ScalarNode scalar, out Word value)
    {
        value = new Word(scalar.Text, scalar.Position);
        return scalar.Text.Length > 0 && scalar.Text.Length <= mostCharacters
            && (isValid is null || isValid(scalar.Text));
    }
}

internal sealed class BooleanRule : ScalarRule<bool>
{
    private static readonly string[] True = ["true", "yes", "on"];
    private static readonly string[] False = ["false", "no", "off"];

    public override string Expected => "yes or no";

    public override JsonObject Schema(SchemaDefinitions definitions) =>
        new() { ["enum"] = new JsonArray([true, false, .. True.Concat(False).Select(word => JsonValue.Create(word))]) };

    protected override bool TryParse(ScalarNode scalar, out bool value)
    {
        value = True.Contains(scalar.Text, StringComparer.OrdinalIgnoreCase);
        return value || False.Contains(scalar.Text, StringComparer.OrdinalIgnoreCase);
    }

    protected override string Suggest(string written) => Spelling.Suggest(written, True.Concat(False));
}

internal sealed class IntegerRule(int least, int most, string what = "a whole number") : ScalarRule<int>
{
    public override string Expected => $"{what} from {least} to {most}";

    public override JsonObject Schema(SchemaDefinitions definitions) =>
        new() { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most };

    protected override bool TryParse(ScalarNode scalar, out int value) =>
        int.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
        && value >= least && value <= most;
}

/// <summary>"256MiB".</summary>
internal sealed class SizeRule(long leastBytes, long mostBytes, long multipleBytes = 1, bool powerOfTwo = false)
    : ScalarRule<long>
{
    public override string Expected => "a size" + (powerOfTwo ? " that is a power of two" : "")
        + $" from {Units.FormatSize(leastBytes)} to {Units.FormatSize(mostBytes)}"
        + (multipleBytes > 1 ? $", a multiple of {multipleBytes} bytes" : "");

    public override JsonObject Schema(SchemaDefinitions definitions) => new()
    {
        ["description"] = Expected,
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "integer", ["minimum"] = leastBytes, ["maximum"] = mostBytes },
            new JsonObject { ["type"] = "string", ["pattern"] = Pattern }),
    };

    private const string Pattern = "^[0-9]+(\\.[0-9]+)? ?(B|[kK]B|[MGTP]B|[KMGTP]|[KMGTP]iB)?$";

    protected override bool TryParse(ScalarNode scalar, out long value) =>
        Units.TryParseSize(scalar.Text, out value) && value >= leastBytes && value <= mostBytes
        && value % multipleBytes == 0 && (!powerOfTwo || long.IsPow2(value));

    protected override string Suggest(string written) =>
        Units.TryParseSize(written, out _) ? "" : " (write it as 512, 4KiB, 256MiB, 1.5TiB or 10GB)";
}

/// <summary>"5s".</summary>
internal sealed class DurationRule(TimeSpan least, TimeSpan most, bool orNone = false) : ScalarRule<TimeSpan>
{
    public override string Expected => $"a duration from {Units.FormatDuration(least)} to "
        + Units.FormatDuration(most) + (orNone ? ", or 0 for never" : "");

    public override JsonObject Schema(SchemaDefinitions definitions) => new()
    {
        ["description"] = Expected,
        ["anyOf"] = new JsonArray(
            new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9]+(\\.[0-9]+)? ?(us|ms|s|min|h)$" },
            new JsonObject { ["const"] = 0 }),
    };

    protected override bool TryParse(ScalarNode scalar, out TimeSpan value) =>
        Units.TryParseDuration(scalar.Text, out value)
        && ((orNone && value == TimeSpan.Zero) || (value >= least && value <= most));

    protected override string Suggest(string written) =>
        Units.TryParseDuration(written, out _) ? "" : " (write it as 500ms, 5s, 2min or 1h)";
}

/// <summary>One of a few words.</summary>
internal sealed class WordRule<T>(params (string Word, T Value)[] words) : ScalarRule<T>
{
    public override string Expected => words.Length == 1
        ? $"'{words[0].Word}'"
        : string.Join(", ", words.SkipLast(1).Select(row => row.Word)) + $" or {words[^1].Word}";

    public override JsonObject Schema(SchemaDefinitions definitions)
    {
        var choices = new JsonArray([.. words.Select(row => JsonValue.Create(row.Word))]);
        // YAML reads the plain words null, yes, no, on, off, true, false as other things than text.
        if (words.Any(row => row.Word == "null"))
            choices.Add(null);
        return new JsonObject { ["enum"] = choices };
    }

    protected override bool TryParse(ScalarNode scalar, out T value)
    {
        foreach ((string word, T meaning) in words)
        {
            if (!string.Equals(word, scalar.Text, StringComparison.OrdinalIgnoreCase))
                continue;
            value = meaning;
            return true;
        }
        value = default!;
        return false;
    }

    protected override string Suggest(string written) => Spelling.Suggest(written, words.Select(row => row.Word));
}
