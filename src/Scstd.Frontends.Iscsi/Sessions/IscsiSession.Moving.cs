using Scstd.Core;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Sessions;

/// <summary>
/// A session that is open goes to another reactor. All who have a part in that give a sign that they do not hang; then
/// its command window closes, so that what is under way ends and nothing new comes; as soon as nothing is under way its
/// socket leaves, its nexus moves, and both go on there. Where that takes too long the window opens again and it stays.
/// </summary>
internal sealed partial class IscsiSession
{
    /// <summary>Our choice: far longer than commands of a store that is quick take, and no initiator minds so short a
    /// pause.</summary>
    private const int PatienceMs = 1_000;

    /// <summary>Our choice: a session does not go again by itself before the balance has been seen with it. Where it
    /// could not go, it waits twice as long each time.</summary>
    private const long SettleMs = 30_000;
    private const int SettleDoublingsMax = 6;

    private IscsiReactor? _goal;
    private ReactorTimer? _goalTimer;
    private int _attempt;
    private bool _isWayClear;
    private bool _isMoving;
    private List<Action>? _whenArrived;
    private long _settlesAtMs;
    private int _failedMoves;

    /// <summary>It would move if nothing were under way.</summary>
    public bool IsWaitingToMove => _isWayClear && !_isMoving;

    /// <summary>It is on neither reactor; from any thread.</summary>
    public bool IsMoving => Volatile.Read(ref _isMoving);

    /// <summary>It has been where it is for long enough to go by itself.</summary>
    public bool IsSettled => _home.Reactor.NowMs >= _settlesAtMs;

    /// <summary>Where it is to go.</summary>
    public IscsiReactor Goal => _goal!;

    /// <summary>What it did at a look before; for the balance.</summary>
    public SessionWork Work { get; } = new();

    /// <summary>Runs <paramref name="work"/> where the session lives, wherever that is by then. From any thread.
    /// </summary>
    public void Post(Action work)
    {
        IscsiReactor home = Volatile.Read(ref _home);
        home.Reactor.Post(() => Run(home, work));
    }

    /// <summary>Goes to another reactor as soon as it can. False: it is not one that could.</summary>
    public bool BeginMove(IscsiReactor goal)
    {
        if (!IsOpen || IsDiscovery || IsToEnd || _goal is not null || ReferenceEquals(goal, _home))
            return false;
        _goal = goal;
        _goalTimer ??= _home.Reactor.CreateTimer(Stay);
        _goalTimer.Arm(PatienceMs);
        int attempt = ++_attempt;
        _nexus!.SoundWay(goal.Executor, () => WayIsClear(attempt));
        return true;
    }

    /// <summary>Whoever asked it to log out waits for that here.</summary>
    private bool IsToEnd => _patience is { IsArmed: true };

    private void WayIsClear(int attempt)
    {
        if (attempt != _attempt || _goal is null || !IsOpen)
            return;
        _isWayClear = true;
        Window.Close();
        TryLeave();
    }

    /// <summary>Something that was under way has ended.</summary>
    public void TryLeave()
    {
        if (CanLeave)
            _connection.LeaveWithSession();
    }

    /// <summary>Nothing of it is under way, here or on the wire.</summary>
    public bool CanLeave => IsWaitingToMove && IsOpen && !IsToEnd && IsIdle && _functionsOut == 0
        && _text is not { Open: true } && _nexus is { CanMove: true } && _connection.IsBetweenRequests;

    /// <summary>The socket has left. Until the nexus has arrived nobody touches the session but the mid-layer, with
    /// asynchronous events.</summary>
    /// <param name="arrived">Called on the other reactor.</param>
    public void Leave(Action arrived)
    {
        IscsiReactor goal = _goal!;
        _goalTimer!.Cancel();
        _eventTimer?.Cancel();
        _goalTimer = _eventTimer = _patience = null;
        Volatile.Write(ref _isMoving, true);
        // Who posts from now on posts there, and finds that it has not arrived.
        Volatile.Write(ref _home, goal);
        _nexus!.MoveTo(goal.Executor, arrived);
    }

    /// <summary>Goes on by another connection.</summary>
    public void Arrive(IscsiConnection connection)
    {
        connection.Sender.DataSegmentLengthMax = _sender.DataSegmentLengthMax;
        _connection = connection;
        _sender = connection.Sender;
        Volatile.Write(ref _isMoving, false);
        _goal = null;
        _isWayClear = false;
        _failedMoves = 0;
        Settle();
        SessionAccess access = _access!;
        _nexus!.SetRateLimit(access.Limit);
        _nexus.SetCommandLimit(access.Target.Commands);
        ReopenWindow();
        FollowEvents();
    }

    /// <summary>What others wanted of it meanwhile.</summary>
    public void CatchUp()
    {
        List<Action>? wanted = _whenArrived;
        _whenArrived = null;
        foreach (Action work in wanted ?? [])
            work();
    }

    private void Run(IscsiReactor at, Action work)
    {
        if (!ReferenceEquals(at, Volatile.Read(ref _home)))
            Post(work);
        else if (_isMoving)
            (_whenArrived ??= []).Add(work);
        else
            work();
    }

    /// <summary>Somebody hangs, what was under way did not end in time, or it is to end.</summary>
    private void Stay()
    {
        if (_goal is null || _isMoving)
            return;
        _goalTimer!.Cancel();
        _goal = null;
        _isWayClear = false;
        _failedMoves++;
        Settle();
        ReopenWindow();
    }

    private void Settle() =>
        _settlesAtMs = _home.Reactor.NowMs + (SettleMs << Math.Min(_failedMoves, SettleDoublingsMax));

    private void ReopenWindow()
    {
        if (Window.Reopen(_nexus!.CommandsAllowed))
            TellWindow();
    }

    /// <summary>The I_T_L nexuses are others now.</summary>
    private void FollowEvents()
    {
        for (int i = _eventsDue.Count - 1; i >= 0; i--)
        {
            if (_nexus!.Find(_eventsDue[i].Itl.Lun) is { } itl)
                _eventsDue[i] = (_eventsDue[i].Condition, itl);
            else
                _eventsDue.RemoveAt(i);
        }
        foreach (((AdditionalSense condition, ItlNexus? before) kind, long sentMs) in _eventsSentMs.ToArray())
        {
            if (kind.before is null)
                continue;
            _eventsSentMs.Remove(kind);
            if (_nexus!.Find(kind.before.Lun) is { } itl)
                _eventsSentMs[(kind.condition, itl)] = sentMs;
        }
        SendDueEvents();
    }
}

/// <summary>What a session has done, as one who looks now and then sees it.</summary>
internal sealed class SessionWork
{
    private ulong _before;

    /// <summary>Between the last two looks; to be asked after <see cref="Look"/>.</summary>
    public ulong Lately { get; private set; }

    public void Look(SessionCounters counters)
    {
        ulong now = Placement.WorkOf(counters.Commands, counters.DataInBytes + counters.DataOutBytes);
        (Lately, _before) = (now - _before, now);
    }
}
