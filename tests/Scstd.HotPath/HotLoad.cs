using Scstd.Backends.Disk;

namespace Scstd.HotPath;

/// <summary>Commands of one kind, as an initiator sends them under load.</summary>
/// <param name="Name">By which it is called.</param>
/// <param name="Store">Below the disk.</param>
/// <param name="IsRead">READ (10), else WRITE (10).</param>
/// <param name="LengthBytes">Of each command.</param>
/// <param name="Asked">WRITE: the data comes when R2Ts ask for it, in PDUs of 16 KiB; else with the command.</param>
/// <param name="HasDigests">Header and data digests.</param>
/// <param name="Together">Commands that one receive brings.</param>
public sealed record HotLoad(
    string Name, DiskStoreKind Store, bool IsRead, int LengthBytes, bool Asked, bool HasDigests, int Together)
{
    private const int Small = 4096;
    private const int Large = 65536;

    public static IReadOnlyList<HotLoad> All { get; } =
    [
        new("read-4k-memory", DiskStoreKind.Memory, true, Small, false, false, 8),
        new("read-4k-null", DiskStoreKind.Null, true, Small, false, false, 8),
        new("read-4k-file", DiskStoreKind.File, true, Small, false, false, 8),
        new("read-4k-digests", DiskStoreKind.Memory, true, Small, false, true, 8),
        new("read-64k-file", DiskStoreKind.File, true, Large, false, false, 4),
        new("write-4k-memory", DiskStoreKind.Memory, false, Small, false, false, 8),
        new("write-4k-file", DiskStoreKind.File, false, Small, false, false, 8),
        new("write-4k-digests", DiskStoreKind.Memory, false, Small, false, true, 8),
        new("write-64k-asked", DiskStoreKind.File, false, Large, true, false, 4),
        new("write-64k-digests", DiskStoreKind.File, false, Large, true, true, 4),
    ];

    public static HotLoad Called(string name) => All.Single(load => load.Name == name);

    public override string ToString() => Name;
}
