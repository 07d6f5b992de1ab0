using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Scstd.Backends.Tape.Cartridges;

/*  An encrypted record begins, behind its header, with

        0    nonce                           12 bytes, random: the same key is used on many cartridges
        12   authentication tag              16
        28   length of unauthenticated data  1
        29   length of authenticated data    1
        30   0                               2
        32   unauthenticated data, authenticated data, ciphertext

    Authenticated with the ciphertext: number and length of the record, its flags, the authenticated data. So none can
    be put in the place of another.                                                                                   */

/// <summary>Encrypts records (AES-256-GCM, NIST SP 800-38D) and knows what stands before them.</summary>
internal sealed class RecordSeal : IDisposable
{
    public const int FixedBytes = 32;
    public const int KeyDataBytesMax = 32;
    public const int BytesMax = FixedBytes + (2 * KeyDataBytesMax);

    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int UnauthenticatedLengthAt = NonceBytes + TagBytes;
    private const int AuthenticatedLengthAt = UnauthenticatedLengthAt + 1;
    private const int ContextBytes = 13;

    private TapeKey? _key;
    private AesGcm? _cipher;

    public static int SealBytes(TapeKey key) => FixedBytes + key.Unauthenticated.Length + key.Authenticated.Length;

    /// <summary>Writes seal and ciphertext.</summary>
    public void Encrypt(TapeKey key, ReadOnlySpan<byte> plain, Span<byte> sealedRecord, in SealedRecord record)
    {
        Span<byte> nonce = sealedRecord[..NonceBytes];
        RandomNumberGenerator.Fill(nonce);
        sealedRecord[UnauthenticatedLengthAt] = (byte)key.Unauthenticated.Length;
        sealedRecord[AuthenticatedLengthAt] = (byte)key.Authenticated.Length;
        sealedRecord[30..FixedBytes].Clear();
        key.Unauthenticated.CopyTo(sealedRecord[FixedBytes..]);
        key.Authenticated.CopyTo(sealedRecord[(FixedBytes + key.Unauthenticated.Length)..]);
        Span<byte> context = stackalloc byte[ContextBytes + KeyDataBytesMax];
        context = Context(context, record, key.Authenticated);
        CipherOf(key).Encrypt(
            nonce, plain, sealedRecord.Slice(SealBytes(key), plain.Length),
            sealedRecord.Slice(NonceBytes, TagBytes), context);
    }

    /// <summary>How long the plain bytes are, or null if this is not the right key.</summary>
    public int? Decrypt(TapeKey key, ReadOnlySpan<byte> sealedRecord, Span<byte> plain, in SealedRecord record)
    {
        if (!TryReadKeyData(sealedRecord, out KeyData data))
            return null;
        ReadOnlySpan<byte> cipherText = sealedRecord[data.SealBytes..];
        Span<byte> context = stackalloc byte[ContextBytes + KeyDataBytesMax];
        context = Context(context, record, data.Authenticated.Span);
        try
        {
            CipherOf(key).Decrypt(
                sealedRecord[..NonceBytes], cipherText, sealedRecord.Slice(NonceBytes, TagBytes),
                plain[..cipherText.Length], context);
            return cipherText.Length;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    /// <summary>What a record tells of its key; false: it cannot be.</summary>
    public static bool TryReadKeyData(ReadOnlySpan<byte> sealedRecord, out KeyData data)
    {
        data = default;
        if (sealedRecord.Length < FixedBytes)
            return false;
        int unauthenticated = sealedRecord[UnauthenticatedLengthAt];
        int authenticated = sealedRecord[AuthenticatedLengthAt];
        if (unauthenticated > KeyDataBytesMax || authenticated > KeyDataBytesMax
            || sealedRecord.Length < FixedBytes + unauthenticated + authenticated)
            return false;
        data = new KeyData(
            sealedRecord.Slice(FixedBytes, unauthenticated).ToArray(),
            sealedRecord.Slice(FixedBytes + unauthenticated, authenticated).ToArray());
        return true;
    }

    public void Dispose() => _cipher?.Dispose();

    private static Span<byte> Context(Span<byte> context, in SealedRecord record, ReadOnlySpan<byte> authenticated)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(context, record.ObjectNumber);
        BinaryPrimitives.WriteUInt32LittleEndian(context[8..], record.LengthBytes);
        context[12] = (byte)record.Flags;
        authenticated.CopyTo(context[ContextBytes..]);
        return context[..(ContextBytes + authenticated.Length)];
    }

    private AesGcm CipherOf(TapeKey key)
    {
        if (_cipher is not null && ReferenceEquals(key, _key))
            return _cipher;
        _cipher?.Dispose();
        (_key, _cipher) = (key, new AesGcm(key.Key, TagBytes));
        return _cipher;
    }
}

/// <summary>What the tag of an encrypted record covers beside its bytes.</summary>
internal readonly record struct SealedRecord(ulong ObjectNumber, uint LengthBytes, EntryFlags Flags);

/// <summary>Key-associated data of a record.</summary>
internal readonly record struct KeyData(ReadOnlyMemory<byte> Unauthenticated, ReadOnlyMemory<byte> Authenticated)
{
    public int SealBytes => RecordSeal.FixedBytes + Unauthenticated.Length + Authenticated.Length;
}
