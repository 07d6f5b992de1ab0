namespace Scstd.Simulation;

internal static partial class MutationList
{
    private static readonly Mutation[] OfRestart =
    [
        new("a saved persistent reservation is not in effect after a start",
            LogicalUnits + "LogicalUnit.Reservations.cs",
            "        PersistentReservation = PersistentReservationText.Read(Name, content);",
            "        PersistentReservation = PersistentReservationText.Read(Name, content) with { Type = null, " +
            "Holder = null };"),
        new("no executor knows of the saved persistent reservation", LogicalUnits + "LogicalUnit.Reservations.cs",
            "            turnstile.BeginWith(PersistentReservation);",
            "            turnstile.BeginWith(PersistentReservation.None);"),
        new("registrations outlive a loss of power without APTPL", Persistent + "PersistentReserveOut.cs",
            "byte[]? content = outcome.State.PersistsThroughPowerLoss",
            "byte[]? content = outcome.State.Count > 0"),
        new("the holder of a saved reservation is another registrant", Persistent + "PersistentReservationText.cs",
            "Write(writer, registration, state.Holder == registration.Name);",
            "Write(writer, registration, state.Holder is not null && " +
            "registration == state.Registrations.Values.First());"),
        new("what was saved before is saved", Persistent + "PersistentReserveOut.cs",
            "? PersistentReservationText.Write(outcome.State) : null;",
            "? PersistentReservationText.Write(before.Count > 0 ? before : outcome.State) : null;"),
        new("saved mode parameters are not current after a start", LogicalUnits + "LogicalUnit.Modes.cs",
            "            page.Current = [.. page.Saved];",
            ""),
        new("MODE SELECT saves what was current", LogicalUnits + "LogicalUnit.Modes.cs",
            "[.. ModePages.Select(page => (page, change.ValuesOf(page)))];",
            "[.. ModePages.Select(page => (page, page.Current))];"),
    ];
}
