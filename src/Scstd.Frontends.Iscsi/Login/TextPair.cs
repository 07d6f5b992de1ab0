using System.Text;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>One key=value pair of Text Format (RFC 7143 §6.1).</summary>
public readonly record struct TextPair(string Key, string Value)
{
    public override string ToString() => $"{Key}={Value}";

    /// <summary>All pairs as they go on the wire, each ended by a zero byte.</summary>
    public static byte[] Encode(IEnumerable<TextPair> pairs)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in pairs) text.Append(key).Append('=').Append(value).Append('\0');
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}

/// <summary>The constants a responder may give instead of a value (RFC 7143 §6.2).</summary>
public static class Answer
{
    /// <summary>"the key is not relevant for the current negotiation".</summary>
    public const string Irrelevant = "Irrelevant";

    /// <summary>The key is not known.</summary>
    public const string NotUnderstood = "NotUnderstood";

    /// <summary>The key is known, the value is not acceptable.</summary>
    public const string Reject = "Reject";

    public static bool IsReserved(string value) => value is Irrelevant or NotUnderstood or Reject;
}
