using Scstd.Control;

namespace Scstctl;

/// <summary>What is said of tape libraries.</summary>
internal static class LibraryText
{
    public static void Print(ControlAnswer answer, TextWriter output)
    {
        if (answer is LibrariesAnswer all)
        {
            foreach (LibraryRecord library in all.Libraries)
                Print(library, output);
        }
        else if (answer is CartridgeAnswer cartridge)
        {
            output.WriteLine(cartridge.Place is { } place
                ? $"cartridge {cartridge.Barcode} is in {place} of {cartridge.Library}"
                : $"cartridge {cartridge.Barcode} is outside of {cartridge.Library}");
        }
    }

    private static void Print(LibraryRecord library, TextWriter output)
    {
        string state = library.IsReady ? "" : ", becoming ready";
        output.WriteLine($"library {library.Name}, {library.Personality}{state}");
        var table = new Table("PLACE", "ADDRESS", "CARTRIDGE", "FROM SLOT", "FILE", "STATE");
        foreach (ElementRecord element in library.Elements)
        {
            table.Add(element.Place, $"{element.Address:X4}h", element.Barcode, element.SourceSlot, element.File,
                element.State);
        }
        table.Print(output);
    }
}
