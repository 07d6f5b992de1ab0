using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Scstd.Linux;

/*  A state file is readable, and says by itself whether it is whole:

        scstd state 1
        name: disk1@reservations
        length: 1234
        sha256: 9f86d081884c7d65…

        …the content, as many bytes as LENGTH says, and nothing behind it…

    The checksum covers all but its own line, so a file that was cut, torn, edited or renamed is not taken for whole. */

/// <summary>A state with what proves it whole.</summary>
internal static class StateFileText
{
    private const string Signature = "scstd state 1";

    /// <summary>The longest header: a name of 255 bytes, a length, a checksum, and room to spare.</summary>
    private const int MostHeaderBytes = 512;

    public static byte[] Write(string name, ReadOnlySpan<byte> content)
    {
        string sum = Sum(name, content);
        byte[] header = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{Head(name, content.Length)}sha256: {sum}\n\n"));
        return [.. header, .. content];
    }

    /// <summary>The content; null and why not, if it is not whole.</summary>
    public static byte[]? Read(string name, byte[] file, out string why)
    {
        int end = file.AsSpan(0, Math.Min(file.Length, MostHeaderBytes)).IndexOf("\n\n"u8);
        if (end < 0)
        {
            why = "it does not begin as a state file does";
            return null;
        }
        byte[] content = file[(end + 2)..];
        string expected = string.Create(CultureInfo.InvariantCulture,
            $"{Head(name, content.Length)}sha256: {Sum(name, content)}");
        string found = Encoding.UTF8.GetString(file, 0, end);
        why = found == expected ? "" : Difference(name, found);
        return found == expected ? content : null;
    }

    private static string Difference(string name, string found)
    {
        string[] lines = found.Split('\n');
        if (lines[0] != Signature)
            return "it does not begin as a state file does";
        return lines.Length > 1 && lines[1] != $"name: {name}"
            ? $"it is the state of another ({lines[1]})"
            : "its content is not what its checksum says";
    }

    private static string Head(string name, int lengthBytes) => string.Create(
        CultureInfo.InvariantCulture, $"{Signature}\nname: {name}\nlength: {lengthBytes}\n");

    private static string Sum(string name, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Head(name, content.Length)));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
