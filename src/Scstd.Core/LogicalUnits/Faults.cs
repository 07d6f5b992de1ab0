using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A command that ends with CHECK CONDITION and whose end concerns the commands beside it.</summary>
internal sealed class FaultRequest(ScsiCommand command)
{
    public Turnstile Turnstile { get; } = command.ItlNexus!.Turnstile;

    public ItlNexus ItlNexus { get; } = command.ItlNexus!;

    /// <summary>NACA was set. A command of another nexus that is let through an ACA condition adds none to it.
    /// </summary>
    public bool EstablishesAca { get; } = command.HasNaca && (!IsInside(command) || command.ItlNexus!.IsFaulted);

    /// <summary>From the command with the ACA attribute that the condition of its nexus lets in.</summary>
    public bool EndsAca { get; } =
        command.ItlNexus!.IsFaulted && ReferenceEquals(command.ItlNexus.AcaCommand, command);

    /// <summary>From a command that an ACA condition lets pass: it follows at once.</summary>
    public bool PassesAca { get; } = IsInside(command);

    /// <summary>Null once the command has left (aborted) before its turn. Touched by its own executor alone.</summary>
    public ScsiCommand? Command { get; set; } = command;

    private static bool IsInside(ScsiCommand command) =>
        command.PassesAca && (command.ItlNexus!.Conditions & NexusConditions.Aca) != 0;
}

/// <summary>
/// What a CHECK CONDITION does to a task set: the ACA condition (SAM-5 §5.9, with NACA) and QERR (SPC-4 §7.5.8). Done,
/// and told to every executor, before the status is sent; one after the other. A command that faults while an ACA
/// condition is in effect in its task set was blocked with the others: its turn comes when the condition has been
/// cleared. All members run on the home executor.
/// </summary>
internal sealed class Faults(LogicalUnit unit)
{
    private readonly List<FaultRequest> _waiting = [];
    private readonly List<AcaCondition> _inEffect = [];
    private FaultRequest? _current;

    /// <param name="ItlNexus">The faulted one.</param>
    /// <param name="IsForAll">The task set is that of all nexuses (TST 000b).</param>
    private readonly record struct AcaCondition(ItlNexus ItlNexus, bool IsForAll);

    public void Request(FaultRequest request)
    {
        _waiting.Add(request);
        Next();
    }

    /// <summary>The command has gone before its turn.</summary>
    public void Skip()
    {
        _current = null;
        Next();
    }

    /// <summary>The turn of a command that is still there: those that go with it go, the others stop.</summary>
    public void CarryOut(FaultRequest request)
    {
        bool perNexus = ControlModePage.HasTaskSetPerNexus(unit.Control);
        QueueErrorManagement queueError = ControlModePage.QueueError(unit.Control);
        bool reportTaskAborted = ControlModePage.ReportsTaskAborted(unit.Control);
        unit.Gate.Sweep(
            (turnstile, barrier) =>
            {
                if (queueError != QueueErrorManagement.Continue)
                {
                    bool all = queueError == QueueErrorManagement.AbortAll && !perNexus;
                    turnstile.AbortBeside(request, all, reportTaskAborted, barrier);
                }
            },
            () => Establish(request, isForAll: !perNexus),
            () =>
            {
                _current = null;
                request.Turnstile.Executor.Post(() => request.Turnstile.FaultCarriedOut(request));
                Next();
            });
    }

    /// <summary>There has been an ACA condition.</summary>
    public bool HaveBeen { get; private set; }

    /// <summary>The nexus has an ACA condition in effect.</summary>
    public bool IsFaulted(ItNexus nexus) => _inEffect.Exists(c => ReferenceEquals(c.ItlNexus.Nexus, nexus));

    /// <summary>The ACA conditions of these nexuses end; <paramref name="told"/> runs here when every executor knows.
    /// </summary>
    public void End(Func<ItNexus, bool> isOf, Action told)
    {
        unit.Gate.Tell(TakeEnds(condition => isOf(condition.Nexus)), openExclusion: false, told);
        Next();
    }

    /// <summary>The same as part of a change that tells its consequences itself.</summary>
    public void EndAsConsequence(ItNexus nexus) => EndAsConsequence(itl => ReferenceEquals(itl.Nexus, nexus));

    /// <summary>A logical unit reset ends all of them.</summary>
    public void EndAll() => EndAsConsequence(static _ => true);

    /// <summary>A nexus moves: an ACA condition of it is the other's from now on. True if there is one.</summary>
    public bool Exchange(ItlNexus before, ItlNexus after)
    {
        int index = _inEffect.FindIndex(condition => ReferenceEquals(condition.ItlNexus, before));
        if (index >= 0)
            _inEffect[index] = _inEffect[index] with { ItlNexus = after };
        return index >= 0;
    }

    private void EndAsConsequence(Func<ItlNexus, bool> isOf)
    {
        foreach (Action<Turnstile> end in TakeEnds(isOf))
            unit.AddConsequence(end);
        Next();
    }

    private List<Action<Turnstile>> TakeEnds(Func<ItlNexus, bool> isOf)
    {
        var ends = new List<Action<Turnstile>>();
        for (int i = _inEffect.Count - 1; i >= 0; i--)
        {
            AcaCondition condition = _inEffect[i];
            if (!isOf(condition.ItlNexus))
                continue;
            _inEffect.RemoveAt(i);
            ends.Add(turnstile => turnstile.AcaEnded(condition.ItlNexus, condition.IsForAll));
        }
        return ends;
    }

    /// <summary>SAM-5 §5.9.5: the CHECK CONDITION of the command with the ACA attribute clears the condition; with NACA
    /// it establishes the next.</summary>
    private List<Action<Turnstile>> Establish(FaultRequest request, bool isForAll)
    {
        List<Action<Turnstile>> changes =
            request.EndsAca ? TakeEnds(itl => ReferenceEquals(itl, request.ItlNexus)) : [];
        if (!request.EstablishesAca)
            return changes;
        HaveBeen = true;
        _inEffect.Add(new AcaCondition(request.ItlNexus, isForAll));
        changes.Add(turnstile => turnstile.AcaEstablished(request.ItlNexus, isForAll));
        return changes;
    }

    private void Next()
    {
        if (_current is not null)
            return;
        int index = _waiting.FindIndex(r => !IsHeldBack(r));
        if (index < 0)
            return;
        FaultRequest next = _waiting[index];
        _waiting.RemoveAt(index);
        _current = next;
        next.Turnstile.Executor.Post(() => next.Turnstile.FaultGranted(next));
    }

    private bool IsHeldBack(FaultRequest request)
    {
        if (request.EndsAca && _inEffect.Exists(c => ReferenceEquals(c.ItlNexus, request.ItlNexus)))
            return false;
        return (!request.PassesAca || request.EstablishesAca || request.EndsAca) &&
            _inEffect.Exists(c => c.IsForAll || ReferenceEquals(c.ItlNexus, request.ItlNexus));
    }
}
