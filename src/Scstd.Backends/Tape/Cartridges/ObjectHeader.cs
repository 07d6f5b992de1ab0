using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What an entry of a partition's log is; those that are objects as <see cref="TapeObjectKind"/>.</summary>
internal enum EntryKind : byte
{
    None = TapeObjectKind.None,
    Record = TapeObjectKind.Record,
    FileMark = TapeObjectKind.FileMark,
    SetMark = TapeObjectKind.SetMark,
    IndexNode = 4,
}

[Flags]
internal enum EntryFlags : byte
{
    None = 0,
    Compressed = 1,
    Encrypted = 2,
}

/// <summary>The 64 bytes that begin every entry of a log.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Flags">How a record is kept.</param>
/// <param name="Partition">Whose.</param>
/// <param name="ObjectNumber">Objects of the partition before it.</param>
/// <param name="FileNumber">Filemarks before it.</param>
/// <param name="SetNumber">Setmarks before it.</param>
/// <param name="Offset">Its own: bytes of another file are not taken for an entry of this one.</param>
/// <param name="LengthBytes">Of the record as it was written.</param>
/// <param name="StoredBytes">What follows the header.</param>
/// <param name="StoredChecksum">Of that.</param>
/// <param name="Epoch">Grows whenever data was cut off: what is left of it behind the end is of an older one.</param>
/// <param name="PreviousChecksum">The header's of the entry before: the log is a chain.</param>
/// <param name="Checksum">This header's.</param>
internal readonly record struct ObjectHeader(
    EntryKind Kind, EntryFlags Flags, byte Partition, ulong ObjectNumber, ulong FileNumber, ulong SetNumber,
    ulong Offset, uint LengthBytes, uint StoredBytes, uint StoredChecksum, uint Epoch,
    uint PreviousChecksum, uint Checksum = 0)
{
    public const int Bytes = 64;

    private const int ChecksumAt = 60;

    /// <summary>How every header begins.</summary>
    public static ReadOnlySpan<byte> Magic => "SCTO"u8;

    /// <summary>With what follows it, up to the next entry.</summary>
    public ulong SizeBytes => CartridgeFormat.Align(Bytes + (ulong)StoredBytes);

    /// <summary>Writes it with its checksum, which begins with the seed of this cartridge's format; returns that.
    /// </summary>
    public uint Write(Span<byte> to, uint seed)
    {
        Magic.CopyTo(to);
        to[4] = (byte)Kind;
        to[5] = (byte)Flags;
        to[6] = Partition;
        to[7] = 0;
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], ObjectNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], FileNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], SetNumber);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], LengthBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(to[44..], StoredBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], StoredChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(to[52..], Epoch);
        BinaryPrimitives.WriteUInt32LittleEndian(to[56..], PreviousChecksum);
        uint checksum = Sum(to, seed);
        BinaryPrimitives.WriteUInt32LittleEndian(to[ChecksumAt..], checksum);
        return checksum;
    }

    /// <summary>Null if these bytes are no header of this cartridge for this place.</summary>
    public static ObjectHeader? Read(ReadOnlySpan<byte> from, uint seed, int partition, ulong offset)
    {
        if (!from.StartsWith(Magic)
            || (BinaryPrimitives.ReadUInt32LittleEndian(from[ChecksumAt..]) is var checksum
                && checksum != Sum(from, seed)))
            return null;
        var header = new ObjectHeader(
            (EntryKind)from[4], (EntryFlags)from[5], from[6],
            BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[40..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[44..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[48..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[52..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[56..]),
            checksum);
        return header.Partition == partition && header.Offset == offset && header.IsSane ? header : null;
    }

    /// <summary>Its lengths can be believed: nothing is allocated by a size that was not judged here.</summary>
    private bool IsSane => Kind switch
    {
        EntryKind.Record => LengthBytes is > 0 and <= CartridgeFormat.RecordBytesMax
            && (Flags & ~(EntryFlags.Compressed | EntryFlags.Encrypted)) == 0
            && StoredBytes <= LengthBytes + (uint)RecordSeal.BytesMax
            && ((Flags & EntryFlags.Encrypted) != 0 || StoredBytes <= LengthBytes)
            && (Flags != EntryFlags.None || StoredBytes == LengthBytes)
            && StoredBytes > 0,
        EntryKind.FileMark or EntryKind.SetMark => LengthBytes == 0 && StoredBytes == 0 && Flags == EntryFlags.None,
        EntryKind.IndexNode => StoredBytes <= IndexNode.StoredBytesMax,
        _ => false,
    };

    private static uint Sum(ReadOnlySpan<byte> header, uint seed) =>
        Crc32c.Finish(Crc32c.Append(seed, header[..ChecksumAt]));
}
