using System.Runtime.InteropServices;

namespace Scstd.Linux.IoUring;

/// <summary>Operation codes (linux/io_uring.h, enum io_uring_op).</summary>
internal enum RingOperation : byte
{
    Nothing = 0,
    ReadVectors = 1,
    WriteVectors = 2,
    Sync = 3,
    ReadRegistered = 4,
    WriteRegistered = 5,
    SendMessage = 9,
    ReceiveMessage = 10,
    Accept = 13,
    Cancel = 14,
    Fallocate = 17,
    Read = 22,
    Write = 23,
    Receive = 27,
    SendMessageZeroCopy = 48,
}

/// <summary>struct io_uring_sqe.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct SubmissionEntry
{
    [FieldOffset(0)]
    public RingOperation Operation;

    [FieldOffset(1)]
    public byte Flags;

    /// <summary>ioprio: for sockets the flags of the operation itself.</summary>
    [FieldOffset(2)]
    public ushort SocketFlags;

    [FieldOffset(4)]
    public int Descriptor;

    [FieldOffset(8)]
    public long Offset;

    [FieldOffset(16)]
    public nint Address;

    [FieldOffset(24)]
    public uint Length;

    /// <summary>rw_flags, msg_flags, fsync_flags, accept_flags, cancel_flags.</summary>
    [FieldOffset(28)]
    public uint OperationFlags;

    [FieldOffset(32)]
    public ulong UserData;

    [FieldOffset(40)]
    public ushort BufferGroup;

    /// <summary>Of a registered buffer; shares its place with <see cref="BufferGroup"/>.</summary>
    [FieldOffset(40)]
    public ushort BufferIndex;
}

/// <summary>struct io_uring_cqe.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CompletionEntry
{
    public ulong UserData;
    public int Result;
    public uint Flags;
}

/// <summary>struct io_sqring_offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SubmissionOffsets
{
    public uint Head;
    public uint Tail;
    public uint Mask;
    public uint Entries;
    public uint Flags;
    public uint Dropped;
    public uint Array;
    public uint Reserved;
    public ulong UserAddress;
}

/// <summary>struct io_cqring_offsets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CompletionOffsets
{
    public uint Head;
    public uint Tail;
    public uint Mask;
    public uint Entries;
    public uint Overflow;
    public uint Completions;
    public uint Flags;
    public uint Reserved;
    public ulong UserAddress;
}

/// <summary>struct io_uring_params.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingParameters
{
    public uint SubmissionEntries;
    public uint CompletionEntries;
    public uint Flags;
    public uint ThreadCpu;
    public uint ThreadIdle;
    public uint Features;
    public uint WorkQueueDescriptor;
    public fixed uint Reserved[3];
    public SubmissionOffsets Submission;
    public CompletionOffsets Completion;
}

/// <summary>struct __kernel_timespec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KernelTime
{
    public long Seconds;
    public long Nanoseconds;
}

/// <summary>struct io_uring_getevents_arg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct WaitArgument
{
    public ulong SignalMask;
    public uint SignalMaskBytes;
    public uint MinWaitMicroseconds;
    public KernelTime* Timeout;
}

/// <summary>struct io_uring_buf; the ring's tail lies in the last two bytes of the first one.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ProvidedBuffer
{
    public nint Address;
    public uint LengthBytes;
    public ushort Index;
    public ushort Reserved;
}

/// <summary>struct io_uring_buf_reg.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BufferRingRegistration
{
    public nint Address;
    public uint Entries;
    public ushort Group;
    public ushort Flags;
    public fixed ulong Reserved[3];
}

/// <summary>struct io_uring_rsrc_register.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceRegistration
{
    public uint Count;
    public uint Flags;
    public ulong Reserved;
    public nint Data;
    public nint Tags;
}

/// <summary>struct io_uring_rsrc_update2.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceUpdate
{
    public uint First;
    public uint Reserved;
    public nint Data;
    public nint Tags;
    public uint Count;
    public uint Reserved2;
}

/// <summary>Flags of linux/io_uring.h.</summary>
internal static class RingFlags
{
    public const uint SetupCompletionSize = 1 << 3;
    public const uint SetupClamp = 1 << 4;
    public const uint SetupSubmitAll = 1 << 7;
    public const uint SetupCooperativeTaskRun = 1 << 8;
    public const uint SetupTaskRunFlag = 1 << 9;
    public const uint SetupSingleIssuer = 1 << 12;
    public const uint SetupDeferTaskRun = 1 << 13;

    public const uint FeatureSingleMap = 1 << 0;
    public const uint FeatureNoDrop = 1 << 1;
    public const uint FeatureSubmitStable = 1 << 2;
    public const uint FeatureFastPoll = 1 << 5;
    public const uint FeatureExtendedArgument = 1 << 8;

    public const uint EnterGetEvents = 1 << 0;
    public const uint EnterExtendedArgument = 1 << 3;

    public const uint SubmissionOverflow = 1 << 1;
    public const uint SubmissionTaskRun = 1 << 2;

    public const byte EntryBufferSelect = 1 << 5;
    public const ushort ReceivePollFirst = 1 << 0;
    public const ushort AcceptMultishot = 1 << 0;
    public const ushort SendReportUsage = 1 << 3;
    public const uint SyncDataOnly = 1 << 0;
    public const uint CancelAll = 1 << 0;
    public const uint CancelDescriptor = 1 << 1;

    public const uint CompletionBuffer = 1 << 0;
    public const uint CompletionMore = 1 << 1;
    public const uint CompletionSocketNotEmpty = 1 << 2;
    public const uint CompletionNotification = 1 << 3;
    public const int CompletionBufferShift = 16;

    /// <summary>IORING_NOTIF_USAGE_ZC_COPIED, in the result of a notification.</summary>
    public const int NotificationCopied = int.MinValue;

    public const uint ResourcesSparse = 1 << 0;

    public const uint RegisterProbe = 8;
    public const uint RegisterBuffers = 15;
    public const uint RegisterBuffersUpdate = 16;
    public const uint RegisterWorkerLimit = 19;
    public const uint RegisterBufferRing = 22;
}
