namespace Scstd.Core;

/// <summary>What an administrator does to a unit that serves. All of it from any thread; what is called back runs on
/// the home executor.</summary>
public sealed partial class LogicalUnit
{
    internal Freezing Freezing { get; }

    /// <summary>
    /// Lets the device server finish what it has and holds what comes, of this unit alone, until everyone who froze it
    /// has thawed it. Held commands keep their order, count to the limits of their nexus and can be aborted; a lost
    /// nexus and a reset are carried out; INQUIRY, REPORT LUNS and REQUEST SENSE are answered. This may take as long as
    /// the slowest command: <see cref="DescribeFreeze"/> tells which.
    /// </summary>
    /// <param name="reason">Who wants it; the same name again is the same wish.</param>
    /// <param name="frozen">Once: true when the device server has nothing any more, false if it was thawed before.
    /// </param>
    public void Freeze(string reason, Action<bool> frozen) => Home.Post(() => Freezing.Freeze(reason, frozen));

    /// <summary>Takes the wish back; with the last one the held commands go on.</summary>
    /// <param name="reason">As it was frozen.</param>
    /// <param name="thawed">False if nobody of this name had frozen it.</param>
    public void Thaw(string reason, Action<bool> thawed) => Home.Post(() => thawed(Freezing.Thaw(reason)));

    public void DescribeFreeze(Action<FreezeReport> told) => Home.Post(() => Freezing.Describe(told));

    /// <summary>
    /// Changes the unit while no command is with the device server, on a frozen unit as well. Unit attention conditions
    /// that <paramref name="change"/> establishes are pending everywhere before any command is executed again.
    /// </summary>
    /// <param name="change">Runs on the home executor; must be short, because all wait for it.</param>
    /// <param name="done">Afterwards.</param>
    public void ChangeAlone(Action change, Action done) => Home.Post(() => Gate.Sweep(
        static (_, _) => { },
        () =>
        {
            change();
            return TakeConsequences();
        },
        done));

    /// <summary>Its initiators wait so long from now on.</summary>
    public void SetAbortTimeout(long abortTimeoutMs)
    {
        AbortTimeoutMs = abortTimeoutMs;
        foreach (Turnstile turnstile in Turnstiles)
            turnstile.Executor.Post(() => turnstile.Regulator.Window.SetAbortTimeout(abortTimeoutMs * 1000));
    }

    /// <summary>From now on the unit has no more commands in its task set at a time, of all initiators together; null:
    /// any number. If more are in, they stay, and nobody comes in until there are fewer. From any thread.</summary>
    public void SetCommandLimit(int? most)
    {
        CommandLimit? limit =
            most is { } commands ? CommandLimit.OfUnit([.. Turnstiles.Select(t => t.Executor)], commands) : null;
        Home.Post(() => Gate.Tell(
            [turnstile => turnstile.SetCommandLimit(limit)], openExclusion: false, () => limit?.Open()));
    }

    /// <summary>What the limit of commands does on one executor; null: there is none. To be asked there.</summary>
    public CommandLimitView? CommandLimitOn(IExecutor executor) => TurnstileOf(executor).Share?.View;

    /// <summary>The same for who may not wait for ever: until the change begins it can be given up.</summary>
    /// <param name="change">As above.</param>
    /// <param name="ended">Once: true when the change is made, false when it was given up and the unit goes on.</param>
    public PendingChange ChangeAlone(Action change, Action<bool> ended) =>
        ChangeAlone(
            made =>
            {
                change();
                made();
            },
            ended);

    /// <summary>The same with a change that takes its time: the unit is kept alone until it calls back, on the home
    /// executor, once.</summary>
    public PendingChange ChangeAlone(Action<Action> change, Action<bool> ended)
    {
        var pending = new PendingChange(this, ended);
        Home.Post(() => Gate.Sweep(
            static (_, _) => { },
            changed => change(() => changed(TakeConsequences())),
            () => pending.End(isMade: true),
            pending));
        return pending;
    }

    /// <summary>Commands are held because a change waits until the unit is alone; on the home executor.</summary>
    public bool WaitsToChange => Gate.WaitsToChange;

    /// <summary>Told on an executor when the device server begins to be slow there (true, and what a command takes in
    /// microseconds) and when it is quick again; must not block.</summary>
    public Action<bool, long>? SpeedChanged { get; init; }

    /// <summary>What one executor has learned of the device server; to be asked there.</summary>
    public RegulatorView RegulatorOn(IExecutor executor) => TurnstileOf(executor).Regulator.View;
}
