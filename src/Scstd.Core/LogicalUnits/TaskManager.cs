using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// SAM-5 §7: task management. A function is answered only when nothing it covers can act on the medium or answer any
/// more.
/// </summary>
internal static class TaskManager
{
    public static void Execute(TaskManagementRequest request)
    {
        ItNexus nexus = request.Nexus;
        bool needsUnit = request.Function is not (TaskManagementFunction.TargetWarmReset or
            TaskManagementFunction.TargetColdReset or TaskManagementFunction.ItNexusReset);
        ItlNexus? itl = nexus.Find(request.Lun);
        if (needsUnit && itl is null)
        {
            Answer(request, request.Lun == Lun.WellKnownReportLuns
                ? OfWellKnownUnit(request) : TaskManagementResponse.IncorrectLogicalUnitNumber);
            return;
        }
        switch (request.Function)
        {
            case TaskManagementFunction.AbortTask:
                AbortTask(request, itl!);
                break;
            case TaskManagementFunction.AbortTaskSet:
                AbortTaskSet(request, [itl!]);
                break;
            case TaskManagementFunction.ItNexusReset:
                ItNexusReset(request, [.. nexus.ItlNexuses]);
                break;
            case TaskManagementFunction.ClearAca:
                ClearAca(request, itl!);
                break;
            case TaskManagementFunction.ClearTaskSet when ControlModePage.HasTaskSetPerNexus(itl!.Unit.Control):
                // SAM-5 §7.5: the task set is the nexus' own, and so is all that goes.
                AbortTaskSet(request, [itl]);
                break;
            case TaskManagementFunction.ClearTaskSet:
                Sweep(request, [itl!], ClearTaskSet);
                break;
            case TaskManagementFunction.LogicalUnitReset:
                Sweep(request, [itl!], ResetOf(AdditionalSense.BusDeviceResetFunctionOccurred));
                break;
            case TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset:
                Sweep(request, OnePerUnit(nexus), ResetOf(AdditionalSense.PowerOnResetOrBusDeviceReset));
                break;
            case TaskManagementFunction.QueryTask:
                Answer(request, Query(request, itl!));
                break;
            case TaskManagementFunction.QueryTaskSet:
                Answer(request, itl!.CommandCount > 0
                    ? TaskManagementResponse.FunctionSucceeded : TaskManagementResponse.FunctionComplete);
                break;
            case TaskManagementFunction.QueryAsynchronousEvent:
                QueryAsynchronousEvent(request, itl!);
                break;
            default:
                Answer(request, TaskManagementResponse.FunctionNotSupported);
                break;
        }
    }

    /// <summary>The REPORT LUNS well known logical unit does every command on the spot and keeps no state: none of it
    /// is ever there to be aborted, reset or found.</summary>
    private static TaskManagementResponse OfWellKnownUnit(TaskManagementRequest request) => request.Function switch
    {
        TaskManagementFunction.AbortTask when request.Referenced is null => TaskManagementResponse.TaskDoesNotExist,
        _ => TaskManagementResponse.FunctionComplete,
    };

    /// <summary>SAM-5 §7.8: FUNCTION SUCCEEDED if a unit attention condition is pending, and the first of them, which
    /// stays; the transport tells it if it can.</summary>
    private static void QueryAsynchronousEvent(TaskManagementRequest request, ItlNexus itl)
    {
        ReadOnlySpan<AdditionalSense> pending = itl.UnitAttentions.Pending;
        if (pending.IsEmpty)
        {
            Answer(request, TaskManagementResponse.FunctionComplete);
            return;
        }
        const int One = 0b01 << 4;
        const int MoreThanOne = 0b10 << 4;
        request.AdditionalInformation = new TaskManagementInformation(
            (byte)((pending.Length == 1 ? One : MoreThanOne) | (int)SenseKey.UnitAttention),
            pending[0].Code,
            pending[0].Qualifier);
        Answer(request, TaskManagementResponse.FunctionSucceeded);
    }

    private static bool IsInTaskSet(ScsiCommand? command, ItlNexus itl) =>
        command is not null && ReferenceEquals(command.ItlNexus, itl) &&
        command.State is not (CommandState.Ended or CommandState.Released);

    private static TaskManagementResponse Query(TaskManagementRequest request, ItlNexus itl) =>
        IsInTaskSet(request.Referenced, itl)
            ? TaskManagementResponse.FunctionSucceeded : TaskManagementResponse.FunctionComplete;

    private static void AbortTask(TaskManagementRequest request, ItlNexus itl)
    {
        if (!IsInTaskSet(request.Referenced, itl))
        {
            // One whose status is on its way is not in the task set any more (SAM-5 §7.2).
            Answer(request, request.Referenced is { } known && ReferenceEquals(known.ItlNexus, itl)
                ? TaskManagementResponse.FunctionComplete : TaskManagementResponse.TaskDoesNotExist);
            return;
        }
        request.WaitsFor = $"{request.Referenced!.Binding.Row} ({request.Referenced.State})";
        var barrier = new AbortBarrier(() => Answer(request, TaskManagementResponse.FunctionComplete));
        itl.Turnstile.Abort(request.Referenced!, barrier, reportTaskAborted: false);
        barrier.Arm();
    }

    private static void AbortTaskSet(TaskManagementRequest request, IReadOnlyList<ItlNexus> itls)
    {
        request.WaitsFor = "commands of its own nexus";
        var barrier = new AbortBarrier(() => Answer(request, TaskManagementResponse.FunctionComplete));
        Turnstile.AbortAll(itls, barrier, request.Sequence);
        barrier.Arm();
    }

