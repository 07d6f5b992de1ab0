namespace Scstd.Backends.Changer;

/// <summary>How a drive is told in an element descriptor (DVCID).</summary>
public enum DriveIdentifier
{
    /// <summary>T10 vendor ID based (SPC-4 §7.8.6.4): vendor, product, serial number.</summary>
    VendorProductSerial,

    /// <summary>Vendor specific: the serial number alone.</summary>
    SerialNumber,
}

/// <summary>
/// What initiators take a library for. Only what is known of a model is here; element addresses are no promise anyway:
/// an initiator asks for them (mode page 1Dh).
/// </summary>
public sealed record LibraryPersonality
{
    /// <summary>Our own; the addresses are those that most libraries have.</summary>
    public static readonly LibraryPersonality Generic = new() { Name = "generic" };

    /// <summary>TS3100 and TS3200, and with other labels on the front the same library of other vendors.</summary>
    public static readonly LibraryPersonality Ibm3573 = new()
    {
        Name = "ibm-3573",
        Vendor = "IBM",
        Product = "3573-TL",
        Revision = "C.20",
        CanExchange = false,
        CanMoveBetweenImportExport = false,
    };

    public static readonly LibraryPersonality HpMslG3 = new()
    {
        Name = "hp-msl-g3",
        Vendor = "HP",
        Product = "MSL G3 Series",
        Revision = "6.50",
        TellsBarcodeReader = false,
    };

    public static readonly LibraryPersonality QuantumScalarI40 = new()
    {
        Name = "quantum-scalar-i40",
        Vendor = "QUANTUM",
        Product = "Scalar i40-i80",
        Revision = "186G",
    };

    /// <summary>The libraries of the T series.</summary>
    public static readonly LibraryPersonality SpectraPython = new()
    {
        Name = "spectra-python",
        Vendor = "SPECTRA",
        Product = "PYTHON",
        Revision = "2000",
        TellsBarcodeReader = false,
        DriveIdentifier = DriveIdentifier.SerialNumber,
    };

    public static readonly LibraryPersonality StorageTekSl150 = new()
    {
        Name = "storagetek-sl150",
        Vendor = "STK",
        Product = "SL150",
        Revision = "0225",
        FirstTransport = 0,
        FirstImportExport = 10,
        FirstDrive = 500,
        FirstStorage = 1000,
        TellsBarcodeReader = false,
        CanExchange = false,
    };

    public static IReadOnlyList<LibraryPersonality> All { get; } =
        [Generic, Ibm3573, HpMslG3, QuantumScalarI40, SpectraPython, StorageTekSl150];

    /// <summary>In the configuration.</summary>
    public required string Name { get; init; }

    public string Vendor { get; init; } = "SCSTD";

    public string Product { get; init; } = "Library";

    public string Revision { get; init; } = "1.0";

    public ushort FirstTransport { get; init; } = 0x0001;

    public ushort FirstImportExport { get; init; } = 0x0010;

    public ushort FirstDrive { get; init; } = 0x0100;

    public ushort FirstStorage { get; init; } = 0x1000;

    /// <summary>Standard INQUIRY data say by BarC, bit 0 of byte 55, that labels are read.</summary>
    public bool TellsBarcodeReader { get; init; } = true;

    /// <summary>EXCHANGE MEDIUM is done.</summary>
    public bool CanExchange { get; init; } = true;

    /// <summary>MOVE MEDIUM from one import/export element to another is done.</summary>
    public bool CanMoveBetweenImportExport { get; init; } = true;

    /// <summary>A drive must have been told to unload before its cartridge can be taken; else the robot has it unload.
    /// </summary>
    public bool NeedsUnloadBeforeMove { get; init; }

    public DriveIdentifier DriveIdentifier { get; init; }

    /// <summary>Null, or why there is no room for so many between the addresses where the types begin.</summary>
    public string? Judge(int slots, int importExports, int drives)
    {
        (string What, int First, int Count)[] types =
        [
            ("robots", FirstTransport, 1), ("import/export slots", FirstImportExport, importExports),
            ("drives", FirstDrive, drives), ("slots", FirstStorage, slots),
        ];
        foreach ((string what, int first, int count) in types)
        {
            int next = types.Where(other => other.First > first).Select(other => other.First)
                .Append(ushort.MaxValue + 1).Min();
            if (count > next - first)
                return $"a library of the personality {Name} has at most {next - first} {what}";
        }
        return null;
    }
}
