using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>Which row is done by what. READ REVERSE, RECOVER BUFFERED DATA and setmarks are of densities that LTO
/// drives do not have.</summary>
public sealed partial class TapeBackend
{
    private IEnumerable<CommandBinding> Bindings() =>
    [
        .. Transfers(),
        .. Positionings(),
        new(Spc.TestUnitReady, TestUnitReady),
        new(Ssc.FormatMedium, FormatMedium, ValidateFormat),
        new(Ssc.SetCapacity, SetCapacity),
        new(Ssc.LoadUnload, LoadUnload, ValidateLoadUnload),
        new(Ssc.PreventAllowMediumRemoval, _removal.PreventAllow, MediumRemoval.Validate),
        new(Ssc.ReadBlockLimits, ReadBlockLimits),
        new(Ssc.ReportDensitySupport, ReportDensitySupport),
        new(Spc.ReadBuffer, ReadBuffer, ValidateReadBuffer),
        new(Ssc.AllowOverwrite, AllowOverwrite, ValidateAllowOverwrite),
        new(Ssc.ReadAttribute, ReadAttribute, ValidateReadAttribute),
        new(Ssc.WriteAttribute, WriteAttribute, ValidateWriteAttribute),
        new(Ssc.SecurityProtocolIn, SecurityProtocolIn, ValidateSecurityProtocolIn),
        new(Ssc.SecurityProtocolOut, SecurityProtocolOut, ValidateSecurityProtocolOut),
    ];

    private IEnumerable<CommandBinding> Transfers() =>
    [
        new(Ssc.Read6, Read, ValidateRead),
        new(Ssc.Read16, Read, ValidateRead),
        new(Ssc.Write6, Write, ValidateWrite),
        new(Ssc.Write16, Write, ValidateWrite),
        new(Ssc.Verify6, Verify, ValidateRead),
        new(Ssc.Verify16, Verify, ValidateRead),
        new(Ssc.WriteFilemarks6, WriteFilemarks, ValidateMarks),
        new(Ssc.WriteFilemarks16, WriteFilemarks, ValidateMarks),
        new(Ssc.Erase6, Erase),
        new(Ssc.Erase16, Erase, ValidateMarks),
    ];

    private IEnumerable<CommandBinding> Positionings() =>
    [
        new(Ssc.Rewind, Rewind),
        new(Ssc.Space6, Space, ValidateSpace),
        new(Ssc.Space16, Space, ValidateSpace),
        new(Ssc.Locate10, Locate10, ValidateLocate10),
        new(Ssc.Locate16, Locate16, ValidateLocate16),
        new(Ssc.ReadPositionShort, ReadPositionShort),
        new(Ssc.ReadPositionVendor, ReadPositionShort),
        new(Ssc.ReadPositionLong, ReadPositionLong),
        new(Ssc.ReadPositionExtended, ReadPositionExtended),
    ];

    private const int DataMode = 0x02;
    private const int DescriptorMode = 0x03;

    /// <summary>MODE: data, or the descriptor of a buffer.</summary>
    private static SenseData? ValidateReadBuffer(ScsiCommand command) =>
        (command.Cdb[1] & 0x1F) is DataMode or DescriptorMode ? null : SenseData.InvalidFieldInCdb(1, 4);

    /// <summary>SPC-4 §6.18: of a buffer that is not there the descriptor is zeros, so that who collects what a drive
    /// remembers of its errors finds that it is nothing.</summary>
    private static void ReadBuffer(ScsiCommand command) =>
        command.CompleteWithData((command.Cdb[1] & 0x1F) == DescriptorMode ? new byte[4] : []);

    /// <summary>The usual question after a command with IMMED: so its error is told here, too.</summary>
    private void TestUnitReady(ScsiCommand command)
    {
        if (!TellDeferred(command))
            command.Complete();
    }
}
