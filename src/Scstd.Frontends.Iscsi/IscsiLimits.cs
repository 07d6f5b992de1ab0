namespace Scstd.Frontends.Iscsi;

/// <summary>What bounds the queues, waits and tables of this frontend, each with its source.</summary>
public static class IscsiLimits
{
    /// <summary>Our choice: below this a copy out of the reactor's hot receive buffer costs less than a receive of its
    /// own.</summary>
    internal const int DirectReceiveMinBytes = 8 * 1024;

    /// <summary>Our choice: PDUs of one connection that are with the stream; half of what one sendmsg may carry as
    /// vectors (IOV_MAX 1024), and a bound on header memory when the initiator asks for tiny data segments.</summary>
    internal const int QueuedPdusMax = 512;

    /// <summary>Our choice: bytes of one connection that are with the stream before it has to take some; more than a
    /// socket's send buffer holds, so the wire never waits for us.</summary>
    internal const int UnsentBytesMax = 8 * 1024 * 1024;

    /// <summary>Our choice: answers that may wait behind <see cref="QueuedPdusMax"/>; a peer that makes more of them
    /// than it reads is not read from.</summary>
    internal const int WaitingPdusMax = 1024;

    /// <summary>Our choice: memory of a connection's answers that carry data of their own (ping echoes, text), with the
    /// stream and waiting. No initiator needs several of them at once; one that makes more than it reads is not read
    /// from.</summary>
    internal const int AnswerBytesMax = 4 * 1024 * 1024;

    /// <summary>Our choice: data of a session's requests that wait for older ones. One connection keeps the order, so
    /// an honest initiator needs none of it.</summary>
    internal const int HeldBytesMax = 4 * 1024 * 1024;

    /// <summary>Our choice: Login Responses of one connection that have not left. Requests and responses alternate, so
    /// one is the rule; the reactor may hear of the next request before it hears that the response has left.</summary>
    internal const int LoginResponsesMax = 4;

    /// <summary>Our choice: how long a discovery session may ask nothing. Its initiator cannot answer a ping, and can
    /// come again at any time.</summary>
    internal const int DiscoveryIdleTimeoutMs = 60_000;

    /// <summary>Our choice: the largest Data-In or Data-Out data segment; the largest segment that the buffer pool
    /// leases is larger, so a copy for a digest always fits in one lease.</summary>
    public const int DataSegmentLengthMax = 1024 * 1024;

    /// <summary>Our choice: immediate SCSI commands of a session under way. RFC 7143 §4.2.2.1 leaves the number to the
    /// target and gives reject reason 06h for the rest.</summary>
    internal const int ImmediateCommandsMax = 8;

    /// <summary>Our choice: task management functions of a session under way.</summary>
    internal const int TaskManagementRequestsMax = 16;

    /// <summary>Our choice: R2Ts outstanding for one command; a single one keeps a LAN busy at MaxBurstLength, a few
    /// hide its latency.</summary>
    public const int OutstandingR2TMax = 8;

    /// <summary>Our choice: how long a stream may lend a command's buffer after the command was aborted.</summary>
    internal const int LentBufferTimeoutMs = 5_000;

    /// <summary>Our choice: how long a last word (Logout Response, Reject, failed Login Response) may take.</summary>
    internal const int LastWordTimeoutMs = 2_000;

    /// <summary>Our choice: how far apart two SCSI asynchronous events of one kind, LUN and session are at least. An
    /// initiator rescans for each.</summary>
    internal const int AsynchronousEventPeriodMs = 1_000;

    /// <summary>Our choice: SCSI asynchronous events of a session that wait because one of their kind and LUN has just
    /// been sent. More LUNs do not change several times a second, and each change is told by its unit attention
    /// condition anyway.</summary>
    internal const int AsynchronousEventsDueMax = 64;

    /// <summary>Our choice: the longest command window a target may be configured to.</summary>
    public const int QueueDepthMax = 4096;
}
