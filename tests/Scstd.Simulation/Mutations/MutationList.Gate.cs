namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfGate =
    [
        new("status is sent before the consequences are told", LogicalUnits + "Turnstile.cs",
            "Unit.Home.Post(() => " +
            "Unit.Gate.ReleaseExclusion(request, consequences, () => EndPublished(command), abort));",
            "EndPublished(command); " +
            "Unit.Home.Post(() => Unit.Gate.ReleaseExclusion(request, consequences, null, abort));"),
        new("a command that reports a unit attention is overtaken", LogicalUnits + "Turnstile.cs",
            "if (consequences.Count == 0 && abort is null)",
            "if (consequences.Count < 0)"),
        new("ORDERED does not wait for a WRITE's Data-Out", LogicalUnits + "Turnstile.cs",
            """
                    Admit(command);
                    if (waitsForData)
                    {
            """,
            """
                    Admit(command);
                    if (waitsForData)
                    {
                        if (command.IsAdmitted && command.Attribute == TaskAttribute.Simple)
                        {
                            command.IsAdmitted = false;
                            _admitted--;
                            _dormant.Enqueue(command);
                        }
            """),
        new("SIMPLE slips ahead of a waiting ORDERED", LogicalUnits + "Turnstile.cs",
            "if (goesFirst || (simple && _orderShut == 0))",
            "if (goesFirst || simple)"),
        new("HEAD OF QUEUE holds nobody back", LogicalUnits + "Turnstile.cs",
            "if (_headCount != 0 && WaitsForHeads(command))",
            "if (_headCount < 0 && WaitsForHeads(command))"),
        new("newcomers come in although TST has changed", LogicalUnits + "Turnstile.cs",
            "if (_newcomers.Count != 0 && !goesFirst)",
            "if (_newcomers.Count > 1000 && !goesFirst)"),
        new("ORDERED does not shut the other executors", LogicalUnits + "Gate.cs",
            "turnstile.Executor.Post(() => turnstile.DrainOrder(shut, () => unit.Home.Post(drained.Count)));",
            "if (shut) turnstile.Executor.Post(() => { turnstile.DrainOrder(shut, static () => { }); " +
            "unit.Home.Post(drained.Count); }); " +
            "else turnstile.Executor.Post(() => turnstile.DrainOrder(shut, () => unit.Home.Post(drained.Count)));"),
        new("exclusion does not wait for the commands of other executors", LogicalUnits + "Turnstile.Waiting.cs",
            """
                    if (shut)
                        ShutExecution();
                    WhenIdle(drained);
            """,
            """
                    if (shut)
                        ShutExecution();
                    drained();
            """),
        new("a command that was blocked is forgotten", LogicalUnits + "Turnstile.Waiting.cs",
            "while (_executionShut == 0 && !_blocked.IsEmpty)",
            "if (_executionShut == 0 && !_blocked.IsEmpty)"),
        new("COMPARE AND WRITE is not exclusive", "src/Scstd.Scsi/Commands/Sbc.Blocks.cs",
            """
                    Traits = WritesMedium | CommandTraits.HoldsRange,
                    Usage = [0x89,
            """,
            """
                    Traits = WritesMedium,
                    Usage = [0x89,
            """),
        new("write protection is looked at before the wait only", LogicalUnits + "LogicalUnit.cs",
            "private void Refresh() => IsUnusual = Backend.NotReady is not null || IsWriteProtected;",
            "private void Refresh() => IsUnusual = Backend.NotReady is not null;"),
        new("memory is given back before the answer is sent", LogicalUnits + "Turnstile.cs",
            """
                    else
                        itl.Nexus.Port.SendCommandComplete(command);
                    for
            """,
            """
                    else
                    {
                        itl.Nexus.Port.SendCommandComplete(command);
                        command.Data.Return();
                    }
                    for
            """),
        new("TASK SET FULL to who has nothing else to wait for", "src/Scstd.Core/Commands/ScsiCommand.cs",
            "Complete(ItlNexus?.HasInTaskSetBeside(this) == true ? ScsiStatus.TaskSetFull : ScsiStatus.Busy);",
            "Complete(ItlNexus is not null ? ScsiStatus.TaskSetFull : ScsiStatus.Busy);"),
    ];
}
