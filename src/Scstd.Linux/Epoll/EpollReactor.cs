using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;

namespace Scstd.Linux.Epoll;

/// <summary>What epoll tells about: a connection or a listener.</summary>
internal interface IEpollTarget
{
    void Ready(uint events);
}

/// <summary>
/// The reactor where io_uring is refused: epoll (level-triggered), receive and send by plain calls that never wait,
/// files by the page cache, by Linux AIO (O_DIRECT) or by worker threads.
/// </summary>
internal sealed unsafe class EpollReactor : LoopReactor
{
    /// <summary>All connections receive into this one buffer: it stays in the core's cache, and an idle connection
    /// costs no memory.</summary>
    internal const int ReceiveBufferBytes = 256 * 1024;

    /// <summary>Our choice: events taken in one pass; more wait for the next.</summary>
    private const int MaxEvents = 256;

    private const int MailTarget = 0;

    /// <summary>struct epoll_event is packed on x86-64 alone.</summary>
    private static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private static readonly int EventBytes = IsPacked ? 12 : 16;
    private static readonly int DataOffset = IsPacked ? 4 : 8;

    private readonly FileHandle _epoll;
    private readonly byte* _events;
    private readonly SlotTable<IEpollTarget> _targets = new();
    private readonly KernelAio? _aio;
    private int _ready;

    public EpollReactor(ReactorOptions options)
        : base(options, nonBlockingMail: true)
    {
        _epoll = new FileHandle(LinuxException.Check(LibC.EpollCreate(LibC.SocketCloseOnExec), "epoll_create1"));
        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * EventBytes));
        ReceiveBuffer = (nint)NativeMemory.AlignedAlloc(ReceiveBufferBytes, 4096);
        Vectors = (IoVector*)NativeMemory.Alloc(StreamConnection.MaxDirectVectors + 1, (nuint)sizeof(IoVector));
        int mail = _targets.Add(new MailTargetEvents(Mailbox));
        Debug.Assert(mail == MailTarget);
        Control(LibC.EpollAdd, Mailbox.Descriptor, LibC.EpollIn, mail);
        _aio = KernelAio.TryCreate(Complete, GiveToWorker);
        if (_aio is not null)
            Register(_aio, _aio.EventDescriptor, LibC.EpollIn);
    }

    public override string Kind => "epoll";

    protected override int FilesAtKernel => _aio?.UnderWay ?? 0;

    internal nint ReceiveBuffer { get; }

    /// <summary>Scratch for one receive.</summary>
    internal IoVector* Vectors { get; }

    internal int Register(IEpollTarget target, int descriptor, uint events)
    {
        int slot = _targets.Add(target);
        Control(LibC.EpollAdd, descriptor, events, slot);
        return slot;
    }

    internal void Modify(int slot, int descriptor, uint events) =>
        Control(LibC.EpollModify, descriptor, events, slot);

    /// <summary>The slot is given free with the mail: events that were taken already may still carry it.</summary>
    internal void Unregister(int slot, int descriptor)
    {
        Control(LibC.EpollDelete, descriptor, 0, slot);
        Post(() => _targets.Remove(slot));
    }

    protected override bool Wait(int timeoutMs)
    {
        SystemCalls += 1 + (_aio?.Submit() ?? 0);
        _ready = LibC.EpollWait(_epoll.Descriptor, _events, MaxEvents, timeoutMs);
        if (_ready >= 0)
            return _ready > 0;
        int error = LibC.LastError;
        _ready = 0;
        if (error != ErrorNumber.Interrupted)
            throw new LinuxException(error, "epoll_wait");
        return false;
    }

    protected override void Dispatch()
    {
        byte* record = _events;
        for (int i = 0; i < _ready; i++, record += EventBytes)
            _targets[*(int*)(record + DataOffset)].Ready(*(uint*)record);
        _ready = 0;
    }

    protected override SocketListener CreateListener(SocketHandle socket, Action<SocketHandle> accepted)
    {
        SocketCalls.SetNonBlocking(socket.Descriptor, true);
        return new EpollListener(this, socket, accepted);
    }

    protected override SocketStream CreateStream(SocketHandle socket, IStreamHandler handler) =>
        new EpollStream(this, socket, handler);

    protected override void SubmitToKernel(FileOperation operation)
    {
        if (_aio is not null && KernelAio.Takes(operation))
            _aio.Add(operation);
        else if (operation.Kind == FileOperationKind.Read && operation.File!.ReadsWithoutWaiting)
            RunLater(operation);
        else
            GiveToWorker(operation);
    }

    protected override void ReleaseKernel()
    {
        _aio?.Dispose();
        _epoll.Dispose();
        Mailbox.Dispose();
        NativeMemory.Free(_events);
        NativeMemory.Free(Vectors);
        NativeMemory.AlignedFree((void*)ReceiveBuffer);
    }

    private void Control(int what, int descriptor, uint events, int slot)
    {
        byte* record = stackalloc byte[16];
        *(uint*)record = events;
        *(long*)(record + DataOffset) = slot;
        SystemCalls++;
        LinuxException.Check(LibC.EpollControl(_epoll.Descriptor, what, descriptor, record), "epoll_ctl");
    }

    private sealed class MailTargetEvents(Mailbox mailbox) : IEpollTarget
    {
        public void Ready(uint events) => mailbox.Drain();
    }
}
