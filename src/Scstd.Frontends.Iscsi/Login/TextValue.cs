using System.Globalization;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>The value syntaxes of RFC 7143 §6.1. Each reader says false instead of guessing.</summary>
public static class TextValue
{
    public const string Yes = "Yes";
    public const string No = "No";

    /// <summary>boolean-value: "Yes" or "No", nothing else, case counts.</summary>
    public static bool TryBoolean(string value, out bool result)
    {
        result = value == Yes;
        return result || value == No;
    }

    public static string Boolean(bool value) => value ? Yes : No;

    /// <summary>
    /// regular-numerical-value: decimal-constant (no leading zeros, no sign) or hex-constant, below 2^64.
    /// </summary>
    public static bool TryNumber(string value, out ulong number)
    {
        number = 0;
        if (value.Length == 0) return false;
        if (value.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(
                value.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
        }
        if (value[0] == '0' && value.Length > 1) return false;
        return ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>numeric-range: two numbers with '~' between, the first not above the second.</summary>
    public static bool TryRange(string value, out ulong from, out ulong to)
    {
        from = to = 0;
        var tilde = value.IndexOf('~');
        return tilde > 0 && TryNumber(value[..tilde], out from) && TryNumber(value[(tilde + 1)..], out to)
            && from <= to;
    }

    /// <summary>list-of-values: separated by commas; an empty element makes it no list.</summary>
    public static bool TryList(string value, out string[] elements)
    {
        elements = value.Split(',');
        foreach (var element in elements)
        {
            if (element.Length is 0 or > LoginLimits.SimpleValueLengthMax) return false;
        }
        return true;
    }

    /// <summary>
    /// large-binary-value: hex-constant (0x) or base64-constant (0b), prefix in either case. An odd number of hex
    /// digits has a leading zero digit left out. Decodes at most <see cref="LoginLimits.BinaryValueLengthMax"/>.
    /// </summary>
    public static bool TryBinary(string value, out byte[] bytes)
    {
        bytes = [];
        if (value.Length is <= 2 or > LoginLimits.EncodedBinaryLengthMax || value[0] != '0') return false;
        return value[1] switch
        {
            'x' or 'X' => TryHexadecimal(value[2..], out bytes),
            'b' or 'B' => TryBase64(value.AsSpan(2), out bytes),
            _ => false,
        };
    }

    /// <summary>The way every peer reads: "0x" and digits.</summary>
    public static string Binary(ReadOnlySpan<byte> bytes) => "0x" + Convert.ToHexStringLower(bytes);

    private static bool TryHexadecimal(string digits, out byte[] bytes)
    {
        if ((digits.Length & 1) != 0) digits = "0" + digits;
        bytes = new byte[digits.Length / 2];
        var decoded = Convert.FromHexString(digits, bytes, out _, out var written)
            == System.Buffers.OperationStatus.Done && written == bytes.Length;
        return decoded && bytes.Length <= LoginLimits.BinaryValueLengthMax;
    }

    private static bool TryBase64(ReadOnlySpan<char> digits, out byte[] bytes)
    {
        bytes = [];
        // The decoder skips white space; the standard's alphabet has none.
        if (digits.IndexOfAny(" \t\r\n") >= 0) return false;
        var buffer = new byte[digits.Length / 4 * 3 + 3];
        if (!Convert.TryFromBase64Chars(digits, buffer, out var written)) return false;
        if (written is 0 or > LoginLimits.BinaryValueLengthMax) return false;
        bytes = buffer[..written];
        return true;
    }
}
