using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>INQUIRY: standard data and vital product data, SPC-4 §6.6 and §7.8.</summary>
internal static class InquiryCommands
{
    /// <summary>Our choice: the longest of our own pages is 83h, with two names of at most 224 and 240 bytes.</summary>
    public const int MaxPageBytes = 1024;

    private const int PageHeaderBytes = 4;

    /// <summary>A port in page 88h: 12 bytes, and a designation descriptor with a name of at most 240.</summary>
    private const int MaxPortBytes = 12 + 4 + 240;

    /// <summary>As many as fit into PAGE LENGTH's 16 bits.</summary>
    private const int MostPorts = ushort.MaxValue / MaxPortBytes;
    private const int PageCodeOffset = 2;

    /// <summary>The pages that every unit has, in their order.</summary>
    private static readonly byte[] OwnPages =
    [
        VitalProductDataPageCode.SupportedPages,
        VitalProductDataPageCode.UnitSerialNumber,
        VitalProductDataPageCode.DeviceIdentification,
        VitalProductDataPageCode.ManagementNetworkAddresses,
        VitalProductDataPageCode.ExtendedInquiryData,
        VitalProductDataPageCode.ModePagePolicy,
        VitalProductDataPageCode.ScsiPorts,
        VitalProductDataPageCode.ThirdPartyCopy,
    ];

    public static IReadOnlyList<CommandBinding> Bindings { get; } = [new(Spc.Inquiry, Inquiry)];

    /// <summary>EVPD.</summary>
    public static bool AsksForVitalProductData(ReadOnlySpan<byte> cdb) => (cdb[1] & 0x01) != 0;

    /// <summary>SPC-4 §6.6.1: PAGE CODE without EVPD, or a page that does not exist.</summary>
    public static void RefusePage(ScsiCommand command) =>
        command.CheckCondition(SenseData.InvalidFieldInCdb(PageCodeOffset));

    /// <summary>Header and contents of page 00h.</summary>
    public static void WriteSupportedPages(
        ref ParameterDataWriter to, int peripheral, scoped ReadOnlySpan<byte> pagesInOrder)
    {
        BeginPage(ref to, peripheral, VitalProductDataPageCode.SupportedPages);
        to.Bytes(pagesInOrder);
        to.CloseTwo(2);
    }

    /// <summary>Page 83h of the port and the target device, with <paramref name="unit"/>'s own names if there is
    /// one.</summary>
    public static void WriteDeviceIdentification(
        ref ParameterDataWriter to, int peripheral, TargetPortIdentity target, LogicalUnit? unit)
    {
        BeginPage(ref to, peripheral, VitalProductDataPageCode.DeviceIdentification);
        byte protocol = target.ProtocolIdentifier;
        if (unit is not null)
        {
            LogicalUnitIdentity own = unit.Backend.Identity;
            DesignationDescriptors.WriteNaa(ref to, own.Naa);
            DesignationDescriptors.WriteT10VendorId(ref to, own.Vendor, own.Product, own.SerialNumber);
            DesignationDescriptors.WriteRelativeTargetPort(ref to, protocol, target.RelativePortId);
            DesignationDescriptors.WriteTargetPortGroup(
                ref to, protocol, unit.PortGroups?.Of(target.Port).Id ?? target.PortGroupTag);
        }
        DesignationDescriptors.WriteScsiName(ref to, DesignatorAssociation.TargetPort, protocol, target.PortName);
        DesignationDescriptors.WriteScsiName(ref to, DesignatorAssociation.TargetDevice, protocol, target.DeviceName);
        to.CloseTwo(2);
    }

    private static void Inquiry(ScsiCommand command)
    {
        if (AsksForVitalProductData(command.Cdb))
            VitalProductData(command);
        else if (command.Cdb[PageCodeOffset] != 0)
            RefusePage(command);
        else
            Standard(command);
    }

