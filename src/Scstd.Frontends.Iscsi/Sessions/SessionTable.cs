using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What names a session besides its TSIH: the initiator port and the target port (RFC 7143 §4.2.6).</summary>
internal readonly record struct SessionKey(
    string TargetName, string InitiatorName, Isid Isid, ushort TargetPortalGroupTag);

/// <summary>
/// The sessions of all reactors. It is asked when a session begins and when it ends, never in between, so it may have a
/// lock, the only one of this frontend. It hands out TSIHs and makes a session that comes to an initiator port's
/// place wait until nothing of the one before it can act (§6.3.5 session reinstatement).
/// </summary>
internal sealed class SessionTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionKey, IscsiSession> _byKey = [];
    private readonly Dictionary<ushort, IscsiSession> _byTsih = [];
    private readonly Dictionary<IscsiSession, Action> _successors = [];
    private ushort _lastTsih;

    public int Count
    {
        get
        {
            lock (_lock)
                return _byTsih.Count;
        }
    }

    public bool TryAdmit(IscsiSession session, Action admitted)
    {
        IscsiSession? predecessor = null;
        lock (_lock)
        {
            if (!session.IsDiscovery)
                _byKey.TryGetValue(session.Key, out predecessor);
            if (predecessor is null && IsFull(session))
                return false;
            if (!TryTakeTsih(out ushort tsih))
                return false;
            session.Tsih = tsih;
            _byTsih.Add(tsih, session);
            if (!session.IsDiscovery)
                _byKey[session.Key] = session;
            if (predecessor is not null)
            {
                session.ReplacesAnother = true;
                _successors[predecessor] = admitted;
            }
        }
        if (predecessor is null)
        {
            admitted();
            return true;
        }
        predecessor.Connection.Home.Reactor.Post(() => predecessor.Evict("the initiator port logged in anew"));
        return true;
    }

    /// <summary>From the session's reactor: nothing of it can act any more.</summary>
    public void Ended(IscsiSession session)
    {
        Action? admitted;
        lock (_lock)
        {
            _byTsih.Remove(session.Tsih);
            if (_byKey.TryGetValue(session.Key, out IscsiSession? current) && ReferenceEquals(current, session))
                _byKey.Remove(session.Key);
            _successors.Remove(session, out admitted);
        }
        admitted?.Invoke();
    }

    public IscsiSession? Find(ushort tsih)
    {
        lock (_lock)
            return _byTsih.GetValueOrDefault(tsih);
    }

    /// <summary>All at this moment, discovery included.</summary>
    public IReadOnlyList<IscsiSession> Snapshot()
    {
        lock (_lock)
            return [.. _byTsih.Values];
    }

    private bool IsFull(IscsiSession session)
    {
        if (session.IsDiscovery)
            return false;
        int count = 0;
        foreach (SessionKey key in _byKey.Keys)
        {
            if (key.TargetName == session.Key.TargetName)
                count++;
        }
        return count >= session.MaxSessions;
    }

    /// <summary>§11.12.6: zero is reserved for sessions to be.</summary>
    private bool TryTakeTsih(out ushort tsih)
    {
        for (int i = 0; i < ushort.MaxValue; i++)
        {
            if (++_lastTsih == 0)
                _lastTsih = 1;
            if (_byTsih.ContainsKey(_lastTsih))
                continue;
            tsih = _lastTsih;
            return true;
        }
        tsih = 0;
        return false;
    }
}
