using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>ATTR, RFC 7143 §11.3.1.</summary>
public enum TaskAttributeCode : byte
{
    Untagged = 0,
    Simple = 1,
    Ordered = 2,
    HeadOfQueue = 3,
    Aca = 4,
}

/// <summary>SCSI Command — RFC 7143 §11.3; PRI from RFC 7144 §4.2.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| 0x01        |F|R|W|. .|ATTR | PRI   | Reserved              |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| Logical Unit Number (LUN)                                       |
   16| Initiator Task Tag                                              |
   20| Expected Data Transfer Length                                   |
   24| CmdSN                                                           |
   28| ExpStatSN                                                       |
   32/ SCSI Command Descriptor Block (CDB)                             /
   48/ AHS, header digest, immediate data, data digest                 */
public readonly ref struct ScsiCommandPdu(ReadOnlySpan<byte> header)
{
    public const byte ReadBit = 0x40;
    public const byte WriteBit = 0x20;
    private const byte AttributeMask = 0x07;
    private const int CdbOffset = 32;

    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    /// <summary>F: no unsolicited Data-Out PDUs follow this one.</summary>
    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    public bool Read => (_header[1] & ReadBit) != 0;

    public bool Write => (_header[1] & WriteBit) != 0;

    /// <summary>ATTR as received; 5 to 7 are reserved.</summary>
    public TaskAttributeCode Attribute => (TaskAttributeCode)(_header[1] & AttributeMask);

    /// <summary>Command priority (RFC 7144 §4.2); reserved below iSCSIProtocolLevel 2.</summary>
    public int Priority => _header[2] >> 4;

    public int TotalAhsLengthBytes => _header[4] * 4;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint ExpectedDataTransferLength => ReadUInt32BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    /// <summary>The first 16 bytes of the CDB; the rest, if any, is in the Extended CDB AHS.</summary>
    public ReadOnlySpan<byte> Cdb => _header[CdbOffset..];

    /// <summary>Writes a command as an initiator does: for tests, simulation and load.</summary>
    public static void WriteTo(
        Span<byte> header, ulong lun, uint initiatorTaskTag, uint expectedDataTransferLength, uint cmdSn,
        uint expStatSn, ReadOnlySpan<byte> cdb, bool read = false, bool write = false, bool final = true,
        bool immediate = false, TaskAttributeCode attribute = TaskAttributeCode.Simple, int dataSegmentLength = 0,
        int priority = 0)
    {
        var flags = (byte)((final ? HeaderBits.Final : 0) | (read ? ReadBit : 0) | (write ? WriteBit : 0)
            | ((byte)attribute & AttributeMask));
        var first = (byte)((byte)Opcode.ScsiCommand | (immediate ? HeaderBits.Immediate : 0));
        header = BasicHeaderSegment.Begin(header, first, flags, initiatorTaskTag);
        header[2] = (byte)(priority << 4);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], expectedDataTransferLength);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
        cdb[..Math.Min(cdb.Length, AdditionalHeaderSegments.CdbBytesInHeader)].CopyTo(header[CdbOffset..]);
    }
}
