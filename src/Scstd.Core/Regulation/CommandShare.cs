namespace Scstd.Core;

/// <summary>What a command has that it must give back when it leaves.</summary>
[Flags]
internal enum Holding : byte
{
    None = 0,

    /// <summary>The gate's order.</summary>
    Order = 1,

    /// <summary>A place among the commands of its target.</summary>
    TargetPermit = 2,

    /// <summary>A place among the commands of its unit.</summary>
    UnitPermit = 4,
}

/// <summary>A limit of commands on one executor: its permits, and the commands that wait while it asks for more, in
/// order, by turns between the nexuses.</summary>
internal sealed class CommandShare(CommandLimit limit, IExecutor executor) : IKeeper
{
    /// <summary>Our choice: so long after an answer that there are no permits nobody is asked again. Initiators repeat
    /// a command after some milliseconds (Linux: 3), so they lose nothing by it, and however many commands are refused,
    /// there are no more than a thousand questions a second.</summary>
    private const int PauseUs = 1_000;

    private readonly FairQueue _waiting = new();
    private readonly Action _giveOneBack = () => limit.GiveBack(executor.Index, 1);
    private int _unused;
    private int _used;

    /// <summary>Until it is known that no more are in than may be.</summary>
    private bool _keepsNothing = true;
    private bool _isAsking;
    private long _refusesUntilUs = long.MinValue;
    private ulong _refused;

    public IExecutor Executor => executor;

    public CommandLimitView View => new(_used, _waiting.Count, _refused);

    /// <summary>For tests.</summary>
    public CommandLimit Limit => limit;

    /// <summary>For tests.</summary>
    public int Unused => _unused;

    /// <summary>A command that has no permit yet. False: it waits now, and this is its keeper, or it is to be refused,
    /// and it has no keeper.</summary>
    public bool TryTake(ScsiCommand command)
    {
        if (_waiting.Count == 0 && _unused > 0)
        {
            Take(command);
            return true;
        }
        if (!_isAsking && executor.NowUs < _refusesUntilUs)
        {
            _refused++;
            return false;
        }
        Keep(command);
        return false;
    }

    /// <summary>The command leaves. Nobody that waits is let in from here, in the middle of another's end: who waits
    /// has asked, and is let in when the answer comes.</summary>
    public void GiveBack(ScsiCommand command)
    {
        command.Holds &= ~limit.Permit;
        _used--;
        if (_keepsNothing)
            _giveOneBack();
        else
            _unused++;
    }

    public void Forget(ScsiCommand command) => _waiting.Remove(command);

    public string WaitsFor(ScsiCommand command) => limit.Permit == Holding.UnitPermit
        ? $"a place among the {limit.Most} commands of its unit"
        : $"a place among the {limit.Most} commands of its target";

    // ---- What the first executor says ------------------------------------------------------------------------------

    public void Receive(int permits) => _unused += permits;

    /// <summary>What no command has and none waits for, up to <paramref name="wanted"/>.</summary>
    public void GiveUnused(int wanted) => limit.GaveUnused(executor.Index, TakeUnused(wanted));

    /// <summary>Whether permits that are not used go back at once.</summary>
    public void KeepNothing(bool isOn)
    {
        _keepsNothing = isOn;
        int unused = isOn ? TakeUnused(int.MaxValue) : 0;
        if (unused > 0)
            limit.GiveBack(executor.Index, unused);
    }

    /// <summary>The answer to a question: some permits; if it is exhausted, there are no more.</summary>
    public void Answer(int permits, bool isExhausted)
    {
        _unused += permits;
        if (isExhausted)
            _refusesUntilUs = executor.NowUs + PauseUs;
        // What comes meanwhile, because an end lets its initiator send the next, waits behind these.
        while (_waiting.Count > 0 && (_unused > 0 || isExhausted))
        {
            ScsiCommand command = _waiting.Dequeue();
            command.Keeper = null;
            if (_unused > 0)
            {
                Take(command);
                command.ItlNexus!.Turnstile.Enter(command);
                continue;
            }
            _refused++;
            command.ItlNexus!.Turnstile.TurnBack(command);
        }
        _isAsking = false;
        Ask();
    }

    // ---- A limit comes, changes, goes ------------------------------------------------------------------------------

    /// <summary>What is in by these nexuses counts from now on to <paramref name="after"/>, and what waited for
    /// <paramref name="before"/> waits for that, or, if it is null, comes in.</summary>
    /// <param name="permit">Whose limit it is.</param>
    /// <param name="before">Null: there was none.</param>
    /// <param name="after">Null: there is none any more.</param>
    /// <param name="nexuses">On this executor.</param>
    public static void Exchange(
        Holding permit, CommandShare? before, CommandShare? after, IReadOnlyList<ItlNexus> nexuses)
    {
        int inside = 0;
        var waited = new List<ScsiCommand>();
        foreach (ItlNexus itl in nexuses)
        {
            itl.Set(NexusConditions.Counted, itl.Turnstile.Share is not null || itl.Nexus.Share is not null);
            for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
            {
                if (before is not null && ReferenceEquals(command.Keeper, before))
                    waited.Add(command);
                else if (Passes(command, permit, before, after))
                    inside++;
            }
        }
        if (inside > 0)
            after?.Adopt(inside);
        foreach (ScsiCommand command in waited)
        {
            // What one does when it comes in may end another.
            if (!ReferenceEquals(command.Keeper, before))
                continue;
            before!.Forget(command);
            command.Keeper = null;
            if (after is null)
                command.ItlNexus!.Turnstile.Enter(command);
            else
                after.Keep(command);
        }
    }

    /// <summary>The command's permit is one of the new limit. True if it is in and counts.</summary>
    private static bool Passes(ScsiCommand command, Holding permit, CommandShare? before, CommandShare? after)
    {
        bool isCounted = (command.Holds & permit) != 0;
        if (isCounted)
            before!._used--;
        // What waits for its target's limit has not come to its unit's.
        else if (!Turnstile.Counts(command) || (permit == Holding.UnitPermit && command.Keeper is CommandShare))
            return false;
        command.Holds = after is null ? command.Holds & ~permit : command.Holds | permit;
        return true;
    }

    private void Adopt(int commands)
    {
        _used += commands;
        limit.Adopted(executor.Index, commands);
    }

    private void Take(ScsiCommand command)
    {
        _unused--;
        _used++;
        command.Holds |= limit.Permit;
    }

    private int TakeUnused(int wanted)
    {
        int given = Math.Clamp(_unused - _waiting.Count, 0, wanted);
        _unused -= given;
        return given;
    }

    private void Keep(ScsiCommand command)
    {
        command.Keeper = this;
        _waiting.Enqueue(command);
        Ask();
    }

    private void Ask()
    {
        if (_isAsking || _waiting.Count == 0)
            return;
        _isAsking = true;
        limit.Ask(executor.Index, _waiting.Count);
    }
}
