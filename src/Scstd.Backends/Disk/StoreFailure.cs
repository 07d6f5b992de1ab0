using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>A store could not do what was asked, for the administrator. Told on the reactor where it happened.
/// </summary>
/// <param name="Kind">What was asked.</param>
/// <param name="Lba">The first block.</param>
/// <param name="Blocks">How many.</param>
/// <param name="Error">The kernel's error; 0: it was not the kernel that failed.</param>
/// <param name="Sense">What the initiator is told.</param>
/// <param name="Initiator">Whose command it was; null: nobody's, as of a flush after SYNCHRONIZE CACHE with
/// IMMED.</param>
public readonly record struct StoreFailure(
    BlockRequestKind Kind, ulong Lba, ulong Blocks, int Error, SenseData Sense, string? Initiator);
