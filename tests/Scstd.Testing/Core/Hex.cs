namespace Scstd.Testing;

/// <summary>Bytes as the standards print them: "12 00 0A".</summary>
public static class Hex
{
    public static byte[] Bytes(string hex) =>
        Convert.FromHexString(string.Concat(hex.Where(c => !char.IsWhiteSpace(c))));

    public static string Of(ReadOnlySpan<byte> bytes) =>
        string.Join(' ', bytes.ToArray().Select(b => b.ToString("X2")));

    /// <summary>ASCII as hexadecimal digits, for golden answers with names in them.</summary>
    public static string Ascii(string text) => Of(System.Text.Encoding.ASCII.GetBytes(text));
}
