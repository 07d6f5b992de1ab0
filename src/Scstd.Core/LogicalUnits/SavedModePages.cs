using System.Buffers.Binary;

namespace Scstd.Core;

/// <summary>The saved values of a unit's mode pages (SPC-4 §5.9) as bytes for its <see cref="IUnitStateStore"/>.
/// </summary>
/*  0     version (1)
    then, for each page:
    0     PAGE CODE
    1     SUBPAGE CODE
    2-3   length n
    4     n bytes of values, without the page's header                     */
internal static class SavedModePages
{
    /// <summary>Their part of a unit's state.</summary>
    public const string Part = "modes";

    private const byte Version = 1;
    private const int HeaderBytes = 4;

    public static byte[] Write(IEnumerable<(ModePage Page, byte[] Values)> pages)
    {
        var bytes = new List<byte> { Version };
        foreach ((ModePage page, byte[] values) in pages)
        {
            bytes.AddRange([page.PageCode, page.SubpageCode, (byte)(values.Length >> 8), (byte)values.Length]);
            bytes.AddRange(values);
        }
        return [.. bytes];
    }

    /// <summary>
    /// Sets what was saved as the pages' saved values. The configuration may have changed since: a page that is not
    /// there any more, or has another length, is passed over, and bits that cannot be changed are as they are now.
    /// </summary>
    public static void Read(ReadOnlySpan<byte> bytes, IReadOnlyList<ModePage> pages, string unitName)
    {
        if (bytes.IsEmpty || bytes[0] != Version)
            throw new UnitStateException($"the saved mode pages of {unitName} are in a format that is not known here");
        for (bytes = bytes[1..]; !bytes.IsEmpty;)
        {
            int length = bytes.Length < HeaderBytes ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            if (length > bytes.Length - HeaderBytes)
                throw new UnitStateException($"the saved mode pages of {unitName} are not whole");
            SetSaved(pages, bytes[0], bytes[1], bytes.Slice(HeaderBytes, length));
            bytes = bytes[(HeaderBytes + length)..];
        }
    }

    private static void SetSaved(
        IReadOnlyList<ModePage> pages, byte pageCode, byte subpageCode, ReadOnlySpan<byte> saved)
    {
        foreach (ModePage page in pages)
        {
            if (page.PageCode != pageCode || page.SubpageCode != subpageCode || page.Default.Length != saved.Length)
                continue;
            byte[] values = new byte[saved.Length];
            for (int i = 0; i < values.Length; i++)
                values[i] = (byte)((saved[i] & page.Changeable[i]) | (page.Default[i] & ~page.Changeable[i]));
            page.Saved = values;
        }
    }
}
