namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfFaults =
    [
        new("an ACA condition stops the faulted nexus alone", LogicalUnits + "Turnstile.Faults.cs",
            """
                    _acaOfAll = faulted;
                    foreach (ItlNexus itl in _nexuses)
                        itl.Set(NexusConditions.Aca, true);
            """,
            "        _acaOfAll = faulted;"),
        new("what was in the task set goes on in an ACA condition", LogicalUnits + "Turnstile.Faults.cs",
            ": !command.PassesAca || command.Attribute == TaskAttribute.Aca;",
            ": command.Attribute == TaskAttribute.Aca;"),
        new("two commands with the ACA attribute are let in at once", LogicalUnits + "Turnstile.Faults.cs",
            "if (isAca && itl.AcaCommand is null && !Con",
            "if (isAca && !Con"),
        new("TMF_ONLY is ignored", LogicalUnits + "Turnstile.Faults.cs",
            "itl.AcaCommand is null && !ControlModePage.AllowsTaskManagementOnly(Unit.Control))",
            "itl.AcaCommand is null)"),
        new("other nexuses are told ACA ACTIVE without NACA", LogicalUnits + "Turnstile.Faults.cs",
            "command.HasNaca ? ScsiStatus.AcaActive : ScsiStatus.Busy);",
            "ScsiStatus.AcaActive);"),
        new("a failed command with the ACA attribute leaves the condition", LogicalUnits + "Faults.cs",
            "request.EndsAca ? TakeEnds(itl => ReferenceEquals(itl, request.ItlNexus)) : [];",
            "[];"),
        new("CLEAR ACA is answered before everybody knows", LogicalUnits + "TaskManager.cs",
            """
                        other => ReferenceEquals(other, nexus),
                        () => nexus.Executor.Post(() => Answer(request, TaskManagementResponse.FunctionComplete)))));
            """,
            """
                        other => ReferenceEquals(other, nexus), static () => { })));
                    barrier.Add();
                    nexus.Executor.Post(() => Answer(request, TaskManagementResponse.FunctionComplete));
                    barrier.Left();
            """),
        new("CLEAR ACA spares the command with the ACA attribute", LogicalUnits + "TaskManager.cs",
            "if (itl.AcaCommand is { } command)",
            "if (itl.AcaCommand is { IsFaultGranted: true } command)"),
        new("a logical unit reset keeps ACA conditions", LogicalUnits + "LogicalUnit.Reset.cs",
            "            Faults.EndAll();",
            ""),
        new("PREEMPT AND ABORT is answered before everybody knows that the ACA condition has ended",
            LogicalUnits + "Gate.cs",
            """
                        var gone = new Countdown(unit.Turnstiles.Length, () => unit.Faults.End(
                            abort.EndsAcaOf, () => request.Turnstile.Executor.Post(whenGone)));
            """,
            """
                        var gone = new Countdown(unit.Turnstiles.Length, () =>
                        {
                            request.Turnstile.Executor.Post(whenGone);
                            unit.Faults.End(abort.EndsAcaOf, static () => { });
                        });
            """),
        new("a lost nexus leaves its ACA condition", LogicalUnits + "LogicalUnit.cs",
            "        Faults.EndAsConsequence(nexus);",
            ""),
        new("a command overtakes a unit attention that is reported with NACA", LogicalUnits + "Turnstile.Faults.cs",
            """
                        ShutExecution();
                        _reporting = command.ItlNexus;
            """,
            "            ShutExecution(); OpenExecution(); command.AwaitsReport = false;"),
        new("an exclusive command overtakes a unit attention that is reported with NACA",
            LogicalUnits + "Turnstile.Waiting.cs",
            "if (isBlocked || ReferenceEquals(_reporting, command.ItlNexus))",
            "if (isBlocked)"),
        new("a unit attention is reported twice where its status had to wait", LogicalUnits + "Turnstile.Faults.cs",
            "if (attentions.Count == 0 || attentions.Pending[0] != command.Sense.Additional)",
            "if (attentions.Count == 0)"),
        new("an aborted command leaves others aborted by its QERR", LogicalUnits + "Turnstile.Waiting.cs",
            "if (command.IsFaultGranted && !command.Nexus.IsEnding)",
            "if (command.IsFaultGranted && command.Sequence == ulong.MaxValue)"),
        new("the status is sent before QERR has taken the others", LogicalUnits + "Faults.cs",
            "turnstile.AbortBeside(request, all, reportTaskAborted, barrier);",
            "turnstile.AbortBeside(request, all, reportTaskAborted, new AbortBarrier(static () => { }));"),
        new("QERR 3 takes the commands of all nexuses", LogicalUnits + "Faults.cs",
            "bool all = queueError == QueueErrorManagement.AbortAll && !perNexus;",
            "bool all = !perNexus;"),
        new("QERR 1 takes the commands of its own nexus alone", LogicalUnits + "Faults.cs",
            "bool all = queueError == QueueErrorManagement.AbortAll && !perNexus;",
            "bool all = false;"),
        new("QERR tells nobody", LogicalUnits + "Turnstile.Faults.cs",
            "if (covered > 0 && !own && !reportTaskAborted)",
            "if (covered > 99 && !own && !reportTaskAborted)"),
        new("a fault under QERR passes the ACA condition of another", LogicalUnits + "Faults.cs",
            "return (!request.PassesAca || request.EstablishesAca || request.EndsAca) &&",
            "return request.EstablishesAca &&"),
        new("a report ends a unit attention condition in spite of the interlock",
            LogicalUnits + "Turnstile.Judgement.cs",
            "if (command.AwaitsReport || ControlModePage.Interlock(Unit.Control) != UnitAttentionInterlock.None)",
            "if (command.AwaitsReport)"),
        new("an interlock of 11b remembers no status", LogicalUnits + "Turnstile.Faults.cs",
            "ControlModePage.Interlock(Unit.Control) == UnitAttentionInterlock.KeptWithPreviousStatus)",
            "ControlModePage.Interlock(Unit.Control) > UnitAttentionInterlock.KeptWithPreviousStatus)"),
        new("writes overtake each other where reordering is restricted", LogicalUnits + "Turnstile.Reordering.cs",
            "(writes || WritesOrMoves(older)))",
            "!writes && WritesOrMoves(older))"),
        new("only the first goes on of what waits where reordering is restricted",
            LogicalUnits + "Turnstile.Reordering.cs",
            "while (FirstThatMayGo(itl) is { } next)",
            "while (FirstThatMayGo(itl) is { } next && ReferenceEquals(next, itl.Restricted.First))"),
    ];
}
