using Scstd.Backends.Tape;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>What a cartridge could not do, as SCSI says it.</summary>
internal static class CartridgeFaults
{
    public static CartridgeProblem ProblemOf(ShelvedCartridge shelved) => new(
        SenseOf(shelved.Fault ?? new MediumFault(MediumFaultKind.Store)), shelved.Message);

    public static SenseData SenseOf(MediumFault fault) => fault.Kind switch
    {
        MediumFaultKind.UnknownFormat =>
            new(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat),
        MediumFaultKind.DamagedFormat or MediumFaultKind.DamagedRecord =>
            new(SenseKey.MediumError, AdditionalSense.MediumFormatCorrupted),
        _ => new(SenseKey.HardwareError, AdditionalSense.MediaLoadOrEjectFailed),
    };

    /// <summary>What work on a cartridge threw, if it was the cartridge's or the file system's fault; anything else is
    /// ours and goes on.</summary>
    public static (MediumFault Fault, string Message) Of(Exception thrown)
    {
        switch (thrown)
        {
            case MediumFaultException fault:
                return (fault.Fault, fault.Message);
            case IOException or UnauthorizedAccessException:
                return (new MediumFault(MediumFaultKind.Store), thrown.Message);
            default:
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
                throw thrown;
        }
    }
}
