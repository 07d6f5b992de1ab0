using System.Net;
using System.Runtime.InteropServices;

namespace Scstd.Linux.IoUring;

/// <summary>What an entry of the ring was for; with a slot it makes up the completion's user data.</summary>
internal enum RingWork
{
    None,
    Mail,
    Accept,
    Receive,
    ReceiveMessage,
    Send,
    Cancel,
    File,
}

/// <summary>Who is told of a completion: a connection or a listener.</summary>
internal interface IRingTarget
{
    void Completed(RingWork work, int result, uint flags);
}

/// <summary>
/// The reactor on io_uring: sockets and files alike, everything that a pass wants submitted by the one call that
/// also waits.
/// </summary>
internal sealed unsafe class UringReactor : LoopReactor
{
    /// <summary>Our choice: workers of the kernel for what cannot be done without waiting (bounded: regular files;
    /// unbounded: the rest). Without a limit a burst of flushes starts one thread each.</summary>
    private const uint MaxKernelWorkers = 8;

    private const int WorkShift = 32;

    private readonly Ring _ring;
    private readonly SlotTable<IRingTarget> _targets = new();
    private readonly SlotTable<FileOperation> _files = new();
    private readonly Stack<nint> _freeSpills = new();
    private readonly ulong* _mailCount;
    private readonly RegisteredMemory? _slabs;
    private readonly ReactorOptions _options;

    /// <exception cref="RingRefusedException">If the kernel does not give what we need.</exception>
    public UringReactor(ReactorOptions options, Action<string> log)
        : base(options, nonBlockingMail: false)
    {
        try
        {
            _ring = new Ring(options.RefuseRing);
            Buffers = Prove(_ring);
        }
        catch
        {
            _ring?.Dispose();
            Mailbox.Dispose();
            throw;
        }
        uint* limits = stackalloc uint[2] { MaxKernelWorkers, MaxKernelWorkers };
        _ = _ring.Register(RingFlags.RegisterWorkerLimit, limits, 2); // kernels before 5.15 have no such limit
        _options = options;
        if (options.Slabs.Count > 0)
            _slabs = new RegisteredMemory(_ring, options.Slabs, message => log($"reactor {options.Index}: {message}"));
        _mailCount = (ulong*)NativeMemory.AllocZeroed(sizeof(ulong));
        AwaitMail();
    }

    public override string Kind => "io_uring";

    public override void SlabTaken(nint slab)
    {
        SystemCalls++;
        _slabs?.Add(slab);
    }

    public override void SlabGoes(nint slab)
    {
        SystemCalls++;
        _slabs?.Remove(slab);
    }

    internal ReceiveBuffers Buffers { get; }

    protected override int FilesAtKernel => _files.Count;

    internal int Register(IRingTarget target) => _targets.Add(target);

    internal void Unregister(int slot) => _targets.Remove(slot);

    /// <summary>Null where sends are copied anyway: to a peer on this machine they are, by the one who receives.
    /// </summary>
    internal ZeroCopySends? ZeroCopyFor(UringStream stream)
    {
        bool pays = _options.ZeroCopyToSelf || !SocketCalls.StaysHere(stream.LocalEndPoint, stream.RemoteEndPoint);
        return _options.ZeroCopy && pays ? new ZeroCopySends(stream, this, _options.ZeroCopyMostCopied) : null;
    }

    /// <summary>An entry that comes back to the target in <paramref name="slot"/> as <paramref name="work"/>.
    /// </summary>
    internal SubmissionEntry* Prepare(RingOperation operation, int descriptor, RingWork work, int slot)
    {
        SubmissionEntry* entry = _ring.Next();
        entry->Operation = operation;
        entry->Descriptor = descriptor;
        entry->UserData = ((ulong)work << WorkShift) | (uint)slot;
        return entry;
    }

    /// <summary>Ends every operation on a descriptor; each still completes by itself.</summary>
    internal void CancelAll(int descriptor, RingWork work, int slot) =>
        Prepare(RingOperation.Cancel, descriptor, work, slot)->OperationFlags =
            RingFlags.CancelDescriptor | RingFlags.CancelAll;

    /// <summary>A buffer for what comes behind direct vectors, for one receive.</summary>
    internal nint TakeSpill(int sizeBytes) =>
        _freeSpills.TryPop(out nint spill) ? spill : (nint)NativeMemory.AlignedAlloc((nuint)sizeBytes, 4096);

    internal void ReturnSpill(nint spill) => _freeSpills.Push(spill);

    protected override bool Wait(int timeoutMs)
    {
        bool wait = timeoutMs != 0 && !_ring.HasCompletions;
        if (wait || _ring.HasSubmissions || _ring.HoldsCompletions)
        {
            SystemCalls++;
            _ring.Enter(wait ? 1u : 0u, timeoutMs);
        }
        return _ring.HasCompletions;
    }