    private static void Standard(ScsiCommand command)
    {
        LogicalUnit unit = command.Unit;
        LogicalUnitIdentity identity = unit.Backend.Identity;
        // SPC-4 §6.6.2 recommends this order: architecture, transport, primary commands, command set.
        ReadOnlySpan<ushort> versions =
        [
            VersionDescriptor.Sam5, command.Nexus.Target.VersionDescriptor, VersionDescriptor.Spc4,
            .. identity.VersionDescriptors,
        ];
        var data = new StandardInquiryData
        {
            DeviceType = unit.Backend.DeviceType,
            IsRemovable = identity.IsRemovable,
            ProtectsBlocks = identity.ProtectsBlocks,
            IsMultiPort = unit.IsMultiPort,
            SupportsAca = true,
            TargetPortGroupSupport = unit.TargetPortGroupSupport,
            Vendor = identity.Vendor,
            Product = identity.Product,
            Revision = identity.Revision,
            VendorSpecific = identity.VendorSpecific,
            VersionDescriptors = versions,
        };
        Span<byte> bytes = stackalloc byte[StandardInquiryData.LengthBytes];
        command.CompleteWithData(bytes[..data.Write(bytes)]);
    }

    private static void VitalProductData(ScsiCommand command)
    {
        byte pageCode = command.Cdb[PageCodeOffset];
        // A device type may know better than we do.
        if (FindBackendPage(command.Unit, pageCode) is { } page)
        {
            AnswerBackendPage(command, page);
            return;
        }
        if (!OwnPages.Contains(pageCode))
        {
            RefusePage(command);
            return;
        }
        if (pageCode == VitalProductDataPageCode.ScsiPorts)
        {
            AnswerScsiPorts(command);
            return;
        }
        var to = new ParameterDataWriter(stackalloc byte[MaxPageBytes]);
        WriteOwnPage(ref to, command, pageCode);
        command.CompleteWithData(to.Written);
    }

    private static void AnswerBackendPage(ScsiCommand command, VitalProductDataPage page)
    {
        var to = new ParameterDataWriter(new byte[PageHeaderBytes + page.Payload.Length]);
        BeginPage(ref to, (int)command.Unit.Backend.DeviceType, page.PageCode);
        to.Bytes(page.Payload);
        to.CloseTwo(2);
        command.CompleteWithData(to.Written);
    }

    private static VitalProductDataPage? FindBackendPage(LogicalUnit unit, byte pageCode)
    {
        foreach (VitalProductDataPage page in unit.Backend.VitalProductData)
        {
            if (page.PageCode == pageCode)
                return page;
        }
        return null;
    }

    private static void WriteOwnPage(ref ParameterDataWriter to, ScsiCommand command, byte pageCode)
    {
        LogicalUnit unit = command.Unit;
        int peripheral = (int)unit.Backend.DeviceType;
        switch (pageCode)
        {
            case VitalProductDataPageCode.SupportedPages:
                WriteSupportedPages(ref to, peripheral,
                    [.. OwnPages.Union(unit.Backend.VitalProductData.Select(p => p.PageCode)).Order()]);
                break;
            case VitalProductDataPageCode.DeviceIdentification:
                WriteDeviceIdentification(ref to, peripheral, command.Nexus.Target, unit);
                break;
            default:
                BeginPage(ref to, peripheral, pageCode);
                WriteSimplePage(ref to, command, pageCode);
                to.CloseTwo(2);
                break;
        }
    }

    private static void WriteSimplePage(ref ParameterDataWriter to, ScsiCommand command, byte pageCode)
    {
        switch (pageCode)
        {
            case VitalProductDataPageCode.UnitSerialNumber:
                string serialNumber = command.Unit.Backend.Identity.SerialNumber;
                to.Ascii(serialNumber, Math.Min(serialNumber.Length, DesignationDescriptors.MaxSerialNumberBytes));
                break;
            case VitalProductDataPageCode.ExtendedInquiryData:
                WriteExtendedInquiryData(ref to, command.Unit);
                break;
            case VitalProductDataPageCode.ModePagePolicy:
                WriteModePagePolicy(ref to, command.Unit);
                break;
            case VitalProductDataPageCode.ThirdPartyCopy:
                // SPC-4 §7.8.17.3, Supported Commands descriptor: type 0001h, four bytes, a list of no commands.
                // Standard INQUIRY data says the same (3PC zero).
                to.Bytes([0x00, 0x01, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00]);
                break;
            default:
                // Management network addresses, SPC-4 §7.8.9: there is none to tell, so an empty list.
                break;
        }
    }

