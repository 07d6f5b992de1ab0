using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Response, RFC 7143 §11.4.3 (iSCSI service response; the SCSI status is valid only with 00h).</summary>
public enum ServiceResponse : byte
{
    CommandCompletedAtTarget = 0x00,
    TargetFailure = 0x01,
}

/// <summary>
/// Residual of a transfer, RFC 7143 §11.4.5: by how much what the command wanted to move differs from what the
/// initiator announced. Positive counts only; the kind says the direction.
/// </summary>
public readonly record struct Residual(ResidualKind Kind, uint CountBytes)
{
    public static Residual None => default;

    public static Residual Underflow(uint countBytes) => new(ResidualKind.Underflow, countBytes);

    public static Residual Overflow(uint countBytes) => new(ResidualKind.Overflow, countBytes);
}

public enum ResidualKind : byte
{
    None,
    Underflow,
    Overflow,
}

/// <summary>SCSI Response — RFC 7143 §11.4; Status Qualifier from RFC 7144 §4.1.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x21        |1|. .|o|u|O|U|.| Response      | Status        |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| Status Qualifier                | Reserved                      |
   12| Reserved                                                        |
   16| Initiator Task Tag                                              |
   20| SNACK Tag or Reserved                                           |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| ExpDataSN or Reserved                                           |
   40| Bidirectional Read Residual Count or Reserved                   |
   44| Residual Count or Reserved                                      |
   48| data segment: SenseLength (2 bytes), sense data, response data  */
public readonly ref struct ScsiResponsePdu(ReadOnlySpan<byte> header)
{
    /// <summary>The data segment begins with the length of the sense data (§11.4.7).</summary>
    public const int SenseLengthFieldLength = 2;

    private const byte BidirectionalOverflowBit = 0x10;
    private const byte BidirectionalUnderflowBit = 0x08;
    internal const byte OverflowBit = 0x04;
    internal const byte UnderflowBit = 0x02;

    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public ServiceResponse Response => (ServiceResponse)_header[2];

    public byte Status => _header[3];

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ushort StatusQualifier => ReadUInt16BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public uint ExpCmdSn => TargetSequence.ExpCmdSn(_header);

    public uint MaxCmdSn => TargetSequence.MaxCmdSn(_header);

    /// <summary>Number of Data-In and R2T PDUs the target has sent for the command (§11.4.8).</summary>
    public uint ExpDataSn => ReadUInt32BigEndian(_header[36..]);

    public Residual Residual => ReadResidual(_header, OverflowBit, UnderflowBit, 44);

    public Residual BidirectionalReadResidual =>
        ReadResidual(_header, BidirectionalOverflowBit, BidirectionalUnderflowBit, 40);

    /// <summary>Sequence numbers stay zero: see <see cref="TargetSequence"/>.</summary>
    /// <param name="header">Where the 48 bytes go.</param>
    /// <param name="initiatorTaskTag">Tag of the command.</param>
    /// <param name="status">SCSI status; to be zero unless the response is "completed at target".</param>
    /// <param name="residual">Residual of the only, or of the write, direction.</param>
    /// <param name="expDataSn">Data-In plus R2T PDUs sent; zero when there were none.</param>
    /// <param name="dataSegmentLength">SenseLength field, sense data and response data; 0 without sense.</param>
    /// <param name="response">Completed at target, or target failure.</param>
    /// <param name="bidirectionalReadResidual">Residual of the read direction of a bidirectional command.</param>
    /// <param name="statusQualifier">RFC 7144; zero below iSCSIProtocolLevel 2.</param>
    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, byte status, Residual residual = default, uint expDataSn = 0,
        int dataSegmentLength = 0, ServiceResponse response = ServiceResponse.CommandCompletedAtTarget,
        Residual bidirectionalReadResidual = default, ushort statusQualifier = 0)
    {
        var flags = (byte)(HeaderBits.Final | Flags(residual, OverflowBit, UnderflowBit)
            | Flags(bidirectionalReadResidual, BidirectionalOverflowBit, BidirectionalUnderflowBit));
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.ScsiResponse, flags, initiatorTaskTag);
        header[2] = (byte)response;
        header[3] = status;
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt16BigEndian(header[8..], statusQualifier);
        WriteUInt32BigEndian(header[36..], expDataSn);
        WriteUInt32BigEndian(header[40..], bidirectionalReadResidual.CountBytes);
        WriteUInt32BigEndian(header[44..], residual.CountBytes);
    }

    /// <summary>
    /// Writes the data segment that carries sense data (§11.4.7) and returns its length. It is what a response with
    /// CHECK CONDITION must bring along: autosense.
    /// </summary>
    public static int WriteSense(Span<byte> dataSegment, ReadOnlySpan<byte> sense)
    {
        WriteUInt16BigEndian(dataSegment, (ushort)sense.Length);
        sense.CopyTo(dataSegment[SenseLengthFieldLength..]);
        return SenseLengthFieldLength + sense.Length;
    }

    /// <summary>The sense data inside a response's data segment; empty when its length field lies.</summary>
    public static ReadOnlySpan<byte> ReadSense(ReadOnlySpan<byte> dataSegment)
    {
        if (dataSegment.Length < SenseLengthFieldLength) return default;
        int length = ReadUInt16BigEndian(dataSegment);
        dataSegment = dataSegment[SenseLengthFieldLength..];
        return length <= dataSegment.Length ? dataSegment[..length] : default;
    }

    internal static byte Flags(Residual residual, byte overflowBit, byte underflowBit) => residual.Kind switch
    {
        ResidualKind.Overflow => overflowBit,
        ResidualKind.Underflow => underflowBit,
        _ => 0,
    };

    internal static Residual ReadResidual(ReadOnlySpan<byte> header, byte overflow, byte underflow, int offset)
    {
        var count = ReadUInt32BigEndian(header[offset..]);
        if ((header[1] & overflow) != 0) return Residual.Overflow(count);
        return (header[1] & underflow) != 0 ? Residual.Underflow(count) : Residual.None;
    }
}
