using Scstd.Core;
using ZstdSharp;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>A record on its way to the file and back: compressed, then encrypted, if asked for. What is neither never
/// comes here: it goes straight between the command's memory and the file.</summary>
internal sealed class RecordCoder : IDisposable
{
    /// <summary>Our choice: the fastest of the levels that are worth their name; a drive compresses at its own speed.
    /// </summary>
    private const int CompressionLevel = 1;

    /// <summary>Our choice: of the record, what compression must save, or reading it is dearer for nothing.</summary>
    private const int LeastSaving = 32;

    /// <summary>Our choice: of a long record so much is tried first, from three places. What is compressed or encrypted
    /// already, as most of what is backed up, costs a sixteenth of the attempt.</summary>
    private const int SamplePieceBytes = 4 * 1024;
    private const int SampledFromBytes = 16 * SamplePieceBytes;

    /// <summary>Our choice: so many long records behind one that was not worth it are not tried either; they are of the
    /// same file, mostly.</summary>
    private const int PassedOver = 7;

    private int _passesOver;

    private readonly byte[] _sample = new byte[3 * SamplePieceBytes];
    private readonly byte[] _sampled = new byte[3 * SamplePieceBytes];
    private readonly PinnedBytes _plain = new();
    private readonly PinnedBytes _compressed = new();
    private readonly PinnedBytes _stored = new();
    private readonly RecordSeal _seal = new();
    private Compressor? _compressor;
    private Decompressor? _decompressor;

    /// <summary>Where <see cref="Encode"/> left what is to be stored, if that is not the record itself.</summary>
    public nint Address { get; private set; }

    /// <summary>How the record is kept; with no flags as it is. What is to be stored otherwise is returned.</summary>
    public ReadOnlySpan<byte> Encode(
        DataBuffer source, int offsetBytes, int lengthBytes, in WriteOptions options, ulong objectNumber,
        out EntryFlags flags)
    {
        flags = EntryFlags.None;
        if (!options.Compress && options.Key is null)
            return [];
        ReadOnlySpan<byte> record = Gather(source, offsetBytes, lengthBytes);
        if (options.Compress && TryCompress(record, out Span<byte> compressed))
        {
            flags |= EntryFlags.Compressed;
            record = compressed;
            Address = _compressed.Address;
        }
        if (options.Key is not { } key)
            return flags == EntryFlags.None ? [] : record;
        flags |= EntryFlags.Encrypted;
        Span<byte> stored = _stored.Take(RecordSeal.SealBytes(key) + record.Length);
        _seal.Encrypt(key, record, stored, new SealedRecord(objectNumber, (uint)lengthBytes, flags));
        Address = _stored.Address;
        return stored;
    }

    /// <summary>Memory for what is stored of a record.</summary>
    public Span<byte> TakeStored(int lengthBytes) => _stored.Take(lengthBytes);

    /// <summary>The record as it was written.</summary>
    /// <param name="header">Its.</param>
    /// <param name="stored">Whose checksum is right.</param>
    /// <param name="key">Needed if it is encrypted.</param>
    /// <param name="fault">What is wrong, if the result is empty.</param>
    public ReadOnlySpan<byte> Decode(
        in ObjectHeader header, ReadOnlySpan<byte> stored, TapeKey? key, out MediumFaultKind fault)
    {
        fault = MediumFaultKind.WrongKey;
        if ((header.Flags & EntryFlags.Encrypted) != 0)
        {
            if (key is null)
                return [];
            Span<byte> opened = _compressed.Take(stored.Length);
            var record = new SealedRecord(header.ObjectNumber, header.LengthBytes, header.Flags);
            if (_seal.Decrypt(key, stored, opened, record) is not { } length)
                return [];
            stored = opened[..length];
        }
        fault = MediumFaultKind.DamagedRecord;
        if ((header.Flags & EntryFlags.Compressed) != 0)
            return Decompress(stored, (int)header.LengthBytes);
        return stored.Length == (int)header.LengthBytes ? stored : [];
    }

    public void Dispose()
    {
        _seal.Dispose();
        _compressor?.Dispose();
        _decompressor?.Dispose();
    }

    private ReadOnlySpan<byte> Gather(DataBuffer source, int offsetBytes, int lengthBytes)
    {
        Span<byte> stretch = source.Stretch(offsetBytes);
        if (stretch.Length >= lengthBytes)
            return stretch[..lengthBytes];
        Span<byte> plain = _plain.Take(lengthBytes);
        source.CopyTo(plain, offsetBytes);
        return plain;
    }

    private bool TryCompress(ReadOnlySpan<byte> record, out Span<byte> compressed)
    {
        _compressor ??= new Compressor(CompressionLevel);
        compressed = default;
        if (record.Length >= SampledFromBytes && !IsWorthIt(record))
            return false;
        int most = record.Length - Math.Max(1, record.Length / LeastSaving);
        compressed = _compressed.Take(Math.Max(most, 1));
        if (most < 1 || !_compressor.TryWrap(record, compressed[..most], out int length))
            return false;
        compressed = compressed[..length];
        return true;
    }

    /// <summary>A record that is alike only over long distances is taken for one that is not.</summary>
    private bool IsWorthIt(ReadOnlySpan<byte> record)
    {
        if (_passesOver > 0)
        {
            _passesOver--;
            return false;
        }
        record[..SamplePieceBytes].CopyTo(_sample);
        record.Slice((record.Length - SamplePieceBytes) / 2, SamplePieceBytes).CopyTo(_sample.AsSpan(SamplePieceBytes));
        record[^SamplePieceBytes..].CopyTo(_sample.AsSpan(2 * SamplePieceBytes));
        int most = _sample.Length - (_sample.Length / LeastSaving);
        bool isWorthIt = _compressor!.TryWrap(_sample, _sampled.AsSpan(0, most), out _);
        _passesOver = isWorthIt ? 0 : PassedOver;
        return isWorthIt;
    }

    private ReadOnlySpan<byte> Decompress(ReadOnlySpan<byte> stored, int lengthBytes)
    {
        _decompressor ??= new Decompressor();
        Span<byte> plain = _plain.Take(lengthBytes);
        try
        {
            return _decompressor.TryUnwrap(stored, plain, out int length) && length == lengthBytes ? plain : [];
        }
        catch (ZstdException)
        {
            return [];
        }
    }
}
