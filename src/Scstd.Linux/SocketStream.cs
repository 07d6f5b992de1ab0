using System.Net;

namespace Scstd.Linux;

/// <summary>How far a connection has come, in the order of its life.</summary>
internal enum StreamState
{
    Open,

    /// <summary>Nothing more may be queued; what was queued is sent, what arrives is thrown away.</summary>
    Draining,

    /// <summary>All is sent and our direction has ended; what arrives is thrown away until the peer ends its own. A
    /// close before that would make the kernel answer late bytes with a reset, which may destroy our last words on
    /// their way.</summary>
    Lingering,

    /// <summary>To be torn down at the end of this pass, or as soon as the kernel holds none of its memory.</summary>
    Ending,

    Closed,
}

/// <summary>The part of a connection that does not depend on how its bytes are moved: the send queue, and the way
/// to its end.</summary>
internal abstract class SocketStream : StreamConnection
{
    /// <summary>Our choice: how much may come behind direct vectors into a buffer of the reactor. More would take
    /// the next transfer's bytes away from their own place and copy them.</summary>
    protected const int SpillBytes = 16 * 1024;

    private const int PeerClosedTimeoutMs = 2000;

    private readonly LoopReactor _reactor;
    private readonly SocketHandle _socket;
    private ReactorTimer? _endTimer;
    private Action<SocketHandle>? _detached;
    private Func<bool>? _mayLeave;
    private bool _isDirty;
    private bool _isClosingListed;
    private bool _peerEnded;
    private StreamCloseReason _reason;
    private string _detail = "";
    private long _readBytes;

    protected SocketStream(LoopReactor reactor, SocketHandle socket, IStreamHandler handler)
    {
        (_reactor, _socket, Handler) = (reactor, socket, handler);
        Descriptor = socket.Descriptor;
        LocalEndPoint = SocketCalls.LocalEndPoint(Descriptor);
        RemoteEndPoint = SocketCalls.RemoteEndPoint(Descriptor);
    }

    public sealed override Reactor Reactor => _reactor;

    public sealed override IPEndPoint LocalEndPoint { get; }

    public sealed override IPEndPoint RemoteEndPoint { get; }

    public sealed override long UnsentBytes => SendQueue.UnsentBytes + _readBytes;

    internal int Descriptor { get; }

    /// <summary>Where the reactor lists it.</summary>
    internal int ListIndex { get; set; }

    protected IStreamHandler Handler { get; }

    protected SendQueue SendQueue { get; } = new();

    protected StreamState State { get; private set; }

    protected bool IsStarted { get; private set; }

    protected bool IsPaused { get; private set; }

    /// <summary>Whether bytes of the peer are wanted now: to be delivered, or to be thrown away.</summary>
    protected bool WantsBytes => State switch
    {
        StreamState.Open => IsStarted && !IsPaused && _detached is null,
        StreamState.Draining or StreamState.Lingering => !_peerEnded,
        _ => false,
    };

    public sealed override void Start()
    {
        IsStarted = true;
        MarkDirty();
    }

    public sealed override void PauseReceive() => SetPaused(true);

    public sealed override void ResumeReceive() => SetPaused(false);

    public sealed override void Queue(nint address, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        if (State != StreamState.Open)
            return;
        SendQueue.Append(address, lengthBytes);
        MarkDirty();
    }

    public sealed override void Detach(Action<SocketHandle> detached, Func<bool>? mayLeave = null)
    {
        if (State != StreamState.Open)
            return;
        (_detached, _mayLeave) = (detached, mayLeave);
        MarkDirty();
    }

    public sealed override void Close(bool afterSending = false, int timeoutMs = 2000)
    {
        if (!afterSending)
            End(StreamCloseReason.ClosedHere, "closed here");
        else if (State == StreamState.Open)
            Drain(StreamCloseReason.ClosedHere, "closed here", timeoutMs);
    }

    /// <summary>At the end of a pass, if <see cref="MarkDirty"/> was called: moves on what can be moved on.</summary>
    internal void Flush()
    {
        _isDirty = false;
        if (State is StreamState.Open or StreamState.Draining or StreamState.Lingering)
            FlushOpen();
        if (_detached is { } detached && State == StreamState.Open)
            TryLeave(detached);
    }

