using System.Globalization;
using System.Text.RegularExpressions;
using Scstd.Backends.Changer;
using Scstd.Backends.Tape;

namespace Scstd.Configuration;

/// <summary>A format of LTO, and the drives that write it.</summary>
public enum TapeGeneration
{
    Lto5 = 5,
    Lto6 = 6,
    Lto7 = 7,
    Lto8 = 8,
    Lto9 = 9,
}

/// <summary>A tape library: a medium changer and its drives, each a device that LUNs can lead to, and cartridges.
/// </summary>
public sealed class LibrarySection : Section
{
    /// <summary>Our choice: more than any library has had in one piece, and less than there are addresses for.
    /// </summary>
    public const int MostDrives = 256;

    // What all personalities have addresses for.
    private const int MostSlots = 60_000;
    private const int MostImportExports = 240;

    internal static readonly SectionRule<LibrarySection> Rule = new("library",
        "A tape library. LUNs lead to its medium changer by the library's name, and to its drives by that name with "
            + "'.drive1', '.drive2' and so on behind it.",
        new Row<LibrarySection, LibraryPersonality>("personality",
            new WordRule<LibraryPersonality>([.. LibraryPersonality.All.Select(one => (one.Name, one))]),
            (s, v) => s.Personality = v, "Which library its initiators take it for. Default: generic."),
        new Row<LibrarySection, IReadOnlyList<DrivesSection>>("drives",
            new ListRule<DrivesSection>(DrivesSection.ShortOrFull), (s, v) => s.Drives = v,
            "How many drives, or of each kind how many; they are numbered from 1 on. Default: 2."),
        new Row<LibrarySection, int>("slots", new IntegerRule(1, MostSlots), (s, v) => s.Slots = v,
            "How many cartridges have a place besides the drives. Default: 24."),
        new Row<LibrarySection, int>("import_export", new IntegerRule(0, MostImportExports),
            (s, v) => s.ImportExport = v,
            "How many import/export slots (mail slots), through which cartridges come and go. Default: 4."),
        new Row<LibrarySection, CartridgesSection>("cartridges", CartridgesSection.ShortOrFull,
            (s, v) => s.Cartridges = v, "Where its cartridges are kept, and which are made at the first start.",
            isRequired: true),
        new Row<LibrarySection, Word>("serial", DeviceSection.Identification(24), (s, v) => s.Serial = v,
            "The serial number of the medium changer; those of the drives are derived from it. Different for each "
                + "library. Default: derived from the machine's identity and the library's name."));

    public Word Name { get; private set; }

    public LibraryPersonality Personality { get; internal set; } = LibraryPersonality.Generic;

    public IReadOnlyList<DrivesSection> Drives { get; internal set; } = [new DrivesSection()];

    public int Slots { get; internal set; } = 24;

    public int ImportExport { get; internal set; } = 4;

    public CartridgesSection Cartridges { get; internal set; } = new();

    public Word? Serial { get; internal set; }

    /// <summary>One for each drive, in their order.</summary>
    internal IEnumerable<DrivesSection> EachDrive => Drives.SelectMany(kind => Enumerable.Repeat(kind, kind.Count));

    /// <summary>What LUNs can lead to: the medium changer, then the drives.</summary>
    internal IEnumerable<string> UnitNames =>
        [Name.Text, .. EachDrive.Select((_, index) => DriveName(index + 1))];

    /// <param name="number">From 1 on.</param>
    internal string DriveName(int number) => $"{Name.Text}.drive{number}";

    internal LibrarySection Called(Word name)
    {
        Name = name;
        return this;
    }
}

/// <summary>Drives of one kind.</summary>
public sealed class DrivesSection : Section
{
    private static readonly IntegerRule CountRule = new(1, LibrarySection.MostDrives);

    internal static readonly WordRule<TapeGeneration> GenerationRule = new(
        ("lto-5", TapeGeneration.Lto5), ("lto-6", TapeGeneration.Lto6), ("lto-7", TapeGeneration.Lto7),
        ("lto-8", TapeGeneration.Lto8), ("lto-9", TapeGeneration.Lto9));

    internal static readonly SectionRule<DrivesSection> Rule = new("drives", "Tape drives of one kind.",
        new Row<DrivesSection, int>("count", CountRule, (s, v) => s.Count = v, "How many. Default: 2."),
        new Row<DrivesSection, TapeGeneration>("generation", GenerationRule, (s, v) => s.Generation = v,
            "What they write best; which older cartridges they write and read is as with such drives. Default: lto-8."),
        new Row<DrivesSection, bool>("compression", new BooleanRule(), (s, v) => s.HasCompression = v,
            "Whether they compress data until an initiator says otherwise. Default: yes."),
        new Row<DrivesSection, Word>("vendor", DeviceSection.Identification(8), (s, v) => s.Vendor = v,
            "The vendor that INQUIRY tells, at most 8 characters. Default: SCSTD."),
        new Row<DrivesSection, Word>("product", DeviceSection.Identification(16), (s, v) => s.Product = v,
            "The product that INQUIRY tells, at most 16 characters. Default: what the generation is called."),
        new Row<DrivesSection, Word>("revision", DeviceSection.Identification(4), (s, v) => s.Revision = v,
            "The product revision that INQUIRY tells, at most 4 characters. Default: the generation's."));

