using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

/// <summary>The head of the mode parameters (SSC-4 §8.3): buffered mode, density and block length.</summary>
/*  DEVICE-SPECIFIC PARAMETER  WP 7 | BUFFERED MODE 6-4 | SPEED 3-0
    block descriptor           0    DENSITY CODE
                               1-3  NUMBER OF LOGICAL BLOCKS (0: to the end)
                               5-7  LOGICAL BLOCK LENGTH (0: variable)          */
public sealed partial class TapeBackend
{
    private const int BlockDescriptorBytes = 8;
    private const byte BufferedModeMask = 0x70;
    private const byte SpeedMask = 0x0F;

    /// <summary>DENSITY CODE in MODE SELECT: as it is.</summary>
    private const byte SameDensity = 0x7F;

    public IModeHeader ModeHeader => this;

    public byte ModeDeviceSpecificParameter => _bufferedMode;

    public byte ModeMediumType => _view is { } view && TapeDensity.Find(view.Description.DensityCode) is { } density
        ? density.MediumType(view.Description.IsWorm) : (byte)0;

    private int ProtectionOfReadsBytes(ItNexus nexus) =>
        _pages.ProtectionOfReads(nexus) is null ? 0 : BlockProtection.LengthBytes;

    private int ProtectionOfWritesBytes(ItNexus nexus) =>
        _pages.ProtectionOfWrites(nexus) is null ? 0 : BlockProtection.LengthBytes;

    private byte DensityCode => _view?.Description.DensityCode ?? 0;

    /// <summary>Block addresses are no part of it, so there is no long form.</summary>
    public int WriteModeBlockDescriptor(Span<byte> destination, bool longLba)
    {
        destination[..BlockDescriptorBytes].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], (uint)_blockLengthBytes);
        destination[0] = DensityCode;
        return BlockDescriptorBytes;
    }

    public void ModePageChanged(ModePage page)
    {
        _pages.Changed(page);
        // WRITE MODE is another: nothing is allowed yet.
        if (_pages.IsExtension(page))
            _overwrite = null;
    }

    public SenseData? Judge(ModeHeaderValues values)
    {
        if (values.MediumType != 0 && values.MediumType != ModeMediumType)
            return SenseData.InvalidFieldInParameterList(values.MediumTypeOffset);
        if ((values.DeviceSpecificParameter & BufferedModeMask) > 0x20)
            return SenseData.InvalidFieldInParameterList(values.DeviceSpecificParameterOffset, 6);
        if ((values.DeviceSpecificParameter & SpeedMask) != 0)
            return SenseData.InvalidFieldInParameterList(values.DeviceSpecificParameterOffset, 3);
        if (values.BlockDescriptor.Length == 0)
            return null;
        ReadOnlySpan<byte> descriptor = values.BlockDescriptor;
        int at = values.BlockDescriptorOffset;
        // Density is the medium's: what is written goes on as it was formatted.
        if (descriptor[0] is not (0 or SameDensity) && descriptor[0] != DensityCode)
            return SenseData.InvalidFieldInParameterList(at);
        if (descriptor[1..4].ContainsAnyExcept((byte)0))
            return SenseData.InvalidFieldInParameterList(at + 1);
        return BlockLengthOf(descriptor) > Personality.MaxBlockLengthBytes
            ? SenseData.InvalidFieldInParameterList(at + 5) : null;
    }

    /// <summary>Runs alone on the unit.</summary>
    public bool Change(ModeHeaderValues values)
    {
        byte mode = (byte)(values.DeviceSpecificParameter & BufferedModeMask);
        int length = values.BlockDescriptor.Length == 0 ? _blockLengthBytes : BlockLengthOf(values.BlockDescriptor);
        bool isChanged = mode != _bufferedMode || length != _blockLengthBytes;
        _bufferedMode = mode;
        _blockLengthBytes = length;
        return isChanged;
    }

    private static int BlockLengthOf(ReadOnlySpan<byte> descriptor) =>
        (descriptor[5] << 16) | (descriptor[6] << 8) | descriptor[7];
}
