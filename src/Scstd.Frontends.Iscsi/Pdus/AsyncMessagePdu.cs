using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>AsyncEvent, RFC 7143 §11.9.1.</summary>
public enum AsyncEvent : byte
{
    /// <summary>Sense data in the data segment.</summary>
    ScsiAsynchronousEvent = 0,

    /// <summary>The target wants a Logout within Parameter3 seconds.</summary>
    TargetRequestsLogout = 1,

    /// <summary>The connection named by Parameter1 will be dropped; Parameter2/3 are Time2Wait/Time2Retain.</summary>
    DropConnection = 2,

    /// <summary>All connections of the session will be dropped; Parameter2/3 are Time2Wait/Time2Retain.</summary>
    DropAllConnections = 3,

    /// <summary>The initiator is to start parameter negotiation within Parameter3 seconds.</summary>
    TargetRequestsNegotiation = 4,

    /// <summary>All active tasks of the LUN are being terminated (FastAbort, §4.2.3.4).</summary>
    TasksTerminated = 5,

    VendorSpecific = 255,
}

/// <summary>Asynchronous Message — RFC 7143 §11.9.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x32        |1| Reserved                                    |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| LUN or Reserved                                                 |
   16| 0xffffffff                                                      |
   20| Reserved                                                        |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36| AsyncEvent      | AsyncVCode    | Parameter1 or Reserved        |
   40| Parameter2 or Reserved          | Parameter3 or Reserved        |
   44| Reserved                                                        |
   48| data segment: SenseLength, sense data, iSCSI event data         */
public readonly ref struct AsyncMessagePdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    public AsyncEvent Event => (AsyncEvent)_header[36];

    public byte VendorCode => _header[37];

    public ushort Parameter1 => ReadUInt16BigEndian(_header[38..]);

    public ushort Parameter2 => ReadUInt16BigEndian(_header[40..]);

    public ushort Parameter3 => ReadUInt16BigEndian(_header[42..]);

    public static void WriteTo(
        Span<byte> header, AsyncEvent @event, ulong lun = 0, ushort parameter1 = 0, ushort parameter2 = 0,
        ushort parameter3 = 0, int dataSegmentLength = 0, byte vendorCode = 0)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.AsyncMessage, HeaderBits.Final, BasicHeaderSegment.ReservedTag);
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        WriteUInt64BigEndian(header[8..], lun);
        header[36] = (byte)@event;
        header[37] = vendorCode;
        WriteUInt16BigEndian(header[38..], parameter1);
        WriteUInt16BigEndian(header[40..], parameter2);
        WriteUInt16BigEndian(header[42..], parameter3);
    }
}
