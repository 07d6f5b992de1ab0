using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A command that ends with CHECK CONDITION and whose end concerns the commands beside it.</summary>
internal sealed class FaultRequest(ScsiCommand command)
{
    public Turnstile Turnstile { get; } = command.ItlNexus!.Turnstile;

    public ItlNexus ItlNexus { get; } = command.ItlNexus!;

    /// <summary>NACA was set. A command of another nexus that is let through an ACA condition adds none to it.
    /// </summary>
    public bool EstablishesAca { get; } =
        command.HasNaca && (!command.PassesAca || command.ItlNexus!.IsFaulted);

    /// <summary>From the command that an ACA condition lets in: it follows at once, whatever is in effect.</summary>
    public bool IsInsideAca { get; } = command.PassesAca;

    /// <summary>Null once the command has left (aborted) before its turn. Touched by its own executor alone.</summary>
    public ScsiCommand? Command { get; set; } = command;
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

    /// <summary>The nexus has an ACA condition in effect.</summary>
    public bool IsFaulted(ItNexus nexus) => _inEffect.Exists(c => ReferenceEquals(c.ItlNexus.Nexus, nexus));

    /// <summary>The ACA condition of a nexus ends; <paramref name="told"/> runs here when every executor knows.
    /// </summary>
    public void End(ItNexus nexus, Action told) => unit.Gate.Tell(TakeEnds(nexus), openExclusion: false, told);

    /// <summary>The same as part of a change that tells its consequences itself.</summary>
    public void EndAsConsequence(ItNexus nexus)
    {
        foreach (Action<Turnstile> end in TakeEnds(nexus))
            unit.AddConsequence(end);
    }

    /// <summary>A logical unit reset ends all of them.</summary>
    public void EndAll()
    {
        while (_inEffect.Count > 0)
            EndAsConsequence(_inEffect[0].ItlNexus.Nexus);
    }

    private List<Action<Turnstile>> TakeEnds(ItNexus nexus)
    {
        var ends = new List<Action<Turnstile>>();
        for (int i = _inEffect.Count - 1; i >= 0; i--)
        {
            AcaCondition condition = _inEffect[i];
            if (!ReferenceEquals(condition.ItlNexus.Nexus, nexus))
                continue;
            _inEffect.RemoveAt(i);
            ends.Add(turnstile => turnstile.AcaEnded(condition.ItlNexus, condition.IsForAll));
        }
        Next();
        return ends;
    }

    private IReadOnlyList<Action<Turnstile>> Establish(FaultRequest request, bool isForAll)
    {
        if (!request.EstablishesAca || _inEffect.Exists(c => ReferenceEquals(c.ItlNexus, request.ItlNexus)))
            return [];
        _inEffect.Add(new AcaCondition(request.ItlNexus, isForAll));
        return [turnstile => turnstile.AcaEstablished(request.ItlNexus, isForAll)];
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

    private bool IsHeldBack(FaultRequest request) => request.EstablishesAca && !request.IsInsideAca &&
        _inEffect.Exists(c => c.IsForAll || ReferenceEquals(c.ItlNexus, request.ItlNexus));
}
