using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>How far a session has come, in the order of its life.</summary>
internal enum SessionState : byte
{
    /// <summary>Logged in, but a predecessor may still act.</summary>
    Admitting,

    Open,

    /// <summary>Nothing new begins; what is under way is ended without an answer.</summary>
    Ending,

    /// <summary>Nothing of it can act any more, and its connection is gone.</summary>
    Ended,
}

/// <summary>
/// An iSCSI session: one initiator port, one target portal group, and (MaxConnections=1) one connection, on one
/// reactor. It owns the I_T nexus and is the target port of the mid-layer's commands. At ErrorRecoveryLevel 0 it ends
/// with its connection, at once (Time2Retain 0).
/// </summary>
internal sealed partial class IscsiSession
{
    private IscsiConnection _connection;
    private IscsiReactor _home;
    private PduSender _sender;
    private readonly SessionTable _table;
    private readonly LoginIdentity _identity;
    private SessionAccess? _access;
    private ItNexus? _nexus;
    private bool _nexusEnded;
    private uint? _logoutTag;

    /// <param name="connection">Its only one.</param>
    /// <param name="table">Where the sessions of all reactors know of each other.</param>
    /// <param name="identity">Who logs in to what.</param>
    /// <param name="parameters">What was agreed.</param>
    /// <param name="access">What this initiator gets of the target; null in a discovery session.</param>
    public IscsiSession(
        IscsiConnection connection,
        SessionTable table,
        LoginIdentity identity,
        NegotiatedParameters parameters,
        SessionAccess? access)
    {
        _connection = connection;
        _home = connection.Home;
        _sender = connection.Sender;
        _table = table;
        _identity = identity;
        _access = access;
        Parameters = parameters;
        Timers = access?.Target.Timers ?? connection.Portal.Options.DiscoveryTimers;
        Window = new CommandWindow(identity.CmdSn, access?.Target.QueueDepth ?? DiscoveryDepth);
        _maxOutstandingR2T = Math.Min(parameters.MaxOutstandingR2T, IscsiLimits.OutstandingR2TMax);
        Key = new SessionKey(
            identity.TargetName ?? "", identity.InitiatorName, identity.Isid, connection.Portal.Options.Tag);
        Description = $"{identity.InitiatorName} {identity.Isid} -> {identity.TargetName ?? "discovery"}";
    }

    // Our choice: text and logout need no more.
    private const int DiscoveryDepth = 8;

    public SessionKey Key { get; }

    /// <summary>For logs.</summary>
    public string Description { get; }

    public NegotiatedParameters Parameters { get; }

    public TimerOptions Timers { get; private set; }

    public CommandWindow Window { get; }

    public SessionState State { get; private set; }

    public bool IsOpen => State == SessionState.Open;

    /// <summary>Null in a discovery session.</summary>
    public IscsiTarget? Target => _access?.Target;

    public bool IsDiscovery => _access is null;

    /// <summary>What the target allows.</summary>
    public int MaxSessions => _access?.Target.MaxSessions ?? int.MaxValue;

    public LoginIdentity Identity => _identity;

    public IscsiConnection Connection => _connection;

    /// <summary>Target session identifying handle, given when the session is admitted.</summary>
    public ushort Tsih { get; set; }

    /// <summary>Whose end this session waits for; under the table's lock.</summary>
    public IscsiSession? Predecessor { get; set; }

    /// <summary>The same initiator port had a session here before, which ended, for this one or by itself.</summary>
    public bool HasReturned { get; set; }

    /// <summary>The same initiator port was logged in to the daemon before it was started anew.</summary>
    public bool WasHereBeforePowerOn { get; set; }

    /// <summary>And by another version of the program, of which it has not been told yet.</summary>
    public bool HasNewMicrocode { get; set; }

    /// <summary>It has been open: its initiator port knows the target.</summary>
    public bool HadNexus { get; private set; }

    public SessionCounters Counters { get; } = new();

