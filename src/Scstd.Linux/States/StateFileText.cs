using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Scstd.Linux;

/*  A state file is readable, and says by itself whether it is whole and whose it is:

        scstd state 2
        name: disk1@reservations
        owner: naa.3a1b2c3d4e5f6071
        length: 1234
        sha256: 9f86d081884c7d65…

        …the content, as many bytes as LENGTH says, and nothing behind it…

    The checksum covers all but its own line, so a file that was cut, torn, edited or renamed is not taken for whole.
    One that belongs to nobody in particular is a "scstd state 1" and lacks the owner's line; so do all that were
    written before there were owners.                                                                                */

/// <summary>A state with what proves it whole.</summary>
internal static class StateFileText
{
    private const string Signature = "scstd state 1";
    private const string OwnedSignature = "scstd state 2";
    private const string OwnerKey = "owner: ";

    /// <summary>The longest header: name and owner of 255 bytes, a length, a checksum, and room to spare.</summary>
    private const int MostHeaderBytes = 768;

    /// <param name="name">The state's.</param>
    /// <param name="owner">Null: anybody's. One line.</param>
    /// <param name="content">Anything.</param>
    public static byte[] Write(string name, string? owner, ReadOnlySpan<byte> content)
    {
        string head = Head(name, owner, content.Length);
        byte[] header = Encoding.UTF8.GetBytes($"{head}sha256: {Sum(head, content)}\n\n");
        return [.. header, .. content];
    }

    /// <summary>Null and why not, if it is not whole.</summary>
    public static OwnedState? Read(string name, byte[] file, out string why)
    {
        int end = file.AsSpan(0, Math.Min(file.Length, MostHeaderBytes)).IndexOf("\n\n"u8);
        if (end < 0)
        {
            why = "it does not begin as a state file does";
            return null;
        }
        byte[] content = file[(end + 2)..];
        string found = Encoding.UTF8.GetString(file, 0, end);
        string? owner = OwnerOf(found);
        string head = Head(name, owner, content.Length);
        bool isWhole = found == $"{head}sha256: {Sum(head, content)}";
        why = isWhole ? "" : Difference(name, found);
        return isWhole ? new OwnedState(owner, content) : null;
    }

    private static string? OwnerOf(string header)
    {
        string[] lines = header.Split('\n');
        return lines.Length > 2 && lines[0] == OwnedSignature && lines[2].StartsWith(OwnerKey, StringComparison.Ordinal)
            ? lines[2][OwnerKey.Length..] : null;
    }

    private static string Difference(string name, string found)
    {
        string[] lines = found.Split('\n');
        if (lines[0] is not (Signature or OwnedSignature))
            return "it does not begin as a state file does";
        return lines.Length > 1 && lines[1] != $"name: {name}"
            ? $"it is the state of another ({lines[1]})"
            : "its content is not what its checksum says";
    }

    private static string Head(string name, string? owner, int lengthBytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(owner is null ? Signature : OwnedSignature)}\nname: {name}\n{OwnerLine(owner)}length: {lengthBytes}\n");

    private static string OwnerLine(string? owner) => owner is null ? "" : $"{OwnerKey}{owner}\n";

    private static string Sum(string head, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(head));
        hash.AppendData(content);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>A state as it was found.</summary>
/// <param name="Owner">Whose; null: it does not say.</param>
/// <param name="Content">As it was saved.</param>
internal sealed record OwnedState(string? Owner, byte[] Content);
