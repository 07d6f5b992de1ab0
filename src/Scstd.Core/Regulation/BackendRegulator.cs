using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What a unit has learned of its device server on one executor.</summary>
/// <param name="Limit">Commands that the device server gets at a time; null: it is quick, there is no limit.</param>
/// <param name="Waiting">Commands that wait for it.</param>
/// <param name="ExpectedUs">What the next one will take there, while there is a limit.</param>
/// <param name="RatePerSecond">What comes out, while there is a limit.</param>
/// <param name="TurnedAway">Commands that could not have been done in time and were answered BUSY before they began.
/// </param>
/// <param name="Kept">Commands that had to wait for it, ever.</param>
public readonly record struct RegulatorView(
    int? Limit, int Waiting, long ExpectedUs, double RatePerSecond, ulong TurnedAway, ulong Kept);

/// <summary>
/// Stands before the device server on one executor's side. While the store is quick nothing passes through here: the
/// watch tells of a stay that is too long, and a tick once a second looks whether anything is stuck. Then commands
/// that move data wait here for a place in the <see cref="BackendWindow"/>; one that would come too late is answered
/// BUSY before it begins, and the nexuses are told to send no more than can be done.
/// </summary>
internal sealed class BackendRegulator(Turnstile turnstile, long abortTimeoutUs) : IKeeper
{
    /// <summary>Our choice: fine against an initiator's patience, nothing against a second.</summary>
    private const int TickMs = 250;

    private readonly BackendWindow _window = new(abortTimeoutUs);
    private readonly FairQueue _waiting = new();
    private readonly List<ItlNexus> _told = [];
    private ulong _turnedAway;
    private ulong _kept;
    private bool _isTicking;
    private bool _isHandingOver;
    private bool _isSlowTold;
    private ScsiCommand? _handedOver;

    public BackendWindow Window => _window;

    public RegulatorView View => new(_window.IsFree ? null : _window.Limit, _waiting.Count, _window.ExpectedUs,
        _window.RatePerSecond, _turnedAway, _kept);

    /// <summary>Commands must come through here: there is a limit, or nobody looks yet whether one is needed.</summary>
    public bool IsAwake => !_window.IsFree || !_isTicking;

    /// <summary>True if the command was kept or ended.</summary>
    public bool Keep(ScsiCommand command)
    {
        if (!_isTicking)
            BeginTicking();
        if (_window.IsFree || ReferenceEquals(command, _handedOver) || !IsRegulated(command))
            return false;
        if (_waiting.Count == 0 && turnstile.Executing < _window.Limit)
            return false;
        long ageUs = turnstile.Executor.NowUs - command.ReceivedUs;
        int ahead = _waiting.AheadOf(command.ItlNexus!) + Math.Max(0, turnstile.Executing - _window.Limit);
        if (_window.IsHopeless(ageUs, ahead))
        {
            _turnedAway++;
            turnstile.TurnAway(command);
            return true;
        }
        _kept++;
        turnstile.KeepFor(command, this);
        _waiting.Enqueue(command);
        return true;
    }

    /// <summary>The watch saw a command leave the device server.</summary>
    public void Left(ScsiCommand command, long stayUs, long nowUs)
    {
        // What was turned away or refused says nothing about the store.
        if ((_window.IsFree && stayUs <= _window.EngageUs) || command.Status != ScsiStatus.Good ||
            !IsRegulated(command))
            return;
        bool wasFree = _window.IsFree;
        _window.Completed(stayUs, nowUs, turnstile.Executing);
        if (!wasFree)
            return;
        turnstile.RegulationChanged();
        TellSpeed();
    }

    private void TellSpeed()
    {
        if (_isSlowTold == !_window.IsFree)
            return;
        _isSlowTold = !_window.IsFree;
        turnstile.Unit.SpeedChanged?.Invoke(_isSlowTold, _window.ExpectedUs);
    }

