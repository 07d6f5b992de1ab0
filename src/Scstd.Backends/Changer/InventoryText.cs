using System.Globalization;
using System.Text;
using Scstd.Core;

namespace Scstd.Backends.Changer;

/*  scstd library 1
    slot <tab> 3 <tab> 7 <tab> - <tab> A00001L6 <tab> A00001L6.tape
    |          |       |       |       |              the file's name on the shelf
    |          |       |       |       barcode, as it was last read
    |          |       |       "operator" has put it there, or "-"
    |          |       slot that it was last moved out of, or "-"
    |          number, from 1 on
    slot, mailslot or drive

    One line for each cartridge. Places, not element addresses: what is saved stays right under another personality.  */

/// <summary>Where the cartridges of a library lie, as text for its <see cref="IUnitStateStore"/>.</summary>
internal static class InventoryText
{
    private const string Signature = "scstd library 1";
    private const string Operator = "operator";
    private const string None = "-";
    private const int Fields = 6;

    private static readonly (ElementType Type, string Word)[] Words =
    [
        (ElementType.Storage, "slot"), (ElementType.ImportExport, "mailslot"), (ElementType.DataTransfer, "drive"),
    ];

    /// <summary>A name that would not stand in one field cannot be saved.</summary>
    public static bool CanHold(string text) => text.Length > 0 && !text.Any(char.IsControl);

    public static byte[] Write(IEnumerable<LibraryElement> elements)
    {
        var text = new StringBuilder(Signature).Append('\n');
        foreach (LibraryElement element in elements)
        {
            if (element.Cartridge is not { } cartridge)
                continue;
            string word = Words.First(one => one.Type == element.Type).Word;
            string source = element.SourceNumber?.ToString(CultureInfo.InvariantCulture) ?? None;
            text.Append(CultureInfo.InvariantCulture, $"{word}\t{element.Number}\t{source}\t")
                .Append(CultureInfo.InvariantCulture, $"{(element.IsPlacedByOperator ? Operator : None)}\t")
                .Append(CultureInfo.InvariantCulture, $"{cartridge.Barcode}\t{cartridge.File}\n");
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Throws <see cref="UnitStateException"/> if it is not one of ours: cartridges that nobody knows the
    /// place of are for the administrator to judge.</summary>
    public static IReadOnlyList<SavedPlace> Read(ReadOnlySpan<byte> bytes, string library)
    {
        string[] lines = Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines[0] != Signature)
            throw new UnitStateException($"the saved inventory of {library} is in a format that is not known here");
        var places = new List<SavedPlace>();
        HashSet<(ElementType, int)> taken = [];
        HashSet<string> files = [];
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0))
        {
            if (ReadLine(line) is not { } place || !taken.Add((place.Type, place.Number)) || !files.Add(place.File))
                throw new UnitStateException($"the saved inventory of {library} is not whole: '{line}'");
            places.Add(place);
        }
        return places;
    }

    private static SavedPlace? ReadLine(string line)
    {
        string[] fields = line.Split('\t');
        if (fields.Length != Fields || fields.Any(field => field.Length == 0))
            return null;
        ElementType type = Words.FirstOrDefault(one => one.Word == fields[0]).Type;
        if (type == ElementType.All || !TryRead(fields[1], out int number))
            return null;
        int source = 0;
        if (fields[2] != None && !TryRead(fields[2], out source))
            return null;
        return new SavedPlace(
            type, number, source == 0 ? null : source, fields[3] == Operator, fields[4], fields[5]);
    }

    private static bool TryRead(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
}

/// <summary>Where a cartridge was when the inventory was saved.</summary>
internal sealed record SavedPlace(
    ElementType Type, int Number, int? SourceNumber, bool IsPlacedByOperator, string Barcode, string File);
