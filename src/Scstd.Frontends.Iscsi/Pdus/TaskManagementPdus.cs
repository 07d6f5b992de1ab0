using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>Function, RFC 7143 §11.5.1; 9 to 12 from RFC 7144 §4.3.</summary>
public enum TaskManagementFunctionCode : byte
{
    AbortTask = 1,
    AbortTaskSet = 2,
    ClearAca = 3,
    ClearTaskSet = 4,
    LogicalUnitReset = 5,
    TargetWarmReset = 6,
    TargetColdReset = 7,
    TaskReassign = 8,
    QueryTask = 9,
    QueryTaskSet = 10,
    ItNexusReset = 11,
    QueryAsynchronousEvent = 12,
}

/// <summary>Response, RFC 7143 §11.6.1; 7 from RFC 7144 §4.4.</summary>
public enum TaskManagementResponseCode : byte
{
    FunctionComplete = 0,
    TaskDoesNotExist = 1,
    LunDoesNotExist = 2,
    TaskStillAllegiant = 3,
    TaskAllegianceReassignmentNotSupported = 4,
    TaskManagementFunctionNotSupported = 5,
    FunctionAuthorizationFailed = 6,
    FunctionSucceeded = 7,
    FunctionRejected = 255,
}

/// <summary>Task Management Function Request — RFC 7143 §11.5.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|I| 0x02        |1| Function    | Reserved                      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| Logical Unit Number (LUN) or Reserved                           |
   16| Initiator Task Tag                                              |
   20| Referenced Task Tag or 0xffffffff                               |
   24| CmdSN                                                           |
   28| ExpStatSN                                                       |
   32| RefCmdSN or Reserved                                            |
   36| ExpDataSN or Reserved                                           |
   40/ Reserved                                                        */
public readonly ref struct TaskManagementRequestPdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public bool Immediate => (_header[0] & HeaderBits.Immediate) != 0;

    public TaskManagementFunctionCode Function => (TaskManagementFunctionCode)(_header[1] & 0x7F);

    public ulong Lun => ReadUInt64BigEndian(_header[8..]);

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint ReferencedTaskTag => ReadUInt32BigEndian(_header[20..]);

    public uint CmdSn => ReadUInt32BigEndian(_header[24..]);

    public uint ExpStatSn => ReadUInt32BigEndian(_header[28..]);

    /// <summary>For ABORT TASK: the CmdSN of the task to abort (§11.5.5), to plug its gap if it never came.</summary>
    public uint RefCmdSn => ReadUInt32BigEndian(_header[32..]);

    public uint ExpDataSn => ReadUInt32BigEndian(_header[36..]);

    public static void WriteTo(
        Span<byte> header, TaskManagementFunctionCode function, ulong lun, uint initiatorTaskTag, uint cmdSn,
        uint expStatSn, uint referencedTaskTag = BasicHeaderSegment.ReservedTag, uint refCmdSn = 0,
        bool immediate = true)
    {
        var first = (byte)((byte)Opcode.TaskManagementFunctionRequest | (immediate ? HeaderBits.Immediate : 0));
        header = BasicHeaderSegment.Begin(header, first, (byte)(HeaderBits.Final | (byte)function), initiatorTaskTag);
        WriteUInt64BigEndian(header[8..], lun);
        WriteUInt32BigEndian(header[20..], referencedTaskTag);
        WriteUInt32BigEndian(header[24..], cmdSn);
        WriteUInt32BigEndian(header[28..], expStatSn);
        WriteUInt32BigEndian(header[32..], refCmdSn);
    }
}

/// <summary>Task Management Function Response — RFC 7143 §11.6.</summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0|.|.| 0x22        |1| Reserved    | Response      | Reserved      |
    4|TotalAHSLength   | DataSegmentLength                             |
    8| Additional Response Information (RFC 7144)      | Reserved      |
   12| Reserved                                                        |
   16| Initiator Task Tag                                              |
   20| Reserved                                                        |
   24| StatSN                                                          |
   28| ExpCmdSN                                                        |
   32| MaxCmdSN                                                        |
   36/ Reserved                                                        */
public readonly ref struct TaskManagementResponsePdu(ReadOnlySpan<byte> header)
{
    private readonly ReadOnlySpan<byte> _header = header[..BasicHeaderSegment.Length];

    public TaskManagementResponseCode Response => (TaskManagementResponseCode)_header[2];

    public uint InitiatorTaskTag => ReadUInt32BigEndian(_header[16..]);

    public uint StatSn => TargetSequence.StatSn(_header);

    /// <summary>Three bytes, RFC 7144: what SAM-5 gives a function's response besides its code.</summary>
    public ReadOnlySpan<byte> AdditionalResponseInformation => _header.Slice(8, 3);

    public static void WriteTo(
        Span<byte> header, uint initiatorTaskTag, TaskManagementResponseCode response,
        ReadOnlySpan<byte> additionalResponseInformation = default)
    {
        header = BasicHeaderSegment.Begin(
            header, (byte)Opcode.TaskManagementFunctionResponse, HeaderBits.Final, initiatorTaskTag);
        header[2] = (byte)response;
        additionalResponseInformation.CopyTo(header[8..]);
    }
}
