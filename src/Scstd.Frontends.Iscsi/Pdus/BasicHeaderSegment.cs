using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>
/// The 48 bytes every iSCSI PDU begins with (RFC 7143 §11.2.1), and the fields that keep their place in all of
/// them. This room turns bytes into values and back; it knows no connection, no session and no socket.
/// </summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| Opcode      |F|  Opcode-specific fields                     |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Opcode-specific fields                                   |
   16| Initiator Task Tag                                              |
   20/ Opcode-specific fields                                          /
   48                                                                  */
public readonly ref struct BasicHeaderSegment(ReadOnlySpan<byte> header)
{
    public const int Length = 48;

    /// <summary>FFFFFFFFh: "no tag" in every task tag field (§11.2.1.8, §11.7.4, §11.18.2).</summary>
    public const uint ReservedTag = 0xFFFFFFFF;

    /// <summary>AHS, data segment and digests are padded to 4 bytes (§11.1).</summary>
    public const int Alignment = 4;

    /// <summary>Length of a header or data digest (§11.2.3, §11.2.4).</summary>
    public const int DigestLength = 4;

    /// <summary>The largest data segment length that 24 bits can say.</summary>
    public const int DataSegmentLengthMax = 0xFFFFFF;

    private readonly ReadOnlySpan<byte> _header = header[..Length];

    public Opcode Opcode => (Opcode)(_header[0] & 0x3F);

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    /// <summary>TotalAHSLength (§11.2.1.5), converted from 4-byte words to bytes.</summary>
    public int TotalAhsLengthBytes => _header[4] * 4;

    /// <summary>DataSegmentLength (§11.2.1.6) in bytes, without padding.</summary>
    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    /// <summary>DataSegmentLength with the padding that follows on the wire.</summary>
    public int PaddedDataSegmentLength => Pad(DataSegmentLength);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    /// <summary>CmdSN: in every request but Data-Out and SNACK, where the field is reserved.</summary>
    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    /// <summary>ExpStatSN: in every request.</summary>
    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public ReadOnlySpan<byte> Bytes => _header;

    /// <summary>Rounds up to the next multiple of 4.</summary>
    public static int Pad(int lengthBytes) => (lengthBytes + 3) & ~3;

    /// <summary>
    /// Bytes on the wire of a whole PDU with this header: the one place that knows the order BHS, AHS, header
    /// digest, data, padding, data digest. A data digest exists only with a non-empty data segment (§11.2.4).
    /// </summary>
    public int WireLength(bool headerDigest, bool dataDigest) =>
        Length + TotalAhsLengthBytes + (headerDigest ? DigestLength : 0) + PaddedDataSegmentLength
        + (dataDigest && DataSegmentLength != 0 ? DigestLength : 0);

    /// <summary>Clears the header, writes what all PDUs have in common, and returns exactly its 48 bytes.</summary>
    internal static Span<byte> Begin(Span<byte> header, byte opcodeByte, byte flags, uint initiatorTaskTag)
    {
        header = header[..Length];
        header.Clear();
        header[0] = opcodeByte;
        header[1] = flags;
        WriteUInt32BigEndian(header[16..], initiatorTaskTag);
        return header;
    }

    /// <summary>Writes DataSegmentLength and leaves TotalAHSLength as it is.</summary>
    public static void SetDataSegmentLength(Span<byte> header, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)lengthBytes, (uint)DataSegmentLengthMax);
        WriteUInt32BigEndian(header[4..], (uint)header[4] << 24 | (uint)lengthBytes);
    }

    /// <summary>Writes TotalAHSLength from a byte count, which must be a multiple of 4.</summary>
    public static void SetTotalAhsLength(Span<byte> header, int lengthBytes)
    {
        if ((lengthBytes & 3) != 0 || (uint)lengthBytes > 255 * 4)
            throw new ArgumentOutOfRangeException(nameof(lengthBytes));
        header[4] = (byte)(lengthBytes / 4);
    }
}

/// <summary>
/// StatSN, ExpCmdSN and MaxCmdSN stand at the same place in every PDU a target sends. They are known only when the
/// PDU is put on the wire (§4.2.2), so the writers leave them zero and the sender stamps them last.
/// </summary>
public static class TargetSequence
{
    private const int StatSnOffset = 24;
    private const int ExpCmdSnOffset = 28;
    private const int MaxCmdSnOffset = 32;

    public static void Stamp(Span<byte> header, uint statSn, uint expCmdSn, uint maxCmdSn)
    {
        header = header[..BasicHeaderSegment.Length];
        WriteUInt32BigEndian(header[StatSnOffset..], statSn);
        WriteUInt32BigEndian(header[ExpCmdSnOffset..], expCmdSn);
        WriteUInt32BigEndian(header[MaxCmdSnOffset..], maxCmdSn);
    }

    /// <summary>For Data-In without status, whose StatSN is reserved (§11.7.3).</summary>
    public static void StampWithoutStatSn(Span<byte> header, uint expCmdSn, uint maxCmdSn) =>
        Stamp(header, 0, expCmdSn, maxCmdSn);

    public static uint StatSn(ReadOnlySpan<byte> header) => ReadUInt32BigEndian(header[StatSnOffset..]);

    public static uint ExpCmdSn(ReadOnlySpan<byte> header) => ReadUInt32BigEndian(header[ExpCmdSnOffset..]);

    public static uint MaxCmdSn(ReadOnlySpan<byte> header) => ReadUInt32BigEndian(header[MaxCmdSnOffset..]);
}
