using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// Time. One timer for each connection, due when the first of its deadlines can be: the login, a silent peer, a peer
/// that does not read, a command whose Data-Out does not come.
/// </summary>
internal sealed unsafe partial class IscsiConnection
{
    private readonly long _startedMs;
    private long _lastReceivedMs;
    private long _pingSentMs;
    private uint _pingTag;
    private bool _isPinging;

    /// <summary>The answer to our ping has come.</summary>
    public void PingAnswered(uint targetTransferTag)
    {
        if (_isPinging && targetTransferTag == _pingTag)
            _isPinging = false;
    }

    private void Watch()
    {
        if (_isClosing)
            return;
        long now = _stream.Reactor.NowMs;
        if (_session is not { } session)
        {
            WatchLogin(now);
            return;
        }
        TimerOptions timers = session.Timers;
        if (Sender.IsStalledSince(now - timers.StallTimeoutMs))
        {
            Fail("the peer does not read");
            return;
        }
        // Whatever it sends shows that it lives; a busy peer may answer the ping late.
        if (_isPinging && !_isPaused && session.IsOpen
            && now - Math.Max(_pingSentMs, _lastReceivedMs) >= timers.NopTimeoutMs)
        {
            Fail("no answer to a NOP-In");
            return;
        }
        if (session.HasStalledDataOut(now - timers.DataOutTimeoutMs))
        {
            Fail("Data-Out that was asked for does not come");
            return;
        }
        if (session.HasLastingGap(now, timers.DataOutTimeoutMs))
        {
            Fail("a CmdSN that others wait for does not come");
            return;
        }
        WatchSilence(session, now);
        if (_isClosing)
            return;
        ArmWatch(session, now);
        if (!session.IsIdle)
            _portal.SessionIsBusy(_home);
    }

    /// <summary>What was armed by the former ones may be far away.</summary>
    public void TimersChanged()
    {
        if (_session is { } session && !_isClosing)
            ArmWatch(session, _stream.Reactor.NowMs);
    }

    /// <summary>Nothing arms it when a command comes, so a busy session is looked at at intervals. One that is idle
    /// costs a look when it is to be asked whether it lives, and no more.</summary>
    private void ArmWatch(IscsiSession session, long now)
    {
        TimerOptions timers = session.Timers;
        bool isIdle = session.IsIdle && Sender.IsIdle && _part == Part.Header;
        long due = Math.Min(SilenceEndsMs(session, now), now + (isIdle ? timers.IdleLookMs : timers.LookMs));
        int grainMs = timers.GrainMs;
        _watch.Arm(((Math.Max(due, now + 1) + grainMs - 1) / grainMs * grainMs) - now);
    }

    private long SilenceEndsMs(IscsiSession session, long now)
    {
        TimerOptions timers = session.Timers;
        if (!session.IsOpen || _isPaused || timers.NopIntervalMs == 0)
            return long.MaxValue;
        if (session.IsDiscovery)
            return _lastReceivedMs + IscsiLimits.DiscoveryIdleTimeoutMs;
        // The answer will come in a moment, and the next silence begins with it.
        return _isPinging
            ? Math.Min(Math.Max(_pingSentMs, _lastReceivedMs) + timers.NopTimeoutMs,
                now + timers.NopIntervalMs + timers.GrainMs)
            : _lastReceivedMs + timers.NopIntervalMs;
    }

    /// <summary>A peer that says nothing is asked whether it lives. Not in a discovery session: its initiator may send
    /// nothing but text and logout (§4.3), so it has no answer.</summary>
    private void WatchSilence(IscsiSession session, long now)
    {
        int intervalMs = session.Timers.NopIntervalMs;
        if (!session.IsOpen || _isPaused || intervalMs == 0)
            return;
        long silentMs = now - _lastReceivedMs;
        if (!session.IsDiscovery && !_isPinging && silentMs >= intervalMs)
            Ping(now);
        else if (session.IsDiscovery && silentMs >= IscsiLimits.DiscoveryIdleTimeoutMs)
            Close("a discovery session without questions");
    }

    private void WatchLogin(long now)
    {
        long left = _startedMs + _portal.Options.LoginTimeoutMs - now;
        if (left > 0)
        {
            _watch.Arm(left);
            return;
        }
        Counters.LoginTimeouts++;
        Fail("login takes too long");
    }

    /// <summary>§11.19.2: the tag asks for an answer. While it is out, any answer with another tag is somebody's
    /// mistake.</summary>
    private void Ping(long now)
    {
        _isPinging = true;
        _pingSentMs = now;
        if (++_pingTag == BasicHeaderSegment.ReservedTag)
            _pingTag = 1;
        nint slot = Sender.TakeSlot();
        NopInPdu.WritePing(PduSender.HeaderOf(slot), _pingTag);
        Sender.SendHeader(slot, StatSnUse.Shows);
    }
}
