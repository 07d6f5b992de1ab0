using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Backends.Changer;

/// <summary>
/// The inventory: which cartridge lies where. Each state of it is an immutable list, replaced alone on the changer's
/// unit, so whoever reads one, on whatever thread, sees every cartridge once.
/// </summary>
public sealed class MediumLibrary
{
    /// <summary>Its part of the unit's state.</summary>
    public const string StatePart = "inventory";

    private readonly (ElementType Type, int First, int Count, int Index)[] _ranges;
    private volatile LibraryElement[] _elements;

    /// <summary>Empty.</summary>
    internal MediumLibrary(ChangerOptions options, int drives)
    {
        LibraryPersonality personality = options.Personality;
        Invariant.That(personality.Judge(options.Slots, options.ImportExports, drives) is null,
            "whoever reads the configuration has judged the numbers of elements");
        (ElementType Type, int First, int Count)[] types =
        [
            (ElementType.MediumTransport, personality.FirstTransport, 1),
            (ElementType.Storage, personality.FirstStorage, options.Slots),
            (ElementType.ImportExport, personality.FirstImportExport, options.ImportExports),
            (ElementType.DataTransfer, personality.FirstDrive, drives),
        ];
        int index = 0;
        _ranges = new (ElementType, int, int, int)[types.Length];
        var elements = new List<LibraryElement>();
        foreach ((ElementType type, int first, int count) in types.OrderBy(type => type.First))
        {
            _ranges[index++] = (type, first, count, elements.Count);
            elements.AddRange(Enumerable.Range(0, count).Select(i => new LibraryElement
            {
                Type = type,
                Number = i + 1,
                Address = (ushort)(first + i),
            }));
        }
        _elements = [.. elements];
    }

    /// <summary>In the order of their addresses; elements of a type follow each other.</summary>
    public IReadOnlyList<LibraryElement> Elements => _elements;

    /// <summary>Null: no element has this address.</summary>
    public LibraryElement? At(int address)
    {
        foreach ((_, int first, int count, int index) in _ranges)
        {
            if (address >= first && address < first + count)
                return _elements[index + address - first];
        }
        return null;
    }

    /// <summary>Null: there are not so many.</summary>
    public LibraryElement? Find(ElementType type, int number)
    {
        (_, _, int count, int index) = _ranges.First(range => range.Type == type);
        return number >= 1 && number <= count ? _elements[index + number - 1] : null;
    }

    /// <summary>Where the cartridge with this label lies; null: it is not in the library.</summary>
    public LibraryElement? Find(string barcode) =>
        Array.Find(_elements, element => element.Cartridge?.Barcode == barcode);

    public int CountOf(ElementType type) => _ranges.First(range => range.Type == type).Count;

    internal ushort FirstAddressOf(ElementType type) => (ushort)_ranges.First(range => range.Type == type).First;

    internal LibraryElement? FindFile(string file) =>
        Array.Find(_elements, element => element.Cartridge?.File == file);

    /// <summary>The first that is empty and can be reached; null: there is none.</summary>
    internal LibraryElement? FindFree(ElementType type) =>
        Array.Find(_elements, element => element.Type == type && !element.IsFull && !element.IsOpen);

    /// <summary>These take the places of those with their addresses, at once.</summary>
    internal void Replace(params ReadOnlySpan<LibraryElement> changed)
    {
        LibraryElement[] elements = [.. _elements];
        foreach (LibraryElement element in changed)
            elements[IndexOf(element)] = element;
        MarkDuplicates(elements);
        _elements = elements;
    }

    internal byte[] Write() => InventoryText.Write(_elements);

    /// <summary>
    /// As it was saved, or, if nothing was, with every cartridge of the shelf in a slot, in the order of their
    /// barcodes. Blocks. What is on the shelf and in no place is outside of the library.
    /// </summary>
    /// <param name="options">How many places there are.</param>
    /// <param name="shelf">What lies there.</param>
    /// <param name="drives">How many.</param>
    /// <param name="saved">What a state store has kept; null: nothing.</param>
    /// <param name="complain">Hears of what is not as it should be.</param>
    internal static MediumLibrary Open(
        ChangerOptions options, ICartridgeShelf shelf, int drives, byte[]? saved, Action<LibraryFailure> complain)
    {
        var library = new MediumLibrary(options, drives);
        if (saved is null)
            library.Fill(shelf.List(), complain);
        else
            library.Restore(InventoryText.Read(saved, options.Name), shelf, complain);
        library.ComplainOfDuplicates(complain);
        return library;
    }

