using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Type, RFC 7143 §11.16.1.</summary>
public enum SnackType : byte
{
    DataOrR2T = 0,
    Status = 1,
    DataAck = 2,
    RData = 3,
}

/// <summary>SNACK Request — RFC 7143 §11.16. Known here only so that it can be refused by name.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x10        |1|.|.|.| Type  | Reserved                      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag or 0xffffffff                                |
   20| Target Transfer Tag or SNACK Tag or 0xffffffff                  |
   24| Reserved                                                        |
   28| ExpStatSN                                                       |
   32/ Reserved                                                        /
   40| BegRun                                                          |
   44| RunLength                                                       */
public readonly ref struct SnackPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public SnackType Type => (SnackType)(_header[1] & 0x0F);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public uint BegRun => ReadUInt32BigEndian(_header[40..]);

    public uint RunLength => ReadUInt32BigEndian(_header[44..]);

    public static void WriteTo(
        Span<byte> header, SnackType type, uint initiatorTaskTag, uint begRun, uint runLength, uint expStatSn,
        uint targetTransferTag = BasicHeaderSegment.ReservedTag, ulong lun = 0)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.SnackRequest, (byte)(HeaderBits.Final | (byte)type), initiatorTaskTag);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
        WriteUInt32BigEndian(header[28..], expStatSn);
        WriteUInt32BigEndian(header[40..], begRun);
        WriteUInt32BigEndian(header[44..], runLength);
    }
}
