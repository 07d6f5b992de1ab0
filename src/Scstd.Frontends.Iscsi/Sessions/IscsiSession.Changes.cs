using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>What an administrator does to a session that is open.</summary>
internal sealed partial class IscsiSession
{
    private readonly List<Action> _whenEnded = [];
    private ReactorTimer? _patience;
    private long _openedMs;

    /// <summary>
    /// The configuration is another. A session that has not begun is judged by it when it is to begin. One that is open
    /// ends if it could not be any more, and otherwise sees from now on what it may see.
    /// </summary>
    /// <param name="target">As it is now; null: gone.</param>
    /// <param name="tags">Of the portal groups that are there.</param>
    /// <param name="settled">Called here when nothing can act for this session by what was before.</param>
    public SessionFate Reconsider(IscsiTarget? target, IReadOnlySet<ushort> tags, Action settled)
    {
        // One that ends still has commands under way, and they count.
        if (target is not null)
            _nexus?.SetCommandLimit(target.Commands);
        if (State == SessionState.Ending)
            _whenEnded.Add(settled);
        if (!IsOpen || _access is not { } before)
        {
            if (State != SessionState.Ending)
                settled();
            return SessionFate.Untouched;
        }
        ushort tag = Key.TargetPortalGroupTag;
        if (target is null || !tags.Contains(tag) || !target.IsReachableAt(tag)
            || target.LunsFor(_identity.InitiatorName).Entries.Count == 0)
        {
            _whenEnded.Add(settled);
            Drop(LoginStatus.TargetRemoved, "the configuration has its target, portal group or LUNs no more");
            return SessionFate.Ended;
        }
        SessionAccess now = target.AccessFor(_identity.InitiatorName, tag) with { PortIdentity = before.PortIdentity };
        _access = now;
        Timers = target.Timers;
        _connection.TimersChanged();
        if (Window.Depth != target.QueueDepth)
            ChangeDepth(target.QueueDepth);
        _nexus!.SetRateLimit(now.Limit);
        if (now.Luns.IsSameAs(before.Luns))
        {
            settled();
            return SessionFate.Untouched;
        }
        History.Add(SessionMove.LunsChanged);
        _nexus.ChangeMap(now.Luns, settled);
        return SessionFate.Changed;
    }

    private void ChangeDepth(int depth)
    {
        History.Add(SessionMove.QueueDepthChanged, number: (ulong)depth);
        if (Window.SetDepth(depth))
            TellWindow();
    }

    /// <summary>An administrator ends the session: the initiator is asked to log out (§11.9.1, event 1) and gets so
    /// long to do it; then, or without patience at once, it is told that its connections are dropped (event 3), and
    /// they are. False if it had ended by itself.</summary>
    public bool Kick(int patienceSeconds)
    {
        if (State is SessionState.Ending or SessionState.Ended)
            return false;
        if (patienceSeconds <= 0 || !IsOpen)
        {
            Drop(LoginStatus.ServiceUnavailable, "an administrator ended it");
            return true;
        }
        Stay();
        RequestLogout(patienceSeconds);
        _patience ??= _home.Reactor.CreateTimer(() => Drop(
            LoginStatus.ServiceUnavailable, "an administrator ended it: it did not log out in time"));
        _patience.Arm(patienceSeconds * 1000L);
        return true;
    }

    /// <summary>Since it was opened.</summary>
    private long AgeMs => _openedMs == 0 ? 0 : _home.Reactor.NowMs - _openedMs;

    public SessionMoves DescribeMoves() => new(Tsih, _home.Reactor.NowUs, History.Newest());

    /// <summary>What stays of it.</summary>
    public EndedSession Remember() => new(History)
    {
        Tsih = Tsih,
        InitiatorName = _identity.InitiatorName,
        Isid = _identity.Isid.ToString(),
        TargetName = Key.TargetName,
        Peer = _connection.Stream.RemoteEndPoint,
        ReactorIndex = _home.Reactor.Index,
        AgeMs = AgeMs,
        EndedUs = _home.Reactor.NowUs,
        Why = _connection.Reason,
        Counters = Counters,
    };

    public SessionSnapshot Describe() => new()
    {
        Tsih = Tsih,
        InitiatorName = _identity.InitiatorName,
        InitiatorAlias = _identity.InitiatorAlias,
        Isid = _identity.Isid.ToString(),
        TargetName = _identity.TargetName,
        PortalGroupTag = Key.TargetPortalGroupTag,
        Portal = _connection.Portal.EndPoint,
        Peer = _connection.Stream.RemoteEndPoint,
        ReactorIndex = _home.Reactor.Index,
        State = State.ToString(),
        AgeMs = AgeMs,
        Group = Target?.GroupOf(_identity.InitiatorName)?.Name,
        Parameters = Parameters,
        Commands = Counters.Commands,
        DataInBytes = Counters.DataInBytes,
        DataOutBytes = Counters.DataOutBytes,
        CommandsInFlight = _commandsOut,
        QueueDepth = Window.Depth,
        Luns = _nexus is { } nexus ? [.. nexus.Map.Entries.Select(entry => Describe(nexus, entry))] : [],
        TimesEnabled = _nexus?.TimesEnabled() ?? [],
    };

    public SessionTimes DescribeTimes() => new(Tsih, _identity.InitiatorName, _nexus?.Histograms() ?? []);

    private static LunSnapshot Describe(ItNexus nexus, LunMapEntry entry)
    {
        ItlNexus? itl = nexus.Find(Scsi.Lun.FromNumber(entry.Number));
        string[] attentions = itl is null ? [] : new string[itl.UnitAttentions.Count];
        for (int i = 0; i < attentions.Length; i++)
            attentions[i] = itl!.UnitAttentions.Pending[i].ToString();
        return new LunSnapshot(
            entry.Number, entry.Unit.Name, entry.IsReadOnly, itl?.CommandCount ?? 0, attentions);
    }
}
