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

    /// <summary>What work on a cartridge threw. Where nobody foresaw it, it is told whole, and is the matter of that
    /// cartridge alone.</summary>
    public static (MediumFault Fault, string Message) Of(Exception thrown) => thrown switch
    {
        MediumFaultException fault => (fault.Fault, fault.Message),
        IOException or UnauthorizedAccessException => (new MediumFault(MediumFaultKind.Store), thrown.Message),
        _ => (new MediumFault(MediumFaultKind.Store), thrown.ToString()),
    };
}
