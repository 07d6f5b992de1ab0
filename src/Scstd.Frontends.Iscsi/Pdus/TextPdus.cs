using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Text Request — RFC 7143 §11.10.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| 0x04        |F|C| Reserved                                  |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag                                              |
   20| Target Transfer Tag or 0xffffffff                               |
   24| CmdSN                                                           |
   28| ExpStatSN                                                       |
   32/ Reserved                                                        /
   48/ data segment: text                                              */
public readonly ref struct TextRequestPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    /// <summary>F: the initiator has nothing more to say in this exchange (§11.10.1).</summary>
    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    public bool Continue => (_header[1] & HeaderBits.Continue) != 0;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    /// <summary>Reserved: begins (or resets) an exchange. Otherwise: goes on with the one that has this tag.</summary>
    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, uint targetTransferTag, uint cmdSn, uint expStatSn,
        int dataSegmentLength, bool final = true, bool @continue = false, bool immediate = false)
    {
        var first = (byte)((byte)Opcode.TextRequest | (immediate ? HeaderBits.Immediate : 0));
        header = BasicHeaderSegment.Begin(header, first, Flags(final, @continue), initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
    }

    internal static byte Flags(bool final, bool @continue) =>
        (byte)((final ? HeaderBits.Final : 0) | (@continue ? HeaderBits.Continue : 0));
}

/// <summary>Text Response — RFC 7143 §11.11.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x24        |F|C| Reserved                                  |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| Initiator Task Tag                                              |
   20| Target Transfer Tag or 0xffffffff                               |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36/ Reserved                                                        /
   48/ data segment: text                                              */
public readonly ref struct TextResponsePdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Final => (_header[1] & HeaderBits.Final) != 0;

    public bool Continue => (_header[1] & HeaderBits.Continue) != 0;

    public int DataSegmentLength => (int)(ReadUInt32BigEndian(_header[4..]) & 0xFFFFFF);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint TargetTransferTag => ReadUInt32BigEndian(_header[20..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    /// <summary>With F=1 the Target Transfer Tag must be reserved, with F=0 it must not (§11.11.4).</summary>
    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, uint targetTransferTag, int dataSegmentLength, bool final,
        bool @continue, ulong lun = 0)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.TextResponse, TextRequestPdu.Flags(final, @continue), initiatorTaskTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], targetTransferTag);
    }
}
