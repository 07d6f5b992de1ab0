namespace Scstd.Backends.Disk;

public enum DiskStoreKind
{
    File,
    BlockDevice,
    Memory,
    Null,
}

/// <summary>What an administrator says of a disk.</summary>
public sealed record DiskOptions
{
    /// <summary>The device's name in the configuration.</summary>
    public required string Name { get; init; }

    public required DiskStoreKind Store { get; init; }

    /// <summary>Of the file or the block device.</summary>
    public string? Path { get; init; }

    /// <summary>Null: the size that the file or device has. A file that is missing is created with it,
    /// sparse.</summary>
    public ulong? SizeBytes { get; init; }

    /// <summary>Instead of <see cref="SizeBytes"/>: sizes that bytes cannot count.</summary>
    public ulong? SizeBlocks { get; init; }

    /// <summary>Logical block: 512, 1024, 2048 or 4096.</summary>
    public int BlockLengthBytes { get; init; } = 512;

    /// <summary>A physical block has 2^n logical ones (SBC-4 §5.16.2).</summary>
    public int PhysicalBlockExponent { get; init; }

    /// <summary>A write is GOOD when the page cache or the device's cache has it; the caching mode page says so and
    /// lets an initiator switch it off. False: when it is on stable storage, whatever initiators want.</summary>
    public bool WriteBack { get; init; } = true;

    /// <summary>Around the page cache (O_DIRECT).</summary>
    public bool Direct { get; init; }

    public bool ReadOnly { get; init; }

    /// <summary>Unmapped blocks take no room (SBC-4 §4.7.4): logical block provisioning management.</summary>
    public bool Thin { get; init; }

    /// <summary>When initiators are told that a thin disk has little room; null: when one of them asks for it.
    /// </summary>
    public ThinThreshold? ThinThreshold { get; init; }

    /// <summary>Has a medium that can be ejected and loaded.</summary>
    public bool Removable { get; init; }

    /// <summary>MEDIUM ROTATION RATE: 1 does not rotate, 0 is not told, else rotations a minute
    /// (SBC-4 §6.6.2).</summary>
    public int RotationRate { get; init; } = 1;

    public string Vendor { get; init; } = "SCSTD";

    public string Product { get; init; } = "Disk";

    public string Revision { get; init; } = "1.0";

    /// <summary>Null: derived from the machine and the name.</summary>
    public string? SerialNumber { get; init; }
}
