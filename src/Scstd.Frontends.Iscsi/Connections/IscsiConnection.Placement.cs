using Scstd.Core;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// A connection goes to another reactor: when its login has succeeded, to where its session shall live, and later with
/// its session. Either way nothing of a request is here but perhaps the beginning of its header, and a connection of
/// that reactor goes on where this one stopped.
/// </summary>
internal sealed unsafe partial class IscsiConnection
{
    /// <summary>One in the place of another, whose reactor has given up the stream.</summary>
    private IscsiConnection(IscsiReactor home, IscsiConnection before, SocketHandle socket)
        : this(home, before._portal, socket, before._policy, before._exchange, before.History)
    {
        _loginWindow = before._loginWindow;
        _lastReply = before._lastReply;
        _isLoginAnswered = before._isLoginAnswered;
        (_startedMs, _lastReceivedMs) = (before._startedMs, before._lastReceivedMs);
        (_isPinging, _pingTag, _pingSentMs) = (before._isPinging, before._pingTag, before._pingSentMs);
        (_placedAt, _isExpected) = (home, true);
        Cid = before.Cid;
        Sender.Window = before.Sender.Window;
        Sender.StatSn = before.Sender.StatSn;
    }

    /// <summary>Nothing has begun that goes on with what comes next.</summary>
    public bool IsBetweenRequests => _part == Part.Header && Sender.IsIdle && !_isPaused && !_isClosing;

    /// <summary>Our session wants to go, and nothing of it is under way; something may still have been received.
    /// </summary>
    public void LeaveWithSession() => _stream.Detach(LeaveWithSession, () => _session!.CanLeave);

    /// <summary>The stream is free. Who broke the protocol meanwhile has been closed.</summary>
    private void Move(SocketHandle socket)
    {
        Invariant.That(IsBetweenRequests, "a login moves between two requests");
        IscsiReactor home = _placedAt!;
        byte[] carried = TakeCarried();
        home.Reactor.Post(() => new IscsiConnection(home, this, socket).GoOn(carried));
    }

    private void GoOn(ReadOnlySpan<byte> carried)
    {
        Follow(carried, "which has less to do");
        WatchLogin(_stream.Reactor.NowMs);
        if (_isClosing)
            return;
        _stream.Start();
        BeginSession(_lastReply!);
    }

    private void LeaveWithSession(SocketHandle socket)
    {
        IscsiSession session = _session!;
        IscsiReactor goal = session.Goal;
        byte[] carried = TakeCarried();
        goal.SessionComes(_stream.Reactor.NowMs);
        _placedAt!.SessionLeft();
        session.Leave(() => new IscsiConnection(goal, this, socket).GoOn(session, carried));
    }

    private void GoOn(IscsiSession session, ReadOnlySpan<byte> carried)
    {
        Follow(carried, "where it was sent");
        _session = session;
        AdoptParameters(session.Parameters, session);
        session.Arrive(this);
        ArmWatch(session, _stream.Reactor.NowMs);
        _stream.Start();
        session.CatchUp();
    }

    private byte[] TakeCarried()
    {
        byte[] carried = new ReadOnlySpan<byte>(_carried, _carriedBytes).ToArray();
        _isClosing = true;
        GiveUp();
        return carried;
    }

    private void Follow(ReadOnlySpan<byte> carried, string why)
    {
        History.Follow(_home.Reactor);
        History.Add(SessionMove.Moved, _home.Reactor.Index, text: why);
        Arrived();
        carried.CopyTo(new Span<byte>(_carried, HeaderBytesMax));
        _carriedBytes = carried.Length;
    }
}
