namespace Scstd.Scsi;

/// <summary>A recording format of the LTO Ultrium family, as REPORT DENSITY SUPPORT describes it (SSC-4 §7, density
/// support data block descriptor).</summary>
/*   0      PRIMARY DENSITY CODE               8-9    MEDIA WIDTH, tenths of a millimetre
     1      SECONDARY DENSITY CODE             10-11  TRACKS
     2      WRTOK 7 | DUP 6 | DEFLT 5 | DLV 0  12-15  CAPACITY, 10^6 bytes
     3-4    DESCRIPTOR LENGTH (DLV)            16-23  ASSIGNING ORGANIZATION
     5-7    BITS PER MM                        24-31  DENSITY NAME
                                               32-51  DESCRIPTION                          */
/// <param name="Code">DENSITY CODE of the mode block descriptor.</param>
/// <param name="Generation">3 for LTO-3 and so on.</param>
/// <param name="BitsPerMillimetre">Of a track.</param>
/// <param name="Tracks">Across the tape.</param>
/// <param name="NativeCapacityBytes">Of the whole length, uncompressed.</param>
/// <param name="Name">DENSITY NAME.</param>
/// <param name="Description">DESCRIPTION.</param>
/// <param name="LengthMetres">Of the tape.</param>
public sealed record TapeDensity(
    byte Code,
    int Generation,
    int BitsPerMillimetre,
    int Tracks,
    ulong NativeCapacityBytes,
    string Name,
    string Description,
    int LengthMetres)
{
    public const int DescriptorBytes = 52;

    public const int MediumTypeDescriptorBytes = 56;

    public const string Organization = "LTO-CVE";

    /// <summary>Tenths of a millimetre.</summary>
    public const int WidthTenthsOfMillimetre = 127;

    private const ulong Gigabyte = 1_000_000_000;

    public static readonly TapeDensity Lto3 =
        new(0x44, 3, 9638, 704, 400 * Gigabyte, "U-316", "Ultrium 3/16T", 680);

    public static readonly TapeDensity Lto4 =
        new(0x46, 4, 12725, 896, 800 * Gigabyte, "U-416", "Ultrium 4/16T", 820);

    public static readonly TapeDensity Lto5 =
        new(0x58, 5, 15142, 1280, 1500 * Gigabyte, "U-516", "Ultrium 5/16T", 846);

    public static readonly TapeDensity Lto6 =
        new(0x5A, 6, 15143, 2176, 2500 * Gigabyte, "U-616", "Ultrium 6/16T", 846);

    public static readonly TapeDensity Lto7 =
        new(0x5C, 7, 19104, 3584, 6000 * Gigabyte, "U-732", "Ultrium 7/32T", 960);

    public static readonly TapeDensity Lto8 =
        new(0x5E, 8, 20668, 6656, 12_000 * Gigabyte, "U-832", "Ultrium 8/32T", 960);

    public static readonly TapeDensity Lto9 =
        new(0x60, 9, 21428, 8960, 18_000 * Gigabyte, "U-932", "Ultrium 9/32T", 1035);

    /// <summary>In the order of their codes.</summary>
    public static IReadOnlyList<TapeDensity> All { get; } = [Lto3, Lto4, Lto5, Lto6, Lto7, Lto8, Lto9];

    public static TapeDensity? Find(byte code) => All.FirstOrDefault(density => density.Code == code);

    /// <param name="generation">8 for LTO-8 and so on.</param>
    public static TapeDensity? OfGeneration(int generation) =>
        All.FirstOrDefault(density => density.Generation == generation);

    /// <summary>A partition takes so many wraps at least, with those that separate it from its neighbours (the vendors'
    /// tables: 37.5 GB of an LTO-5 cartridge, 128.6 GB of an LTO-9 cartridge); the same part of a cartridge that was
    /// made smaller.</summary>
    public ulong LeastPartitionBytes(ulong capacityBytes) => capacityBytes / (Generation switch
    {
        6 => 68ul,
        7 => 56ul,
        8 => 104ul,
        9 => 140ul,
        _ => 40ul,
    });

    /// <summary>MEDIUM TYPE of the vendors' tables for a data cartridge of this generation; those written once have
    /// the bit of value 4.</summary>
    public byte MediumType(bool isWorm) => (byte)((Generation << 4) | (isWorm ? 0x0C : 0x08));

    public byte[] Descriptor(bool isWritable, bool isDefault, ulong capacityBytes)
    {
        var to = new ParameterDataWriter(new byte[DescriptorBytes]);
        to.Byte(Code);
        to.Byte(Code);
        to.Byte((isWritable ? 0x80 : 0) | (isDefault ? 0x20 : 0));
        to.Two(0);
        to.Byte(BitsPerMillimetre >> 16);
        to.Two(BitsPerMillimetre);
        to.Two(WidthTenthsOfMillimetre);
        to.Two(Tracks);
        to.Four((uint)Math.Min(capacityBytes / 1_000_000, uint.MaxValue));
        to.Ascii(Organization, 8);
        to.Ascii(Name, 8);
        to.Ascii(Description, 20);
        return to.Written.ToArray();
    }

    /// <summary>Medium type descriptor: up to nine densities, here the one of the generation.</summary>
    public byte[] MediumTypeDescriptor(bool isWorm)
    {
        var to = new ParameterDataWriter(new byte[MediumTypeDescriptorBytes]);
        to.Byte(MediumType(isWorm));
        to.Byte(0);
        to.Two(MediumTypeDescriptorBytes - 4);
        to.Byte(1);
        to.Byte(Code);
        to.Zeros(8);
        to.Two(WidthTenthsOfMillimetre);
        to.Two(LengthMetres);
        to.Zeros(2);
        to.Ascii(Organization, 8);
        to.Ascii($"Ultr-{Generation}", 8);
        to.Ascii(isWorm ? $"Ultrium {Generation} WORM" : $"Ultrium {Generation} Data", 20);
        return to.Written.ToArray();
    }

    public override string ToString() => $"LTO-{Generation}";
}
