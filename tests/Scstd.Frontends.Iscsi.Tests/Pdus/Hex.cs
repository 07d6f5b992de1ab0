namespace Scstd.Frontends.Iscsi.Tests.Pdus;

/// <summary>Bytes written as a reader sees them in a dump: hexadecimal digits, white space ignored.</summary>
internal static class Hex
{
    public static byte[] Bytes(string text) =>
        Convert.FromHexString(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));

    /// <summary>Four bytes a group, sixteen a line, so that a failed comparison can be read.</summary>
    public static string Dump(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i > 0) text.Append(i % 16 == 0 ? '\n' : i % 4 == 0 ? ' ' : "");
            text.Append(bytes[i].ToString("x2"));
        }
        return text.ToString();
    }

    public static void Equal(string expected, ReadOnlySpan<byte> actual) =>
        Assert.Equal(Dump(Bytes(expected)), Dump(actual));
}
