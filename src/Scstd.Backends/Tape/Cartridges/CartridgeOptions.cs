namespace Scstd.Backends.Tape.Cartridges;

/// <summary>A cartridge that is to be made.</summary>
public sealed record CartridgeOptions
{
    /// <summary>Volume identifier, as on the label.</summary>
    public string Barcode { get; init; } = "";

    public byte DensityCode { get; init; }

    /// <summary>Native, of all partitions.</summary>
    public required ulong CapacityBytes { get; init; }

    /// <summary>Where the file system holds no file for all of the capacity, there is as much of it as it does hold;
    /// else that is a fault.</summary>
    public bool ShrinksToFileSystem { get; init; }

    /// <summary>Null: one that no other has.</summary>
    public string? SerialNumber { get; init; }

    public bool IsWorm { get; init; }

    /// <summary>Its tab.</summary>
    public bool IsWriteProtected { get; init; }

    public bool IsCleaning { get; init; }

    /// <summary>Capacities of the partitions it begins with; empty: one that has it all.</summary>
    public IReadOnlyList<ulong> Partitions { get; init; } = [];
}
