using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Which kind of drive it is: what it writes and reads, and how it names itself unless it is told
/// otherwise.</summary>
/// <param name="Name">For the configuration: "LTO-5" and so on.</param>
/// <param name="Density">What it writes best.</param>
/// <param name="Writable">All that it writes.</param>
/// <param name="Readable">All that it reads.</param>
/// <param name="Vendor">T10 VENDOR IDENTIFICATION.</param>
/// <param name="Product">PRODUCT IDENTIFICATION.</param>
/// <param name="Revision">PRODUCT REVISION LEVEL.</param>
/// <param name="MaxPartitions">Into so many it divides a medium.</param>
/// <param name="MaxBlockLengthBytes">The longest record.</param>
public sealed record TapePersonality(
    string Name,
    TapeDensity Density,
    IReadOnlyList<TapeDensity> Writable,
    IReadOnlyList<TapeDensity> Readable,
    string Vendor,
    string Product,
    string Revision,
    int MaxPartitions,
    int MaxBlockLengthBytes)
{
    private const int EightMebibytes = 8 * 1024 * 1024;

    public static readonly TapePersonality Lto5 = Of(TapeDensity.Lto5, back: 2, maxPartitions: 2);

    public static readonly TapePersonality Lto6 = Of(TapeDensity.Lto6, back: 2, maxPartitions: 4);

    public static readonly TapePersonality Lto7 = Of(TapeDensity.Lto7, back: 2, maxPartitions: 4);

    public static readonly TapePersonality Lto8 = Of(TapeDensity.Lto8, back: 1, maxPartitions: 4);

    public static readonly TapePersonality Lto9 = Of(TapeDensity.Lto9, back: 1, maxPartitions: 4);

    public static IReadOnlyList<TapePersonality> All { get; } = [Lto5, Lto6, Lto7, Lto8, Lto9];

    public static TapePersonality? Find(string name) =>
        All.FirstOrDefault(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <param name="generation">8 for LTO-8 and so on.</param>
    public static TapePersonality? OfGeneration(int generation) =>
        All.FirstOrDefault(one => one.Density.Generation == generation);

    public bool Reads(byte densityCode) => Readable.Any(density => density.Code == densityCode);

    public bool Writes(byte densityCode) => Writable.Any(density => density.Code == densityCode);

    /// <summary>Up to LTO-7 a drive reads two generations back and writes one, from LTO-8 on it does both with one.
    /// </summary>
    private static TapePersonality Of(TapeDensity own, int back, int maxPartitions) => new(
        $"LTO-{own.Generation}",
        own,
        [.. TapeDensity.All.Where(density => density.Generation <= own.Generation &&
            density.Generation >= own.Generation - 1)],
        [.. TapeDensity.All.Where(density => density.Generation <= own.Generation &&
            density.Generation >= own.Generation - back)],
        "SCSTD",
        $"ULTRIUM-TD{own.Generation}",
        "0001",
        maxPartitions,
        EightMebibytes);
}
