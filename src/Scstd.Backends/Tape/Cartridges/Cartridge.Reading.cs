using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>Reading: from the file straight into the command's memory what is kept as it is.</summary>
public sealed partial class Cartridge
{
    /// <summary>Header, padding and index node of a record, or its rest and the header behind it.</summary>
    private const int OwnVectors = 3;

    private IoVector[] _vectors = new IoVector[FileOperation.MaxVectors];
    private readonly PinnedBytes _rest = new();
    private readonly PinnedBytes _ahead = new();
    private (int Partition, ObjectHeader Header)? _header;

    public TapeObject Peek(bool backwards = false) => Guarded(_file, () =>
    {
        if (backwards && _at.Object == 0)
            return new TapeObject(TapeObjectKind.None);
        Cursor at = backwards ? Log.Before(_at) : _at;
        EntryKind kind = Log.KindAt(at.Object);
        if (kind != EntryKind.Record)
            return new TapeObject((TapeObjectKind)kind, StoredBytes: kind == EntryKind.None ? 0 : ObjectHeader.Bytes);
        if (HeaderAt(at) is not { } header)
            return DamagedObject(at);
        KeyData keyData = (header.Flags & EntryFlags.Encrypted) != 0 ? KeyDataOf(header) : default;
        return new TapeObject(
            TapeObjectKind.Record, (int)header.LengthBytes, (header.Flags & EntryFlags.Encrypted) != 0,
            (header.Flags & EntryFlags.Compressed) != 0, (int)header.SizeBytes, keyData.Authenticated,
            keyData.Unauthenticated);
    });

    public int Read(
        DataBuffer destination, int offsetBytes, int maxLengthBytes, bool backwards = false, TapeKey? key = null)
    {
        Invariant.That(!backwards || _at.Object > 0, "a record is read where one is");
        return Guarded(_file, () =>
        {
            Cursor at = backwards ? Log.Before(_at) : _at;
            Invariant.That(Log.KindAt(at.Object) == EntryKind.Record, "a record is read where one is");
            Cursor passed = backwards ? at : Log.After(at);
            if (HeaderAt(at) is not { } header)
            {
                _at = passed;
                throw DamagedRecord(at, "its header is damaged");
            }
            int take = Math.Min(maxLengthBytes, (int)header.LengthBytes);
            string? wrong = header.Flags == EntryFlags.None
                ? ReadPlain(header, destination, offsetBytes, take)
                : ReadCoded(at, header, destination, offsetBytes, take, key);
            _at = passed;
            return wrong is null ? (int)header.LengthBytes : throw DamagedRecord(at, wrong);
        });
    }

    public void Skip(bool backwards = false) => Guarded(_file, () =>
    {
        Invariant.That(
            backwards ? _at.Object > 0 : _at.Object < Log.End.ObjectCount, "an object is skipped where one is");
        _at = backwards ? Log.Before(_at) : Log.After(_at);
        return true;
    });

    /// <summary>Null if it is not that of the object there.</summary>
    private ObjectHeader? HeaderAt(in Cursor at)
    {
        if (_header is { } kept && kept.Partition == _partition && kept.Header.ObjectNumber == at.Object)
            return kept.Header;
        try
        {
            if (Log.ReadHeader(at.Offset) is not { Kind: EntryKind.Record } header || header.ObjectNumber != at.Object)
                return null;
            _header = (_partition, header);
            return header;
        }
        catch (LinuxException exception) when (exception.Error == ErrorNumber.InputOutput)
        {
            return null;
        }
    }

    /// <summary>How long a record was of which the header is gone, only the index knows, and that about.</summary>
    private TapeObject DamagedObject(in Cursor at)
    {
        ulong size = Log.After(at).Offset - at.Offset;
        ulong length = Math.Clamp(size, ObjectHeader.Bytes + 1, CartridgeFormat.RecordBytesMax) - ObjectHeader.Bytes;
        return new TapeObject(TapeObjectKind.Record, (int)length, StoredBytes: (int)length + ObjectHeader.Bytes);
    }

