using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>NOP-Out — RFC 7143 §11.18: a ping from the initiator, or its answer to the target's.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| 0x00        |1| Reserved                                    |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag or 0xffffffff                                |
   20| Target Transfer Tag or 0xffffffff                               |
   24| CmdSN                                                           |
   28| ExpStatSN                                                       |
   32/ Reserved                                                        /
   48/ data segment: ping data (optional)                              */
public readonly ref struct NopOutPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    /// <summary>Reserved: no answer is wanted (§11.18.1).</summary>
    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    /// <summary>Not reserved: this answers the NOP-In with the same tag (§11.18.2).</summary>
    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, uint targetTransferTag, uint cmdSn, uint expStatSn,
        int dataSegmentLength = 0, bool immediate = true, ulong lun = 0)
    {
        var first = (byte)((byte)Opcode.NopOut | (immediate ? HeaderBits.Immediate : 0));
        header = BasicHeaderSegment.Begin(header, first, HeaderBits.Final, initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
    }
}

/// <summary>NOP-In — RFC 7143 §11.19: the answer to a ping, a ping by the target, or news of the window.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x20        |1| Reserved                                    |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag or 0xffffffff                                |
   20| Target Transfer Tag or 0xffffffff                               |
   24| StatSN (the next one, not advanced, when the ITT is reserved)   |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36/ Reserved                                                        /
   48/ data segment: the ping's data, echoed                           */
public readonly ref struct NopInPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public uint ExpCmdSn => TargetSequence.ExpCmdSn(_header);

    public uint MaxCmdSn => TargetSequence.MaxCmdSn(_header);

    /// <summary>The answer to a NOP-Out: its tag and its data come back (§11.19.1).</summary>
    public static void WriteAnswer(Span<byte> header, uint initiatorTaskTag, int dataSegmentLength)
    {
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.NopIn, HeaderBits.Final, initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt32BigEndian(header[20..], BasicHeaderSegment.ReservedTag);
    }

    /// <summary>
    /// A ping of our own: with a tag it asks for a NOP-Out, with the reserved tag it only tells ExpCmdSN and
    /// MaxCmdSN. It brings no data (§11.19: the target's ping has DataSegmentLength 0) and takes no StatSN.
    /// </summary>
    public static void WritePing(Span<byte> header, uint targetTransferTag, ulong lun = 0)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.NopIn, HeaderBits.Final, BasicHeaderSegment.ReservedTag);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
    }
}
