using static System.Buffers.Binary.BinaryPrimitives;

namespace Scstd.Frontends.Iscsi.Pdus;

/// <summary>AHSType, RFC 7143 §11.2.2.1.</summary>
public enum AhsType : byte
{
    ExtendedCdb = 0x01,
    BidirectionalReadExpectedDataTransferLength = 0x02,
}

/// <summary>
/// What the Additional Header Segments of a SCSI Command say (RFC 7143 §11.2.2). A view: the extended CDB is a slice
/// of the segments it was read from.
/// </summary>
/*   Byte/     0       |       1       |       2       |       3       |
    0| AHSLength                     | AHSType         | AHS-Specific  |
    4/ AHS-Specific                                                    /
     AHSLength counts what follows AHSType, without padding; each segment is padded to 4 bytes.

     Extended CDB (§11.2.2.3): AHSLength = CDBLength - 15, byte 3 reserved, then the CDB from byte 16 on.
     Bidirectional read length (§11.2.2.4): AHSLength = 5, byte 3 reserved, then 4 bytes.              */
public readonly ref struct AdditionalHeaderSegments
{
    /// <summary>SPC-4 §4.2.3: a variable length CDB has at most 260 bytes.</summary>
    public const int CdbLengthMax = 260;

    /// <summary>Bytes of a CDB that the BHS itself carries.</summary>
    public const int CdbBytesInHeader = 16;

    private const int PrefixLength = 4;

    private AdditionalHeaderSegments(ReadOnlySpan<byte> extendedCdb, bool bidirectional, uint readLengthBytes)
    {
        ExtendedCdb = extendedCdb;
        HasBidirectionalReadLength = bidirectional;
        BidirectionalReadExpectedDataTransferLength = readLengthBytes;
    }

    /// <summary>The CDB from its byte 16 on; empty when the CDB fits the BHS.</summary>
    public ReadOnlySpan<byte> ExtendedCdb { get; }

    public bool HasBidirectionalReadLength { get; }

    public uint BidirectionalReadExpectedDataTransferLength { get; }

    /// <summary>
    /// Reads all segments. False when one of them is longer than what is left, has an unknown type or an impossible
    /// length, or comes twice: the header is then not to be trusted (format error, §7.7).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> ahs, out AdditionalHeaderSegments segments)
    {
        ReadOnlySpan<byte> extendedCdb = default;
        var bidirectional = false;
        uint readLengthBytes = 0;
        segments = default;
        while (!ahs.IsEmpty)
        {
            if (ahs.Length < PrefixLength) return false;
            int ahsLength = ReadUInt16BigEndian(ahs);
            var wireLength = BasicHeaderSegment.Pad(3 + ahsLength);
            if (ahsLength == 0 || wireLength > ahs.Length) return false;
            switch ((AhsType)ahs[2])
            {
                case AhsType.ExtendedCdb when extendedCdb.IsEmpty && ahsLength is > 1 and <= CdbLengthMax - 15:
                    extendedCdb = ahs.Slice(PrefixLength, ahsLength - 1);
                    break;
                case AhsType.BidirectionalReadExpectedDataTransferLength when !bidirectional && ahsLength == 5:
                    bidirectional = true;
                    readLengthBytes = ReadUInt32BigEndian(ahs[PrefixLength..]);
                    break;
                default:
                    return false;
            }
            ahs = ahs[wireLength..];
        }
        segments = new AdditionalHeaderSegments(extendedCdb, bidirectional, readLengthBytes);
        return true;
    }

    /// <summary>Writes an Extended CDB segment for the part of a CDB behind its byte 15; returns its length.</summary>
    public static int WriteExtendedCdb(Span<byte> destination, ReadOnlySpan<byte> cdb)
    {
        if (cdb.Length is <= CdbBytesInHeader or > CdbLengthMax)
            throw new ArgumentOutOfRangeException(nameof(cdb));
        var length = BasicHeaderSegment.Pad(PrefixLength + cdb.Length - CdbBytesInHeader);
        destination = destination[..length];
        destination.Clear();
        WriteUInt16BigEndian(destination, (ushort)(cdb.Length - 15));
        destination[2] = (byte)AhsType.ExtendedCdb;
        cdb[CdbBytesInHeader..].CopyTo(destination[PrefixLength..]);
        return length;
    }

    /// <summary>Writes a Bidirectional Read Expected Data Transfer Length segment; returns its length, 8.</summary>
    public static int WriteBidirectionalReadLength(Span<byte> destination, uint readLengthBytes)
    {
        destination = destination[..8];
        destination.Clear();
        WriteUInt16BigEndian(destination, 5);
        destination[2] = (byte)AhsType.BidirectionalReadExpectedDataTransferLength;
        WriteUInt32BigEndian(destination[4..], readLengthBytes);
        return 8;
    }
}
