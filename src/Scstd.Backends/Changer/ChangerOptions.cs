namespace Scstd.Backends.Changer;

/// <summary>What an administrator says of a library.</summary>
public sealed record ChangerOptions
{
    /// <summary>The device's name in the configuration.</summary>
    public required string Name { get; init; }

    public required int Slots { get; init; }

    public int ImportExports { get; init; }

    public LibraryPersonality Personality { get; init; } = LibraryPersonality.Generic;

    /// <summary>Null: derived from the machine and the name.</summary>
    public string? SerialNumber { get; init; }
}
