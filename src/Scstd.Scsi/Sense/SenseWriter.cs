using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>Writes <see cref="SenseData"/> in one of its two formats.</summary>
/*  fixed, SPC-4 §4.5.3                          descriptor, SPC-4 §4.5.2
    0      VALID | 70h, deferred 71h             0   72h, deferred 73h
    1      obsolete                              1   SENSE KEY
    2      FILEMARK | EOM | ILI | SENSE KEY      2   ADDITIONAL SENSE CODE
    3-6    INFORMATION                           3   ADDITIONAL SENSE CODE QUALIFIER
    7      ADDITIONAL SENSE LENGTH (10)          4-6 reserved
    8-11   COMMAND-SPECIFIC INFORMATION          7   ADDITIONAL SENSE LENGTH
    12-13  ASC, ASCQ                             8   sense data descriptors
    14     FIELD REPLACEABLE UNIT CODE
    15-17  SKSV | SENSE KEY SPECIFIC                                                   */
public static class SenseWriter
{
    public const int FixedLengthBytes = 18;

    /// <summary>The header, and every descriptor that one <see cref="SenseData"/> can fill: information,
    /// command-specific, sense key specific, stream commands, block commands.</summary>
    public const int MaxLengthBytes = DescriptorHeaderBytes + 12 + 12 + 8 + 4 + 4;

    private const int DescriptorHeaderBytes = 8;
    private const byte Current = 0x70;
    private const byte CurrentDescriptor = 0x72;
    private const byte SenseKeySpecificValid = 0x80;

    /// <summary>Writes and returns the length; <paramref name="destination"/> has room for
    /// <see cref="MaxLengthBytes"/>.</summary>
    public static int Write(in SenseData sense, bool descriptorFormat, Span<byte> destination) =>
        descriptorFormat ? WriteDescriptors(sense, destination) : WriteFixed(sense, destination);

    public static int WriteFixed(in SenseData sense, Span<byte> destination)
    {
        Span<byte> to = destination[..FixedLengthBytes];
        to.Clear();
        to[0] = (byte)(Current | (sense.IsDeferred ? 1 : 0));
        to[2] = (byte)((byte)sense.Key | (sense.Filemark ? 0x80 : 0) | (sense.EndOfMedium ? 0x40 : 0) |
            (sense.IncorrectLengthIndicator ? 0x20 : 0));
        // §4.5.3: VALID says that INFORMATION holds the whole value; more than 32 bits do not fit, so it is left out.
        if (sense.Information is { } information && FitsFixed(information))
        {
            to[0] |= 0x80;
            BinaryPrimitives.WriteUInt32BigEndian(to[3..], (uint)information);
        }
        to[7] = FixedLengthBytes - 8;
        if (sense.CommandSpecificInformation is { } specific && specific <= uint.MaxValue)
            BinaryPrimitives.WriteUInt32BigEndian(to[8..], (uint)specific);
        to[12] = sense.Additional.Code;
        to[13] = sense.Additional.Qualifier;
        WriteSenseKeySpecific(sense, to[15..]);
        return FixedLengthBytes;
    }

    public static int WriteDescriptors(in SenseData sense, Span<byte> destination)
    {
        destination[..MaxLengthBytes].Clear();
        destination[0] = (byte)(CurrentDescriptor | (sense.IsDeferred ? 1 : 0));
        destination[1] = (byte)sense.Key;
        destination[2] = sense.Additional.Code;
        destination[3] = sense.Additional.Qualifier;
        int at = DescriptorHeaderBytes;
        if (sense.Information is { } information)
        {
            Span<byte> to = Descriptor(SenseDescriptorType.Information, 12, destination, ref at);
            to[2] = 0x80; // VALID, which is always set here (§4.5.2.2)
            BinaryPrimitives.WriteUInt64BigEndian(to[4..], information);
        }
        if (sense.CommandSpecificInformation is { } specific)
        {
            Span<byte> to = Descriptor(SenseDescriptorType.CommandSpecificInformation, 12, destination, ref at);
            BinaryPrimitives.WriteUInt64BigEndian(to[4..], specific);
        }
        if (HasSenseKeySpecific(sense))
            WriteSenseKeySpecific(sense, Descriptor(SenseDescriptorType.SenseKeySpecific, 8, destination, ref at)[4..]);
        // ILI of a tape comes without an error; that of a block device with an ILLEGAL REQUEST (READ LONG, SBC-4).
        if (sense.Filemark || sense.EndOfMedium ||
            (sense.IncorrectLengthIndicator && sense.Key != SenseKey.IllegalRequest))
        {
            Span<byte> to = Descriptor(SenseDescriptorType.StreamCommands, 4, destination, ref at);
            to[3] = (byte)((sense.Filemark ? 0x80 : 0) | (sense.EndOfMedium ? 0x40 : 0) |
                (sense.IncorrectLengthIndicator ? 0x20 : 0));
        }
        else if (sense.IncorrectLengthIndicator)
        {
            Descriptor(SenseDescriptorType.BlockCommands, 4, destination, ref at)[3] = 0x20;
        }
        destination[7] = (byte)(at - DescriptorHeaderBytes);
        return at;
    }

    /// <summary>In 32 bits, without a sign or as a negative number (a tape's residue, SSC-4).</summary>
    private static bool FitsFixed(ulong information) =>
        information <= uint.MaxValue || (long)information is >= int.MinValue and < 0;

    private static Span<byte> Descriptor(SenseDescriptorType type, int lengthBytes, Span<byte> destination, ref int at)
    {
        Span<byte> descriptor = destination.Slice(at, lengthBytes);
        descriptor[0] = (byte)type;
        descriptor[1] = (byte)(lengthBytes - 2);
        at += lengthBytes;
        return descriptor;
    }

    private static bool HasSenseKeySpecific(in SenseData sense) =>
        sense.FieldPointer is not null || sense.Progress is not null;

    /// <summary>Three bytes: a field pointer (§4.5.2.4.2) or a progress indication (§4.5.2.4.4).</summary>
    private static void WriteSenseKeySpecific(in SenseData sense, Span<byte> to)
    {
        if (sense.FieldPointer is { } pointer)
        {
            to[0] = (byte)(SenseKeySpecificValid | (sense.FieldIsInCdb ? 0x40 : 0) |
                (sense.BitPointer is { } bit ? 0x08 | (bit & 0x07) : 0));
            BinaryPrimitives.WriteUInt16BigEndian(to[1..], pointer);
        }
        else if (sense.Progress is { } progress)
        {
            to[0] = SenseKeySpecificValid;
            BinaryPrimitives.WriteUInt16BigEndian(to[1..], progress);
        }
    }
}

/// <summary>DESCRIPTOR TYPE of sense data, SPC-4 §4.5.2.1.</summary>
public enum SenseDescriptorType : byte
{
    Information = 0x00,
    CommandSpecificInformation = 0x01,
    SenseKeySpecific = 0x02,
    FieldReplaceableUnit = 0x03,
    StreamCommands = 0x04,
    BlockCommands = 0x05,
}
