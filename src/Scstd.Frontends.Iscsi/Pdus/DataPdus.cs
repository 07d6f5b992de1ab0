using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>SCSI Data-Out — RFC 7143 §11.7.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x05        |F| Reserved                                    |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag                                              |
   20| Target Transfer Tag or 0xffffffff                               |
   24| Reserved                                                        |
   28| ExpStatSN                                                       |
   32| Reserved                                                        |
   36| DataSN                                                          |
   40| Buffer Offset                                                   |
   44| Reserved                                                        */
public readonly ref struct DataOutPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    /// <summary>F: the last PDU of this unsolicited burst or of the answer to this R2T.</summary>
    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    /// <summary>Unsolicited data carries the reserved Target Transfer Tag (§11.7.4).</summary>
    public bool Unsolicited => TargetTransferTag == BasicHeaderSegment.ReservedTag;

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public uint DataSn => ReadUInt32BigEndian(_header[36..]);

    public uint BufferOffset => ReadUInt32BigEndian(_header[40..]);

    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, uint targetTransferTag, uint dataSn, uint bufferOffset,
        int dataSegmentLength, bool final, ulong lun = 0, uint expStatSn = 0)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.DataOut, final ? HeaderBits.Final : (byte)0, initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
        WriteUInt32BigEndian(header[28..], expStatSn);
        WriteUInt32BigEndian(header[36..], dataSn);
        WriteUInt32BigEndian(header[40..], bufferOffset);
    }
}

/// <summary>SCSI Data-In — RFC 7143 §11.7.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x25        |F|A|0 0 0|O|U|S| Reserved      |Status or Rsvd |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag                                              |
   20| Target Transfer Tag or 0xffffffff                               |
   24| StatSN or Reserved                                              |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| DataSN                                                          |
   40| Buffer Offset                                                   |
   44| Residual Count                                                  */
public readonly ref struct DataInPdu(ReadOnlySpan<byte> header)
{
    private const byte AcknowledgeBit = 0x40;
    private const byte StatusBit = 0x01;

    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    /// <summary>F: the last Data-In of a sequence (§11.7.2).</summary>
    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    /// <summary>A: wants a DataACK SNACK; only above ErrorRecoveryLevel 0.</summary>
    public bool Acknowledge => (_header[1] & AcknowledgeBit) != 0;

    /// <summary>S: the command's status comes with this PDU; there is no SCSI Response (§11.7.3).</summary>
    public bool HasStatus => (_header[1] & StatusBit) != 0;

    public byte Status => _header[3];

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public uint ExpCmdSn => TargetSequence.ExpCmdSn(_header);

    public uint MaxCmdSn => TargetSequence.MaxCmdSn(_header);

    public uint DataSn => ReadUInt32BigEndian(_header[36..]);

    public uint BufferOffset => ReadUInt32BigEndian(_header[40..]);

    public Residual Residual => ScsiResponsePdu.ReadResidual(
        _header, ScsiResponsePdu.OverflowBit, ScsiResponsePdu.UnderflowBit, 44);

    /// <summary>Data without status. StatSN stays reserved: stamp with StampWithoutStatSn.</summary>
    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, uint dataSn, uint bufferOffset, int dataSegmentLength, bool final) =>
        Fill(header, initiatorTaskTag, dataSn, bufferOffset, dataSegmentLength, final ? HeaderBits.Final : (byte)0);

    /// <summary>
    /// The last data together with the status. Allowed for a status that brings no sense data (§11.7.3: "GOOD,
    /// CONDITION MET, INTERMEDIATE or INTERMEDIATE-CONDITION MET"); F is then 1.
    /// </summary>
    public static void WriteWithStatus(
        Span<byte> header, uint initiatorTaskTag, uint dataSn, uint bufferOffset, int dataSegmentLength, byte status,
        Residual residual = default)
    {
        var flags = (byte)(HeaderBits.Final | StatusBit
            | ScsiResponsePdu.Flags(residual, ScsiResponsePdu.OverflowBit, ScsiResponsePdu.UnderflowBit));
        Fill(header, initiatorTaskTag, dataSn, bufferOffset, dataSegmentLength, flags);
        header[3] = status;
        WriteUInt32BigEndian(header[44..], residual.CountBytes);
    }

    private static void Fill(
        Span<byte> header, uint initiatorTaskTag, uint dataSn, uint bufferOffset, int dataSegmentLength, byte flags)
    {
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.DataIn, flags, initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt32BigEndian(header[20..], BasicHeaderSegment.ReservedTag);
        WriteUInt32BigEndian(header[36..], dataSn);
        WriteUInt32BigEndian(header[40..], bufferOffset);
    }
}

/// <summary>Ready To Transfer — RFC 7143 §11.8.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x31        |1| Reserved                                    |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN                                                             |
   16| Initiator Task Tag                                              |
   20| Target Transfer Tag                                             |
   24| StatSN (the next one; not advanced by an R2T)                   |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| R2TSN                                                           |
   40| Buffer Offset                                                   |
   44| Desired Data Transfer Length                                    */
public readonly ref struct R2TPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public uint R2TSn => ReadUInt32BigEndian(_header[36..]);

    public uint BufferOffset => ReadUInt32BigEndian(_header[40..]);

    public uint DesiredDataTransferLength => ReadUInt32BigEndian(_header[44..]);

    public static void WriteTo(
        Span<byte> header, ulong lun, uint initiatorTaskTag, uint targetTransferTag, uint r2TSn, uint bufferOffset,
        uint desiredDataTransferLength)
    {
        header = BasicHeaderSegment.Begin(header, (byte)Opcode.ReadyToTransfer, HeaderBits.Final, initiatorTaskTag);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
        WriteUInt32BigEndian(header[36..], r2TSn);
        WriteUInt32BigEndian(header[40..], bufferOffset);
        WriteUInt32BigEndian(header[44..], desiredDataTransferLength);
    }
}
