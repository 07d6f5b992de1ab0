using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// One TCP connection, from its acceptance to its end; it belongs to one reactor. It frames what comes in, logs in,
/// keeps the timers, and then hands requests to its session. A fault of the peer's protocol ends it, and nothing else.
/// </summary>
internal sealed unsafe partial class IscsiConnection : IStreamHandler
{
    private readonly IscsiReactor _home;
    private readonly IscsiPortal _portal;
    private readonly StreamConnection _stream;
    private readonly ReactorTimer _watch;
    private readonly ReactorTimer _reclaim;
    private IscsiSession? _session;
    private PduBounds _bounds;
    private bool _hasHeaderDigests;
    private bool _hasDataDigests;
    private bool _isPaused;
    private bool _isClosing;
    private bool _isClosed;
    private bool _isShut;
    private string _reason = "";

    /// <summary>One that was accepted just now.</summary>
    public IscsiConnection(IscsiReactor home, IscsiPortal portal, SocketHandle socket)
        : this(home, portal, socket, portal.CreatePolicy(), null, new SessionHistory(home.Reactor))
    {
        _lastReceivedMs = _startedMs = home.Reactor.NowMs;
        portal.LoginBegins(home);
        History.Add(SessionMove.Connected);
        Counters.ConnectionsAccepted++;
        _watch.Arm(portal.Options.LoginTimeoutMs);
        _stream.Start();
    }

    private IscsiConnection(
        IscsiReactor home, IscsiPortal portal, SocketHandle socket, PortalPolicy policy, LoginExchange? exchange,
        SessionHistory history)
    {
        (_home, _portal, _policy, History) = (home, portal, policy, history);
        _exchange = exchange ?? portal.BeginLogin(policy);
        _stream = home.Reactor.Attach(socket, this);
        Sender = new PduSender(_stream, home);
        _watch = home.Reactor.CreateTimer(Watch);
        _reclaim = home.Reactor.CreateTimer(() => Fail("an aborted command's data did not come"));
        _bounds = new PduBounds(ConnectionPhase.Login, PduRules.LoginDataSegmentLengthMax, true, true, 0);
        home.Connections.Add(this);
    }

    public PduSender Sender { get; }

    public IscsiReactor Home => _home;

    public IscsiPortal Portal => _portal;

    public StreamConnection Stream => _stream;

    public IscsiSession? Session => _session;

    public bool IsClosed => _isClosed;

    /// <summary>Why it ends, once it does.</summary>
    public string Reason => _reason;

    public SessionHistory History { get; }

    /// <summary>CID, given by the initiator.</summary>
    public ushort Cid { get; private set; }

    private IscsiCounters Counters => _home.Counters;

    /// <summary>The peer broke the protocol or went silent: the connection ends now, and with it its session.</summary>
    public void Fail(string why)
    {
        if (_isClosing)
            return;
        Counters.ProtocolFaults++;
        _home.Events.ConnectionFailed(_stream.RemoteEndPoint, _session?.Description ?? "login", why);
        Close(why);
    }

    /// <summary>Why the connection will end when what is queued has left.</summary>
    public void WillEnd(string why) => _reason = why;

    /// <summary>Ends the connection at once.</summary>
    public void Close(string why)
    {
        BeginClosing(why);
        _stream.Close();
    }

    /// <summary>The daemon stops: the initiator is told, if there is one, and the connection ends.</summary>
    public void Shut()
    {
        if (_isShut)
            return;
        _isShut = true;
        if (_session is { IsOpen: true } session)
            session.Drop(LoginStatus.ServiceUnavailable, "the target stops");
        else
            Close("the target stops");
    }

    public void Sent(long lengthBytes)
    {
        Counters.BytesSent += (ulong)lengthBytes;
        Sender.Sent(lengthBytes);
        if (_session is { IsWaitingToMove: true } session)
            session.TryLeave();
        if (!_isPaused || _isClosing || !Sender.HasCaughtUp)
            return;
        _isPaused = false;
        // It could not be heard meanwhile.
        _lastReceivedMs = _stream.Reactor.NowMs;
        _stream.ResumeReceive();
    }

    public void Closed(StreamCloseReason reason, string detail)
    {
        // The stream is gone and touches nothing any more.
        _isLent = false;
        BeginClosing(detail);
        GiveUp();
        FinishTermination();
        Arrived();
        _placedAt?.SessionLeft();
        _portal.ConnectionEnded();
        if (_session is null && !_isLoginAnswered)
            _portal.LoginFailed();
        History.Add(SessionMove.ConnectionClosed, text: detail);
        if (_candidate is { } waiting && waiting.TryWithdraw())
            _candidate = null;
        _session?.ConnectionClosed();
        // A session tells its end itself, but its last commands may be with the store for long.
        if (_session is not { State: SessionState.Ended })
            _home.Events.ConnectionClosed(_stream.RemoteEndPoint, _session?.Description ?? "login", _reason);
    }

    /// <summary>What it had of its reactor; the stream is gone.</summary>
    private void GiveUp()
    {
        _isClosed = true;
        _watch.Cancel();
        _reclaim.Cancel();
        Sender.StreamClosed();
        ReturnLease();
        NativeMemory.Free(_carried);
        _home.Connections.Remove(this);
    }

    /// <summary>Nothing that still comes is looked at; the session, if there is one, is over.</summary>
    private void BeginClosing(string why)
    {
        if (_isClosing)
            return;
        _isClosing = true;
        if (_reason.Length == 0)
            _reason = why;
        History.Add(SessionMove.Closing, text: _reason);
        Sender.Stop();
        _session?.End();
    }

    /// <summary>A peer that asks faster than it reads the answers is not read from.</summary>
    private void HoldBackIfBehind()
    {
        if (_isPaused || _isClosing || !Sender.IsBehind)
            return;
        _isPaused = true;
        _stream.PauseReceive();
    }
}
