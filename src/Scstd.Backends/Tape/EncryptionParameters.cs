using System.Buffers.Binary;
using Scstd.Scsi;

namespace Scstd.Backends.Tape;

internal enum EncryptionMode : byte
{
    Disable = 0,
    Encrypt = 2,
}

internal enum DecryptionMode : byte
{
    Disable = 0,

    /// <summary>Records that are not encrypted are an error.</summary>
    Decrypt = 2,

    /// <summary>Whatever comes.</summary>
    Mixed = 3,
}

internal enum EncryptionScope : byte
{
    Public = 0,
    Local = 1,
    AllNexuses = 2,
}

/// <summary>A set of data encryption parameters (SSC-4 §4.2, tape data encryption), from the Set Data Encryption page.
/// </summary>
/*   0-1   PAGE CODE 0010h                       6    ENCRYPTION MODE
     2-3   PAGE LENGTH                           7    DECRYPTION MODE
     4     SCOPE 7-5 | LOCK 0                    8    ALGORITHM INDEX
     5     CEEM 7-6 | RDMC 5-4 | SDK 3 |         9    KEY FORMAT
           CKOD 2 | CKORP 1 | CKORL 0            10   KAD FORMAT
                                                 18-19 KEY LENGTH, KEY, then key-associated data descriptors  */
internal sealed record EncryptionParameters(
    EncryptionScope Scope, EncryptionMode Encryption, DecryptionMode Decryption, byte Check, bool ClearsOnUnload,
    TapeKey? Key, bool IsLocked = false)
{
    public const byte AlgorithmIndex = 1;
    public const int KeyLengthBytes = 32;
    public const int MostAssociatedBytes = 32;

    /// <summary>Of the whole page.</summary>
    public const int MostBytes = HeaderBytes + KeyLengthBytes + (2 * (4 + MostAssociatedBytes));

    private const int HeaderBytes = 20;
    private const byte UnauthenticatedType = 0;
    private const byte AuthenticatedType = 1;

    public static readonly EncryptionParameters None =
        new(EncryptionScope.Public, EncryptionMode.Disable, DecryptionMode.Disable, 0, false, null);

    public bool IsDisabled => Encryption == EncryptionMode.Disable && Decryption == DecryptionMode.Disable;

    /// <summary>Reads the page; null with why it is refused.</summary>
    public static EncryptionParameters? Read(ReadOnlySpan<byte> page, out SenseData refused)
    {
        refused = SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        if (page.Length < HeaderBytes || BinaryPrimitives.ReadUInt16BigEndian(page[2..]) != page.Length - 4)
            return null;
        if (FindInvalidHead(page) is { } invalid)
        {
            refused = SenseData.InvalidFieldInParameterList(invalid.Offset, invalid.Bit);
            return null;
        }
        var scope = (EncryptionScope)(page[4] >> 5);
        bool isLocked = (page[4] & 0x01) != 0;
        if (scope == EncryptionScope.Public)
            return None with { IsLocked = isLocked };
        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(page[18..]);
        bool needsKey = page[6] == (byte)EncryptionMode.Encrypt || page[7] != (byte)DecryptionMode.Disable;
        if (keyLength != (needsKey ? KeyLengthBytes : keyLength == 0 ? 0 : KeyLengthBytes))
        {
            refused = SenseData.InvalidFieldInParameterList(18);
            return null;
        }
        if (page.Length < HeaderBytes + keyLength)
            return null;
        byte[] unauthenticated = [];
        byte[] authenticated = [];
        if (ReadAssociated(page, HeaderBytes + keyLength, ref unauthenticated, ref authenticated) is { } bad)
        {
            refused = bad;
            return null;
        }
        return new EncryptionParameters(
            scope, (EncryptionMode)page[6], (DecryptionMode)page[7], (byte)(page[5] >> 6), (page[5] & 0x04) != 0,
            needsKey
                ? new TapeKey(page.Slice(HeaderBytes, keyLength).ToArray(), unauthenticated, authenticated) : null,
            isLocked);
    }

    /// <summary>What is refused: CKORP and CKORL, supplemental keys, raw reads, external encryption.</summary>
    private static (int Offset, int? Bit)? FindInvalidHead(ReadOnlySpan<byte> page)
    {
        if (page[4] >> 5 > (byte)EncryptionScope.AllNexuses)
            return (4, 7);
        if ((page[5] & 0x80) != 0)
            return (5, 7);
        if ((page[5] & 0x30) != 0)
            return (5, 5);
        for (int bit = 3; bit >= 0; bit--)
        {
            if (bit != 2 && (page[5] & (1 << bit)) != 0)
                return (5, bit);
        }
        if ((EncryptionMode)page[6] is not (EncryptionMode.Disable or EncryptionMode.Encrypt))
            return (6, null);
        if ((DecryptionMode)page[7] is not (DecryptionMode.Disable or DecryptionMode.Decrypt or DecryptionMode.Mixed))
            return (7, null);
        bool isUsed = page[6] != 0 || page[7] != 0;
        if (isUsed && page[8] != AlgorithmIndex)
            return (8, null);
        if (page[9] != 0)
            return (9, null);
        return page[10] != 0 ? (10, null) : null;
    }

    /// <summary>Descriptors: type, AUTHENTICATED, two bytes of length, the data; in ascending order of their types.
    /// </summary>
    private static SenseData? ReadAssociated(
        ReadOnlySpan<byte> page, int at, ref byte[] unauthenticated, ref byte[] authenticated)
    {
        int last = -1;
        while (at < page.Length)
        {
            if (page.Length - at < 4)
                return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
            byte type = page[at];
            int length = BinaryPrimitives.ReadUInt16BigEndian(page[(at + 2)..]);
            if (type is not (UnauthenticatedType or AuthenticatedType) || type <= last)
                return SenseData.InvalidFieldInParameterList(at);
            if (length > MostAssociatedBytes)
                return SenseData.InvalidFieldInParameterList(at + 2);
            if (length > page.Length - at - 4)
                return SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
            byte[] data = page.Slice(at + 4, length).ToArray();
            if (type == UnauthenticatedType)
                unauthenticated = data;
            else
                authenticated = data;
            last = type;
            at += 4 + length;
        }
        return null;
    }

    /// <summary>The key's descriptors as they are told back.</summary>
    public static byte[] Associated(TapeKey? key) => key is null ? [] :
        [.. Descriptor(UnauthenticatedType, key.Unauthenticated), .. Descriptor(AuthenticatedType, key.Authenticated)];

    public static byte[] Descriptor(byte type, ReadOnlySpan<byte> data, byte authenticated = 0) =>
        data.IsEmpty ? [] : [type, authenticated, (byte)(data.Length >> 8), (byte)data.Length, .. data];
}