    /// <summary>The device server has fewer commands, or may have more.</summary>
    public void HandOver()
    {
        // What is handed over may end at once and call here again: the loop goes on for it.
        if (_isHandingOver)
            return;
        _isHandingOver = true;
        while (_waiting.Count > 0 && !turnstile.IsExecutionShut &&
            (turnstile.Executing == 0 || turnstile.Executing < _window.Limit))
        {
            _handedOver = _waiting.Dequeue();
            turnstile.Resume(_handedOver);
        }
        _handedOver = null;
        _isHandingOver = false;
    }

    public void Forget(ScsiCommand command) => _waiting.Remove(command);

    /// <summary>It goes on elsewhere, and what is told there is not this one's to take back.</summary>
    public void ForgetTold(ItlNexus itl) => _told.Remove(itl);

    public string WaitsFor(ScsiCommand command) => _window.IsFree
        ? "its turn at the device server"
        : $"its turn at a slow device server, which gets {_window.Limit} commands at a time";

    private static bool IsRegulated(ScsiCommand command) =>
        command.Attribute != TaskAttribute.HeadOfQueue && MovesData(command);

    /// <summary>To or from the medium.</summary>
    public static bool MovesData(ScsiCommand command) => command.SizeClass != 0 &&
        command.Binding.Row.Has(CommandTraits.NeedsMedium) && command.Binding.Row.Direction != DataDirection.None &&
        !command.Binding.Row.Has(CommandTraits.ChangesUnit | CommandTraits.HoldsRange);

    private void BeginTicking()
    {
        _isTicking = true;
        turnstile.RegulationChanged();
        turnstile.Executor.PostAfter(TickMs, Tick);
    }

    private void Tick()
    {
        long nowUs = turnstile.Executor.NowUs;
        int executing = turnstile.Executing;
        _window.Tick(nowUs, executing, OldestUs(nowUs), _waiting.Count);
        TurnAwayHopeless(nowUs);
        HandOver();
        TellNexuses();
        TellSpeed();
        turnstile.ForgetIdle();
        bool goesOn = turnstile.Admitted > 0 || !_window.IsFree;
        if (goesOn)
            turnstile.Executor.PostAfter(TickMs, Tick);
        _isTicking = goesOn;
        turnstile.RegulationChanged();
    }

    private long OldestUs(long nowUs)
    {
        long sinceUs = nowUs;
        foreach (ItlNexus itl in turnstile.Active)
        {
            for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
            {
                if (command.State != CommandState.Enabled || !IsRegulated(command))
                    continue;
                sinceUs = Math.Min(sinceUs, command.StateSinceUs);
                break;
            }
        }
        return nowUs - sinceUs;
    }

    private void TurnAwayHopeless(long nowUs)
    {
        if (_waiting.Count == 0 || _window.IsFree)
            return;
        int ahead = Math.Max(0, turnstile.Executing - _window.Limit);
        foreach (ScsiCommand command in _waiting.TakeWhile(c => _window.IsHopeless(nowUs - c.ReceivedUs, ahead)))
        {
            _turnedAway++;
            turnstile.TurnAway(command);
        }
    }

    /// <summary>What the nexuses may send is shared between those that send.</summary>
    private void TellNexuses()
    {
        if (_window.IsFree)
        {
            foreach (ItlNexus itl in _told)
                itl.Nexus.AllowCommands(itl, null);
            _told.Clear();
            return;
        }
        int sending = Math.Max(1, turnstile.Active.Count(static itl => itl.CommandCount > 0));
        int share = Math.Max(1, _window.Acceptable / sending);
        foreach (ItlNexus itl in turnstile.Active)
        {
            if (itl.CommandCount > 0 && !_told.Contains(itl))
                _told.Add(itl);
        }
        foreach (ItlNexus itl in _told)
            itl.Nexus.AllowCommands(itl, turnstile.Has(itl) ? share : null);
        _told.RemoveAll(itl => !turnstile.Has(itl));
    }
}
