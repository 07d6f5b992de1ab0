using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>One LUN of a map.</summary>
public sealed record LunMapEntry(int Number, LogicalUnit Unit, bool IsReadOnly = false);

/// <summary>What one initiator may see: LUN number → unit. Immutable; a change is a new map.</summary>
public sealed class LunMap
{
    private readonly LunMapEntry?[] _byNumber;

    public LunMap(IEnumerable<LunMapEntry> entries)
    {
        Entries = [.. entries.OrderBy(e => e.Number)];
        _byNumber = new LunMapEntry?[Entries.Count == 0 ? 0 : Entries[^1].Number + 1];
        foreach (LunMapEntry entry in Entries)
        {
            Invariant.That(entry.Number is >= 0 and <= Lun.MaxNumber, "a LUN number has 14 bits");
            Invariant.That(_byNumber[entry.Number] is null, "a LUN number stands for one unit");
            _byNumber[entry.Number] = entry;
        }
    }

    public static LunMap Empty { get; } = new([]);

    /// <summary>In the order of their numbers.</summary>
    public IReadOnlyList<LunMapEntry> Entries { get; }

    /// <summary>One more than the highest number.</summary>
    public int Span => _byNumber.Length;

    public LunMapEntry? Find(int number) => (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;
}