    private SessionHistory History => _connection.History;

    /// <summary>What an administrator sees of it; from any thread, as it is at some moment.</summary>
    public SessionInfo Info => new(
        _identity.TargetName, _identity.InitiatorName, _identity.InitiatorAlias, _identity.Isid.ToString(), Tsih,
        _connection.Portal.Options.Tag, _connection.Stream.RemoteEndPoint, _connection.Home.Reactor.Index, Parameters,
        Counters);

    /// <summary>Asks to be a session of the target; <paramref name="admitted"/> is called, from any thread, when
    /// nothing of a predecessor can act any more. False if the target has its most sessions.</summary>
    public bool TryAdmit(Action admitted) => _table.TryAdmit(this, admitted);

    /// <summary>The connection did not live until the session could be.</summary>
    public void Abandon()
    {
        State = SessionState.Ended;
        _table.Ended(this);
    }

    /// <summary>The connection is gone while a predecessor can still act: nobody waits for it any more. False if the
    /// wait is over already.</summary>
    public bool TryWithdraw()
    {
        if (!_table.TryWithdraw(this))
            return false;
        State = SessionState.Ended;
        return true;
    }

    /// <summary>The I_T nexus comes into being.</summary>
    public void Open()
    {
        State = SessionState.Open;
        _openedMs = _home.Reactor.NowMs;
        Settle();
        _sender.Window = Window;
        _home.Counters.SessionsOpened++;
        if (_access is not { } access)
            return;
        string initiatorPort = $"{_identity.InitiatorName},i,{_identity.Isid}";
        _nexus = new ItNexus(
            _home.Executor, this, access.PortIdentity, initiatorPort, access.Luns, afterLoss: HasReturned,
            isStranger: !WasHereBeforePowerOn, hasNewMicrocode: HasNewMicrocode);
        _nexus.SetRateLimit(access.Limit);
        _nexus.SetCommandLimit(access.Target.Commands);
        HadNexus = true;
    }

    /// <summary>
    /// The session is over: its connection is lost or closes, it logs out, or its initiator port logs in anew. From any
    /// of these on nothing new begins. The nexus ends at once; the rest follows when the connection is gone.
    /// </summary>
    public void End()
    {
        if (State is SessionState.Ending or SessionState.Ended)
            return;
        bool wasOpen = State == SessionState.Open;
        State = SessionState.Ending;
        History.Add(SessionMove.Ending);
        _patience?.Cancel();
        _goalTimer?.Cancel();
        _goal = null;
        _isWayClear = false;
        ForgetEvents();
        if (!wasOpen)
            return;
        DropAllHeld();
        if (_nexus is { } nexus)
            nexus.End(NexusEnded);
        else
            NexusEnded();
    }

    /// <summary>Another login of the same initiator port, or an administrator, wants it gone.</summary>
    public void Evict(string why)
    {
        if (State == SessionState.Ended)
            return;
        End();
        _connection.Close(why);
    }

    public void ConnectionClosed()
    {
        End();
        TryFinish();
    }

    private void NexusEnded()
    {
        _nexusEnded = true;
        History.Add(SessionMove.NexusEnded);
        if (_logoutTag is { } tag && !_connection.IsClosed)
            SendLogoutResponse(tag, LogoutResponseCode.Closed, isLast: true);
        TryFinish();
    }

    /// <summary>Nothing of it can act: who waits for that may go on.</summary>
    private void TryFinish()
    {
        if (State != SessionState.Ending || !_nexusEnded || !_connection.IsClosed || _commandsOut > 0)
            return;
        State = SessionState.Ended;
        _home.Counters.SessionsEnded++;
        History.Add(SessionMove.Ended);
        _home.Events.SessionEnded(
            _connection.Stream.RemoteEndPoint, Description, _connection.Reason, AgeMs, Counters);
        _table.Ended(this);
        foreach (Action ended in _whenEnded)
            ended();
        _whenEnded.Clear();
    }
}
