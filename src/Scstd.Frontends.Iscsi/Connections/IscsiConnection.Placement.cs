using Scstd.Core;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// A connection whose login has succeeded goes to the reactor where its session shall live. Nothing of a session is
/// there yet, and the initiator waits for the last Login Response, so it is only a login that moves: to a connection of
/// that reactor, which goes on where this one stopped.
/// </summary>
internal sealed unsafe partial class IscsiConnection
{
    /// <summary>One in the place of another, whose reactor has given up the stream.</summary>
    private IscsiConnection(IscsiReactor home, IscsiConnection before, SocketHandle socket)
        : this(home, before._portal, socket, before._policy, before._exchange, before.History)
    {
        _loginWindow = before._loginWindow;
        _lastReply = before._lastReply;
        (_startedMs, _lastReceivedMs) = (before._startedMs, before._lastReceivedMs);
        (_placedAt, _isExpected) = (home, true);
        Cid = before.Cid;
        Sender.Window = _loginWindow;
        Sender.StatSn = before.Sender.StatSn;
        History.Follow(home.Reactor);
        History.Add(SessionMove.Moved, home.Reactor.Index);
    }

    /// <summary>The stream is free. Who broke the protocol meanwhile has been closed, so nothing of a request is here
    /// but perhaps the beginning of its header.</summary>
    private void Move(SocketHandle socket)
    {
        Invariant.That(_part == Part.Header && Sender.IsIdle, "a login moves between two requests");
        IscsiReactor home = _placedAt!;
        byte[] carried = new ReadOnlySpan<byte>(_carried, _carriedBytes).ToArray();
        _isClosing = true;
        GiveUp();
        home.Reactor.Post(() => new IscsiConnection(home, this, socket).GoOn(carried));
    }

    private void GoOn(ReadOnlySpan<byte> carried)
    {
        Arrived();
        carried.CopyTo(new Span<byte>(_carried, HeaderBytesMax));
        _carriedBytes = carried.Length;
        WatchLogin(_stream.Reactor.NowMs);
        if (_isClosing)
            return;
        _stream.Start();
        BeginSession(_lastReply!);
    }
}