    /// <summary>SPC-4 §7.8.10: of these pages one copy for each nexus (11b), of all others one that they share.
    /// </summary>
    private static void WriteModePagePolicy(ref ParameterDataWriter to, LogicalUnit unit)
    {
        foreach (ModePage page in unit.ModePages.Where(page => page.IsPerNexus))
            to.Bytes([page.PageCode, page.SubpageCode, 0x03, 0x00]);
        to.Bytes([0x3F, 0xFF, 0x00, 0x00]);
    }

    /// <summary>SPC-4 §7.8.7. What is left zero is not there: protection information of disks, UASK, priorities,
    /// grouping function, microcode, extended self-tests.</summary>
    private static void WriteExtendedInquiryData(ref ParameterDataWriter to, LogicalUnit unit)
    {
        // SPT 001b: for a tape, logical block protection (SPC-4 §7.8.7, table for device type 01h).
        to.Byte(unit.Backend.Identity.ProtectsBlocks ? 0x08 : 0);
        to.Byte(0x07); // HEADSUP, ORDSUP, SIMPSUP
        to.Byte(HasVolatileCache(unit) ? 0x01 : 0); // V_SUP
        to.Zeros(6);
        to.Byte(SenseWriter.MaxLengthBytes);
        to.Zeros(50);
    }

    /// <summary>The Caching mode page has a write cache that is on, or can be switched on (SBC-4 §6.5.6,
    /// WCE).</summary>
    private static bool HasVolatileCache(LogicalUnit unit)
    {
        ModePage? caching = unit.ModePages.FirstOrDefault(p => p is { PageCode: 0x08, SubpageCode: 0 });
        return caching is not null && ((caching.Current[0] | caching.Changeable[0]) & 0x04) != 0;
    }

    /// <summary>SPC-4 §7.8.14: every port of the target device, in the order of their identifiers; the one that was
    /// asked is always among them.</summary>
    private static void AnswerScsiPorts(ScsiCommand command)
    {
        TargetPortIdentity target = command.Nexus.Target;
        ushort[] ports =
        [
            .. command.Unit.PortsOf(target.DeviceName).Where(_ => target.NameOfPort is not null)
                .Append(target.RelativePortId).Distinct().Order().Take(MostPorts),
        ];
        var to = new ParameterDataWriter(new byte[PageHeaderBytes + (ports.Length * MaxPortBytes)]);
        BeginPage(ref to, (int)command.Unit.Backend.DeviceType, VitalProductDataPageCode.ScsiPorts);
        foreach (ushort port in ports)
            WriteScsiPort(ref to, target, port);
        to.CloseTwo(2);
        command.CompleteWithData(to.Written);
    }

    private static void WriteScsiPort(ref ParameterDataWriter to, TargetPortIdentity target, ushort port)
    {
        to.Zeros(2);
        to.Two(port);
        to.Zeros(2);
        to.Two(0); // no initiator port here
        to.Zeros(2);
        int length = to.LengthBytes;
        to.Two(0);
        DesignationDescriptors.WriteScsiName(ref to, DesignatorAssociation.TargetPort, target.ProtocolIdentifier,
            port == target.RelativePortId ? target.PortName : target.NameOfPort!(target.DeviceName, port));
        to.CloseTwo(length);
    }

    private static void BeginPage(ref ParameterDataWriter to, int peripheral, byte pageCode)
    {
        to.Byte(peripheral);
        to.Byte(pageCode);
        to.Two(0);
    }
}
