using System.Buffers.Binary;
using Scstd.Core;

namespace Scstd.Backends.Tape;

/// <summary>The mode pages of a tape drive (SSC-4 §8.3). Bytes without the page header; offsets are the standard's less
/// two, or four for a subpage.</summary>
internal sealed class TapePages
{
    private const byte CompressionEnabled = 0x80; // DCE
    private const int CompressionAlgorithm = 5; // its last byte
    private const byte SoftwareWriteProtect = 0x04; // SWP of 10h
    private const byte SynchronizeAtEarlyWarning = 0x08; // SEW of 10h

    private readonly ModePage _protection = ControlDataProtection();
    private readonly ModePage _compression;
    private readonly ModePage _configuration;
    private readonly ModePage _extension = DeviceConfigurationExtension();
    private readonly ModePage _medium = MediumConfiguration();

    public TapePages(TapeOptions options)
    {
        _compression = DataCompression(options.Compresses);
        _configuration = DeviceConfiguration(options.Compresses);
        Partitions = new PartitionPage(options.Personality.MaxPartitions);
        All =
        [
            ModePage.Fixed(0x01, new byte[10]), _protection, _compression, _configuration, _extension, Partitions.Page,
            InformationalExceptions(), _medium,
        ];
    }

    public IReadOnlyList<ModePage> All { get; }

    public PartitionPage Partitions { get; }

    public bool Compresses => (_compression.Current[0] & CompressionEnabled) != 0;

    public bool IsSoftwareWriteProtected => (_configuration.Current[8] & SoftwareWriteProtect) != 0;

    public bool SynchronizesAtEarlyWarning => (_configuration.Current[8] & SynchronizeAtEarlyWarning) != 0;

    /// <summary>WRITE MODE 01h.</summary>
    public bool IsAppendOnly => (_extension.Current[1] & 0xF0) == 0x10;

    /// <summary>PEWS.</summary>
    public ulong ProgrammableEarlyWarningMegabytes =>
        BinaryPrimitives.ReadUInt16BigEndian(_extension.Current.AsSpan(2));

    /// <summary>LBP_W: what a nexus sends with its blocks; null: nothing.</summary>
    public BlockProtection? ProtectionOfWrites(ItNexus nexus) => ProtectionOf(nexus, 0x80);

    /// <summary>LBP_R: what a nexus gets with its blocks.</summary>
    public BlockProtection? ProtectionOfReads(ItNexus nexus) => ProtectionOf(nexus, 0x40);

    /// <summary>Device Configuration Extension, of which WRITE MODE is one parameter.</summary>
    public bool IsExtension(ModePage page) => ReferenceEquals(page, _extension);

    /// <summary>DCE of Data Compression and SELECT DATA COMPRESSION ALGORITHM of Device Configuration are one switch
    /// (SSC-4 §8.3): who changes one has changed the other.</summary>
    public void Changed(ModePage page)
    {
        if (ReferenceEquals(page, _compression))
        {
            Replace(_configuration, 12, (byte)(Compresses ? 1 : 0));
            // Who switches compression off may select no algorithm with it, and none again when it comes back.
            if (Compresses)
                Replace(_compression, CompressionAlgorithm, 1);
        }
        else if (ReferenceEquals(page, _configuration))
            Replace(_compression, 0, (byte)((_compression.Current[0] & 0x7F) | (_configuration.Current[12] << 7)));
    }

    /// <summary>What follows the position: ACTIVE PARTITION.</summary>
    public void Refresh(MediumView? view)
    {
        byte partition = (byte)(view?.Position.Partition ?? 0);
        if (_configuration.Current[1] == partition)
            return;
        Replace(_configuration, 1, partition);
        _configuration.Default = With(_configuration.Default, 1, partition);
    }

    /// <summary>Another medium, or one that is divided anew.</summary>
    public void Show(MediumView? view)
    {
        Refresh(view);
        Partitions.Show(view);
        byte worm = (byte)(view is { Description.IsWorm: true } ? 1 : 0);
        Replace(_medium, 0, worm);
        _medium.Default = With(_medium.Default, 0, worm);
    }

    /// <summary>Replaced, not rewritten: who reads the page on another reactor sees the old one or the new one.
    /// </summary>
    private static void Replace(ModePage page, int offset, byte value) =>
        page.Current = With(page.Current, offset, value);

