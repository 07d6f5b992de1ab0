using System.Text;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// Collects the text of one negotiation step over all the PDUs it comes in (the C bit, RFC 7143 §6.2: a pair may be cut
/// anywhere) and takes it apart once it is whole. Bounded before anything is kept.
/// </summary>
public sealed class TextAssembly
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private readonly MemoryStream _text = new();

    public int LengthBytes => (int)_text.Length;

    /// <summary>Adds a data segment; false when the text would become longer than allowed.</summary>
    public bool TryAppend(ReadOnlySpan<byte> dataSegment)
    {
        if (_text.Length + dataSegment.Length > LoginLimits.TextLengthMax) return false;
        _text.Write(dataSegment);
        return true;
    }

    public void Clear() => _text.SetLength(0);

    /// <summary>
    /// Takes the pairs out and begins anew. Returns null and the pairs, or a constant sentence that says why the text
    /// is malformed.
    /// </summary>
    public string? Take(out List<TextPair> pairs)
    {
        var fault = Parse(_text.GetBuffer().AsSpan(0, (int)_text.Length), out pairs);
        Clear();
        return fault;
    }

    /// <summary>Pairs of a complete text. Empty pairs are padding that was counted in, and are skipped.</summary>
    public static string? Parse(ReadOnlySpan<byte> text, out List<TextPair> pairs)
    {
        pairs = [];
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)0);
            if (end < 0) return "text without terminating zero byte";
            var pair = text[..end];
            text = text[(end + 1)..];
            if (pair.IsEmpty) continue;
            if (pairs.Count == LoginLimits.KeysMax) return "too many keys";
            if (ParsePair(pair, out var parsed) is { } fault) return fault;
            pairs.Add(parsed);
        }
        return null;
    }

    private static string? ParsePair(ReadOnlySpan<byte> pair, out TextPair parsed)
    {
        parsed = default;
        var equals = pair.IndexOf((byte)'=');
        if (equals < 0) return "key without '='";
        if (equals is 0 or > LoginLimits.KeyNameLengthMax) return "key name empty or longer than 63 bytes";
        foreach (var c in pair[..equals])
        {
            if (!IsLabel(c)) return "character in a key name that none may have";
        }
        var key = Encoding.ASCII.GetString(pair[..equals]);
        var value = pair[(equals + 1)..];
        if (value.Length > KeyTable.ValueLengthMax(key)) return "value longer than its key allows";
        try
        {
            parsed = new TextPair(key, Utf8.GetString(value));
            return null;
        }
        catch (DecoderFallbackException)
        {
            return "value that is not UTF-8";
        }
    }

    // §6.1: letters, digits, dot, minus, plus, commercial at, underscore. '#' is not in that list, but the standard's
    // own extension prefixes (§13.22) X#, Y#, Z# have it.
    private static bool IsLabel(byte c) =>
        char.IsAsciiLetterOrDigit((char)c) || c is (byte)'.' or (byte)'-' or (byte)'+' or (byte)'@' or (byte)'_'
            or (byte)'#';
}
