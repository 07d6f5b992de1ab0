namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfReservations =
    [
        new("a reservation is not looked at for what waited for its data", LogicalUnits + "Turnstile.Judgement.cs",
            "if (((itl.Conditions & NexusConditions.ReservedByOther) != 0 &&",
            "if (((itl.Conditions & NexusConditions.ReservedByOther) != 0 && command.Data.IsEmpty &&"),
        new("a new nexus does not know of the reservation", LogicalUnits + "Turnstile.cs",
            "ReservationHolder is { } holder && !ReferenceEquals(holder, nexus));",
            "false);"),
        new("a reservation is not told to the other executors", LogicalUnits + "LogicalUnit.cs",
            "AddConsequence(turnstile => turnstile.SetReservationHolder(holder));",
            "AddConsequence(turnstile => { if (turnstile.Executor == Home) " +
            "turnstile.SetReservationHolder(holder); });"),
        new("a reservation outlives its nexus", LogicalUnits + "LogicalUnit.cs",
            """
                    if (ReferenceEquals(ReservationHolder, nexus))
                        Reserve(null);
            """,
            ""),
        new("RESERVE does not run alone", "src/Scstd.Scsi/Commands/Spc.cs",
            """
                    Name = "RESERVE (6)",
                    OperationCode = 0x16,
                    Traits = AllowedUnderPersistent | CommandTraits.ChangesUnit,
            """,
            """
                    Name = "RESERVE (6)",
                    OperationCode = 0x16,
                    Traits = AllowedUnderPersistent,
            """),
        new("RELEASE by another frees the unit", LogicalUnits + "ReservationCommands.cs",
            "if (ReferenceEquals(command.Unit.ReservationHolder, command.Nexus))",
            "if (command.Unit.ReservationHolder is not null)"),
        new("a logical unit reset keeps the reservation", LogicalUnits + "LogicalUnit.Reset.cs",
            "Reserve(null);",
            ""),
        new("a holder meets its own reservation", LogicalUnits + "Turnstile.cs",
            "itl.Set(NexusConditions.ReservedByOther, holder is not null && !ReferenceEquals(holder, itl.Nexus));",
            "itl.Set(NexusConditions.ReservedByOther, holder is not null);"),
    ];
}
