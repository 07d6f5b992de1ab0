namespace Scstd.Simulation;

internal static partial class MutationList
{
    private const string Persistent = "src/Scstd.Core/Reservations/";

    private static readonly Mutation[] OfPersistent =
    [
        new("the generation is not incremented", Persistent + "PersistentReserveOutActions.cs",
            "state with { Generation = unchecked(state.Generation + 1) };",
            "state;"),
        new("a preempted registrant keeps its access", LogicalUnits + "Turnstile.Reservations.cs",
            """
                        ApplyPersistentReservation(itl);
                        RegistrantName name
            """,
            """
                        if (!outcome.Deprived.Contains(itl.Nexus.Registrant))
                            ApplyPersistentReservation(itl);
                        RegistrantName name
            """),
        new("PREEMPT AND ABORT aborts nothing", LogicalUnits + "LogicalUnit.Reservations.cs",
            "if (outcome.Aborted.Count > 0 || outcome.ClearsEveryAca)",
            "if (outcome.Aborted.Count < 0)"),
        new("PREEMPT AND ABORT is answered before what it aborts is gone", LogicalUnits + "Gate.cs",
            "var barrier = new AbortBarrier(() => unit.Home.Post(gone.Count));",
            "var barrier = new AbortBarrier(static () => { }); unit.Home.Post(gone.Count);"),
        new("PREEMPT AND ABORT spares commands that wait for their data", LogicalUnits + "Turnstile.Reservations.cs",
            "if (outcome.Aborted.Contains(itl.Nexus.Registrant))",
            "if (outcome.Aborted.Contains(itl.Nexus.Registrant) && " +
            "itl.First?.State != CommandState.AwaitingDataOut)"),
        new("a failed save is not rolled back", Persistent + "PersistentReserveOut.cs",
            """
                            if (saved)
                                Take(command, outcome);
            """,
            """
                            if (saved || outcome is not null)
                                Take(command, outcome);
            """),
        new("the state takes effect before it is saved", Persistent + "PersistentReserveOut.cs",
            "else if (!isKept)",
            "else if (outcome is not null)"),
        new("a released reservation is told to nobody", Persistent + "PersistentReserveOutActions.cs",
            "type.IsRegistrantsOnly() || type.IsAllRegistrants();",
            "false;"),
        new("a holder that unregisters keeps the reservation", Persistent + "PersistentReserveOutActions.Register.cs",
            "bool ends = type.IsAllRegistrants() ? after.Count == 0 : going.Contains(state.Holder!.Value);",
            "bool ends = after.Count == 0;"),
        new("a new nexus does not know of the persistent reservation", LogicalUnits + "Turnstile.cs",
            "        ApplyPersistentReservation(itl);",
            ""),
        new("Exclusive Access lets readers in", LogicalUnits + "Turnstile.Reservations.cs",
            "? CommandTraits.AllowedUnderExclusiveAccess : CommandTraits.AllowedUnderWriteExclusive;",
            "? CommandTraits.AllowedUnderWriteExclusive : CommandTraits.AllowedUnderWriteExclusive;"),
        new("any registrant may preempt without its key", Persistent + "PersistentReserveOutActions.cs",
            "if (request.State.Find(request.Requester) is not { } own || own.Key != request.Parameters.Key)",
            "if (request.State.Find(request.Requester) is not { } own)"),
        new("REGISTER does not look at the key", Persistent + "PersistentReserveOutActions.Register.cs",
            "if (!ignoresKey && parameters.Key != (own?.Key ?? 0))",
            "if (!ignoresKey && parameters.Key != 0 && parameters.Key != own?.Key)"),
        new("PERSISTENT RESERVE OUT passes an SPC-2 reservation", Persistent + "PersistentReserveOut.cs",
            "if (unit.ReservationHolder is not null)",
            "if (unit.ReservationHolder is not null && unit.ReservationHolder != command.Nexus)"),
        new("RESERVE is granted beside registrations", LogicalUnits + "ReservationCommands.cs",
            "if (state.Count == 0)",
            "if (state.Type is null)"),
        new("a mode page whose save failed is changed", LogicalUnits + "ModeSelect.cs",
            "if (saved)",
            "if (saved || change.Failure is null)"),
        new("those that lose their registration are not told", LogicalUnits + "Turnstile.Reservations.cs",
            "itl.Announce(outcome.DeprivedCondition);",
            "itl.Set(NexusConditions.None, true);"),
    ];
}
