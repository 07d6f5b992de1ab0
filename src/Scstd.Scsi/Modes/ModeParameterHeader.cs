using System.Buffers.Binary;

namespace Scstd.Scsi;

/// <summary>The head of a mode parameter list, SPC-4 §7.5.4, in the forms of the 6 and the 10 byte commands.</summary>
/*  (6)  0  MODE DATA LENGTH            (10)  0-1  MODE DATA LENGTH
         1  MEDIUM TYPE                       2    MEDIUM TYPE
         2  DEVICE-SPECIFIC PARAMETER         3    DEVICE-SPECIFIC PARAMETER
         3  BLOCK DESCRIPTOR LENGTH           4    LONGLBA 0
                                              6-7  BLOCK DESCRIPTOR LENGTH      */
public readonly ref struct ModeParameterHeader(ReadOnlySpan<byte> bytes, bool isShort)
{
    public const int ShortLengthBytes = 4;
    public const int LongLengthBytes = 8;
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly bool _isShort = isShort;

    public int LengthBytes => LengthOf(_isShort);

    public byte MediumType => _bytes[MediumTypeOffset];

    public int MediumTypeOffset => _isShort ? 1 : 2;

    public byte DeviceSpecificParameter => _bytes[DeviceSpecificParameterOffset];

    public int DeviceSpecificParameterOffset => _isShort ? 2 : 3;

    /// <summary>Of the 10 byte form alone.</summary>
    public int LongLbaOffset => 4;

    /// <summary>Block descriptors have eight byte addresses.</summary>
    public bool IsLongLba => !_isShort && (_bytes[4] & 1) != 0;

    public int BlockDescriptorLengthBytes =>
        _isShort ? _bytes[3] : BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);

    public int BlockDescriptorLengthOffset => _isShort ? 3 : 6;

    public static int LengthOf(bool isShort) => isShort ? ShortLengthBytes : LongLengthBytes;

    /// <summary>The MODE DATA LENGTH counts what comes after itself, whatever is cut off later.</summary>
    public static void Write(
        Span<byte> list,
        bool isShort,
        byte mediumType,
        byte deviceSpecificParameter,
        bool longLba,
        int blockDescriptorLengthBytes)
    {
        list[..LengthOf(isShort)].Clear();
        if (isShort)
        {
            list[0] = (byte)(list.Length - 1);
            list[1] = mediumType;
            list[2] = deviceSpecificParameter;
            list[3] = (byte)blockDescriptorLengthBytes;
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(list, (ushort)(list.Length - 2));
        list[2] = mediumType;
        list[3] = deviceSpecificParameter;
        list[4] = (byte)(longLba ? 1 : 0);
        BinaryPrimitives.WriteUInt16BigEndian(list[6..], (ushort)blockDescriptorLengthBytes);
    }
}

/// <summary>The head of a mode page in a list, SPC-4 §7.5.7: page_0 format, or sub_page format with SPF.</summary>
/*  page_0   0    PS 7 | SPF 6 (0) | PAGE CODE 5-0      sub_page  0    PS | SPF (1) | PAGE CODE
             1    PAGE LENGTH                                     1    SUBPAGE CODE
                                                                  2-3  PAGE LENGTH                  */
public readonly ref struct ModePageHeader(ReadOnlySpan<byte> bytes)
{
    private const byte ParametersSaveable = 0x80;
    private const byte SubpageFormat = 0x40;
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public byte PageCode => (byte)(_bytes[0] & 0x3F);

    public bool HasSubpage => (_bytes[0] & SubpageFormat) != 0;

    public byte SubpageCode => HasSubpage ? _bytes[1] : (byte)0;

    public int LengthBytes => LengthOf(HasSubpage);

    public int PageLengthBytes => HasSubpage ? BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]) : _bytes[1];

    public int PageLengthOffset => HasSubpage ? 2 : 1;

    public static int LengthOf(bool hasSubpage) => hasSubpage ? 4 : 2;

    /// <summary>There are bytes enough to read the rest of the header.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 2 && bytes.Length >= LengthOf((bytes[0] & SubpageFormat) != 0);

    public static void Write(
        ref ParameterDataWriter to, byte pageCode, byte subpageCode, bool isSaveable, int pageLengthBytes)
    {
        int flags = isSaveable ? ParametersSaveable : 0;
        if (subpageCode == 0)
        {
            to.Byte(flags | pageCode);
            to.Byte(pageLengthBytes);
            return;
        }
        to.Byte(flags | SubpageFormat | pageCode);
        to.Byte(subpageCode);
        to.Two(pageLengthBytes);
    }
}