    private static byte[] With(byte[] values, int offset, byte value)
    {
        byte[] other = [.. values];
        other[offset] = value;
        return other;
    }

    private BlockProtection? ProtectionOf(ItNexus nexus, int flag)
    {
        byte[] values = _protection.ValuesFor(nexus);
        return (values[2] & flag) != 0 ? BlockProtection.Find(values[0]) : null;
    }

    // ---- 0Fh, 10h ---------------------------------------------------------------------------------------------------

    /// <summary>DCE | DCC; DDE; the default algorithm (1) both ways.</summary>
    private static ModePage DataCompression(bool isOn)
    {
        byte[] values = new byte[14];
        values[0] = (byte)(0x40 | (isOn ? CompressionEnabled : 0));
        values[1] = 0x80;
        values[CompressionAlgorithm] = values[9] = 1;
        byte[] changeable = new byte[14];
        changeable[0] = CompressionEnabled;
        changeable[CompressionAlgorithm] = 1;
        return Page(0x0F, 0, values, changeable);
    }

    /// <summary>LOIS: logical object identifiers are told; EEG; SEW; REWIND ON RESET 10b: it stays where it is.
    /// </summary>
    private static ModePage DeviceConfiguration(bool compresses)
    {
        byte[] values = new byte[14];
        values[6] = 0x40;
        values[8] = 0x10 | SynchronizeAtEarlyWarning;
        values[12] = (byte)(compresses ? 1 : 0);
        values[13] = 0x10;
        byte[] changeable = new byte[14];
        changeable[8] = SynchronizeAtEarlyWarning | SoftwareWriteProtect;
        changeable[12] = 0x01;
        return Page(0x10, 0, values, changeable);
    }

    /// <summary>WRITE MODE (0 overwrite, 1 append only), SHORT ERASE MODE 2: the data ends at the position; PEWS.
    /// </summary>
    private static ModePage DeviceConfigurationExtension()
    {
        byte[] values = new byte[28];
        values[1] = 0x02;
        byte[] changeable = new byte[28];
        changeable[1] = 0x10;
        changeable[2] = changeable[3] = 0xFF;
        return Page(0x10, 0x01, values, changeable);
    }

    // ---- 0Ah/F0h ----------------------------------------------------------------------------------------------------

    /// <summary>Each nexus says for itself what it sends and wants: data of one that knows nothing of protection are
    /// not to be taken for protected ones.</summary>
    private static ModePage ControlDataProtection()
    {
        byte[] changeable = new byte[28];
        changeable[0] = 0xFF;
        changeable[1] = 0x3F;
        changeable[2] = 0xC0; // LBP_W, LBP_R
        return new ModePage
        {
            PageCode = 0x0A,
            SubpageCode = 0xF0,
            Current = new byte[28],
            Default = new byte[28],
            Changeable = changeable,
            IsPerNexus = true,
            FindInvalidValue = FindInvalidProtection,
        };
    }

    /// <summary>LOGICAL BLOCK PROTECTION METHOD none, or one with its four bytes.</summary>
    private static (int Offset, int? Bit)? FindInvalidProtection(byte[] values) => values[0] switch
    {
        0 when values[1] != 0 => (1, 5),
        0 when values[2] != 0 => (2, 7),
        0 => null,
        _ when BlockProtection.Find(values[0]) is null => (0, null),
        _ => values[1] == BlockProtection.LengthBytes ? null : (1, 5),
    };

    // ---- 1Ch, 1Dh ---------------------------------------------------------------------------------------------------

    /// <summary>DEXCPT: exceptions are told by TapeAlert's log page alone.</summary>
    private static ModePage InformationalExceptions()
    {
        byte[] values = new byte[10];
        values[0] = 0x08;
        return ModePage.Fixed(0x1C, values);
    }

    /// <summary>WORMM; of what was written once, no label may be overwritten (WORM MODE LABEL RESTRICTIONS 0), but the
    /// filemarks that the data ends with (WORM MODE FILEMARKS RESTRICTIONS 2).</summary>
    private static ModePage MediumConfiguration()
    {
        byte[] values = new byte[30];
        values[3] = 0x02;
        return ModePage.Fixed(0x1D, values);
    }

    private static ModePage Page(byte code, byte subpage, byte[] values, byte[] changeable) => new()
    {
        PageCode = code,
        SubpageCode = subpage,
        Current = values,
        Default = [.. values],
        Changeable = changeable,
    };
}
