using Scstd.Core;

namespace Scstd.Backends.Tape;

/// <summary>
/// A cartridge in a drive, as the device server sees it: partitions of objects (records and marks, SSC-4 §4.2), a
/// position between two of them, and medium auxiliary memory. Synchronous; one caller at a time; may block. A store
/// that fails throws <see cref="MediumFaultException"/>; then the position is where it was, unless said.
/// </summary>
public interface ITapeMedium : IDisposable
{
    /// <summary>What it is; does not change while it is in a drive, but for a format.</summary>
    MediumDescription Description { get; }

    /// <summary>Partitions from 0 on, at least one.</summary>
    IReadOnlyList<PartitionDescription> Partitions { get; }

    /// <summary>Before the object of this number; see <see cref="TapePosition"/>.</summary>
    TapePosition Position { get; }

    /// <summary>Of the partition of <see cref="Position"/>: where its data ends.</summary>
    TapePosition EndOfData { get; }

    // ---- Moving; O(log n) in the number of objects ----------------------------------------------------------------

    /// <summary>Before the object of a number, or at the end of data if there are fewer: false.</summary>
    bool Locate(int partition, ulong objectNumber);

    /// <summary>Behind the mark that ends this many files (0: beginning of the partition), or at the end of data:
    /// false.</summary>
    bool LocateFile(int partition, ulong fileNumber);

    /// <summary>Over so many objects of a kind, backwards if negative; stops as SSC-4 says for SPACE: what stopped
    /// it, and how many were left. Spacing over records stops at a mark (behind it, or before it if backwards).
    /// </summary>
    /// <param name="unit">Of what.</param>
    /// <param name="count">How many, and which way.</param>
    /// <param name="isGivenUp">Looked at where that takes long (runs of marks); then the position is where it was.
    /// </param>
    SpaceResult Space(SpaceUnit unit, long count, Func<bool>? isGivenUp = null);

    // ---- Reading ---------------------------------------------------------------------------------------------------

    /// <summary>The next object without passing it; with <paramref name="backwards"/> the one before the position. Of a
    /// record that is so damaged that nobody knows its length the length is about right: to read it throws.</summary>
    TapeObject Peek(bool backwards = false);

    /// <summary>Passes the next object, a record, and puts its first bytes at an offset of a buffer, as many as fit in
    /// <paramref name="maxLengthBytes"/>; returns how long the record is. A damaged record throws; then it was passed
    /// if <see cref="MediumFault.IsPassed"/> says so.</summary>
    int Read(DataBuffer destination, int offsetBytes, int maxLengthBytes, bool backwards = false, TapeKey? key = null);

    /// <summary>Passes the next object whatever it is, a mark mostly.</summary>
    void Skip(bool backwards = false);

    // ---- Writing; everything behind the position is gone ------------------------------------------------------------

    /// <summary>Writes a record here. False: the partition is full (nothing was written).</summary>
    bool Write(DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options);

    /// <summary>False: there is no room for them all (none was written).</summary>
    bool WriteMarks(TapeObjectKind kind, int count);

    /// <summary>The data ends here. With <paramref name="isLong"/> what lies behind is overwritten, too, or given back.
    /// </summary>
    void Erase(bool isLong, Func<bool> isGivenUp);

    /// <summary>Everything written so far survives a loss of power.</summary>
    void Synchronize();

    /// <summary>Empties the cartridge and divides it anew; capacities in bytes. Attributes of the medium stay, those of
    /// partitions go.</summary>
    void Format(IReadOnlyList<ulong> partitionCapacitiesBytes);

    // ---- Medium auxiliary memory (SPC-4 §7.4: attributes) -----------------------------------------------------------

    /// <summary>Host attributes as they were written (identifier, format, value), in the order of their identifiers.
    /// What the device knows itself the device server adds.</summary>
    IReadOnlyList<MediumAttribute> Attributes(int partition);

    /// <summary>All of them or, if that fails, none. An empty value takes one away. Survives a loss of power when it
    /// returns.</summary>
    void SetAttributes(int partition, IReadOnlyList<MediumAttribute> attributes);

    /// <summary>Counts that go with the cartridge over its life: loads, bytes and records written and read …, by names
    /// of the device server's own choice; kept with the cartridge, lost at most since the last
    /// <see cref="Synchronize"/>.</summary>
    IDictionary<string, ulong> Statistics { get; }

    /// <summary>Closes it as it is, as a crash would: nothing that is in memory is written any more. After that only
    /// what describes it may be asked, and Dispose does nothing.</summary>
    void Abandon();
}
