namespace Scstd.Linux.Epoll;

internal sealed unsafe class EpollListener : SocketListener, IEpollTarget
{
    /// <summary>Our choice: connections accepted in one pass, so that a flood of them leaves time for those that
    /// are there.</summary>
    private const int MaxAcceptsPerPass = 64;

    private readonly EpollReactor _reactor;
    private readonly int _slot;

    internal EpollListener(EpollReactor reactor, SocketHandle socket, Action<SocketHandle> accepted)
        : base(reactor, socket, accepted)
    {
        _reactor = reactor;
        _slot = reactor.Register(this, socket.Descriptor, LibC.EpollIn);
    }

    public void Ready(uint events)
    {
        for (int i = 0; i < MaxAcceptsPerPass && !IsClosed; i++)
        {
            _reactor.SystemCalls++;
            int descriptor = LibC.Accept(Socket.Descriptor, null, null, LibC.SocketCloseOnExec);
            if (descriptor >= 0)
            {
                Accepted(descriptor);
                continue;
            }
            int error = LibC.LastError;
            if (error == ErrorNumber.TryAgain)
                return;
            NotAccepted(error);
            return;
        }
    }

    protected override void Listen(bool on) =>
        _reactor.Modify(_slot, Socket.Descriptor, on ? LibC.EpollIn : 0);

    protected override void Release()
    {
        _reactor.Unregister(_slot, Socket.Descriptor);
        Socket.Dispose();
        _reactor.Forget(this);
    }
}
