using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>A map that changes while the nexus lives.</summary>
public sealed partial class ItNexus
{
    /// <summary>Their LUN was taken away while commands were under way, which end by the old mapping.</summary>
    private readonly List<ItlNexus> _departing = [];

    private readonly List<Action> _settledAtEnd = [];
    private int _unsettledDepartures;
    private bool _countsDepartures;

    /// <summary>
    /// From now on the initiator sees another map. A LUN that still leads to the same unit stays as it is with its
    /// commands, reservations and unit attention conditions. What was received for a LUN that is taken away ends by the
    /// old mapping; then what the nexus held of its unit is given up. The initiator is told only where something
    /// changed (SAM-5 §5.14): INQUIRY DATA HAS CHANGED on a LUN that leads to another unit, and REPORTED LUNS DATA
    /// HAS CHANGED if REPORT LUNS answers something else.
    /// </summary>
    /// <param name="next">Takes effect at once.</param>
    /// <param name="settled">Called here, now or later, when nothing of this nexus can act through what was taken away,
    /// nothing is held there any more, and no memory that its units lent is being sent.</param>
    public void ChangeMap(LunMap next, Action? settled = null)
    {
        if (IsEnding)
        {
            AtEnd(settled);
            return;
        }
        LunMap previous = Map;
        List<ItlNexus> removed = Exchange(next);
        if (!previous.ReportsSameAs(next))
            ReportedLunsChanged();
        Depart(removed, settled);
    }

    /// <summary>SAM-5 §5.14: pending on every I_T_L nexus, until it is reported on one.</summary>
    private void ReportedLunsChanged()
    {
        ItlNexus? first = null;
        foreach (ItlNexus itl in ItlNexuses)
        {
            first ??= itl;
            itl.UnitAttentions.Establish(AdditionalSense.ReportedLunsDataHasChanged);
        }
        first?.Announce(AdditionalSense.ReportedLunsDataHasChanged);
    }

    /// <summary>Once is enough: it is about the target and not about the unit that reported it.</summary>
    internal void ReportedLunsChangeTold()
    {
        foreach (ItlNexus itl in ItlNexuses)
            itl.UnitAttentions.Clear(AdditionalSense.ReportedLunsDataHasChanged);
    }

    /// <summary>The report did not reach the initiator.</summary>
    internal void ReportedLunsChangeUntold()
    {
        foreach (ItlNexus itl in ItlNexuses)
            itl.UnitAttentions.Establish(AdditionalSense.ReportedLunsDataHasChanged);
    }

    private ItlNexus Join(LunMapEntry entry, AdditionalSense condition)
    {
        ItlNexus itl = entry.Unit.TurnstileOf(Executor).AddNexus(this, entry);
        itl.UnitAttentions.Establish(condition);
        return itl;
    }

    /// <summary>Puts the new map in place; returns what it does not have any more.</summary>
    private List<ItlNexus> Exchange(LunMap next)
    {
        ItlNexus?[] before = _byNumber;
        var after = new ItlNexus?[next.Span];
        var exchanged = new List<ItlNexus>();
        foreach (LunMapEntry entry in next.Entries)
        {
            ItlNexus? was = entry.Number < before.Length ? before[entry.Number] : null;
            if (was is not null && ReferenceEquals(was.Unit, entry.Unit))
            {
                after[entry.Number] = was;
                before[entry.Number] = null;
                Remap(was, entry.IsReadOnly);
                continue;
            }
            // The unit is new to this nexus, and nobody powered it on: SAM-5 §5.14 has the general code for an event
            // that none of the others names, as for a port that logs in for the first time. It comes first.
            ItlNexus itl = Join(entry, AdditionalSense.PowerOnResetOrBusDeviceReset);
            after[entry.Number] = itl;
            if (was is not null)
                exchanged.Add(itl);
        }
        _byNumber = after;
        Map = next;
        foreach (ItlNexus itl in exchanged)
            itl.Announce(AdditionalSense.InquiryDataHasChanged);
        return [.. before.OfType<ItlNexus>()];
    }

    /// <summary>The WP bit that MODE SENSE tells this initiator is another (SPC-4 §5.9: a mode parameter changed).
    /// </summary>
    private static void Remap(ItlNexus itl, bool isReadOnly)
    {
        if (itl.IsReadOnly == isReadOnly)
            return;
        itl.Set(NexusConditions.ReadOnlyMapping, isReadOnly);
        itl.UnitAttentions.Establish(AdditionalSense.ModeParametersChanged);
    }

