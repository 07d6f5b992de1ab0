using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Reason code, RFC 7143 §11.14.1.</summary>
public enum LogoutReason : byte
{
    CloseSession = 0,
    CloseConnection = 1,
    RemoveConnectionForRecovery = 2,
}

/// <summary>Response, RFC 7143 §11.15.1.</summary>
public enum LogoutResponseCode : byte
{
    Closed = 0,
    CidNotFound = 1,
    ConnectionRecoveryNotSupported = 2,
    CleanupFailed = 3,
}

/// <summary>Logout Request — RFC 7143 §11.14.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| 0x06        |1| Reason Code | Reserved                      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8/ Reserved                                                        /
   16| Initiator Task Tag                                              |
   20| CID or Reserved                 | Reserved                      |
   24| CmdSN                                                           |
   28| ExpStatSN                                                       |
   32/ Reserved                                                        */
public readonly ref struct LogoutRequestPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    public LogoutReason Reason => (LogoutReason)(_header[1] & 0x7F);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public ushort Cid => ReadUInt16BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public static void WriteTo(
        Span<byte> header, LogoutReason reason, uint initiatorTaskTag, ushort cid, uint cmdSn, uint expStatSn,
        bool immediate = true)
    {
        var first = (byte)((byte)Opcode.LogoutRequest | (immediate ? HeaderBits.Immediate : 0));
        header = BasicHeaderSegment.Begin(header, first, (byte)(HeaderBits.Final | (byte)reason), initiatorTaskTag);
        WriteUInt16BigEndian(header[20..], cid);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
    }
}

/// <summary>Logout Response — RFC 7143 §11.15.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x26        |1| Reserved    | Response      | Reserved      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8/ Reserved                                                        /
   16| Initiator Task Tag                                              |
   20| Reserved                                                        |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| Reserved                                                        |
   40| Time2Wait                       | Time2Retain                   |
   44| Reserved                                                        */
public readonly ref struct LogoutResponsePdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public LogoutResponseCode Response => (LogoutResponseCode)_header[2];

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public ushort Time2WaitSeconds => ReadUInt16BigEndian(_header[40..]);

    public ushort Time2RetainSeconds => ReadUInt16BigEndian(_header[42..]);

    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, LogoutResponseCode response, ushort time2WaitSeconds = 0,
        ushort time2RetainSeconds = 0)
    {
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.LogoutResponse, HeaderBits.Final, initiatorTaskTag);
        header[2] = (byte)response;
        WriteUInt16BigEndian(header[40..], time2WaitSeconds);
        WriteUInt16BigEndian(header[42..], time2RetainSeconds);
    }
}