    internal static readonly Rule<DrivesSection> ShortOrFull = new ShortRule<int, DrivesSection>(
        CountRule, (count, position) => new DrivesSection { Count = count, Position = position }, Rule);

    public int Count { get; internal set; } = 2;

    public TapeGeneration Generation { get; internal set; } = TapeGeneration.Lto8;

    public bool HasCompression { get; internal set; } = true;

    public Word? Vendor { get; internal set; }

    public Word? Product { get; internal set; }

    public Word? Revision { get; internal set; }

    internal TapePersonality Personality => TapePersonality.OfGeneration((int)Generation)!;

    internal bool Writes(TapeGeneration cartridge) =>
        Personality.Writable.Any(density => density.Generation == (int)cartridge);
}

/// <summary>The cartridges of a library.</summary>
public sealed partial class CartridgesSection : Section
{
    /// <summary>LTO barcodes: six characters that number a cartridge, then two that tell its kind.</summary>
    private const int SerialCharacters = 6;

    // Our choice: a cartridge that holds anything at all, and what the format of the files can address.
    private const long LeastBytes = 1L << 20;
    private const long MostBytes = 1L << 60;

    private static readonly NameRule PathRule = new("a path", 4096, text => !text.Contains('\0'), null);

    internal static readonly SectionRule<CartridgesSection> Rule = new("cartridges",
        "The cartridges of a library: a file for each.",
        new Row<CartridgesSection, Word>("directory", PathRule, (s, v) => s.Directory = v,
            "The directory of their files, for this library alone; it is made if it does not exist. A relative path "
                + "starts beside the configuration.", isRequired: true),
        new Row<CartridgesSection, int>("create", new IntegerRule(0, 60_000), (s, v) => s.Create = v,
            "So many are made when the library is started with a directory that has none. Default: 0."),
        new Row<CartridgesSection, TapeGeneration>("generation", DrivesSection.GenerationRule,
            (s, v) => s.Generation = v, "Of those that are made. Default: that of the first drive."),
        new Row<CartridgesSection, long>("capacity", new SizeRule(LeastBytes, MostBytes), (s, v) => s.CapacityBytes = v,
            "Of those that are made. A file takes no more room than what is written. Default: what the generation "
                + "has."),
        new Row<CartridgesSection, Word>("barcodes",
            new NameRule("a barcode of six capital letters and digits that ends in a digit, such as A00001",
                SerialCharacters, text => BarcodeExpression().IsMatch(text), BarcodePattern),
            (s, v) => s.Barcodes = v, "The barcode of the first that is made; the others count on from its last "
                + "digits. Two characters that tell the generation (L8) are put behind it. Default: A00001."));

    internal static readonly Rule<CartridgesSection> ShortOrFull = new ShortRule<Word, CartridgesSection>(
        PathRule, (path, position) => new CartridgesSection { Directory = path, Position = position }, Rule);

    private const string BarcodePattern = "^[A-Z0-9]{5}[0-9]$";

    /// <summary>No text: it was missing or wrong.</summary>
    public Word Directory { get; internal set; }

    public int Create { get; internal set; }

    /// <summary>Null: that of the first drive.</summary>
    public TapeGeneration? Generation { get; internal set; }

    /// <summary>Null: what the generation has.</summary>
    public long? CapacityBytes { get; internal set; }

    public Word Barcodes { get; internal set; } = new("A00001", default);

    /// <summary>How many barcodes there are from the first on.</summary>
    internal int BarcodesLeft => (int)Math.Pow(10, Digits.Length) - int.Parse(Digits, CultureInfo.InvariantCulture);

    /// <summary>What counts: at most six digits.</summary>
    private string Digits => DigitsExpression().Match(Barcodes.Text).Value;

    /// <summary>Those that are made at the first start, with what tells their generation.</summary>
    /// <param name="firstDrive">Whose generation they have unless another is wanted.</param>
    internal IEnumerable<string> NewBarcodes(TapeGeneration firstDrive)
    {
        string digits = Digits;
        string letters = Barcodes.Text[..^digits.Length];
        int first = int.Parse(digits, CultureInfo.InvariantCulture);
        string suffix = $"L{(int)(Generation ?? firstDrive)}";
        return Enumerable.Range(first, Create).Select(number =>
            letters + number.ToString($"D{digits.Length}", CultureInfo.InvariantCulture) + suffix);
    }

    [GeneratedRegex(BarcodePattern, RegexOptions.CultureInvariant)]
    private static partial Regex BarcodeExpression();

    [GeneratedRegex("[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex DigitsExpression();
}
