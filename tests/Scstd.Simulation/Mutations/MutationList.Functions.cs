namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfFunctions =
    [
        new("ABORT TASK is answered at once", LogicalUnits + "TaskManager.cs",
            """
                    itl.Turnstile.Abort(request.Referenced!, barrier, reportTaskAborted: false);
                    barrier.Arm();
            """,
            """
                    itl.Turnstile.Abort(
                        request.Referenced!, new AbortBarrier(static () => { }), reportTaskAborted: false);
                    barrier.Arm();
            """),
        new("a reset is answered before what it aborts is gone", LogicalUnits + "Gate.cs",
            "var barrier = new AbortBarrier(() => turnstile.WhenIdle(() => unit.Home.Post(gone.Count)));",
            "var barrier = new AbortBarrier(static () => { }); unit.Home.Post(gone.Count);"),
        new("an abort leaves a waiting command in its queue", LogicalUnits + "Turnstile.Waiting.cs",
            "        command.WaitsIn?.Remove(command);",
            "        command.WaitsIn?.Remove(command.WaitsIn.First!);"),
        new("an aborted command keeps its turn at the gate", LogicalUnits + "Turnstile.Waiting.cs",
            """
                        request.Command = null;
                        command.GateRequest = null;
            """,
            """
                        command.GateRequest = null;
            """),
        new("an abort forgets commands that wait for their data", LogicalUnits + "Turnstile.Waiting.cs",
            "if (command.Sequence >= beforeSequence || ReferenceEquals(command, except) ||",
            "if (command.Sequence >= beforeSequence || command.State == CommandState.AwaitingDataOut ||"),
        new("ABORT TASK SET takes newer commands along with all others", LogicalUnits + "TaskManager.cs",
            """
                        int covered = turnstile.AbortAll(
                            itl, barrier, own ? request.Sequence : ulong.MaxValue, reportTaskAborted: tas && !own);
            """,
            """
                        int covered = turnstile.AbortAll(
                            itl, barrier, own ? ulong.MaxValue : request.Sequence, reportTaskAborted: tas && !own);
            """),
        new("CLEAR TASK SET spares the other nexuses", LogicalUnits + "TaskManager.cs",
            "            bool own = ReferenceEquals(itl.Nexus, requester.Nexus);",
            """
                        bool own = ReferenceEquals(itl.Nexus, requester.Nexus);
                        if (clears && !own)
                            continue;
            """),
        new("TAS is ignored", LogicalUnits + "TaskManager.cs",
            "bool tas = ControlModePage.ReportsTaskAborted(turnstile.Unit.Control);",
            "bool tas = false;"),
        new("TASK ABORTED to the requester itself", LogicalUnits + "TaskManager.cs",
            "reportTaskAborted: tas && !own);",
            "reportTaskAborted: tas);"),
        new("an aborted command is answered all the same", LogicalUnits + "Turnstile.cs",
            "if (command.IsAborted && !command.ReportsTaskAborted)",
            "if (command.IsAborted && !command.ReportsTaskAborted && command.Status != ScsiStatus.Good)"),
        new("QUERY TASK SET counts nothing", LogicalUnits + "TaskManager.cs",
            "Answer(request, itl!.CommandCount > 0",
            "Answer(request, itl!.CommandCount > 1"),
        new("a nexus ends before its commands", Targets + "ItNexus.cs",
            "Turnstile.AbortByUnit(all, ulong.MaxValue, CommandsGone);",
            "Turnstile.AbortByUnit(all, ulong.MaxValue, static _ => { }); " +
            "foreach (var unit in all.GroupBy(itl => itl.Unit)) Executor.Post(() => CommandsGone([.. unit]));"),
        new("what a lost nexus held of one unit waits for the store of another", LogicalUnits + "Turnstile.Waiting.cs",
            "var barrier = new AbortBarrier(() => gone(ofUnit));",
            "var barrier = new AbortBarrier(() => { if (barriers.TrueForAll(b => b.Remaining == 0)) " +
            "foreach (var all in itls.GroupBy(itl => itl.Unit)) gone([.. all]); });"),
        new("a logical unit reset keeps the mode parameters", LogicalUnits + "LogicalUnit.Reset.cs",
            "[.. ModePages.Select(page => (page, SavedOrDefault(page)))];",
            "[.. ModePages.Select(page => (page, page.Current))];"),
        new("I_T NEXUS RESET keeps the reservation", LogicalUnits + "TaskManager.cs",
            "ofUnit[0].Unit.NexusEnded(nexus, () => nexus.Executor.Post(() => Reset(ofUnit))));",
            "nexus.Executor.Post(() => Reset(ofUnit)));"),
    ];
}
