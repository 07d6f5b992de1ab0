using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>The kernel's errors as SCSI says them (SBC-4 §4.18 and the sense codes of SPC-4 annex F).</summary>
internal static class StoreFault
{
    // asm-generic/errno.h: quota exceeded, and the block layer's own (no such device: it was pulled out).
    private const int QuotaExceeded = 122;
    private const int NoSuchDevice = 19;
    private const int NoSuchDeviceOrAddress = 6;
    private const int MediumError = 61;
    private const int Uncorrectable = 84;

    /// <summary>There is no room for the data: it was not written, and nothing else was lost by it.</summary>
    public static bool IsOutOfSpace(int error) => error is ErrorNumber.NoSpace or QuotaExceeded;

    public static SenseData FromRead(int error, ulong? lba) => error switch
    {
        ErrorNumber.InputOutput or MediumError or Uncorrectable => UnrecoveredRead(lba),
        NoSuchDevice or NoSuchDeviceOrAddress => NotReady,
        _ => InternalFailure,
    };

    public static SenseData FromWrite(int error, ulong? lba) => error switch
    {
        ErrorNumber.InputOutput or MediumError or Uncorrectable => WriteError(lba),
        ErrorNumber.NoSpace or QuotaExceeded => new SenseData(
            SenseKey.DataProtect, AdditionalSense.SpaceAllocationFailedWriteProtect),
        ErrorNumber.ReadOnlyFileSystem or ErrorNumber.AccessDenied or ErrorNumber.OperationNotPermitted =>
            new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected),
        NoSuchDevice or NoSuchDeviceOrAddress => NotReady,
        _ => InternalFailure,
    };

    public static SenseData UnrecoveredRead(ulong? lba) =>
        new(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError) { Information = lba };

    public static SenseData WriteError(ulong? lba) =>
        new(SenseKey.MediumError, AdditionalSense.WriteError) { Information = lba };

    public static SenseData InternalFailure { get; } =
        new(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);

    private static SenseData NotReady { get; } =
        new(SenseKey.NotReady, AdditionalSense.NotReadyCauseNotReportable);
}
