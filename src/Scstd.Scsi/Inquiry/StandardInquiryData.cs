namespace Scstd.Scsi;

/// <summary>PERIPHERAL QUALIFIER, SPC-4 §6.6.2.</summary>
public enum PeripheralQualifier : byte
{
    /// <summary>A device server is there.</summary>
    Connected = 0b000,

    /// <summary>None is there now, but one could be.</summary>
    NotConnected = 0b001,

    /// <summary>None can be there.</summary>
    NotCapable = 0b011,
}

/// <summary>Standard INQUIRY data, SPC-4 §6.6.2.</summary>
/*  0      PERIPHERAL QUALIFIER 7-5 | PERIPHERAL DEVICE TYPE 4-0
    1      RMB
    2      VERSION: 06h, SPC-4
    3      NORMACA 5 | HISUP 4 | RESPONSE DATA FORMAT 3-0 (2)
    4      ADDITIONAL LENGTH (5Bh)
    5      SCCS | ACC | TPGS | 3PC | PROTECT
    6      ENCSERV 6 | MULTIP 4
    7      CMDQUE 1
    8-15   T10 VENDOR IDENTIFICATION
    16-31  PRODUCT IDENTIFICATION
    32-35  PRODUCT REVISION LEVEL
    36-57  vendor specific, obsolete
    58-73  eight VERSION DESCRIPTORS
    74-95  reserved                                                 */
public readonly ref struct StandardInquiryData
{
    public const int LengthBytes = 96;

    public const int MaxVersionDescriptors = 8;

    private const int AdditionalLengthOffset = 4;
    private const int VendorSpecificBytes = 20;

    public PeripheralQualifier Qualifier { get; init; }

    public PeripheralDeviceType DeviceType { get; init; }

    public bool IsRemovable { get; init; }

    /// <summary>PROTECT.</summary>
    public bool ProtectsBlocks { get; init; }

    /// <summary>The unit is reached through several target ports.</summary>
    public bool IsMultiPort { get; init; }

    /// <summary>NORMACA: NACA is obeyed.</summary>
    public bool SupportsAca { get; init; }

    /// <summary>TPGS: 01b implicit, 10b explicit asymmetric access, or both.</summary>
    public byte TargetPortGroupSupport { get; init; }

    public required string Vendor { get; init; }

    public required string Product { get; init; }

    public required string Revision { get; init; }

    /// <summary>Bytes 36 to 55; the first twenty count.</summary>
    public ReadOnlySpan<byte> VendorSpecific { get; init; }

    /// <summary>The first eight count.</summary>
    public ReadOnlySpan<ushort> VersionDescriptors { get; init; }

    public int Write(Span<byte> destination)
    {
        var to = new ParameterDataWriter(destination);
        to.Byte(((int)Qualifier << 5) | (int)DeviceType);
        to.Byte(IsRemovable ? 0x80 : 0);
        to.Byte(0x06);
        to.Byte(SupportsAca ? 0x32 : 0x12); // NORMACA, HISUP, format 2
        to.Byte(0);
        to.Byte((TargetPortGroupSupport << 4) | (ProtectsBlocks ? 0x01 : 0)); // no third party copy
        to.Byte(IsMultiPort ? 0x10 : 0);
        to.Byte(0x02); // CMDQUE
        to.Ascii(Vendor, 8);
        to.Ascii(Product, 16);
        to.Ascii(Revision, 4);
        ReadOnlySpan<byte> vendorSpecific = VendorSpecific[..Math.Min(VendorSpecific.Length, VendorSpecificBytes)];
        to.Bytes(vendorSpecific);
        to.Zeros(VendorSpecificBytes - vendorSpecific.Length + 2);
        for (int i = 0; i < MaxVersionDescriptors; i++)
            to.Two(i < VersionDescriptors.Length ? VersionDescriptors[i] : 0);
        to.Zeros(22);
        to.CloseByte(AdditionalLengthOffset);
        return to.LengthBytes;
    }
}

/// <summary>VERSION DESCRIPTORS of standards that every device type keeps, SPC-4 §6.6.2.</summary>
public static class VersionDescriptor
{
    public const ushort Sam5 = 0x00A0;
    public const ushort Spc4 = 0x0460;
    public const ushort Iscsi = 0x0960;
}