    private void Depart(List<ItlNexus> removed, Action? settled)
    {
        // All that are busy before the first that is not: two LUNs may lead to one unit.
        _departing.AddRange(removed.Where(itl => itl.CommandCount > 0));
        int unsettled = removed.Count + 1;
        foreach (ItlNexus itl in removed)
        {
            _unsettledDepartures++;
            itl.IsDeparting = true;
            var barrier = new AbortBarrier(() => CommandsDeparted(itl, () => GivenUp(itl)));
            Turnstile.Await(itl, barrier);
            // Nobody could clear it any more, and what it blocks would never end. One that is still to come ends with
            // its fault.
            if (itl.IsFaulted)
                itl.Unit.EndAca(this);
            barrier.Arm();
        }
        Count();

        void GivenUp(ItlNexus itl)
        {
            _unsettledDepartures--;
            if (_countsDepartures)
                UnitEnded();
            if (itl.CommandsOut == 0)
                Count();
            else
                itl.Released = Count;
        }

        void Count()
        {
            if (--unsettled == 0)
                settled?.Invoke();
        }
    }

    /// <summary>What the nexus holds it holds of the unit, whichever LUN it came by: given up with the last one.
    /// </summary>
    private void CommandsDeparted(ItlNexus itl, Action settled)
    {
        _departing.Remove(itl);
        itl.Turnstile.RemoveNexus(itl);
        if (Map.LeadsTo(itl.Unit) || _departing.Any(other => ReferenceEquals(other.Unit, itl.Unit)))
            Executor.Post(settled);
        else
            itl.Unit.NexusEnded(this, () => Executor.Post(settled));
    }

    private void AtEnd(Action? settled)
    {
        if (_hasEnded)
            settled?.Invoke();
        else if (settled is not null)
            _settledAtEnd.Add(settled);
    }

    // ---- Task management of what departs ---------------------------------------------------------------------------

    /// <summary>
    /// A function may name commands that came by a LUN before it was taken away or led elsewhere: its initiator knows
    /// them by that LUN, and takes them for gone when it is answered. They are aborted first; then the function goes on
    /// to the unit that is there now. False if it concerns none of them.
    /// </summary>
    private bool CoversDeparting(TaskManagementRequest request)
    {
        if (_departing.Count == 0)
            return false;
        if (request.Function is TaskManagementFunction.AbortTask or TaskManagementFunction.QueryTask)
            return CoversDepartingCommand(request);
        List<ItlNexus> covered = [.. _departing.Where(itl => Covers(request, itl) && HasOlder(itl, request))];
        if (covered.Count == 0)
            return false;
        if (request.Function == TaskManagementFunction.QueryTaskSet)
        {
            Answer(request, TaskManagementResponse.FunctionSucceeded);
            return true;
        }
        request.WaitsFor = "commands to a LUN that was taken away";
        var barrier = new AbortBarrier(() => GoOn(request));
        Turnstile.AbortAll(covered, barrier, request.Sequence);
        barrier.Arm();
        return true;
    }

    private bool CoversDepartingCommand(TaskManagementRequest request)
    {
        if (request.Referenced is not { ItlNexus: { } itl } command || !_departing.Contains(itl)
            || !itl.Lun.IsSameUnitAs(request.Lun)
            || command.State is CommandState.Ended or CommandState.Released)
            return false;
        if (request.Function == TaskManagementFunction.QueryTask)
        {
            Answer(request, TaskManagementResponse.FunctionSucceeded);
            return true;
        }
        request.WaitsFor = $"{command.Binding.Row} ({command.State})";
        var barrier = new AbortBarrier(() => Answer(request, TaskManagementResponse.FunctionComplete));
        itl.Turnstile.Abort(command, barrier, reportTaskAborted: false);
        barrier.Arm();
        return true;
    }

    private static bool HasOlder(ItlNexus itl, TaskManagementRequest request)
    {
        for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
        {
            if (command.Sequence < request.Sequence)
                return true;
        }
        return false;
    }

    private static bool Covers(TaskManagementRequest request, ItlNexus itl) => request.Function switch
    {
        TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset
            or TaskManagementFunction.ItNexusReset => true,
        TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ClearTaskSet
            or TaskManagementFunction.LogicalUnitReset or TaskManagementFunction.QueryTaskSet =>
            itl.Lun.IsSameUnitAs(request.Lun),
        _ => false,
    };

    private void GoOn(TaskManagementRequest request)
    {
        if (IsEnding)
            Answer(request, TaskManagementResponse.FunctionRejected);
        else if (CoversDeparting(request))
            // Another LUN was taken away meanwhile.
            return;
        else if (request.Function == TaskManagementFunction.AbortTaskSet && Find(request.Lun) is null)
            Answer(request, TaskManagementResponse.FunctionComplete);
        else
            TaskManager.Execute(request);
    }

    private void Answer(TaskManagementRequest request, TaskManagementResponse response)
    {
        request.Response = response;
        request.WaitsFor = null;
        Port.TaskManagementFunctionExecuted(request);
    }
}
