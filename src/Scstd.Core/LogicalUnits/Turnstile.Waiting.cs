using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Waiting at the gate, and leaving without having passed it.</summary>
internal sealed partial class Turnstile
{
    // ---- Order -------------------------------------------------------------------------------------------------

    private void BeginOrder(ScsiCommand command)
    {
        _orderShut++;
        var request = new GateRequest(this, command);
        command.GateRequest = request;
        Unit.Home.Post(() => Unit.Gate.RequestOrder(request));
    }

    /// <summary>The gate's turn has come: let nobody new in and report when all inside have left.</summary>
    public void DrainOrder(bool shut, Action drained)
    {
        if (shut)
            _orderShut++;
        Invariant.That(_orderDrained is null, "one order at a time");
        if (_admitted == 0)
            drained();
        else
            _orderDrained = drained;
    }

    public void OrderGranted(GateRequest request)
    {
        if (request.Command is not { } command)
        {
            Unit.Home.Post(Unit.Gate.ReleaseOrder);
            return;
        }
        command.GateRequest = null;
        bool first = _dormant.Remove(command);
        Invariant.That(first, "an ORDERED command waits until its turn");
        command.Holds |= Holding.Order;
        AdmitDormant(command);
    }

    /// <summary>The ORDERED command has ended; those behind it come in, up to the next ORDERED one.</summary>
    public void OpenOrder()
    {
        _orderShut--;
        while (_orderShut == 0 && _dormant.First is { } next)
        {
            if (next.Attribute == TaskAttribute.Ordered)
                BeginOrder(next);
            else
                AdmitDormant(_dormant.Dequeue());
        }
    }

    private void AdmitDormant(ScsiCommand command)
    {
        command.IsAdmitted = true;
        _admitted++;
        if (command.State == CommandState.AwaitingDataOut)
            return;
        JudgeAgain(command);
        Enable(command);
    }

    // ---- Exclusion ---------------------------------------------------------------------------------------------

    private void BeginExclusion(ScsiCommand command)
    {
        if (command.ItlNexus!.Conditions != 0 && HoldsBack(command))
            return;
        command.State = CommandState.Dormant;
        ShutExecution();
        var request = new GateRequest(this, command);
        command.GateRequest = request;
        Unit.Home.Post(() => Unit.Gate.RequestExclusion(request));
    }

    public void ShutExecution() => _executionShut++;

    public void DrainExecution(bool shut, Action drained)
    {
        if (shut)
            ShutExecution();
        WhenIdle(drained);
    }

    /// <summary>Calls back when no command of this side is with the device server; the way in is shut.</summary>
    public void WhenIdle(Action idle)
    {
        Invariant.That(_executionShut > 0, "idleness is waited for behind a shut way");
        if (_executing == 0)
            idle();
        else
            _whenIdle.Add(idle);
    }

    private void Idle()
    {
        Action[] waiting = [.. _whenIdle];
        _whenIdle.Clear();
        foreach (Action idle in waiting)
            idle();
    }

    public void ExclusionGranted(GateRequest request)
    {
        if (request.Command is not { } command)
        {
            Unit.Home.Post(() => Unit.Gate.ReleaseExclusion(request, [], null));
            return;
        }
        bool isBlocked = IsBlockedByAca(command);
        if (isBlocked || ReferenceEquals(_reporting, command.ItlNexus))
        {
            // That came while it waited, and may need the gate itself: it asks again afterwards.
            command.GateRequest = null;
            if (isBlocked)
                _acaBlocked.Enqueue(command);
            else
                _blocked.Enqueue(command);
            Unit.Home.Post(() => Unit.Gate.ReleaseExclusion(request, [], null));
            return;
        }
        command.HoldsExclusion = true;
        JudgeAgain(command);
        Execute(command);
    }

    public void OpenExecution()
    {
        _executionShut--;
        while (_executionShut == 0 && !_blocked.IsEmpty)
        {
            ScsiCommand command = _blocked.Dequeue();
            JudgeAgain(command);
            Enable(command);
        }
        EnableWhatPassesFreezing();
        Regulator.HandOver();
    }

    // ---- Abort -------------------------------------------------------------------------------------------------

    /// <summary>Aborts what a nexus has here and puts the barrier on it. Returns how many commands it covers.</summary>
    /// <remarks>The first that leaves would let in what waits for it, which is to go as well: the way is shut until all
    /// have been told.</remarks>
    public int AbortAll(
        ItlNexus itl,
        AbortBarrier barrier,
        ulong beforeSequence,
        bool reportTaskAborted,
        ScsiCommand? except = null,
        bool sparesDone = false)
    {
        int covered = 0;
        ShutExecution();
        foreach (ScsiCommand command in itl.Snapshot())
        {
            if (command.Sequence >= beforeSequence || ReferenceEquals(command, except) ||
                command.State is CommandState.Ended or CommandState.Released || (sparesDone && IsDone(command)))
                continue;
            if (Abort(command, barrier, reportTaskAborted))
                covered++;
        }
        OpenExecution();
        return covered;
    }

