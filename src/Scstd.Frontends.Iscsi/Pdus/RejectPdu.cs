using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Reason, RFC 7143 §11.17.1.</summary>
public enum RejectReason : byte
{
    DataDigestError = 0x02,
    SnackReject = 0x03,
    ProtocolError = 0x04,
    CommandNotSupported = 0x05,
    ImmediateCommandReject = 0x06,
    TaskInProgress = 0x07,
    InvalidDataAck = 0x08,
    InvalidPduField = 0x09,

    /// <summary>Out of resources: no Target Transfer Tag can be generated (§11.17.1).</summary>
    LongOperationReject = 0x0A,

    /// <summary>Deprecated by RFC 7143: negotiation reset.</summary>
    DeprecatedNegotiationReset = 0x0B,

    WaitingForLogout = 0x0C,
}

/// <summary>Reject — RFC 7143 §11.17. Its data segment is the whole header (BHS and AHS) of the refused PDU.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x3f        |1| Reserved    | Reason        | Reserved      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8/ Reserved                                                        /
   16| 0xffffffff                                                      |
   20| Reserved                                                        |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| DataSN/R2TSN or Reserved                                        |
   40/ Reserved                                                        /
   48/ data segment: header of the rejected PDU                        */
public readonly ref struct RejectPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public RejectReason Reason => (RejectReason)_header[2];

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public uint StatSn => TargetSequence.StatSn(_header);

    public static void WriteTo(Span<byte> header, RejectReason reason, int dataSegmentLength)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.Reject, HeaderBits.Final, BasicHeaderSegment.ReservedTag);
        header[2] = (byte)reason;
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
    }
}