    /// <summary>SAM-5 §7.4: on the faulted nexus the command with the ACA attribute goes, and the condition ends; on
    /// any other it has no effect. Where there is none any more every executor must know that, too, before it is
    /// answered.</summary>
    private static void ClearAca(TaskManagementRequest request, ItlNexus itl)
    {
        request.WaitsFor = $"the command with the ACA attribute at unit {itl.Unit.Name}";
        LogicalUnit unit = itl.Unit;
        ItNexus nexus = request.Nexus;
        var barrier = new AbortBarrier(() => unit.Home.Post(() => unit.Faults.End(
            other => ReferenceEquals(other, nexus),
            () => nexus.Executor.Post(() => Answer(request, TaskManagementResponse.FunctionComplete)))));
        if (itl.AcaCommand is { } command)
            itl.Turnstile.Abort(command, barrier, reportTaskAborted: false);
        barrier.Arm();
    }

    /// <summary>SAM-5 §7.6: the nexus stays, but what a nexus loss does (§6.3.4) is done to it: its commands are
    /// aborted, what it held is given up, and every unit tells it so.</summary>
    private static void ItNexusReset(TaskManagementRequest request, IReadOnlyList<ItlNexus> itls)
    {
        ItNexus nexus = request.Nexus;
        request.WaitsFor = "commands of its own nexus";
        request.Pending = itls.Select(itl => itl.Unit).Distinct().Count() + 1;
        Turnstile.AbortByUnit(itls, request.Sequence, ofUnit =>
            ofUnit[0].Unit.NexusEnded(nexus, () => nexus.Executor.Post(() => Reset(ofUnit))));
        Counted();

        void Reset(IReadOnlyList<ItlNexus> ofUnit)
        {
            foreach (ItlNexus itl in ofUnit)
                itl.UnitAttentions.Establish(AdditionalSense.ItNexusLossOccurred);
            Counted();
        }

        void Counted()
        {
            if (--request.Pending == 0)
                Answer(request, TaskManagementResponse.FunctionComplete);
        }
    }

    private static void Sweep(
        TaskManagementRequest request,
        IReadOnlyList<ItlNexus> itls,
        Action<ItlNexus, Action<Turnstile, AbortBarrier>, Action> begin)
    {
        IExecutor executor = request.Nexus.Executor;
        // A target may have thousands of units: each goes from the list without a search.
        var waiting = new LinkedList<string>();
        List<LinkedListNode<string>> nodes = [.. itls.Select(itl => waiting.AddLast(itl.Unit.Name))];
        if (nodes.Count == 0)
            Answer(request, TaskManagementResponse.FunctionComplete);
        else
            request.WaitsFor = NamesOf(waiting);
        // All of them at once: none waits for another.
        foreach ((ItlNexus itl, LinkedListNode<string> node) in itls.Zip(nodes))
        {
            begin(itl, (turnstile, barrier) => AbortOn(turnstile, barrier, request, itl), () =>
                executor.Post(() =>
                {
                    waiting.Remove(node);
                    request.WaitsFor = NamesOf(waiting);
                    if (waiting.Count == 0)
                        Answer(request, TaskManagementResponse.FunctionComplete);
                }));
        }
    }

    /// <summary>Enough for a diagnosis.</summary>
    private static string NamesOf(LinkedList<string> units) =>
        $"{string.Join(", ", units.Take(4))}{(units.Count > 4 ? $" and {units.Count - 4} more" : "")}";

    private static void AbortOn(
        Turnstile turnstile, AbortBarrier barrier, TaskManagementRequest request, ItlNexus requester)
    {
        bool tas = ControlModePage.ReportsTaskAborted(turnstile.Unit.Control);
        bool clears = request.Function == TaskManagementFunction.ClearTaskSet;
        foreach (ItlNexus itl in turnstile.Nexuses.ToArray())
        {
            bool own = ReferenceEquals(itl.Nexus, requester.Nexus);
            int covered = turnstile.AbortAll(
                itl, barrier, own ? request.Sequence : ulong.MaxValue, reportTaskAborted: tas && !own);
            // SAM-5 §5.6: without TAS the other nexuses learn by a unit attention that their commands are gone.
            if (clears && covered > 0 && !own && !tas)
                itl.UnitAttentions.Establish(AdditionalSense.CommandsClearedByAnotherInitiator);
        }
    }

    private static void ClearTaskSet(ItlNexus itl, Action<Turnstile, AbortBarrier> abort, Action done)
    {
        LogicalUnit unit = itl.Unit;
        unit.Home.Post(() => unit.Gate.Sweep(abort, static () => (IReadOnlyList<Action<Turnstile>>)[], done));
    }

    /// <summary>A unit that the nexus sees by two LUNs is reset once.</summary>
    private static List<ItlNexus> OnePerUnit(ItNexus nexus) => [.. nexus.ItlNexuses.DistinctBy(itl => itl.Unit)];

    /// <summary>SAM-5 §5.14, the table of unit attention conditions: a logical unit reset by the function is told as
    /// such; one that is part of a reset of the whole target as that.</summary>
    private static Action<ItlNexus, Action<Turnstile, AbortBarrier>, Action> ResetOf(AdditionalSense condition) =>
        (itl, abort, done) =>
        {
            LogicalUnit unit = itl.Unit;
            unit.Home.Post(() => unit.Gate.Sweep(
                abort, changed => unit.CarryOutReset(condition, changed), done));
        };

    private static void Answer(TaskManagementRequest request, TaskManagementResponse response)
    {
        request.Response = response;
        request.WaitsFor = null;
        ITargetPort port = request.Nexus.Port;
        if (request.AnswerDelayMs > 0)
            request.Nexus.Executor.PostAfter(
                request.AnswerDelayMs, () => port.TaskManagementFunctionExecuted(request));
        else
            port.TaskManagementFunctionExecuted(request);
    }
}
