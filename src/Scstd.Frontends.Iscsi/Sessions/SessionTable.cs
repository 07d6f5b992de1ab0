using System.Globalization;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What names a session besides its TSIH: the initiator port and the target port (RFC 7143 §4.2.6).</summary>
internal readonly record struct SessionKey(
    string TargetName, string InitiatorName, Isid Isid, ushort TargetPortalGroupTag)
{
    /// <summary>Names have no blanks (RFC 7143 §4.2.7.1).</summary>
    public string ToLine() => string.Create(
        CultureInfo.InvariantCulture, $"{TargetName} {InitiatorName} {Isid.Value:x12} {TargetPortalGroupTag}");

    /// <summary>Null: not such a line.</summary>
    public static SessionKey? Parse(string line)
    {
        string[] words = line.Split(' ');
        return words.Length == 4 &&
            ulong.TryParse(words[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong isid) &&
            ushort.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort tag)
                ? new SessionKey(words[0], words[1], new Isid(isid), tag) : null;
    }
}

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

    /// <summary>How many keys of <see cref="_byKey"/> each target has: a login costs the same with any number of
    /// sessions.</summary>
    private readonly Dictionary<string, int> _countOfTarget = new(StringComparer.Ordinal);

    private readonly Dictionary<IscsiSession, Successor> _successors = [];
    private readonly HashSet<SessionKey> _remembered = [];
    private readonly Queue<SessionKey> _rememberedInOrder = new();
    private readonly Dictionary<SessionKey, string?> _beforePowerOn = [];
    private readonly Queue<EndedSession> _ended = new();
    private string _version = "";
    private ushort _lastTsih;

    /// <summary>Our choice: sessions that are remembered after their end, with their last moves: the crash of a cluster
    /// and what came before it, in 100 KiB. Discovery sessions come and go by the dozen and say nothing.</summary>
    private const int EndedMax = 64;

    /// <summary>Our choice: nexuses that are remembered after their end. One that is forgotten is told POWER ON, RESET,
    /// OR BUS DEVICE RESET OCCURRED when it comes back, which says more than the loss of the nexus.</summary>
    private const int RememberedMax = 16_384;

    private const string VersionMark = "@version ";

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
                Enter(session.Key, session);
            session.HasReturned = predecessor is not null || _remembered.Contains(session.Key);
            session.WasHereBeforePowerOn = _beforePowerOn.TryGetValue(session.Key, out string? servedBy);
            session.HasNewMicrocode = !session.HasReturned && servedBy is not null && servedBy != _version;
            if (predecessor is not null)
            {
                session.Predecessor = predecessor;
                _successors[predecessor] = new Successor(session, admitted);
            }
        }
        if (predecessor is null)
        {
            admitted();
            return true;
        }
        predecessor.Post(() => predecessor.Evict("the initiator port logged in anew"));
        return true;
    }

    /// <summary>From the session's reactor: nothing of it can act any more.</summary>
    public void Ended(IscsiSession session)
    {
        Action? admitted = null;
        lock (_lock)
        {
            _byTsih.Remove(session.Tsih);
            if (session.HadNexus && _remembered.Add(session.Key))
                Remember(session.Key);
            if (session.HadNexus)
                RememberEnd(session);
            if (_byKey.TryGetValue(session.Key, out IscsiSession? current) && ReferenceEquals(current, session))
                Leave(session.Key);
            if (_successors.Remove(session, out Successor next))
            {
                next.Session.Predecessor = null;
                admitted = next.Admitted;
            }
        }
        admitted?.Invoke();
    }

    /// <summary>A session that waits will never be: who waits for it waits for its predecessor instead. False if
    /// nothing is waited for any more, and the session is told so. A predecessor may hang on its storage for long;
    /// logins that come and go meanwhile leave nothing behind.</summary>
    public bool TryWithdraw(IscsiSession candidate)
    {
        lock (_lock)
        {
            if (candidate.Predecessor is not { } predecessor)
                return false;
            candidate.Predecessor = null;
            _byTsih.Remove(candidate.Tsih);
            if (_successors.Remove(candidate, out Successor next))
            {
                next.Session.Predecessor = predecessor;
                _successors[predecessor] = next;
            }
            else
            {
                _successors.Remove(predecessor);
                Enter(candidate.Key, predecessor);
            }
            return true;
        }
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

    /// <summary>The nexuses of this life and of those before, one a line, for the next. "@version" and a word stands
    /// before those that this version served last; a program that does not know such a line passes it over.</summary>
    public IReadOnlyList<string> Known()
    {
        lock (_lock)
        {
            HashSet<SessionKey> here = [.. _byKey.Keys.Concat(_remembered).Take(RememberedMax)];
            // Those that have not come back are told what changed since they were here, whenever they do.
            IEnumerable<IGrouping<string?, SessionKey>> away = _beforePowerOn
                .Where(pair => !here.Contains(pair.Key)).Take(RememberedMax - here.Count)
                .GroupBy(pair => pair.Value, pair => pair.Key).OrderBy(group => group.Key is not null);
            return
            [
                .. away.TakeWhile(group => group.Key is null).SelectMany(group => group).Select(key => key.ToLine()),
                VersionMark + _version, .. here.Select(key => key.ToLine()),
                .. away.Where(group => group.Key is not null)
                    .SelectMany(group => group.Select(key => key.ToLine()).Prepend(VersionMark + group.Key)),
            ];
        }
    }

    /// <summary>What was known before the power on; before anybody logs in.</summary>
    public void RememberBeforePowerOn(IEnumerable<string> lines, string version)
    {
        lock (_lock)
        {
            _version = version;
            string? servedBy = null;
            foreach (string line in lines)
            {
                if (line.StartsWith(VersionMark, StringComparison.Ordinal))
                    servedBy = line[VersionMark.Length..];
                else if (SessionKey.Parse(line) is { } key && _beforePowerOn.Count < RememberedMax)
                    _beforePowerOn.TryAdd(key, servedBy);
            }
        }
    }

    /// <summary>The last that have ended, the newest first.</summary>
    public IReadOnlyList<EndedSession> LastEnded()
    {
        lock (_lock)
            return [.. _ended.Reverse()];
    }

    private void RememberEnd(IscsiSession session)
    {
        if (_ended.Count == EndedMax)
            _ended.Dequeue();
        _ended.Enqueue(session.Remember());
    }

    private void Remember(SessionKey key)
    {
        _rememberedInOrder.Enqueue(key);
        if (_rememberedInOrder.Count > RememberedMax)
            _remembered.Remove(_rememberedInOrder.Dequeue());
    }

    private bool IsFull(IscsiSession session) => !session.IsDiscovery
        && _countOfTarget.GetValueOrDefault(session.Key.TargetName) >= session.MaxSessions;

    private void Enter(SessionKey key, IscsiSession session)
    {
        if (_byKey.TryAdd(key, session))
            _countOfTarget[key.TargetName] = _countOfTarget.GetValueOrDefault(key.TargetName) + 1;
        else
            _byKey[key] = session;
    }

    private void Leave(SessionKey key)
    {
        _byKey.Remove(key);
        if (--_countOfTarget[key.TargetName] == 0)
            _countOfTarget.Remove(key.TargetName);
    }

    /// <summary>Who waits, and how it is told that it may go on.</summary>
    private readonly record struct Successor(IscsiSession Session, Action Admitted);

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
