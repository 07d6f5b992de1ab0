using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// Answers for LUNs that have no unit of ours (SAM-5 §5.11): one that has none at all, and the REPORT LUNS well known
/// logical unit (SAM-5 §4.7.7.5.1, SPC-4 §8.2), which keeps no state, not even a task set.
/// </summary>
internal static class MissingUnit
{
    private static readonly CommandBinding Unsupported = new(
        new CommandRow { Name = "a command to a missing unit", OperationCode = 0xFF, Usage = [0xFF] },
        static _ => throw new System.Diagnostics.UnreachableException("it was refused"));

    private static readonly CommandTable OfMissing = new(
    [
        new(Spc.Inquiry, static command => Inquiry(command, isWellKnown: false)),
        new(Spc.RequestSense, RequestSenseOfMissing),
        new(Spc.ReportLuns, ReportCommands.ReportLuns),
    ]);

    private static readonly CommandTable OfWellKnown = new(
    [
        new(Spc.TestUnitReady, static command => command.Complete()),
        new(Spc.Inquiry, static command => Inquiry(command, isWellKnown: true)),
        new(Spc.RequestSense, static command => SenseCommands.Answer(command, default)),
        new(Spc.ReportLuns, ReportCommands.ReportLuns),
    ]);

    public static void Answer(ScsiCommand command)
    {
        command.State = CommandState.Enabled;
        bool isWellKnown = command.Lun == Lun.WellKnownReportLuns;
        CommandBinding? binding = (isWellKnown ? OfWellKnown : OfMissing).Find(command.Cdb);
        command.Binding = binding ?? Unsupported;
        if (Judge(command, binding, isWellKnown) is { } refused)
        {
            command.CheckCondition(refused);
            return;
        }
        // None of the four takes data: what the initiator meant to give is residual.
        command.RequestedBytes = command.Binding.Row.TransferLength?.Invoke(command.Cdb, 1) ?? 0;
        command.Binding.Execute(command);
    }

    private static SenseData? Judge(ScsiCommand command, CommandBinding? binding, bool isWellKnown)
    {
        if (binding is null)
        {
            return isWellKnown
                ? SenseData.IllegalRequest(AdditionalSense.InvalidCommandOperationCode) with
                {
                    FieldPointer = 0,
                    FieldIsInCdb = true,
                }
                : SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported);
        }
        if (command.Cdb.Length < binding.Row.CdbLengthBytes)
            return SenseData.InvalidFieldInCdb(0);
        // Nothing here could keep an ACA condition: NORMACA is zero (SAM-5 §5.2).
        return binding.Row.HasNaca(command.Cdb)
            ? SenseData.InvalidFieldInCdb(binding.Row.CdbLengthBytes - 1, 2) : binding.FindReservedBit(command.Cdb);
    }

    /// <summary>SPC-4 §6.39: GOOD, and the sense data says that there is no unit.</summary>
    private static void RequestSenseOfMissing(ScsiCommand command) =>
        SenseCommands.Answer(command, SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported));

    private static void Inquiry(ScsiCommand command, bool isWellKnown)
    {
        PeripheralQualifier qualifier = isWellKnown ? PeripheralQualifier.Connected : PeripheralQualifier.NotCapable;
        PeripheralDeviceType type = isWellKnown ? PeripheralDeviceType.WellKnown : PeripheralDeviceType.None;
        byte pageCode = command.Cdb[2];
        if (InquiryCommands.AsksForVitalProductData(command.Cdb))
            VitalProductData(command, pageCode, ((int)qualifier << 5) | (int)type, isWellKnown);
        else if (pageCode != 0)
            InquiryCommands.RefusePage(command);
        else
            Standard(command, qualifier, type);
    }

    private static void Standard(ScsiCommand command, PeripheralQualifier qualifier, PeripheralDeviceType type)
    {
        ReadOnlySpan<ushort> versions =
            [VersionDescriptor.Sam5, command.Nexus.Target.VersionDescriptor, VersionDescriptor.Spc4];
        var data = new StandardInquiryData
        {
            Qualifier = qualifier,
            DeviceType = type,
            Vendor = "SCSTD",
            Product = "",
            Revision = "",
            VersionDescriptors = versions,
        };
        Span<byte> bytes = stackalloc byte[StandardInquiryData.LengthBytes];
        command.CompleteWithData(bytes[..data.Write(bytes)]);
    }

    private static void VitalProductData(ScsiCommand command, byte pageCode, int peripheral, bool isWellKnown)
    {
        var to = new ParameterDataWriter(stackalloc byte[InquiryCommands.MaxPageBytes]);
        switch (pageCode)
        {
            case VitalProductDataPageCode.SupportedPages:
                InquiryCommands.WriteSupportedPages(ref to, peripheral, isWellKnown
                    ? [VitalProductDataPageCode.SupportedPages, VitalProductDataPageCode.DeviceIdentification]
                    : [VitalProductDataPageCode.SupportedPages]);
                break;
            case VitalProductDataPageCode.DeviceIdentification when isWellKnown:
                InquiryCommands.WriteDeviceIdentification(ref to, peripheral, command.Nexus.Target, unit: null);
                break;
            default:
                InquiryCommands.RefusePage(command);
                return;
        }
        command.CompleteWithData(to.Written);
    }
}
