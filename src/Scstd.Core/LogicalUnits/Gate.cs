using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A command's wish to pass the gate; null once the command has left (aborted) before its turn.</summary>
internal sealed class GateRequest(Turnstile turnstile, ScsiCommand command)
{
    public Turnstile Turnstile { get; } = turnstile;

    /// <summary>It goes before those that have not had their turn.</summary>
    public bool IsHeadOfQueue { get; } = command.Attribute == TaskAttribute.HeadOfQueue;

    public ScsiCommand? Command { get; set; } = command;
}

/// <summary>
/// The gate of a logical unit, kept by its home executor. It shuts the turnstiles of all executors for those few that
/// need it: <em>order</em> for an ORDERED command, which begins when everything before it has ended (SAM-5 §8.6.2), and
/// <em>exclusion</em> for a command that changes the unit, which begins when no other is with the device server.
/// The two are separate: order waits for initiators (whose Data-Out may be late), exclusion only for device servers.
/// A command with order may ask for exclusion, never the other way round, so they cannot wait for each other.
/// All members run on the home executor.
/// </summary>
internal sealed class Gate(LogicalUnit unit)
{
    private readonly Queue<GateRequest> _orderWaiting = new();
    private readonly Queue<GateRequest> _exclusionWaiting = new();
    private readonly Stack<GateRequest> _exclusionFirst = new();
    private readonly Queue<Action> _whenNotExclusive = new();
    private GateRequest? _order;
    private GateRequest? _exclusion;

    /// <summary>Every executor has let go for the request; it is told, or will be when the sweeps are over.</summary>
    private bool _isDrained;
    private bool _isGranted;
    private bool _isChanging;
    private int _sweeps;
    private int _pending;

    /// <summary>The last that happened here.</summary>
    public History History { get; } = new(unit.Home);

    /// <summary>Who holds or gets exclusion, for a diagnosis.</summary>
    public string? Describe() => _exclusion?.Command?.Binding.Row.Name
        ?? (_order is not null ? "an ORDERED command" : WaitsToChange ? "a change by the administrator" : null);

    /// <summary>The turnstiles are shut for a change that has not begun.</summary>
    public bool WaitsToChange => _pending > 0;

    // ---- Order -----------------------------------------------------------------------------------------------

    public void RequestOrder(GateRequest request)
    {
        History.Add("order asked for", request.Command?.Binding.Row.Name);
        _orderWaiting.Enqueue(request);
        NextOrder();
    }

    public void ReleaseOrder()
    {
        History.Add("order given back");
        _order = null;
        // The requester's own turnstile was shut when the command came; the others when the turn came.
        foreach (Turnstile turnstile in unit.Turnstiles)
            turnstile.Executor.Post(turnstile.OpenOrder);
        NextOrder();
    }

