using System.Runtime.InteropServices;

namespace Scstd.Linux.IoUring;

/// <summary>
/// One io_uring: its two queues in shared memory and the call that submits and waits. Made and used on one thread.
/// Entries are only written into memory until <see cref="Enter"/>.
/// </summary>
internal sealed unsafe class Ring : IDisposable
{
    /// <summary>Our choice: what one pass rarely fills; a pass that does submits in between.</summary>
    private const uint SubmissionCount = 1024;

    /// <summary>Our choice: completions of a busy pass; beyond it the kernel keeps them in a list (NODROP), slower
    /// but not lost.</summary>
    private const uint CompletionCount = 8192;

    private const uint Required = RingFlags.FeatureSingleMap | RingFlags.FeatureNoDrop
        | RingFlags.FeatureSubmitStable | RingFlags.FeatureFastPoll | RingFlags.FeatureExtendedArgument;

    private const long QueuesOffset = 0;
    private const long EntriesOffset = 0x10000000;

    /// <summary>Best first. DEFER_TASKRUN lets completions happen only inside our own call: batches, and no
    /// interruption of managed code.</summary>
    private static readonly uint[] SetupFlags =
    [
        RingFlags.SetupSubmitAll | RingFlags.SetupSingleIssuer | RingFlags.SetupDeferTaskRun
            | RingFlags.SetupTaskRunFlag,
        RingFlags.SetupSubmitAll | RingFlags.SetupCooperativeTaskRun | RingFlags.SetupTaskRunFlag,
        0,
    ];

    private readonly FileHandle _handle;
    private readonly nint _queues;
    private readonly nuint _queuesBytes;
    private readonly SubmissionEntry* _entries;
    private readonly nuint _entriesBytes;
    private readonly uint* _submissionHead;
    private readonly uint* _submissionTail;
    private readonly uint* _submissionFlags;
    private readonly uint _submissionCount;
    private readonly uint _submissionMask;
    private readonly uint* _completionHead;
    private readonly uint* _completionTail;
    private readonly uint _completionMask;
    private readonly CompletionEntry* _completions;
    private uint _tail;

    // Entries for which the queue had no room and the kernel took none at that moment.
    private SubmissionEntry* _spilled;
    private int _spilledCapacity;
    private int _spilledCount;