    /// <summary>Null: it is right; else what is wrong.</summary>
    private string? ReadPlain(in ObjectHeader header, DataBuffer destination, int offsetBytes, int take)
    {
        int length = (int)header.StoredBytes;
        int count = Gather(destination, offsetBytes, take, first: 0);
        Span<byte> rest = _rest.Take(length - take);
        if (!rest.IsEmpty)
            _vectors[count++] = new IoVector(_rest.Address, rest.Length);
        // The header behind comes with it: mostly that is read next.
        int padding = (int)header.SizeBytes - ObjectHeader.Bytes - length;
        Span<byte> ahead = _ahead.Take(padding + ObjectHeader.Bytes);
        _vectors[count++] = new IoVector(_ahead.Address, ahead.Length);
        long start = Log.Region.StartBytes + (long)header.Offset + ObjectHeader.Bytes;
        long read;
        try
        {
            read = _file.Read(_vectors.AsSpan(0, count), start);
        }
        catch (LinuxException exception) when (exception.Error == ErrorNumber.InputOutput)
        {
            return exception.Message;
        }
        if (read < length)
            return "the file ends in it";
        uint state = destination.AppendCrc32c(Crc32c.Seed, offsetBytes, take);
        if (Crc32c.Finish(Crc32c.Append(state, rest)) != header.StoredChecksum)
            return "its checksum is wrong";
        bool hasNext = read == length + ahead.Length;
        ulong next = header.Offset + header.SizeBytes;
        _header = hasNext && ObjectHeader.Read(ahead[padding..], Log.Seed, _partition, next)
            is { Kind: EntryKind.Record } following && following.ObjectNumber == header.ObjectNumber + 1
            && following.ObjectNumber < Log.End.ObjectCount ? (_partition, following) : null;
        return null;
    }

    private string? ReadCoded(
        in Cursor at, in ObjectHeader header, DataBuffer destination, int offsetBytes, int take, TapeKey? key)
    {
        bool isEncrypted = (header.Flags & EntryFlags.Encrypted) != 0;
        if (isEncrypted && key is null)
            throw WrongKey(at, "it is encrypted, and there is no key");
        Span<byte> stored = _coder.TakeStored((int)header.StoredBytes);
        long start = Log.Region.StartBytes + (long)header.Offset + ObjectHeader.Bytes;
        try
        {
            if (_file.Read(stored, start) != stored.Length)
                return "the file ends in it";
        }
        catch (LinuxException exception) when (exception.Error == ErrorNumber.InputOutput)
        {
            return exception.Message;
        }
        if (Crc32c.Compute(stored) != header.StoredChecksum)
            return "its checksum is wrong";
        ReadOnlySpan<byte> plain = _coder.Decode(header, stored, key, out MediumFaultKind fault);
        if (plain.IsEmpty)
            return fault == MediumFaultKind.WrongKey ? throw WrongKey(at, "it was encrypted with another key")
                : "what was compressed cannot be unpacked";
        destination.CopyFrom(plain[..take], offsetBytes);
        return null;
    }

    private KeyData KeyDataOf(in ObjectHeader header)
    {
        Span<byte> bytes = stackalloc byte[RecordSeal.BytesMax];
        bytes = bytes[..(int)Math.Min(header.StoredBytes, (uint)RecordSeal.BytesMax)];
        bytes = bytes[..(int)_file.Read(bytes, Log.Region.StartBytes + (long)header.Offset + ObjectHeader.Bytes)];
        return RecordSeal.TryReadKeyData(bytes, out KeyData data) ? data : default;
    }

    /// <summary>A buffer's memory as vectors from the first on; returns where they end.</summary>
    private int Gather(DataBuffer buffer, int offsetBytes, int lengthBytes, int first)
    {
        int count = first;
        if (_vectors.Length < buffer.Segments.Length + OwnVectors)
            Array.Resize(ref _vectors, buffer.Segments.Length + OwnVectors);
        foreach (ref readonly DataSegment segment in buffer.Segments)
        {
            if (lengthBytes == 0)
                break;
            if (offsetBytes >= segment.LengthBytes)
            {
                offsetBytes -= segment.LengthBytes;
                continue;
            }
            int take = Math.Min(segment.LengthBytes - offsetBytes, lengthBytes);
            _vectors[count++] = new IoVector(segment.Address + offsetBytes, take);
            lengthBytes -= take;
            offsetBytes = 0;
        }
        Invariant.That(lengthBytes == 0, "a record lies in its buffer");
        return count;
    }

    private MediumFaultException DamagedRecord(in Cursor at, string why) => new(
        new MediumFault(MediumFaultKind.DamagedRecord, IsPassed: true),
        $"{_file.Path}: partition {_partition}, object {at.Object}: {why}");

    private MediumFaultException WrongKey(in Cursor at, string why) => new(
        new MediumFault(MediumFaultKind.WrongKey), $"{_file.Path}: partition {_partition}, object {at.Object}: {why}");
}
