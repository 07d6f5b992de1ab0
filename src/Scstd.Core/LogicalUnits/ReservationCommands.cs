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
        command.Unit.Reserve(command.Nexus);
        command.Complete();
    }

    /// <summary>GOOD without effect from a nexus that holds nothing (SPC-2 §7.17.1).</summary>
    private static void Release(ScsiCommand command)
    {
        if (ReferenceEquals(command.Unit.ReservationHolder, command.Nexus))
            command.Unit.Reserve(null);
        command.Complete();
    }
}