    /// <exception cref="RingRefusedException">With the reason.</exception>
    internal Ring(Func<int>? refuse)
    {
        RingParameters parameters;
        _handle = Setup(refuse, &parameters);
        try
        {
            if ((parameters.Features & Required) != Required)
                throw new RingRefusedException($"io_uring lacks features (it has {parameters.Features:x})");
            SubmissionOffsets submission = parameters.Submission;
            CompletionOffsets completion = parameters.Completion;
            _queuesBytes = Math.Max(
                submission.Array + (parameters.SubmissionEntries * sizeof(uint)),
                completion.Completions + (parameters.CompletionEntries * (uint)sizeof(CompletionEntry)));
            _entriesBytes = parameters.SubmissionEntries * (uint)sizeof(SubmissionEntry);
            _queues = Map(_queuesBytes, QueuesOffset);
            _entries = (SubmissionEntry*)Map(_entriesBytes, EntriesOffset);
            _submissionHead = (uint*)(_queues + (nint)submission.Head);
            _submissionTail = (uint*)(_queues + (nint)submission.Tail);
            _submissionFlags = (uint*)(_queues + (nint)submission.Flags);
            _submissionCount = parameters.SubmissionEntries;
            _submissionMask = _submissionCount - 1;
            _completionHead = (uint*)(_queues + (nint)completion.Head);
            _completionTail = (uint*)(_queues + (nint)completion.Tail);
            _completionMask = parameters.CompletionEntries - 1;
            _completions = (CompletionEntry*)(_queues + (nint)completion.Completions);
            _tail = *_submissionTail;
            var array = (uint*)(_queues + (nint)submission.Array);
            for (uint i = 0; i < _submissionCount; i++)
                array[i] = i;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How a test makes io_uring_enter refuse: gives its errno, or 0 for the real call.</summary>
    internal Func<int>? RefuseEnter { get; set; }

    internal bool HasCompletions => *_completionHead != Volatile.Read(ref *_completionTail);

    internal bool HasSubmissions => _spilledCount > 0 || Unsubmitted > 0;

    /// <summary>The kernel has completions which only <see cref="Enter"/> brings into the queue.</summary>
    internal bool HoldsCompletions =>
        (Volatile.Read(ref *_submissionFlags) & (RingFlags.SubmissionTaskRun | RingFlags.SubmissionOverflow)) != 0;

    private uint Unsubmitted => _tail - Volatile.Read(ref *_submissionHead);

    /// <summary>An entry, all zero, to be filled before the next call of any member.</summary>
    internal SubmissionEntry* Next()
    {
        if (_spilledCount == 0 && Unsubmitted == _submissionCount)
            Enter(0, 0);
        SubmissionEntry* entry = _spilledCount == 0 && Unsubmitted < _submissionCount
            ? _entries + (_tail++ & _submissionMask)
            : NextSpilled();
        *entry = default;
        return entry;
    }

    /// <summary>Submits everything and, with <paramref name="minComplete"/>, waits for completions no longer than
    /// <paramref name="timeoutMs"/> (−1: for ever). May come back early.</summary>
    internal void Enter(uint minComplete, int timeoutMs)
    {
        MoveSpilled();
        while (_spilledCount > 0)
        {
            Call(0, 0);
            if (Unsubmitted == _submissionCount)
                return; // the kernel takes nothing before its completions are taken
            MoveSpilled();
        }
        Call(minComplete, timeoutMs);
    }

    /// <summary>How many completions lie in the queue now.</summary>
    internal uint CompletionsReady() => Volatile.Read(ref *_completionTail) - *_completionHead;

    /// <summary>Takes the next completion out of the queue; there must be one.</summary>
    internal CompletionEntry Take()
    {
        uint head = *_completionHead;
        CompletionEntry completion = _completions[head & _completionMask];
        Volatile.Write(ref *_completionHead, head + 1);
        return completion;
    }

    /// <summary>io_uring_register; 0 or more, or a negated errno.</summary>
    internal int Register(uint what, void* argument, int count)
    {
        nint result = LibC.RingRegister(LibC.RingRegisterCall, _handle.Descriptor, (nint)what, argument, count);
        return result >= 0 ? (int)result : -LibC.LastError;
    }

    public void Dispose()
    {
        if (_entries != null)
            _ = LibC.Unmap((nint)_entries, _entriesBytes);
        if (_queues != 0)
            _ = LibC.Unmap(_queues, _queuesBytes);
        _handle.Dispose();
        NativeMemory.Free(_spilled);
        _spilled = null;
        (_spilledCapacity, _spilledCount) = (0, 0);
    }

    private static FileHandle Setup(Func<int>? refuse, RingParameters* parameters)
    {
        int error = 0;
        foreach (uint flags in SetupFlags)
        {
            *parameters = new RingParameters
            {
                Flags = flags | RingFlags.SetupCompletionSize | RingFlags.SetupClamp,
                CompletionEntries = CompletionCount,
            };
            error = refuse?.Invoke() ?? 0;
            if (error == 0)
            {
                nint descriptor = LibC.RingSetup(LibC.RingSetupCall, (nint)SubmissionCount, parameters);
                if (descriptor >= 0)
                    return new FileHandle((int)descriptor);
                error = LibC.LastError;
            }
            if (error != ErrorNumber.InvalidArgument)
                break;
        }
        throw new RingRefusedException($"io_uring_setup: {LinuxException.Describe(error)}");
    }

    private nint Map(nuint lengthBytes, long offset)
    {
        const int Protection = LibC.ProtectRead | LibC.ProtectWrite;
        nint address = LibC.Map(
            0, lengthBytes, Protection, LibC.MapShared | LibC.MapPopulate, _handle.Descriptor, offset);
        return address != -1
            ? address
            : throw new RingRefusedException($"mmap of the ring: {LinuxException.Describe(LibC.LastError)}");
    }

    private void Call(uint minComplete, int timeoutMs)
    {
        Volatile.Write(ref *_submissionTail, _tail);
        uint toSubmit = Unsubmitted;
        uint flags = RingFlags.EnterGetEvents;
        var time = new KernelTime { Seconds = timeoutMs / 1000, Nanoseconds = timeoutMs % 1000 * 1_000_000L };
        var argument = new WaitArgument { Timeout = &time };
        bool timed = minComplete > 0 && timeoutMs >= 0;
        if (timed)
            flags |= RingFlags.EnterExtendedArgument;
        int error = RefuseEnter?.Invoke() ?? 0;
        nint result = error != 0 ? -1 : LibC.RingEnter(
            LibC.RingEnterCall,
            _handle.Descriptor,
            (nint)toSubmit,
            (nint)minComplete,
            (nint)flags,
            timed ? &argument : null,
            timed ? sizeof(WaitArgument) : 0);
        if (result >= 0)
            return;
        error = error != 0 ? error : LibC.LastError;
        // EAGAIN and EBUSY: no memory, or completions must be taken first. What was not taken stays in the queue.
        if (error is not (ErrorNumber.Interrupted or ErrorNumber.TimerExpired
            or ErrorNumber.TryAgain or ErrorNumber.Busy))
        {
            throw new LinuxException(error, "io_uring_enter");
        }
    }

    private SubmissionEntry* NextSpilled()
    {
        if (_spilledCount == _spilledCapacity)
        {
            _spilledCapacity = Math.Max(256, _spilledCapacity * 2);
            nuint bytes = (nuint)_spilledCapacity * (nuint)sizeof(SubmissionEntry);
            _spilled = (SubmissionEntry*)NativeMemory.Realloc(_spilled, bytes);
        }
        return _spilled + _spilledCount++;
    }

    private void MoveSpilled()
    {
        if (_spilledCount == 0)
            return;
        int moved = (int)Math.Min((uint)_spilledCount, _submissionCount - Unsubmitted);
        for (int i = 0; i < moved; i++)
            _entries[_tail++ & _submissionMask] = _spilled[i];
        _spilledCount -= moved;
        new ReadOnlySpan<SubmissionEntry>(_spilled + moved, _spilledCount)
            .CopyTo(new Span<SubmissionEntry>(_spilled, _spilledCount));
    }
}
