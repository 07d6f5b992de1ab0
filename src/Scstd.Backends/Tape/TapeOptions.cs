namespace Scstd.Backends.Tape;

/// <summary>What an administrator says of a tape drive.</summary>
public sealed record TapeOptions
{
    /// <summary>The device's name in the configuration.</summary>
    public required string Name { get; init; }

    public required TapePersonality Personality { get; init; }

    /// <summary>Null: the personality's.</summary>
    public string? Vendor { get; init; }

    /// <summary>Null: the personality's.</summary>
    public string? Product { get; init; }

    /// <summary>Null: the personality's.</summary>
    public string? Revision { get; init; }

    /// <summary>PRODUCT SERIAL NUMBER; the drive's other names are derived from it.</summary>
    public required string SerialNumber { get; init; }

    /// <summary>Data compression is on until an initiator switches it off.</summary>
    public bool Compresses { get; init; } = true;
}
