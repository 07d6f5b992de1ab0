using System.Collections.Frozen;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>One LUN of a map.</summary>
public sealed record LunMapEntry(int Number, LogicalUnit Unit, bool IsReadOnly = false);

/// <summary>What one initiator may see: LUN number → unit. Immutable; a change is a new map.</summary>
public sealed class LunMap
{
    private readonly LunMapEntry?[] _byNumber;
    private FrozenSet<LogicalUnit>? _units;

    public LunMap(IEnumerable<LunMapEntry> entries, LunAddressing addressing = LunAddressing.Peripheral)
    {
        Addressing = addressing;
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

    /// <summary>How REPORT LUNS writes the numbers; every method is understood when a command comes.</summary>
    public LunAddressing Addressing { get; }

    /// <summary>Whether any LUN leads to the unit.</summary>
    public bool LeadsTo(LogicalUnit unit)
    {
        // Two reactors may work it out at once: they get the same.
        FrozenSet<LogicalUnit> units = Volatile.Read(ref _units) ?? Entries.Select(e => e.Unit).ToFrozenSet();
        Volatile.Write(ref _units, units);
        return units.Contains(unit);
    }

    /// <summary>The same units at the same numbers, written in the same way.</summary>
    public bool IsSameAs(LunMap other) => Addressing == other.Addressing && Entries.SequenceEqual(other.Entries);

    /// <summary>REPORT LUNS gives the same list.</summary>
    public bool ReportsSameAs(LunMap other) => Addressing == other.Addressing &&
        Entries.Select(e => e.Number).SequenceEqual(other.Entries.Select(e => e.Number));

    /// <summary>The map in which <paramref name="successor"/> stands wherever <paramref name="unit"/> stood.</summary>
    public LunMap Replacing(LogicalUnit unit, LogicalUnit successor) => !LeadsTo(unit) ? this : new LunMap(
        Entries.Select(e => ReferenceEquals(e.Unit, unit) ? e with { Unit = successor } : e), Addressing);

    public LunMapEntry? Find(int number) => (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;
}