    /// <summary>At the end of a pass, once the stream is <see cref="StreamState.Ending"/>; again after each thing
    /// that it had to wait for.</summary>
    internal void TearDown()
    {
        _isClosingListed = false;
        if (State != StreamState.Ending || !TryRelease())
            return;
        State = StreamState.Closed;
        _endTimer?.Cancel();
        _socket.Dispose();
        SendQueue.Dispose();
        _reactor.Forget(this);
        Handler.Closed(_reason, _detail);
    }

    /// <summary>Sends what is queued and adapts to what is wanted.</summary>
    protected abstract void FlushOpen();

    /// <summary>Takes the stream from the kernel; false while the kernel still holds memory of it, in which case
    /// <see cref="ListForTearDown"/> follows later, or <see cref="MarkDirty"/> while it is open and only leaves.
    /// </summary>
    protected abstract bool TryRelease();

    protected void MarkDirty()
    {
        if (_isDirty)
            return;
        _isDirty = true;
        _reactor.MarkDirty(this);
    }

    protected void ListForTearDown()
    {
        if (_isClosingListed)
            return;
        _isClosingListed = true;
        _reactor.MarkClosing(this);
    }

    /// <summary>The kernel took bytes, and their memory is free; the handler is told only while it still waits for
    /// them.</summary>
    protected void ReportSent(long lengthBytes)
    {
        ReportTaken(lengthBytes);
        ReportFree(lengthBytes);
    }

    /// <summary>The kernel took bytes and may still read them.</summary>
    protected void ReportTaken(long lengthBytes)
    {
        SendQueue.Sent(lengthBytes);
        _readBytes += lengthBytes;
        _reactor.Sends++;
    }

    /// <summary>So many more of the bytes taken are read by nobody any more, in order.</summary>
    protected void ReportFree(long lengthBytes)
    {
        _readBytes -= lengthBytes;
        Handler.Sent(lengthBytes);
    }

    /// <summary>When the queue has run empty: goes on with an orderly end, if one was begun.</summary>
    protected void QueueEmptied()
    {
        if (State != StreamState.Draining)
            return;
        if (_peerEnded || _reactor.IsStopping)
        {
            End(_reason, _detail);
            return;
        }
        State = StreamState.Lingering;
        _reactor.SystemCalls++;
        if (LibC.Shutdown(Descriptor, LibC.ShutdownWrite) != 0)
            End(_reason, _detail);
        else
            MarkDirty();
    }

    protected void PeerEnded()
    {
        _peerEnded = true;
        if (State == StreamState.Open)
            Drain(StreamCloseReason.ClosedByPeer, "closed by peer", PeerClosedTimeoutMs);
        else if (State == StreamState.Lingering)
            End(_reason, _detail);
    }

    protected void Failed(int error)
    {
        if (State == StreamState.Open)
            End(StreamCloseReason.Failed, LinuxException.Describe(error));
        else
            End(_reason, _detail);
    }

    private void TryLeave(Action<SocketHandle> detached)
    {
        if (_mayLeave?.Invoke() == false)
        {
            _detached = null;
            MarkDirty();
            return;
        }
        if (!SendQueue.IsEmpty || !TryRelease())
            return;
        State = StreamState.Closed;
        SendQueue.Dispose();
        _reactor.Forget(this);
        detached(_socket);
    }

    private void SetPaused(bool paused)
    {
        if (IsPaused == paused)
            return;
        IsPaused = paused;
        MarkDirty();
    }

    private void Drain(StreamCloseReason reason, string detail, int timeoutMs)
    {
        State = StreamState.Draining;
        (_reason, _detail) = (reason, detail);
        _endTimer = _reactor.CreateTimer(() => End(_reason, _detail));
        _endTimer.Arm(timeoutMs);
        MarkDirty();
    }

    private void End(StreamCloseReason reason, string detail)
    {
        if (State >= StreamState.Ending)
            return;
        if (State == StreamState.Open)
            (_reason, _detail) = (reason, detail);
        State = StreamState.Ending;
        ListForTearDown();
    }
}