    /// <summary>The same of all these. Two of them may lead to one unit, so the way is shut until the last is done.
    /// </summary>
    public static void AbortAll(IReadOnlyList<ItlNexus> itls, AbortBarrier barrier, ulong beforeSequence)
    {
        foreach (ItlNexus itl in itls)
            itl.Turnstile.ShutExecution();
        foreach (ItlNexus itl in itls)
            itl.Turnstile.AbortAll(itl, barrier, beforeSequence, reportTaskAborted: false);
        foreach (ItlNexus itl in itls)
            itl.Turnstile.OpenExecution();
    }

    /// <summary>The same, each unit by itself: what follows at one does not wait for the store of another.</summary>
    /// <param name="itls">They may lead to one unit.</param>
    /// <param name="beforeSequence">Newer commands are not covered.</param>
    /// <param name="gone">Called once for each unit, with those of the nexuses that lead to it.</param>
    public static void AbortByUnit(
        IReadOnlyList<ItlNexus> itls, ulong beforeSequence, Action<IReadOnlyList<ItlNexus>> gone)
    {
        var barriers = new List<AbortBarrier>();
        foreach (ItlNexus itl in itls)
            itl.Turnstile.ShutExecution();
        foreach (IGrouping<LogicalUnit, ItlNexus> unit in itls.GroupBy(itl => itl.Unit))
        {
            List<ItlNexus> ofUnit = [.. unit];
            var barrier = new AbortBarrier(() => gone(ofUnit));
            barriers.Add(barrier);
            foreach (ItlNexus itl in ofUnit)
                itl.Turnstile.AbortAll(itl, barrier, beforeSequence, reportTaskAborted: false);
        }
        foreach (ItlNexus itl in itls)
            itl.Turnstile.OpenExecution();
        foreach (AbortBarrier barrier in barriers)
            barrier.Arm();
    }

    /// <summary>Puts the barrier on what a nexus has here, without doing anything to it.</summary>
    /// <param name="itl">The nexus.</param>
    /// <param name="barrier">Passed when all of it has left.</param>
    /// <param name="inTaskSet">Not on what waits for a place in the task set.</param>
    public static void Await(ItlNexus itl, AbortBarrier barrier, bool inTaskSet = false)
    {
        foreach (ScsiCommand command in itl.Snapshot())
        {
            if (inTaskSet && command.Keeper is CommandShare)
                continue;
            barrier.Add();
            command.AbortWaits = new AbortWait(barrier, command.AbortWaits);
        }
    }

    /// <summary>
    /// Tells the command's present owner to let go of it; from there the ordinary walk carries it to its end, without a
    /// response (or with TASK ABORTED), and past the barrier. False if it ends with a status of its own.
    /// </summary>
    public bool Abort(ScsiCommand command, AbortBarrier barrier, bool reportTaskAborted)
    {
        barrier.Add();
        command.AbortWaits = new AbortWait(barrier, command.AbortWaits);
        if (command.IsAborted)
        {
            command.ReportsTaskAborted &= reportTaskAborted;
            return true;
        }
        // Others have gone or were told of an ACA condition by reason of its status: that must be sent, unless a lost
        // nexus has nobody to send it to.
        if (command.IsFaultGranted && !command.Nexus.IsEnding)
            return false;
        command.IsAborted = true;
        command.ReportsTaskAborted = reportTaskAborted;
        switch (command.State)
        {
            case CommandState.AwaitingDataOut:
                command.ItlNexus!.Nexus.Port.TerminateDataTransfer(command);
                break;
            case CommandState.Dormant:
                AbortedCommandLeft(command);
                break;
            case CommandState.Enabled:
                if (!command.IsPostponed)
                    Unit.Backend.Abort(command);
                break;
            case CommandState.Publishing:
                if (command.Fault is not null)
                    AbortedCommandLeft(command);
                break;
            default:
                Invariant.That(false, $"a command in state {command.State} is not in the task set");
                break;
        }
        return true;
    }

    /// <summary>An aborted command is in nobody's hands any more: out of the queues, and to its end.</summary>
    public void AbortedCommandLeft(ScsiCommand command)
    {
        Invariant.That(command.IsAborted, "only an aborted command leaves this way");
        if (command.Keeper is { } keeper)
        {
            command.Keeper = null;
            keeper.Forget(command);
        }
        command.WaitsIn?.Remove(command);
        if (command.Range is { } range)
            range.Command = null;
        if (command.Fault is { } fault)
        {
            fault.Command = null;
            command.Fault = null;
        }
        if (command.GateRequest is { } request)
        {
            request.Command = null;
            command.GateRequest = null;
        }
        Leave(command);
    }
}
