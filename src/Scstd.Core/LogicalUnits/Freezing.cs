namespace Scstd.Core;

/// <summary>How far a unit's freezing has come.</summary>
public enum FreezeState : byte
{
    Open,

    /// <summary>Nothing new reaches the device server; what it has is waited for.</summary>
    Draining,

    /// <summary>The device server has nothing.</summary>
    Frozen,
}

/// <summary>A frozen unit, or one that is to be, at one moment.</summary>
/// <param name="State">How far it is.</param>
/// <param name="Reasons">Who wants it so, in the order of their coming.</param>
/// <param name="HeldCommands">Commands that were received and wait.</param>
/// <param name="WaitsFor">While it drains: what the device server still has.</param>
public sealed record FreezeReport(
    FreezeState State, IReadOnlyList<string> Reasons, int HeldCommands, IReadOnlyList<string> WaitsFor);

/// <summary>
/// Freezing one unit: what is with its device server is waited for, what comes is received and held, in its order,
/// until the last who wanted it so lets it go. Aborts and resets pass: they are what initiators have against waiting.
/// INQUIRY, REPORT LUNS and REQUEST SENSE are answered, because the device server has no part in them.
/// All members run on the home executor.
/// </summary>
internal sealed class Freezing(LogicalUnit unit)
{
    private readonly List<string> _reasons = [];
    private readonly List<(string Reason, Action<bool> Told)> _waiting = [];
    private int _round;
    private bool _isDrained;

    public bool IsOn => _reasons.Count > 0;

    public FreezeState State => !IsOn ? FreezeState.Open : _isDrained ? FreezeState.Frozen : FreezeState.Draining;

    /// <summary>One name stands for one who wants it; the same name again changes nothing.</summary>
    /// <param name="reason">Its name.</param>
    /// <param name="told">Called once: with true when the device server has nothing any more, with false if the same
    /// name let go before that.</param>
    public void Freeze(string reason, Action<bool> told)
    {
        bool isFirst = !IsOn;
        if (!_reasons.Contains(reason))
            _reasons.Add(reason);
        if (_isDrained)
        {
            told(true);
            return;
        }
        _waiting.Add((reason, told));
        if (isFirst)
            Shut();
    }

    /// <summary>False if nobody of this name wanted it frozen.</summary>
    public bool Thaw(string reason)
    {
        if (!_reasons.Remove(reason))
            return false;
        if (!IsOn)
            Open();
        List<(string Reason, Action<bool> Told)> gone = [.. _waiting.Where(w => w.Reason == reason)];
        _waiting.RemoveAll(w => w.Reason == reason);
        foreach ((_, Action<bool> told) in gone)
            told(false);
        return true;
    }

    /// <summary>Asks every executor; <paramref name="told"/> runs here.</summary>
    public void Describe(Action<FreezeReport> told)
    {
        int held = 0;
        var waitsFor = new List<string>();
        var all = new Countdown(unit.Turnstiles.Length, () => told(new FreezeReport(
            State, [.. _reasons], held, State == FreezeState.Draining ? waitsFor : [])));
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            turnstile.Executor.Post(() =>
            {
                (int heldHere, List<string> running) = Look(turnstile);
                unit.Home.Post(() =>
                {
                    held += heldHere;
                    waitsFor.AddRange(running);
                    all.Count();
                });
            });
        }
    }

    private static (int Held, List<string> Running) Look(Turnstile turnstile)
    {
        int held = 0;
        var running = new List<string>();
        foreach (ItlNexus itl in turnstile.Nexuses)
        {
            foreach (ScsiCommand command in itl.Snapshot())
            {
                if (command.State == CommandState.Dormant)
                    held++;
                else if (command.State is CommandState.Enabled or CommandState.Publishing)
                    running.Add($"{command.Binding.Row.Name} of {itl.Nexus.InitiatorPort}, tag {command.Tag:X}h");
            }
        }
        return (held, running);
    }

    private void Shut()
    {
        int round = ++_round;
        var idle = new Countdown(unit.Turnstiles.Length, () => unit.Gate.WhenNotExclusive(() => Drained(round)));
        foreach (Turnstile turnstile in unit.Turnstiles)
            turnstile.Executor.Post(() => turnstile.DrainExecution(shut: true, () => unit.Home.Post(idle.Count)));
        unit.Gate.WhenNotExclusive(() => LetPass(round));
    }

    /// <summary>What had the unit for itself when the freezing began has ended, and nothing gets it before the thaw.
    /// </summary>
    private void LetPass(int round)
    {
        if (round != _round || !IsOn)
            return;
        foreach (Turnstile turnstile in unit.Turnstiles)
            turnstile.Executor.Post(() => turnstile.SetFrozen(true));
    }

    private void Drained(int round)
    {
        if (round != _round || !IsOn)
            return;
        _isDrained = true;
        List<(string Reason, Action<bool> Told)> waiting = [.. _waiting];
        _waiting.Clear();
        foreach ((_, Action<bool> told) in waiting)
            told(true);
    }

    private void Open()
    {
        _round++;
        _isDrained = false;
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            turnstile.Executor.Post(() => turnstile.SetFrozen(false));
            turnstile.Executor.Post(turnstile.OpenExecution);
        }
        unit.Gate.Thawed();
    }
}
