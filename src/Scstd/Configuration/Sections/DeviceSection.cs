using System.Globalization;

namespace Scstd.Configuration;

public enum DeviceType
{
    Disk,
}

public enum StoreKind
{
    File,
    Block,
    Memory,
    Null,
}

public enum StoreIo
{
    Buffered,
    Direct,
}

/// <summary>A device: a command set and the store behind it.</summary>
public sealed class DeviceSection : Section
{
    /// <summary>Our choice: half of what Linux' file offsets can address; beyond, sizes are written in
    /// blocks.</summary>
    private const long MostBytes = 1L << 62;

    internal static readonly SectionRule<DeviceSection> Rule = new("device", "A device and where its data is kept.",
        new Row<DeviceSection, DeviceType>("type", new WordRule<DeviceType>(("disk", DeviceType.Disk)),
            (s, v) => s.Type = v, "What it is to initiators. Default: disk."),
        new Row<DeviceSection, StoreKind>("store",
            new WordRule<StoreKind>(("file", StoreKind.File), ("block", StoreKind.Block),
                ("memory", StoreKind.Memory), ("null", StoreKind.Null)),
            (s, v) => (s.Store, s.IsStoreKnown) = (v, true),
            "Where the data is kept: in a file, on a block device, in memory (lost when the daemon ends), or nowhere "
                + "(null, for measurements).", isRequired: true),
        new Row<DeviceSection, Word>("path",
            new NameRule("a path", 4096, text => !text.Contains('\0'), null), (s, v) => s.Path = v,
            "The file or block device; a relative path starts beside the configuration."),
        new Row<DeviceSection, long>("size", new SizeRule(512, MostBytes, 512), (s, v) => s.SizeBytes = v,
            "The size. Needed for memory and null; for a file it is created, sparse, if it does not exist. Default: "
            + "the size that the file or block device has."),
        new Row<DeviceSection, ulong>("blocks",
            new ParsedRule<ulong>("a number of blocks from 1 to 18446744073709551615", TryParseBlocks, "^[1-9][0-9]*$"),
            (s, v) => s.Blocks = v, "The size in logical blocks, instead of 'size'."),
        new Row<DeviceSection, long>("block_size", new SizeRule(512, 4096, powerOfTwo: true),
            (s, v) => s.BlockBytes = (int)v, "The logical block. Default: 512."),
        new Row<DeviceSection, long>("physical_block_size", new SizeRule(512, 1 << 20, powerOfTwo: true),
            (s, v) => s.PhysicalBlockBytes = (int)v, "The physical block, which initiators align their file systems "
                + "to. Default: as the logical block."),
        new Row<DeviceSection, StoreIo>("io",
            new WordRule<StoreIo>(("buffered", StoreIo.Buffered), ("direct", StoreIo.Direct)),
            (s, v) => s.Io = v, "Through the kernel's page cache, or past it. Default: buffered for a file, direct "
                + "for a block device."),
        new Row<DeviceSection, bool>("write_cache", new BooleanRule(), (s, v) => s.HasWriteCache = v,
            "Yes: a write may wait in a volatile cache until the initiator flushes it (the caching mode page says so). "
            + "No: each write is on stable storage before it is answered, and no initiator can change that. "
            + "Default: yes."),
        new Row<DeviceSection, bool>("read_only", new BooleanRule(), (s, v) => s.IsReadOnly = v,
            "Refuse writes. Default: no."),
        new Row<DeviceSection, bool>("thin", new BooleanRule(), (s, v) => s.IsThin = v,
            "Blocks that initiators unmap take no room. Default: no."),
        new Row<DeviceSection, ThinBound>("thin_threshold", ThinBound.Rule, (s, v) => s.ThinThreshold = v,
            "When initiators and the log are told that a thin device has little room: the part of its file system "
                + "(or of a memory disk) that is used, or the size that is left there. Default: never, unless an "
                + "initiator asks for it."),
        new Row<DeviceSection, bool>("removable", new BooleanRule(), (s, v) => s.IsRemovable = v,
            "The medium can be ejected and loaded. Default: no."),
        new Row<DeviceSection, int>("rotation_rate", new IntegerRule(0, 65534), (s, v) => s.RotationRate = v,
            "Rotations a minute; 1: does not rotate; 0: not told. Default: 1."),
        new Row<DeviceSection, Word>("vendor", Identification(8), (s, v) => s.Vendor = v,
            "The vendor that INQUIRY tells, at most 8 characters. Default: SCSTD."),
        new Row<DeviceSection, Word>("product", Identification(16), (s, v) => s.Product = v,
            "The product that INQUIRY tells, at most 16 characters. Default: Disk."),
        new Row<DeviceSection, Word>("revision", Identification(4), (s, v) => s.Revision = v,
            "The product revision that INQUIRY tells, at most 4 characters. Default: 1.0."),
        new Row<DeviceSection, Word>("serial", Identification(36), (s, v) => s.Serial = v,
            "The serial number, different for each device; initiators know the device again by it, on every "
                + "path. Default: derived from the machine's identity and the device's name."),
        new Row<DeviceSection, int>("registrations", new IntegerRule(1, 65536), (s, v) => s.Registrations = v,
            "How many initiator ports may be registered for persistent reservations at the same time. "
                + $"Default: {DefaultRegistrations}."),
        new Row<DeviceSection, TimeSpan>("abort_timeout",
            new DurationRule(TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)), (s, v) => s.AbortTimeout = v,
            "How long the initiators wait for a command before they abort it (Linux: 30s, in "
                + "/sys/block/*/device/timeout). When the store becomes so slow that this is in danger, it gets fewer "
                + "commands at a time and the initiators are held back. Default: 30s."),
        new Row<DeviceSection, int>("queue_depth", new IntegerRule(1, MostCommands), (s, v) => s.QueueDepth = v,
            "The most commands of all initiators together in the device's task set; one more is answered TASK SET "
                + "FULL, or BUSY to an initiator that has none there. Default: any number."),
        new Row<DeviceSection, RateLimitSection>("limits", RateLimitSection.Rule, (s, v) => s.Limits = v,
            "Limits for all initiators of the device together. Default: none."));

    private const int DefaultRegistrations = 4096;

    /// <summary>Our choice: more than the sessions of any daemon can send; above it a limit limits nothing.</summary>
    internal const int MostCommands = 1_000_000;

    public Word Name { get; private set; }

    public TimeSpan AbortTimeout { get; internal set; } = TimeSpan.FromSeconds(30);

    /// <summary>Null: none.</summary>
    public RateLimitSection? Limits { get; internal set; }

    /// <summary>Null: any number.</summary>
    public int? QueueDepth { get; internal set; }

    public int Registrations { get; private set; } = DefaultRegistrations;

    public DeviceType Type { get; internal set; }

    public StoreKind Store { get; internal set; }

    /// <summary>The word behind "store" was one of those that we know.</summary>
    internal bool IsStoreKnown { get; private set; }

    public Word? Path { get; internal set; }

    public long? SizeBytes { get; internal set; }

    /// <summary>Instead of <see cref="SizeBytes"/>.</summary>
    public ulong? Blocks { get; internal set; }

    public int BlockBytes { get; internal set; } = 512;

    public int? PhysicalBlockBytes { get; internal set; }

    public StoreIo? Io { get; internal set; }

    public bool HasWriteCache { get; internal set; } = true;

    public bool IsReadOnly { get; internal set; }

    public bool IsThin { get; internal set; }

    /// <summary>Null: none.</summary>
    public ThinBound? ThinThreshold { get; internal set; }

    public bool IsRemovable { get; internal set; }

    public int RotationRate { get; internal set; } = 1;

    public Word? Vendor { get; internal set; }

    public Word? Product { get; internal set; }

    public Word? Revision { get; internal set; }

    public Word? Serial { get; internal set; }

    internal DeviceSection Called(Word name)
    {
        Name = name;
        return this;
    }

    private static bool TryParseBlocks(string text, out ulong blocks) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out blocks) && blocks > 0;

    /// <summary>SPC-4 §4.4.1: ASCII data fields hold 20h to 7Eh.</summary>
    internal static NameRule Identification(int mostCharacters) =>
        new($"1 to {mostCharacters} printable ASCII characters", mostCharacters,
            text => text.All(character => character is >= ' ' and <= '~'), "^[ -~]+$");
}