    protected override void Dispatch()
    {
        for (uint ready = _ring.CompletionsReady(); ready > 0; ready--)
        {
            CompletionEntry completion = _ring.Take();
            var work = (RingWork)(completion.UserData >> WorkShift);
            int slot = (int)(uint)completion.UserData;
            if (work == RingWork.File)
                FileCompleted(slot, completion.Result);
            else if (work == RingWork.Mail)
                AwaitMail();
            else if (work != RingWork.None)
                _targets[slot].Completed(work, completion.Result, completion.Flags);
        }
    }

    protected override SocketListener CreateListener(SocketHandle socket, Action<SocketHandle> accepted) =>
        new UringListener(this, socket, accepted);

    protected override SocketStream CreateStream(SocketHandle socket, IStreamHandler handler)
    {
        // The ring gives up on a socket that does not block instead of waiting for it.
        SocketCalls.SetNonBlocking(socket.Descriptor, false);
        return new UringStream(this, socket, handler);
    }

    protected override void SubmitToKernel(FileOperation operation)
    {
        SubmissionEntry* entry =
            Prepare(RingOperation.Read, operation.File!.Descriptor, RingWork.File, _files.Add(operation));
        entry->Offset = operation.OffsetBytes;
        switch (operation.Kind)
        {
            case FileOperationKind.Read:
                Describe(
                    entry, operation, RingOperation.Read, RingOperation.ReadVectors, RingOperation.ReadRegistered);
                break;
            case FileOperationKind.Write:
                Describe(
                    entry, operation, RingOperation.Write, RingOperation.WriteVectors, RingOperation.WriteRegistered);
                break;
            case FileOperationKind.WriteThrough:
                Describe(
                    entry, operation, RingOperation.Write, RingOperation.WriteVectors, RingOperation.WriteRegistered);
                entry->OperationFlags = LibC.WriteDataSync;
                break;
            case FileOperationKind.Flush:
                entry->Operation = RingOperation.Sync;
                entry->Offset = 0;
                entry->OperationFlags = RingFlags.SyncDataOnly;
                break;
            case FileOperationKind.PunchHole:
                entry->Operation = RingOperation.Fallocate;
                entry->Address = (nint)operation.LengthBytes;
                entry->Length = LibC.FallocatePunchHole | LibC.FallocateKeepSize;
                break;
            default:
                throw new InvalidOperationException($"file operation {operation.Kind}");
        }
    }

    protected override void ReleaseKernel()
    {
        // The read of the eventfd is the last thing under way: let it end, so that nothing writes to its memory.
        Mailbox.Signal();
        for (int i = 0; i < 1000 && !_ring.HasCompletions; i++)
            _ring.Enter(1, 10);
        bool quiet = _ring.HasCompletions;
        _ring.Dispose();
        Mailbox.Dispose();
        if (!quiet)
            return;
        Buffers.Dispose();
        NativeMemory.Free(_mailCount);
        while (_freeSpills.TryPop(out nint spill))
            NativeMemory.AlignedFree((void*)spill);
    }

    /// <summary>Where the test fails, the kernel may still write to the buffers: they are left alone for ever.
    /// </summary>
    private static ReceiveBuffers Prove(Ring ring)
    {
        var buffers = new ReceiveBuffers(ring);
        try
        {
            new RingSelfTest(ring, buffers).Run();
            return buffers;
        }
        catch (LinuxException failed)
        {
            throw new RingRefusedException($"io_uring failed its self-test: {failed.Message}");
        }
    }

    private void Describe(
        SubmissionEntry* entry, FileOperation operation, RingOperation single, RingOperation vectored,
        RingOperation registered)
    {
        if (operation.VectorCount != 1)
        {
            entry->Operation = vectored;
            entry->Address = (nint)operation.Vectors;
            entry->Length = (uint)operation.VectorCount;
            return;
        }
        IoVector memory = operation.Vectors[0];
        entry->Operation = single;
        entry->Address = memory.Address;
        entry->Length = (uint)memory.LengthBytes;
        if (_slabs is not null && _slabs.IndexOf(memory.Address, memory.LengthBytes) is >= 0 and int index)
        {
            entry->Operation = registered;
            entry->BufferIndex = (ushort)index;
        }
    }

    private void FileCompleted(int slot, int result)
    {
        FileOperation operation = _files[slot];
        _files.Remove(slot);
        if (result is -ErrorNumber.TryAgain or -ErrorNumber.Interrupted)
            GiveToWorker(operation); // the ring gave up where a plain call waits
        else
            Complete(operation, result);
    }

    private void AwaitMail()
    {
        SubmissionEntry* entry = Prepare(RingOperation.Read, Mailbox.Descriptor, RingWork.Mail, 0);
        entry->Address = (nint)_mailCount;
        entry->Length = sizeof(ulong);
    }
}