    private void NextOrder()
    {
        if (_order is not null || !_orderWaiting.TryDequeue(out GateRequest? request))
            return;
        _order = request;
        History.Add("order: draining", request.Command?.Binding.Row.Name);
        var drained = new Countdown(unit.Turnstiles.Length, () => request.Turnstile.Executor.Post(
            () => request.Turnstile.OrderGranted(request)));
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            bool shut = !ReferenceEquals(turnstile, request.Turnstile);
            turnstile.Executor.Post(() => turnstile.DrainOrder(shut, () => unit.Home.Post(drained.Count)));
        }
    }

    // ---- Exclusion -------------------------------------------------------------------------------------------

    public void RequestExclusion(GateRequest request)
    {
        History.Add("exclusion asked for", request.Command?.Binding.Row.Name);
        if (request.IsHeadOfQueue)
            _exclusionFirst.Push(request);
        else
            _exclusionWaiting.Enqueue(request);
        NextExclusion();
    }

    /// <summary>The change is done: its consequences are told to every executor; when all have taken them in, the gate
    /// opens and <paramref name="published"/> runs on the requester's executor.</summary>
    /// <param name="abort">Puts a barrier on what goes with the change, if anything does. The gate does not wait for
    /// that (what goes may wait for an initiator's data), <paramref name="published"/> does.</param>
    public void ReleaseExclusion(
        GateRequest request,
        IReadOnlyList<Action<Turnstile>> consequences,
        Action? published,
        AbortOfChange? abort = null)
    {
        Invariant.That(ReferenceEquals(request, _exclusion), "exclusion is released by its holder");
        History.Add("exclusion: telling the change", request.Command?.Binding.Row.Name);
        if (abort is not null && published is { } whenGone)
        {
            var gone = new Countdown(unit.Turnstiles.Length, () => unit.Faults.End(
                abort.EndsAcaOf, () => request.Turnstile.Executor.Post(whenGone)));
            consequences =
            [
                .. consequences,
                turnstile =>
                {
                    var barrier = new AbortBarrier(() => unit.Home.Post(gone.Count));
                    abort.Abort(turnstile, barrier);
                    barrier.Arm();
                },
            ];
            published = null;
        }
        Tell(consequences, openExclusion: true, () =>
        {
            History.Add("exclusion given back");
            _exclusion = null;
            if (published is not null)
                request.Turnstile.Executor.Post(published);
            BeginChanges();
            NextExclusion();
        });
    }

    /// <summary>The unit has thawed: who waits for exclusion may have it.</summary>
    public void Thawed()
    {
        GrantExclusion();
        NextExclusion();
    }

    private void NextExclusion()
    {
        if (_exclusion is not null || _sweeps > 0 || unit.Freezing.IsOn ||
            (!_exclusionFirst.TryPop(out GateRequest? request) && !_exclusionWaiting.TryDequeue(out request)))
            return;
        _exclusion = request;
        _isDrained = _isGranted = false;
        var drained = new Countdown(unit.Turnstiles.Length, () =>
        {
            _isDrained = true;
            GrantExclusion();
        });
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            bool shut = !ReferenceEquals(turnstile, request.Turnstile);
            turnstile.Executor.Post(() => turnstile.DrainExecution(shut, () => unit.Home.Post(drained.Count)));
        }
    }

    /// <summary>A sweep goes first: a change granted beside it would be undone by a reset that is older.</summary>
    private void GrantExclusion()
    {
        if (_sweeps > 0 || unit.Freezing.IsOn || _isGranted || !_isDrained || _exclusion is not { } request)
            return;
        _isGranted = true;
        History.Add("exclusion granted", request.Command?.Binding.Row.Name);
        request.Turnstile.Executor.Post(() => request.Turnstile.ExclusionGranted(request));
    }

    // ---- Sweeps: functions that abort what is inside ---------------------------------------------------------

    /// <summary>
    /// Shuts every turnstile, lets <paramref name="abort"/> put a barrier on what is to go, and when all of it has gone
    /// runs <paramref name="change"/> here, alone, tells its consequences to every executor, opens, and calls
    /// <paramref name="done"/> here.
    /// </summary>
    public void Sweep(
        Action<Turnstile, AbortBarrier> abort, Func<IReadOnlyList<Action<Turnstile>>> change, Action done)
    {
        Sweep(abort, changed => changed(change()), done);
    }

    /// <summary>The same with a change that takes its time: it calls back, here, with the consequences.</summary>
    /// <param name="abort">As above.</param>
    /// <param name="change">As above.</param>
    /// <param name="done">As above.</param>
    /// <param name="pending">By which it can be given up before the change has begun.</param>
    public void Sweep(
        Action<Turnstile, AbortBarrier> abort, Action<Action<IReadOnlyList<Action<Turnstile>>>> change, Action done,
        PendingChange? pending = null)
    {
        _sweeps++;
        _pending += pending is null ? 0 : 1;
        History.Add("sweep begun");
        var gone = new Countdown(unit.Turnstiles.Length, () => WhenNotExclusive(() =>
        {
            if (pending is not null && !TrySettle(pending))
                return;
            _isChanging = true;
            change(consequences =>
            {
                _isChanging = false;
                Tell([.. consequences, static turnstile => turnstile.EndSweep()], openExclusion: true, () =>
                {
                    _sweeps--;
                    History.Add("sweep done");
                    done();
                    GrantExclusion();
                    NextExclusion();
                });
                BeginChanges();
            });
        }));
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            turnstile.Executor.Post(() =>
            {
                // A newer command of the requester is not covered, yet the change runs alone: it is waited for too.
                var barrier = new AbortBarrier(() => turnstile.WhenIdle(() => unit.Home.Post(gone.Count)));
                turnstile.BeginSweep();
                abort(turnstile, barrier);
                barrier.Arm();
            });
        }
    }

    /// <summary>The turnstiles open as after a sweep that changed nothing. What still waits for idleness or exclusion
    /// on its behalf finds it settled.</summary>
    public void GiveUp(PendingChange pending)
    {
        if (!TrySettle(pending))
            return;
        Tell([static turnstile => turnstile.EndSweep()], openExclusion: true, () =>
        {
            _sweeps--;
            History.Add("sweep given up");
            pending.End(isMade: false);
            GrantExclusion();
            NextExclusion();
        });
    }

    private bool TrySettle(PendingChange pending)
    {
        if (!pending.TrySettle())
            return false;
        _pending--;
        return true;
    }

    /// <summary>Runs consequences on every executor; <paramref name="told"/> runs here when all have.</summary>
    public void Tell(IReadOnlyList<Action<Turnstile>> consequences, bool openExclusion, Action told)
    {
        var all = new Countdown(unit.Turnstiles.Length, told);
        foreach (Turnstile turnstile in unit.Turnstiles)
        {
            turnstile.Executor.Post(() =>
            {
                foreach (Action<Turnstile> consequence in consequences)
                    consequence(turnstile);
                unit.Home.Post(all.Count);
                if (openExclusion)
                    turnstile.OpenExecution();
            });
        }
    }

    /// <summary>A command that a sweep does not cover (it is newer) may hold exclusion: it ends first.</summary>
    public void WhenNotExclusive(Action work)
    {
        if (MayChange)
            work();
        else
            _whenNotExclusive.Enqueue(work);
    }

    /// <summary>Neither a command nor another sweep is changing the unit.</summary>
    private bool MayChange => !_isChanging && (_exclusion is null || !_isGranted);

    private void BeginChanges()
    {
        while (MayChange && _whenNotExclusive.TryDequeue(out Action? work))
            work();
    }
}

/// <summary>What goes with a change that was made alone (PREEMPT AND ABORT).</summary>
/// <param name="Abort">On every executor: puts the barrier on the commands that go.</param>
/// <param name="EndsAcaOf">When they have gone: whose ACA conditions end.</param>
internal sealed record AbortOfChange(Action<Turnstile, AbortBarrier> Abort, Func<ItNexus, bool> EndsAcaOf);

/// <summary>Calls back when it was counted so many times.</summary>
internal sealed class Countdown(int count, Action zero)
{
    private int _left = count;

    public void Count()
    {
        if (--_left == 0)
            zero();
    }
}
