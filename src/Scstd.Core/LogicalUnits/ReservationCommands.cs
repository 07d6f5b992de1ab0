using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// RESERVE and RELEASE, SPC-2 §7.16 to §7.22: the whole unit, for the nexus that asks. They run alone on the unit, so
/// what they find is what is; a RESERVE that another nexus' reservation forbids does not come here.
/// </summary>
internal static class ReservationCommands
{
    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        new(Spc.Reserve6, Reserve),
        new(Spc.Reserve10, Reserve),
        new(Spc.Release6, Release),
        new(Spc.Release10, Release),
    ];

    /// <summary>The holder may repeat it.</summary>
    private static void Reserve(ScsiCommand command)
    {
        if (AnsweredByPersistentReservation(command))
            return;
        command.Unit.Reserve(command.Nexus);
        command.Complete();
    }

    /// <summary>GOOD without effect from a nexus that holds nothing (SPC-2 §7.17.1).</summary>
    private static void Release(ScsiCommand command)
    {
        if (AnsweredByPersistentReservation(command))
            return;
        if (ReferenceEquals(command.Unit.ReservationHolder, command.Nexus))
            command.Unit.Reserve(null);
        command.Complete();
    }
    /// <summary>
    /// SPC-4 §5.13.3, compatible reservation handling: to a nexus to which the persistent reservation gives what it
    /// asks for RESERVE and RELEASE are GOOD and do nothing. While there are registrations any other gets a RESERVATION
    /// CONFLICT (SPC-2 §5.5.1).
    /// </summary>
    private static bool AnsweredByPersistentReservation(ScsiCommand command)
    {
        PersistentReservation state = command.Unit.PersistentReservation;
        if (state.Count == 0)
            return false;
        command.Complete(state.Type is not null && state.IsPrivileged(command.Nexus.Registrant)
            ? ScsiStatus.Good : ScsiStatus.ReservationConflict);
        return true;
    }
}
