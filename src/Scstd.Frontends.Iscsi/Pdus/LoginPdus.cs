using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>CSG and NSG, RFC 7143 §11.12.4. 2 is reserved.</summary>
public enum LoginStage : byte
{
    SecurityNegotiation = 0,
    LoginOperationalNegotiation = 1,
    FullFeaturePhase = 3,
}

/// <summary>Status-Class (high byte) and Status-Detail (low byte), RFC 7143 §11.13.5.</summary>
public enum LoginStatus : ushort
{
    Success = 0x0000,
    TargetMovedTemporarily = 0x0101,
    TargetMovedPermanently = 0x0102,
    InitiatorError = 0x0200,
    AuthenticationFailure = 0x0201,
    AuthorizationFailure = 0x0202,
    NotFound = 0x0203,
    TargetRemoved = 0x0204,
    UnsupportedVersion = 0x0205,
    TooManyConnections = 0x0206,
    MissingParameter = 0x0207,
    CannotIncludeInSession = 0x0208,
    SessionTypeNotSupported = 0x0209,
    SessionDoesNotExist = 0x020A,
    InvalidDuringLogin = 0x020B,
    TargetError = 0x0300,
    ServiceUnavailable = 0x0301,
    OutOfResources = 0x0302,
}

/// <summary>ISID (§11.12.5), 48 bits: with the initiator's name it names the initiator port.</summary>
public readonly record struct Isid(ulong Value)
{
    public const int Length = 6;

    public static Isid Read(ReadOnlySpan<byte> bytes) =>
        new((ulong)ReadUInt16BigEndian(bytes) << 32 | ReadUInt32BigEndian(bytes[2..]));

    public void Write(Span<byte> bytes)
    {
        WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
        WriteUInt32BigEndian(bytes[2..], (uint)Value);
    }

    /// <summary>Twelve hexadecimal digits, as in an iSCSI initiator port name (§4.2.7.2: "0x" and digits).</summary>
    public override string ToString() => $"0x{Value:x12}";
}

/// <summary>Login Request — RFC 7143 §11.12.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|1| 0x03        |T|C|.|.|CSG|NSG| Version-max   | Version-min   |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| ISID                                                            |
   12|                                 | TSIH                          |
   16| Initiator Task Tag                                              |
   20| CID                             | Reserved                      |
   24| CmdSN                                                           |
   28| ExpStatSN or Reserved                                           |
   32/ Reserved                                                        /
   48/ data segment: login parameters as text                          */
public readonly ref struct LoginRequestPdu(ReadOnlySpan<byte> header)
{
    /// <summary>The only version there is (§11.12.6).</summary>
    public const byte Version = 0x00;

    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public Opcode Opcode => (Opcode)(_header[0] & 0x3F);

    public bool Transit => (_header[1] & HeaderBits.Transit) != 0;

    public bool Continue => (_header[1] & HeaderBits.Continue) != 0;

    public LoginStage CurrentStage => (LoginStage)(_header[1] >> 2 & 3);

    /// <summary>NSG: meaningful only with T=1.</summary>
    public LoginStage NextStage => (LoginStage)(_header[1] & 3);

    public byte VersionMax => _header[2];

    public byte VersionMin => _header[3];

    public int TotalAhsLengthBytes => _header[4] * 4;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public Isid Isid => Isid.Read(_header[8..]);

    /// <summary>TSIH: zero asks for a new session, otherwise the session this connection is to join.</summary>
    public ushort Tsih => ReadUInt16BigEndian(_header[14..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public ushort Cid => ReadUInt16BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public static void WriteTo(
        Span<byte> header, Isid isid, ushort tsih, uint initiatorTaskTag, ushort cid, uint cmdSn, uint expStatSn,
        LoginStage currentStage, LoginStage nextStage, bool transit, int dataSegmentLength, bool @continue = false,
        byte versionMax = Version, byte versionMin = Version)
    {
        const byte First = (byte)Opcode.LoginRequest | HeaderBits.Immediate;
        header = BasicHeaderSegment.Begin(
            header, First, Flags(transit, @continue, currentStage, nextStage), initiatorTaskTag);
        header[2] = versionMax;
        header[3] = versionMin;
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        isid.Write(header[8..]);
        WriteUInt16BigEndian(header[14..], tsih);
        WriteUInt16BigEndian(header[20..], cid);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
    }

    internal static byte Flags(bool transit, bool @continue, LoginStage currentStage, LoginStage nextStage) =>
        (byte)((transit ? HeaderBits.Transit : 0) | (@continue ? HeaderBits.Continue : 0)
            | (byte)currentStage << 2 | (byte)nextStage);
}

/// <summary>Login Response — RFC 7143 §11.13.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x23        |T|C|.|.|CSG|NSG| Version-max   | Version-active|
    4|TotalAHSLength   | DataSegmentLength                             |
    8| ISID                                                            |
   12|                                 | TSIH                          |
   16| Initiator Task Tag                                              |
   20| Reserved                                                        |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| Status-Class    | Status-Detail | Reserved                      |
   40/ Reserved                                                        /
   48/ data segment: login parameters as text                          */
public readonly ref struct LoginResponsePdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Transit => (_header[1] & HeaderBits.Transit) != 0;

    public bool Continue => (_header[1] & HeaderBits.Continue) != 0;

    public LoginStage CurrentStage => (LoginStage)(_header[1] >> 2 & 3);

    public LoginStage NextStage => (LoginStage)(_header[1] & 3);

    public byte VersionMax => _header[2];

    public byte VersionActive => _header[3];

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public Isid Isid => Isid.Read(_header[8..]);

    public ushort Tsih => ReadUInt16BigEndian(_header[14..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public LoginStatus Status => (LoginStatus)ReadUInt16BigEndian(_header[36..]);

    public static void WriteTo(
        Span<byte> header, Isid isid, ushort tsih, uint initiatorTaskTag, LoginStatus status, LoginStage currentStage,
        LoginStage nextStage, bool transit, bool @continue, int dataSegmentLength)
    {
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.LoginResponse,
            LoginRequestPdu.Flags(transit, @continue, currentStage, nextStage), initiatorTaskTag);
        header[2] = LoginRequestPdu.Version;
        header[3] = LoginRequestPdu.Version;
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        isid.Write(header[8..]);
        WriteUInt16BigEndian(header[14..], tsih);
        WriteUInt16BigEndian(header[36..], (ushort)status);
    }
}
