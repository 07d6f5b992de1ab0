namespace Scstd.Backends.Tape;

/// <summary>Where a cartridge stands: before an object.</summary>
/// <param name="Partition">From 0 on.</param>
/// <param name="ObjectNumber">LOGICAL OBJECT NUMBER (SSC-4 §4.2): records and marks of the partition before it.</param>
/// <param name="FileNumber">LOGICAL FILE IDENTIFIER: filemarks of the partition before it.</param>
/// <param name="SetNumber">LOGICAL SET IDENTIFIER: setmarks before it.</param>
/// <param name="BytesBefore">Of the partition's capacity, what lies before it.</param>
public readonly record struct TapePosition(
    int Partition, ulong ObjectNumber, ulong FileNumber, ulong SetNumber, ulong BytesBefore)
{
    public bool IsBeginningOfPartition => ObjectNumber == 0;
}

public enum TapeObjectKind : byte
{
    /// <summary>There is no object: the data ends here (or, backwards, the partition begins here).</summary>
    None,
    Record,
    FileMark,
    SetMark,
}

/// <summary>What lies next to the position.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="LengthBytes">Of a record, as it was written.</param>
/// <param name="IsEncrypted">A key is needed to read it.</param>
/// <param name="IsCompressed">It is kept compressed.</param>
/// <param name="StoredBytes">What it takes of the capacity.</param>
/// <param name="KeyAssociatedData">Of an encrypted record: what was authenticated with it; empty: nothing.</param>
/// <param name="UnauthenticatedData">What was told with it; empty: nothing.</param>
public readonly record struct TapeObject(
    TapeObjectKind Kind, int LengthBytes = 0, bool IsEncrypted = false, bool IsCompressed = false, int StoredBytes = 0,
    ReadOnlyMemory<byte> KeyAssociatedData = default, ReadOnlyMemory<byte> UnauthenticatedData = default);

public enum SpaceUnit : byte
{
    Records,
    FileMarks,

    /// <summary>Consecutive filemarks: stops behind the first run of so many.</summary>
    SequentialFileMarks,
    SetMarks,
    SequentialSetMarks,
    EndOfData,
}

public enum SpaceStop : byte
{
    Done,
    FileMark,
    SetMark,
    EndOfData,
    BeginningOfPartition,
}

/// <param name="Stop">What ended it.</param>
/// <param name="Left">Of the count, what was not passed, without sign.</param>
public readonly record struct SpaceResult(SpaceStop Stop, ulong Left);

/// <summary>How a record is to be kept.</summary>
/// <param name="Compress">If that makes it smaller.</param>
/// <param name="Key">Null: it is not encrypted.</param>
public readonly record struct WriteOptions(bool Compress, TapeKey? Key);

/// <summary>A key for AES-256-GCM and the data that goes with it (SSC-4 §4.2, key-associated data).</summary>
/// <param name="Key">32 bytes.</param>
/// <param name="Unauthenticated">Told by a record to whoever has no key: up to 32 bytes.</param>
/// <param name="Authenticated">Protected by the record's tag: up to 32 bytes.</param>
public sealed record TapeKey(byte[] Key, byte[] Unauthenticated, byte[] Authenticated);

/// <param name="Barcode">Volume identifier, as on the label.</param>
/// <param name="DensityCode">Of its format (LTO-5: 58h … LTO-9: 60h).</param>
/// <param name="IsWorm">Written once: appends only.</param>
/// <param name="IsWriteProtected">By its tab, or because its file may not be written.</param>
/// <param name="IsCleaning">A cleaning cartridge: no data.</param>
/// <param name="SerialNumber">MEDIUM SERIAL NUMBER.</param>
/// <param name="CapacityBytes">Native capacity of all partitions.</param>
public sealed record MediumDescription(
    string Barcode, byte DensityCode, bool IsWorm, bool IsWriteProtected, bool IsCleaning, string SerialNumber,
    ulong CapacityBytes);

/// <param name="CapacityBytes">Native.</param>
/// <param name="UsedBytes">To the end of data.</param>
/// <param name="ObjectCount">Records and marks.</param>
public readonly record struct PartitionDescription(ulong CapacityBytes, ulong UsedBytes, ulong ObjectCount)
{
    public ulong LeftBytes => CapacityBytes - Math.Min(UsedBytes, CapacityBytes);
}

/// <summary>An attribute of medium auxiliary memory.</summary>
/// <param name="Identifier">ATTRIBUTE IDENTIFIER.</param>
/// <param name="Format">0 binary, 1 ASCII, 2 text.</param>
/// <param name="Value">As written.</param>
public readonly record struct MediumAttribute(ushort Identifier, byte Format, ReadOnlyMemory<byte> Value);
