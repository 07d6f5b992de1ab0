using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Scstd.Tests.Configuration;

/// <summary>Validates by JSON Schema, draft 2020-12: the keywords that the published schema uses, and fails on any
/// other, so that none is passed over in silence.</summary>
internal static class JsonSchemaSubset
{
    public static IReadOnlyList<string> Validate(JsonObject schema, JsonNode? document)
    {
        var faults = new List<string>();
        new Run(schema, faults).Check(schema, document, "$");
        return faults;
    }

    private sealed class Run(JsonObject root, List<string> faults)
    {
        public void Check(JsonObject schema, JsonNode? value, string at)
        {
            foreach ((string keyword, JsonNode? rule) in schema)
            {
                if (!Holds(keyword, rule!, schema, value, at))
                    faults.Add($"{at}: {keyword}");
            }
        }

        private bool Holds(string keyword, JsonNode rule, JsonObject schema, JsonNode? value, string at)
        {
            switch (keyword)
            {
                case "$schema" or "$defs" or "title" or "description":
                    return true;
                case "$ref":
                    Check(root["$defs"]![rule.GetValue<string>().Split('/')[^1]]!.AsObject(), value, at);
                    return true;
                case "type":
                    return rule is JsonArray types ? types.Any(type => IsType(type!, value)) : IsType(rule, value);
                case "enum":
                    return rule.AsArray().Any(choice => JsonNode.DeepEquals(choice, value));
                case "const":
                    return value is JsonValue constant && constant.TryGetValue(out decimal number)
                        && number == rule.GetValue<int>();
                case "anyOf":
                    return rule.AsArray().Any(branch => IsRight(branch!.AsObject(), value));
                case "properties" or "additionalProperties" or "required" or "propertyNames":
                    return value is not JsonObject section || Section(keyword, rule, schema, section, at);
                case "items":
                    foreach (JsonNode? item in value as JsonArray ?? [])
                        Check(rule.AsObject(), item, $"{at}[]");
                    return true;
                case "minItems":
                    return value is not JsonArray list || list.Count >= rule.GetValue<int>();
                case "pattern":
                    return Text(value) is not { } text || Regex.IsMatch(text, rule.GetValue<string>());
                case "minLength":
                    return Text(value) is not { } longer || longer.Length >= rule.GetValue<int>();
                case "maxLength":
                    return Text(value) is not { } shorter || shorter.Length <= rule.GetValue<int>();
                case "minimum":
                    return Number(value) is not { } larger || larger >= rule.GetValue<long>();
                case "maximum":
                    return Number(value) is not { } smaller || smaller <= rule.GetValue<long>();
                default:
                    throw new InvalidOperationException($"the keyword {keyword} is not known here");
            }
        }

        private bool Section(string keyword, JsonNode rule, JsonObject schema, JsonObject section, string at)
        {
            if (keyword == "required")
                return rule.AsArray().All(name => section.ContainsKey(name!.GetValue<string>()));
            var known = schema["properties"] as JsonObject;
            foreach ((string name, JsonNode? value) in section)
            {
                bool isKnown = known?.ContainsKey(name) == true;
                if (keyword == "properties" && isKnown)
                    Check(known![name]!.AsObject(), value, $"{at}.{name}");
                else if (keyword == "propertyNames")
                    Check(rule.AsObject(), JsonValue.Create(name), $"{at}.{name}");
                else if (keyword == "additionalProperties" && !isKnown && rule is JsonObject further)
                    Check(further, value, $"{at}.{name}");
                else if (keyword == "additionalProperties" && !isKnown)
                    return false;
            }
            return true;
        }

        private bool IsRight(JsonObject schema, JsonNode? value)
        {
            var branch = new List<string>();
            new Run(root, branch).Check(schema, value, "");
            return branch.Count == 0;
        }

        private static bool IsType(JsonNode type, JsonNode? value) => type.GetValue<string>() switch
        {
            "null" => value is null,
            "object" => value is JsonObject,
            "array" => value is JsonArray,
            "string" => Text(value) is not null,
            "number" => Number(value) is not null,
            "integer" => Number(value) is { } number && number == decimal.Truncate(number),
            string other => throw new InvalidOperationException($"the type {other} is not known here"),
        };

        private static string? Text(JsonNode? value) =>
            value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

        private static decimal? Number(JsonNode? value) =>
            value is JsonValue number && number.TryGetValue(out decimal read) ? read : null;
    }
}