    internal static LibraryCartridge Describe(ShelvedCartridge shelved, string? formerBarcode = null)
    {
        // The label is outside: it can be read of a cartridge whose file cannot. Without one it is called as its file.
        string?[] labels =
            [shelved.Description?.Barcode, formerBarcode, Path.GetFileNameWithoutExtension(shelved.File)];
        string label = Array.Find(labels, text => !string.IsNullOrWhiteSpace(text)) ?? shelved.File;
        return new LibraryCartridge(shelved.File, Printable(label))
        {
            Type = shelved.Description switch
            {
                null => MediumType.Unspecified,
                { IsCleaning: true } => MediumType.Cleaning,
                { IsWorm: true } => MediumType.Worm,
                _ => MediumType.Data,
            },
            Problem = shelved.Description is null ? CartridgeFaults.ProblemOf(shelved) : null,
        };
    }

    private int IndexOf(LibraryElement element)
    {
        (_, int first, _, int index) = _ranges.First(range => range.Type == element.Type);
        return index + element.Address - first;
    }

    private void Fill(IReadOnlyList<ShelvedCartridge> shelved, Action<LibraryFailure> complain)
    {
        var changed = new List<LibraryElement>();
        foreach (LibraryCartridge cartridge in shelved.Select(one => Describe(one))
            .OrderBy(one => one.Barcode, StringComparer.Ordinal))
        {
            LibraryElement? slot = Find(ElementType.Storage, changed.Count + 1);
            if (!InventoryText.CanHold(cartridge.File))
                complain(new LibraryFailure(
                    null, null, $"the file name '{Printable(cartridge.File)}' is none of a cartridge"));
            else if (slot is null)
                complain(new LibraryFailure(null, cartridge.Barcode, "stays outside, because no slot is free"));
            else
                changed.Add(Complaining(slot with { Cartridge = cartridge }, complain));
        }
        Replace([.. changed]);
    }

    private void Restore(IReadOnlyList<SavedPlace> places, ICartridgeShelf shelf, Action<LibraryFailure> complain)
    {
        var changed = new List<LibraryElement>();
        foreach (SavedPlace place in places)
        {
            if (Find(place.Type, place.Number) is not { } element)
            {
                complain(new LibraryFailure(LibraryElement.NameOf(place.Type, place.Number), place.Barcode,
                    "is outside now, because there is no such place any more"));
                continue;
            }
            changed.Add(Complaining(
                element with
                {
                    Cartridge = Describe(shelf.Look(place.File), place.Barcode),
                    SourceNumber = place.SourceNumber <= CountOf(ElementType.Storage) ? place.SourceNumber : null,
                    IsPlacedByOperator = place.IsPlacedByOperator,
                },
                complain));
        }
        Replace([.. changed]);
    }

    private static LibraryElement Complaining(LibraryElement element, Action<LibraryFailure> complain)
    {
        if (element.Cartridge is { Problem: { } problem } cartridge)
            complain(new LibraryFailure(element.Name, cartridge.Barcode, problem.Message));
        return element;
    }

    /// <summary>Two labels alike: whoever looks for one by its name must be warned of the second.</summary>
    private static void MarkDuplicates(LibraryElement[] elements)
    {
        var seen = new HashSet<string>();
        foreach (ref LibraryElement element in elements.AsSpan())
        {
            if (element.Cartridge is not { } cartridge)
                continue;
            bool isDuplicate = !seen.Add(cartridge.Barcode);
            if (isDuplicate != cartridge.IsDuplicate)
                element = element with { Cartridge = cartridge with { IsDuplicate = isDuplicate } };
        }
    }

    private void ComplainOfDuplicates(Action<LibraryFailure> complain)
    {
        foreach (LibraryElement element in _elements.Where(element => element.Cartridge is { IsDuplicate: true }))
        {
            complain(new LibraryFailure(
                element.Name, element.Cartridge!.Barcode, "another cartridge in the library has the same barcode"));
        }
    }

    private static string Printable(string text) =>
        string.Concat(text.Select(character => character is >= ' ' and <= '~' ? character : '?'));
}
