using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What a transport with asynchronous event reporting may tell without being asked: changes of what there is,
/// on which an initiator acts by looking again. Resets, reservations and the like concern its commands, and are told
/// with these.</summary>
internal static class AsynchronousEvents
{
    public static bool Include(AdditionalSense condition) =>
        condition == AdditionalSense.ReportedLunsDataHasChanged ||
        condition == AdditionalSense.InquiryDataHasChanged ||
        condition == AdditionalSense.CapacityDataHasChanged ||
        condition == AdditionalSense.AsymmetricAccessStateChanged;
}
