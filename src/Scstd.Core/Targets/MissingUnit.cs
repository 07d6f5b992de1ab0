using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Answers for a LUN that has no unit (SPC-4 §5.8, SAM-5 §5.13).</summary>
internal static class MissingUnit
{
    public static void Answer(ScsiCommand command)
    {
        command.State = CommandState.Enabled;
        command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported));
    }
}
