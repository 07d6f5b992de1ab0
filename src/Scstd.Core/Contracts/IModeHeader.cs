using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>For device types where MODE SELECT may change the device-specific parameter of the header or the block
/// descriptor (SSC-4 §8.3: buffered mode, density, block length).</summary>
public interface IModeHeader
{
    /// <summary>Null: they can be made current. Changes nothing.</summary>
    SenseData? Judge(ModeHeaderValues values);

    /// <summary>Makes them current, alone on the unit; false: they were before.</summary>
    bool Change(ModeHeaderValues values);
}

/// <summary>What a mode parameter list has before its pages.</summary>
/// <param name="MediumType">MEDIUM TYPE, and where it lies.</param>
/// <param name="MediumTypeOffset">In the list, for a field pointer.</param>
/// <param name="DeviceSpecificParameter">DEVICE-SPECIFIC PARAMETER.</param>
/// <param name="DeviceSpecificParameterOffset">In the list.</param>
/// <param name="BlockDescriptor">Empty: none was sent.</param>
/// <param name="BlockDescriptorOffset">In the list.</param>
public sealed record ModeHeaderValues(
    byte MediumType,
    int MediumTypeOffset,
    byte DeviceSpecificParameter,
    int DeviceSpecificParameterOffset,
    byte[] BlockDescriptor,
    int BlockDescriptorOffset);
