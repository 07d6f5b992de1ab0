namespace Scstd.Core;

/// <summary>A limit of commands as one executor sees it.</summary>
/// <param name="InUse">Commands that are in.</param>
/// <param name="Waiting">Commands that wait until it is known whether they may come in.</param>
/// <param name="Refused">Commands that were answered TASK SET FULL or BUSY.</param>
public readonly record struct CommandLimitView(int InUse, int Waiting, ulong Refused);

/// <summary>
/// So many commands at a time, for a unit or for a target, over all executors together. A command that is in has a
/// permit. Each executor has permits of its own, which its commands take and give back without asking anybody; one
/// that has used them up asks the first executor, which gathers from the others what they do not use. A command is
/// refused only if there is none anywhere.
/// </summary>
/// <remarks>Permits with commands, unused, left here and in messages are together always the limit. Only
/// <see cref="Open"/> may be called from any thread; what is private runs on the first executor.</remarks>
public sealed class CommandLimit
{
    private readonly IReadOnlyList<IExecutor> _executors;
    private readonly CommandShare[] _shares;

    /// <summary>What each executor has been given and has not given back: with commands, unused, and in messages.
    /// </summary>
    private readonly int[] _given;

    private readonly Queue<(int Executor, int Wanted)> _wishes = new();

    /// <summary>Wishes at the head of the queue for which the others have been asked.</summary>
    private int _gathered;
    private int _gathering;
    private int _answersDue;
    private bool _isOpen;

    /// <summary>Permits that nobody has been given. Below zero: so many commands beyond the limit were in when it came.
    /// </summary>
    private int _left;
    private bool _isOverdrawn = true;

    private CommandLimit(IReadOnlyList<IExecutor> executors, int most, Holding permit)
    {
        Invariant.That(most > 0, "a limit lets something in");
        _executors = executors;
        Most = _left = most;
        Permit = permit;
        _given = new int[executors.Count];
        _shares = [.. executors.Select(executor => new CommandShare(this, executor))];
    }

    /// <summary>Commands at a time.</summary>
    public int Most { get; }

    internal Holding Permit { get; }

    /// <summary>For all initiators of a unit together.</summary>
    /// <param name="executors">All, in the order of their indices.</param>
    /// <param name="most">Commands at a time.</param>
    internal static CommandLimit OfUnit(IReadOnlyList<IExecutor> executors, int most) =>
        new(executors, most, Holding.UnitPermit);

    /// <summary>For all sessions of a target together; see <see cref="ItNexus.SetCommandLimit"/>.</summary>
    /// <param name="executors">All, in the order of their indices.</param>
    /// <param name="most">Commands at a time.</param>
    public static CommandLimit OfTarget(IReadOnlyList<IExecutor> executors, int most) =>
        new(executors, most, Holding.TargetPermit);

    /// <summary>As one executor sees it; to be asked there.</summary>
    public CommandLimitView ViewOn(IExecutor executor) => On(executor).View;

    /// <summary>Every nexus that is there has been told of the limit, and so it is known how many commands were in
    /// already. Until then commands that come wait.</summary>
    public void Open() => _executors[0].Post(() =>
    {
        Invariant.That(!_isOpen, "a limit begins once");
        _isOpen = true;
        // If there are too many, shares stay as they are until then: they keep nothing.
        LookForDebt();
        int each = _left / _executors.Count;
        for (int i = 0; each > 0 && i < _executors.Count; i++)
            Give(i, each);
        Serve();
    });

    internal CommandShare On(IExecutor executor) => _shares[executor.Index];

    // ---- What shares say; each is a message to the first executor --------------------------------------------------

    /// <summary>Commands of an executor were in before the limit was.</summary>
    internal void Adopted(int executor, int commands) => _executors[0].Post(() =>
    {
        _given[executor] += commands;
        _left -= commands;
        LookForDebt();
    });

    /// <summary>Commands wait for permits.</summary>
    internal void Ask(int executor, int wanted) => _executors[0].Post(() =>
    {
        _wishes.Enqueue((executor, wanted));
        Serve();
    });

    /// <summary>Permits of a share that is to keep none.</summary>
    internal void GiveBack(int executor, int permits) => _executors[0].Post(() => Take(executor, permits));

    /// <summary>An executor's answer to <see cref="CommandShare.GiveUnused"/>.</summary>
    internal void GaveUnused(int executor, int permits) => _executors[0].Post(() =>
    {
        Take(executor, permits);
        if (--_answersDue > 0)
            return;
        _gathered = _gathering;
        Serve();
    });

    // ---- On the first executor -------------------------------------------------------------------------------------

    /// <summary>Wishes are fulfilled in their order. Whoever gets less has had the others asked after it asked.
    /// </summary>
    private void Serve()
    {
        while (_isOpen && _answersDue == 0 && _wishes.TryPeek(out (int Executor, int Wanted) wish))
        {
            if (_left < wish.Wanted && _gathered == 0)
            {
                Gather();
                return;
            }
            _wishes.Dequeue();
            _gathered = Math.Max(0, _gathered - 1);
            int granted = Math.Clamp(_left, 0, wish.Wanted);
            Move(wish.Executor, granted);
            bool isExhausted = granted < wish.Wanted;
            CommandShare share = _shares[wish.Executor];
            share.Executor.Post(() => share.Answer(granted, isExhausted));
        }
    }

    private void Gather()
    {
        _gathering = _wishes.Count;
        _answersDue = _shares.Length;
        int wanted = _wishes.Sum(wish => wish.Wanted) - _left;
        foreach (CommandShare share in _shares)
            share.Executor.Post(() => share.GiveUnused(wanted));
    }

    /// <summary>More commands are in than there may be: what ends makes room for nobody until there are fewer.
    /// </summary>
    private void LookForDebt()
    {
        if (!_isOpen || _left < 0 == _isOverdrawn)
            return;
        _isOverdrawn = _left < 0;
        bool isOverdrawn = _isOverdrawn;
        foreach (CommandShare share in _shares)
            share.Executor.Post(() => share.KeepNothing(isOverdrawn));
    }

    private void Give(int executor, int permits)
    {
        Move(executor, permits);
        CommandShare share = _shares[executor];
        share.Executor.Post(() => share.Receive(permits));
    }

    private void Take(int executor, int permits)
    {
        Move(executor, -permits);
        LookForDebt();
    }

    private void Move(int executor, int permits)
    {
        _left -= permits;
        _given[executor] += permits;
        Invariant.That(_given[executor] >= 0 && _left <= Most, "no executor gives back more than it was given");
    }

    /// <summary>For tests.</summary>
    internal bool IsOpen => _isOpen;

    /// <summary>For tests: permits that nobody has been given, and what each executor has been.</summary>
    internal (int Left, IReadOnlyList<int> Given) Account => (_left, _given);
}
