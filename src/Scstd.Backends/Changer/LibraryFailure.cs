namespace Scstd.Backends.Changer;

/// <summary>Something that an administrator should know of a library. Told on the thread where it happened.</summary>
/// <param name="Place">Where; null: nowhere in particular.</param>
/// <param name="Barcode">Of the cartridge concerned; null: none.</param>
/// <param name="Message">What.</param>
public readonly record struct LibraryFailure(string? Place, string? Barcode, string Message)
{
    public override string ToString() =>
        string.Concat(Place is null ? "" : $"{Place}: ", Barcode is null ? "" : $"cartridge {Barcode}: ", Message);
}
