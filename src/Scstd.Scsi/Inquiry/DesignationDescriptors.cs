namespace Scstd.Scsi;

/// <summary>Of what a designator is: the logical unit, the port it was asked through, or the SCSI target device
/// (SPC-4 §7.8.6.1).</summary>
public enum DesignatorAssociation : byte
{
    LogicalUnit = 0,
    TargetPort = 1,
    TargetDevice = 2,
}

/// <summary>Designation descriptors of VPD pages 83h and 88h, SPC-4 §7.8.6.</summary>
/*  0    PROTOCOL IDENTIFIER 7-4 | CODE SET 3-0
    1    PIV 7 | ASSOCIATION 5-4 | DESIGNATOR TYPE 3-0
    2    reserved
    3    DESIGNATOR LENGTH
    4-   DESIGNATOR                                        */
public static class DesignationDescriptors
{
    /// <summary>What a DESIGNATOR LENGTH of one byte leaves after vendor and product, in whole words.</summary>
    public const int MaxSerialNumberBytes = 228;

    private const byte Binary = 1;
    private const byte Ascii = 2;
    private const byte Utf8 = 3;
    private const byte ProtocolIdentifierValid = 0x80;

    /// <summary>§7.8.6.4: T10 vendor ID based: the vendor, then what it chose, here the product and the serial number.
    /// </summary>
    public static void WriteT10VendorId(ref ParameterDataWriter to, string vendor, string product, string serialNumber)
    {
        int length = Begin(ref to, Ascii, 1, DesignatorAssociation.LogicalUnit, null);
        to.Ascii(vendor, 8);
        to.Ascii(product, 16);
        to.Ascii(serialNumber, Math.Min(serialNumber.Length, MaxSerialNumberBytes));
        to.CloseByte(length);
    }

    /// <summary>§7.8.6.6: the world wide name of the unit, 8 or 16 bytes.</summary>
    public static void WriteNaa(ref ParameterDataWriter to, scoped ReadOnlySpan<byte> naa)
    {
        int length = Begin(ref to, Binary, 3, DesignatorAssociation.LogicalUnit, null);
        to.Bytes(naa);
        to.CloseByte(length);
    }

    /// <summary>§7.8.6.7.</summary>
    public static void WriteRelativeTargetPort(ref ParameterDataWriter to, byte protocol, ushort relativePortId) =>
        WriteNumber(ref to, 4, protocol, relativePortId);

    /// <summary>§7.8.6.8.</summary>
    public static void WriteTargetPortGroup(ref ParameterDataWriter to, byte protocol, ushort group) =>
        WriteNumber(ref to, 5, protocol, group);

    /// <summary>§7.8.6.11: SCSI name string.</summary>
    public static void WriteScsiName(
        ref ParameterDataWriter to, DesignatorAssociation association, byte protocol, string name)
    {
        int length = Begin(ref to, Utf8, 8, association, protocol);
        to.NullTerminatedUtf8(name);
        to.CloseByte(length);
    }

    private static void WriteNumber(ref ParameterDataWriter to, byte type, byte protocol, ushort number)
    {
        int length = Begin(ref to, Binary, type, DesignatorAssociation.TargetPort, protocol);
        to.Two(0);
        to.Two(number);
        to.CloseByte(length);
    }

    /// <summary>Returns where the DESIGNATOR LENGTH is.</summary>
    private static int Begin(
        ref ParameterDataWriter to, byte codeSet, byte type, DesignatorAssociation association, byte? protocol)
    {
        to.Byte(((protocol ?? 0) << 4) | codeSet);
        to.Byte((protocol is null ? 0 : ProtocolIdentifierValid) | ((int)association << 4) | type);
        to.Zeros(2);
        return to.LengthBytes - 1;
    }
}

/// <summary>Codes of the vital product data pages that every device type has, SPC-4 §7.8.1.</summary>
public static class VitalProductDataPageCode
{
    public const byte SupportedPages = 0x00;
    public const byte UnitSerialNumber = 0x80;
    public const byte DeviceIdentification = 0x83;
    public const byte ManagementNetworkAddresses = 0x85;
    public const byte ExtendedInquiryData = 0x86;
    public const byte ModePagePolicy = 0x87;
    public const byte ScsiPorts = 0x88;
    public const byte ThirdPartyCopy = 0x8F;
}
