using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>Reads sense data of either format: what a passed-through device answers, and what tests got.</summary>
public static class SenseReader
{
    /// <summary>False if the bytes are no sense data that SPC-4 §4.5 knows, or end too early for a key.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SenseData sense)
    {
        sense = default;
        if (bytes.IsEmpty)
            return false;
        switch (bytes[0] & 0x7F)
        {
            case 0x70 or 0x71 when bytes.Length >= 3:
                sense = ReadFixed(bytes);
                return true;
            case 0x72 or 0x73 when bytes.Length >= 4:
                sense = ReadDescriptors(bytes);
                return true;
            default:
                return false;
        }
    }

    private static SenseData ReadFixed(ReadOnlySpan<byte> bytes)
    {
        // A device may send less than it could; what is missing reads as zero.
        Span<byte> all = stackalloc byte[SenseWriter.FixedLengthBytes];
        all.Clear();
        bytes[..Math.Min(bytes.Length, all.Length)].CopyTo(all);
        ulong specific = BinaryPrimitives.ReadUInt32BigEndian(all[8..]);
        var sense = new SenseData((SenseKey)(all[2] & 0x0F), new AdditionalSense(all[12], all[13]))
        {
            IsDeferred = (all[0] & 1) != 0,
            Information = (all[0] & 0x80) != 0 ? BinaryPrimitives.ReadUInt32BigEndian(all[3..]) : null,
            CommandSpecificInformation = specific != 0 ? specific : null,
            Filemark = (all[2] & 0x80) != 0,
            EndOfMedium = (all[2] & 0x40) != 0,
            IncorrectLengthIndicator = (all[2] & 0x20) != 0,
        };
        return WithSenseKeySpecific(sense, all[15..]);
    }

    private static SenseData ReadDescriptors(ReadOnlySpan<byte> bytes)
    {
        var sense = new SenseData((SenseKey)(bytes[1] & 0x0F), new AdditionalSense(bytes[2], bytes[3]))
        {
            IsDeferred = (bytes[0] & 1) != 0,
        };
        int end = bytes.Length < 8 ? 0 : Math.Min(bytes.Length, 8 + bytes[7]);
        for (int at = 8; at + 2 <= end;)
        {
            int length = 2 + bytes[at + 1];
            if (at + length > end)
                break;
            sense = WithDescriptor(sense, bytes.Slice(at, length));
            at += length;
        }
        return sense;
    }

    private static SenseData WithDescriptor(in SenseData sense, ReadOnlySpan<byte> descriptor)
    {
        switch ((SenseDescriptorType)descriptor[0])
        {
            case SenseDescriptorType.Information when descriptor.Length >= 12:
                return sense with { Information = BinaryPrimitives.ReadUInt64BigEndian(descriptor[4..]) };
            case SenseDescriptorType.CommandSpecificInformation when descriptor.Length >= 12:
                return sense with
                {
                    CommandSpecificInformation = BinaryPrimitives.ReadUInt64BigEndian(descriptor[4..]),
                };
            case SenseDescriptorType.SenseKeySpecific when descriptor.Length >= 8:
                return WithSenseKeySpecific(sense, descriptor[4..]);
            case SenseDescriptorType.StreamCommands when descriptor.Length >= 4:
                return sense with
                {
                    Filemark = (descriptor[3] & 0x80) != 0,
                    EndOfMedium = (descriptor[3] & 0x40) != 0,
                    IncorrectLengthIndicator = (descriptor[3] & 0x20) != 0,
                };
            case SenseDescriptorType.BlockCommands when descriptor.Length >= 4:
                return sense with { IncorrectLengthIndicator = (descriptor[3] & 0x20) != 0 };
            default:
                return sense;
        }
    }

    private static SenseData WithSenseKeySpecific(in SenseData sense, ReadOnlySpan<byte> bytes)
    {
        if ((bytes[0] & 0x80) == 0)
            return sense;
        ushort value = BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
        return sense.Key switch
        {
            SenseKey.IllegalRequest => sense with
            {
                FieldPointer = value,
                FieldIsInCdb = (bytes[0] & 0x40) != 0,
                BitPointer = (bytes[0] & 0x08) != 0 ? (byte)(bytes[0] & 0x07) : null,
            },
            SenseKey.NoSense or SenseKey.NotReady => sense with { Progress = value },
            _ => sense,
        };
    }
}
