using System.Buffers.Binary;

namespace Scstd.Backends.Tape;

/// <summary>What a CDB of READ, WRITE, VERIFY, WRITE FILEMARKS or ERASE asks for, in its short form with the implicit
/// address or in its form with an explicit one (SSC-4 §4.2, addressing).</summary>
/*  (6)   1    flags                    (16)  1     FCS 3 | LCS 2 | other flags
          2-4  count                          3     PARTITION
                                              4-11  LOGICAL OBJECT IDENTIFIER
                                              12-14 count                           */
internal readonly struct TapeTransfer
{
    private const int ShortBytes = 6;
    private const byte FirstInSequence = 0x08;

    public TapeTransfer(ReadOnlySpan<byte> cdb, int blockLengthBytes)
    {
        Flags = cdb[1];
        IsExplicit = cdb[0] >= 0x80;
        ReadOnlySpan<byte> count = cdb[(IsExplicit ? 12 : 2)..];
        Count = (count[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(count[1..]);
        BlockLengthBytes = blockLengthBytes;
        if (!IsExplicit)
            return;
        Partition = cdb[3];
        ObjectNumber = BinaryPrimitives.ReadUInt64BigEndian(cdb[4..]);
    }

    /// <summary>Byte 1.</summary>
    public byte Flags { get; }

    /// <summary>The CDB names a partition and an object.</summary>
    public bool IsExplicit { get; }

    public int Partition { get; }

    public ulong ObjectNumber { get; }

    /// <summary>Blocks with <see cref="IsFixed"/>, else bytes; or marks.</summary>
    public int Count { get; }

    /// <summary>FIXED.</summary>
    public bool IsFixed => (Flags & 0x01) != 0;

    /// <summary>SILI of a READ.</summary>
    public bool SuppressesIncorrectLength => (Flags & 0x02) != 0;

    /// <summary>FCS of a write.</summary>
    public bool IsFirstInSequence => (Flags & FirstInSequence) != 0;

    /// <summary>Of the mode block descriptor; 0: variable.</summary>
    public int BlockLengthBytes { get; }

    /// <summary>How many blocks it is about.</summary>
    public int Blocks => IsFixed ? Count : Count == 0 ? 0 : 1;

    /// <summary>How long each of them shall be.</summary>
    public int LengthOfEachBytes => IsFixed ? BlockLengthBytes : Count;

    /// <summary>Of the CDB's count, what is left when so many blocks are done: in blocks, or all of the bytes.
    /// </summary>
    public ulong Left(int blocksDone) =>
        IsFixed ? (ulong)(Count - blocksDone) : blocksDone > 0 ? 0 : (ulong)Count;

    /// <summary>Where the count lies in the CDB.</summary>
    public int CountOffset => IsExplicit ? 12 : 2;
}
