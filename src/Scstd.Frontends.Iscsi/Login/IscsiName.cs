using System.Text;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// iSCSI names (RFC 7143 §4.2.7, RFC 3722): the world-wide name of an initiator or target node. Two names are equal
/// when their normalised forms are, byte for byte.
/// </summary>
/*   iqn.YYYY-MM.reversed.domain[:anything]     §4.2.7.3
     eui.<16 hexadecimal digits>                §4.2.7.4
     naa.<16 or 32 hexadecimal digits>          §4.2.7.5   */
public static class IscsiName
{
    /// <summary>§4.2.7.1: "at most 223 bytes" in UTF-8.</summary>
    public const int LengthMax = 223;

    /// <summary>
    /// Lower-cases a name (RFC 3722 §3: the stringprep profile maps to lower case) and tells whether it is one.
    /// </summary>
    public static bool TryNormalize(string name, out string normalized)
    {
        normalized = "";
        if (name.Length is < 5 or > LengthMax) return false;
        var lower = name.ToLowerInvariant();
        if (Encoding.UTF8.GetByteCount(lower) > LengthMax) return false;
        var valid = lower[..4] switch
        {
            "iqn." => IsQualified(lower.AsSpan(4)),
            "eui." => IsHexadecimal(lower.AsSpan(4), 16),
            "naa." => IsHexadecimal(lower.AsSpan(4), 16) || IsHexadecimal(lower.AsSpan(4), 32),
            _ => false,
        };
        if (valid) normalized = lower;
        return valid;
    }

    public static bool IsValid(string name) => TryNormalize(name, out _);

    // YYYY-MM "." naming authority [":" string]
    private static bool IsQualified(ReadOnlySpan<char> rest)
    {
        if (rest.Length < 9 || rest[4] != '-' || rest[7] != '.') return false;
        if (!AreDigits(rest[..4]) || !AreDigits(rest.Slice(5, 2))) return false;
        var month = (rest[5] - '0') * 10 + rest[6] - '0';
        if (month is < 1 or > 12) return false;
        var authority = rest[8..];
        if (authority[0] is '.' or ':') return false;
        foreach (var c in authority)
        {
            if (!IsAllowed(c)) return false;
        }
        return true;
    }

    // RFC 3722 §6.2 allows of ASCII only letters, digits, '-', '.' and ':'. '_' is not among them, but deployed
    // initiators carry it and it cannot be mistaken for anything else, so it passes.
    private static bool IsAllowed(char c) => c < 0x80
        ? char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or ':' or '_'
        : char.IsLetterOrDigit(c) || char.IsSurrogate(c);

    private static bool AreDigits(ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') < 0;

    private static bool IsHexadecimal(ReadOnlySpan<char> text, int digits)
    {
        if (text.Length != digits) return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c)) return false;
        }
        return true;
    }
}
