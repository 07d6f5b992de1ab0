using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The commands that the mid-layer itself answers, for every device type.</summary>
internal static class PrimaryCommands
{
    private static readonly CommandBinding[] All =
    [
        new(Spc.TestUnitReady, TestUnitReady),
        .. SenseCommands.Bindings,
        .. InquiryCommands.Bindings,
        .. ModeCommands.Bindings,
        .. LogCommands.Bindings,
        .. ReportCommands.Bindings,
        .. ReservationCommands.Bindings,
        .. PersistentReserveIn.Bindings,
        .. PersistentReserveOut.Bindings,
        .. DiagnosticCommands.Bindings,
        .. TimestampCommands.Bindings,
    ];

    /// <summary>The same for every unit, but for target port groups: what else differs they find out by
    /// <see cref="ScsiCommand.Unit"/>.</summary>
    public static IEnumerable<CommandBinding> BindingsFor(LogicalUnit unit) => unit.PortGroups switch
    {
        null => All,
        { AllowsExplicit: true } => [.. All, PortGroupCommands.Report, PortGroupCommands.Set],
        _ => [.. All, PortGroupCommands.Report],
    };

    /// <summary>SPC-4 §6.47. Whether the medium is ready was asked before (the row needs it).</summary>
    private static void TestUnitReady(ScsiCommand command) => command.Complete();
}
