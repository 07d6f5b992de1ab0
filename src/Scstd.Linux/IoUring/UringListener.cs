namespace Scstd.Linux.IoUring;

internal sealed unsafe class UringListener : SocketListener, IRingTarget
{
    private readonly UringReactor _reactor;
    private readonly int _slot;
    private bool _armed;

    internal UringListener(UringReactor reactor, SocketHandle socket, Action<SocketHandle> accepted)
        : base(reactor, socket, accepted)
    {
        _reactor = reactor;
        _slot = reactor.Register(this);
        Arm();
    }

    public void Completed(RingWork work, int result, uint flags)
    {
        _armed = (flags & RingFlags.CompletionMore) != 0;
        bool paused = false;
        if (result >= 0)
            Accepted(result);
        else
            paused = NotAccepted(-result);
        if (IsClosed)
            ReleaseIfIdle();
        else if (!_armed && !paused)
            Arm();
    }

    /// <summary>A multishot accept ends by itself when it fails; there is nothing to stop.</summary>
    protected override void Listen(bool on)
    {
        if (on && !_armed)
            Arm();
    }

    /// <summary>Shutting a listening socket down frees its address at once, whoever still holds the file.</summary>
    protected override void Release()
    {
        _ = LibC.Shutdown(Socket.Descriptor, LibC.ShutdownBoth);
        if (_armed)
            _reactor.CancelAll(Socket.Descriptor, RingWork.None, 0);
        ReleaseIfIdle();
    }

    private void ReleaseIfIdle()
    {
        if (_armed || Socket.IsClosed)
            return;
        _reactor.Unregister(_slot);
        Socket.Dispose();
        _reactor.Forget(this);
    }

    private void Arm()
    {
        _armed = true;
        SubmissionEntry* entry =
            _reactor.Prepare(RingOperation.Accept, Socket.Descriptor, RingWork.Accept, _slot);
        entry->SocketFlags = RingFlags.AcceptMultishot;
        entry->OperationFlags = LibC.SocketCloseOnExec;
    }
}
