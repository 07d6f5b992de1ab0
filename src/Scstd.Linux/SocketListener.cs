using System.Net;

namespace Scstd.Linux;

/// <summary>A listening socket, whatever tells that a connection has come.</summary>
internal abstract class SocketListener : StreamListener
{
    /// <summary>Our choice: how long to leave connections in the kernel's queue when there is no descriptor or
    /// memory for them; anything shorter is a busy loop.</summary>
    private const int ExhaustedPauseMs = 100;

    private readonly Action<SocketHandle> _accepted;
    private readonly ReactorTimer _pause;

    protected SocketListener(LoopReactor reactor, SocketHandle socket, Action<SocketHandle> accepted)
    {
        (Socket, _accepted) = (socket, accepted);
        LocalEndPoint = SocketCalls.LocalEndPoint(socket.Descriptor);
        _pause = reactor.CreateTimer(() => Listen(true));
    }

    public sealed override IPEndPoint LocalEndPoint { get; }

    protected SocketHandle Socket { get; }

    protected bool IsClosed { get; private set; }

    public sealed override void Close()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        _pause.Cancel();
        Release();
    }

    protected abstract void Listen(bool on);

    protected abstract void Release();

    protected void Accepted(int descriptor)
    {
        var socket = new SocketHandle(descriptor);
        if (IsClosed)
            socket.Dispose();
        else
            _accepted(socket);
    }

    /// <summary>A connection that died in the queue is nothing; a lack of descriptors or memory needs a pause,
    /// after which <see cref="Listen"/> is called. Whether it pauses.</summary>
    protected bool NotAccepted(int error)
    {
        bool exhausted = error is ErrorNumber.TooManyFiles or ErrorNumber.TooManyFilesInSystem
            or ErrorNumber.NoBuffers or ErrorNumber.OutOfMemory;
        if (!exhausted || IsClosed)
            return false;
        Listen(false);
        _pause.Arm(ExhaustedPauseMs);
        return true;
    }
}
