using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>
/// Framing. A PDU's header is gathered and judged; only then is it known where its data segment goes: into the buffer
/// of a command, into a lease of its own (text, ping data), or nowhere. What the reactor has read ahead is copied
/// there, the rest of a long segment is received in place.
/// </summary>
/*  Header ──► (judged) ──► Payload ──► Trailer (padding, data digest) ──► (PDU complete) ──► Header …  */
internal sealed unsafe partial class IscsiConnection
{
    /// <summary>BHS, the longest TotalAHSLength and a digest: what can precede a data segment.</summary>
    private const int HeaderBytesMax = BasicHeaderSegment.Length + 255 * 4 + BasicHeaderSegment.DigestLength;

    private enum Part : byte
    {
        Header,
        Payload,
        Trailer,
    }

    private enum Sink : byte
    {
        Nowhere,
        Command,
        Lease,
    }

    private readonly byte* _carried = (byte*)NativeMemory.Alloc(HeaderBytesMax);
    private readonly byte[] _keptHeader = new byte[BasicHeaderSegment.Length];
    private Part _part;
    private Sink _sink;
    private int _carriedBytes;
    private int _payloadBytes;
    private int _payloadLeftBytes;
    private int _trailerBytes;
    private int _trailerLeftBytes;
    private ulong _trailer;
    private bool _hasDataDigest;
    private uint _crc;

    // Sink.Command
    private IscsiCommand? _sinkCommand;
    private uint _sinkOffsetBytes;
    private bool _sinkIsFinal;
    private bool _sinkIsImmediate;
    private bool _isLent;

    // Sink.Lease
    private nint _lease;
    private int _leaseBytes;

    public void Received(nint data, int lengthBytes)
    {
        _lastReceivedMs = _stream.Reactor.NowMs;
        Counters.BytesReceived += (ulong)lengthBytes;
        byte* at = (byte*)data;
        while (lengthBytes > 0 && !_isClosing)
        {
            int used = _part switch
            {
                Part.Header => TakeHeader(at, lengthBytes),
                Part.Payload => TakePayload(at, lengthBytes),
                _ => TakeTrailer(at, lengthBytes),
            };
            at += used;
            lengthBytes -= used;
        }
        HoldBackIfBehind();
    }

    public int DirectVectors(IoVector* vectors, int capacity)
    {
        // Asked again: what was given before was not used.
        _isLent = false;
        FinishTermination();
        // Only the command's own buffer is lent: whoever takes that away waits until it is back.
        if (_part != Part.Payload || _sink != Sink.Command || _isClosing
            || _sinkCommand is not { IsReceivingDataOut: true } command)
            return 0;
        DataBuffer buffer = command.Data;
        long left = Math.Min(_payloadLeftBytes, (long)buffer.LengthBytes - _sinkOffsetBytes);
        if (left < IscsiLimits.DirectReceiveMinBytes)
            return 0;
        int count = 0;
        long offset = _sinkOffsetBytes;
        foreach (ref readonly DataSegment segment in buffer.Segments)
        {
            if (left == 0 || count == capacity)
                break;
            if (offset >= segment.LengthBytes)
            {
                offset -= segment.LengthBytes;
                continue;
            }
            int part = (int)Math.Min(left, segment.LengthBytes - offset);
            vectors[count++] = new IoVector(segment.Address + (nint)offset, part);
            left -= part;
            offset = 0;
        }
        _isLent = true;
        return count;
    }

    public void ReceivedDirect(int lengthBytes)
    {
        _lastReceivedMs = _stream.Reactor.NowMs;
        Counters.BytesReceived += (ulong)lengthBytes;
        _isLent = false;
        if (_isClosing)
        {
            FinishTermination();
            return;
        }
        if (_hasDataDigest && _sinkCommand is { } command)
            _crc = command.Data.AppendCrc32c(_crc, (int)_sinkOffsetBytes, lengthBytes);
        _sinkOffsetBytes += (uint)lengthBytes;
        _payloadLeftBytes -= lengthBytes;
        FinishTermination();
        if (_payloadLeftBytes == 0)
            PayloadEnded();
    }

    /// <summary>The stream may be writing into the command's buffer at this moment.</summary>
    public bool Lends(IscsiCommand command) => _isLent && ReferenceEquals(_sinkCommand, command);

    /// <summary>An aborted command's buffer is with the stream; it must come back soon.</summary>
    public void ReclaimSoon() => _reclaim.Arm(IscsiLimits.LentBufferTimeoutMs);

    /// <summary>The stream has given the buffer of an aborted command back. The rest of the PDU stays the command's:
    /// one that will answer TASK ABORTED still has to see its end.</summary>
    private void FinishTermination()
    {
        if (_isLent || _sinkCommand is not { IsTerminating: true } command)
            return;
        _reclaim.Cancel();
        _session!.PlacementStopped(command);
    }

    /// <summary>The command is gone: what still comes for it goes nowhere.</summary>
    public void StopPlacing(IscsiCommand command)
    {
        if (!ReferenceEquals(_sinkCommand, command))
            return;
        Invariant.That(!_isLent, "a command leaves while the stream has its buffer");
        _sinkCommand = null;
        _sink = Sink.Nowhere;
    }

    /// <summary>The header of the PDU whose data segment has just ended; kept only where it may be asked for: with data
    /// digests, and for data segments that are collected.</summary>
    public ReadOnlySpan<byte> KeptHeader => _keptHeader;

    /// <summary>For the session, while it is told of a header: the data segment belongs to this command.</summary>
    public void Place(IscsiCommand command, uint offsetBytes, bool isFinal, bool isImmediate)
    {
        _sink = Sink.Command;
        _sinkCommand = command;
        _sinkOffsetBytes = offsetBytes;
        _sinkIsFinal = isFinal;
        _sinkIsImmediate = isImmediate;
    }

    /// <summary>For the session, while it is told of a header: the data segment is wanted whole. False without memory.
    /// </summary>
    public bool TryCollect(ReadOnlySpan<byte> header)
    {
        if (!_home.Executor.Buffers.TryLease(_payloadBytes, out _lease))
            return false;
        header[..BasicHeaderSegment.Length].CopyTo(_keptHeader);
        _leaseBytes = _payloadBytes;
        _sink = Sink.Lease;
        return true;
    }

    private void CollectLoginText(ReadOnlySpan<byte> header)
    {
        _lease = _home.Headers.TakeText();
        header[..BasicHeaderSegment.Length].CopyTo(_keptHeader);
        _leaseBytes = _payloadBytes;
        _sink = Sink.Lease;
    }

    private static DataBuffer? PlaceOf(IscsiCommand command) =>
        command.IsReceivingDataOut ? command.Data : command.IsHeld ? command.EarlyData : null;

    // ---- Header ------------------------------------------------------------------------------------------------

    private int TakeHeader(byte* at, int available)
    {
        if (_carriedBytes == 0 && available >= BasicHeaderSegment.Length)
        {
            int whole = HeaderBytes(at);
            if (available >= whole)
            {
                HeaderArrived(at, whole);
                return whole;
            }
        }
        int wanted = _carriedBytes < BasicHeaderSegment.Length ? BasicHeaderSegment.Length : HeaderBytes(_carried);
        int taken = Math.Min(available, wanted - _carriedBytes);
        Buffer.MemoryCopy(at, _carried + _carriedBytes, HeaderBytesMax - _carriedBytes, taken);
        _carriedBytes += taken;
        if (_carriedBytes >= BasicHeaderSegment.Length && _carriedBytes == HeaderBytes(_carried))
        {
            int whole = _carriedBytes;
            _carriedBytes = 0;
            HeaderArrived(_carried, whole);
        }
        return taken;
    }

    private int HeaderBytes(byte* header) => BasicHeaderSegment.Length + header[4] * 4
        + (_hasHeaderDigests ? BasicHeaderSegment.DigestLength : 0);

    private void HeaderArrived(byte* at, int lengthBytes)
    {
        Counters.PdusReceived++;
        if (_hasHeaderDigests)
        {
            lengthBytes -= BasicHeaderSegment.DigestLength;
            uint received = BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(at + lengthBytes, 4));
            if (received != Crc32c.Compute(new ReadOnlySpan<byte>(at, lengthBytes)))
            {
                // §7.8: the length in such a header is not to be trusted, so the next PDU cannot be found.
                Counters.DigestErrors++;
                Fail("header digest error");
                return;
            }
        }
        var header = new ReadOnlySpan<byte>(at, lengthBytes);
        var segment = new BasicHeaderSegment(header);
        PduVerdict verdict = PduRules.Judge(segment, _bounds);
        if (verdict.Kind == PduVerdictKind.Close)
        {
            Fail(verdict.Why);
            return;
        }
        _payloadBytes = _payloadLeftBytes = segment.DataSegmentLength;
        _hasDataDigest = _hasDataDigests && _payloadBytes > 0;
        _trailerBytes = _trailerLeftBytes = segment.PaddedDataSegmentLength - _payloadBytes
            + (_hasDataDigest ? BasicHeaderSegment.DigestLength : 0);
        _trailer = 0;
        _crc = Crc32c.Seed;
        if (_hasDataDigest)
            header[..BasicHeaderSegment.Length].CopyTo(_keptHeader);
        _sink = Sink.Nowhere;
        _sinkCommand = null;
        if (_session is { } session)
            session.RequestReceived(header, verdict);
        else
            LoginRequestArrived(header);
        if (!_isClosing && _payloadBytes > 0)
            _part = Part.Payload;
    }

    // ---- Payload -----------------------------------------------------------------------------------------------

    private int TakePayload(byte* at, int available)
    {
        int taken = Math.Min(available, _payloadLeftBytes);
        var piece = new ReadOnlySpan<byte>(at, taken);
        if (_sink == Sink.Command)
        {
            PlacePiece(piece);
        }
        else
        {
            if (_hasDataDigest)
                _crc = Crc32c.Append(_crc, piece);
            if (_sink == Sink.Lease)
                piece.CopyTo(new Span<byte>((byte*)_lease + (_payloadBytes - _payloadLeftBytes), taken));
        }
        _payloadLeftBytes -= taken;
        if (_payloadLeftBytes == 0)
            PayloadEnded();
        return taken;
    }

    /// <summary>What lies beyond the command's buffer is dropped; the residual count says so.</summary>
    private void PlacePiece(ReadOnlySpan<byte> piece)
    {
        int fits = 0;
        if (PlaceOf(_sinkCommand!) is { } buffer && _sinkOffsetBytes < (uint)buffer.LengthBytes)
        {
            fits = (int)Math.Min((uint)piece.Length, (uint)buffer.LengthBytes - _sinkOffsetBytes);
            if (_hasDataDigest)
                CopyDigesting(piece[..fits], buffer);
            else
                buffer.CopyFrom(piece[..fits], (int)_sinkOffsetBytes);
            Counters.PayloadCopiedBytes += (uint)fits;
        }
        if (_hasDataDigest)
            _crc = Crc32c.Append(_crc, piece[fits..]);
        _sinkOffsetBytes += (uint)piece.Length;
    }

    private void CopyDigesting(ReadOnlySpan<byte> piece, DataBuffer buffer)
    {
        int offsetBytes = (int)_sinkOffsetBytes;
        while (!piece.IsEmpty)
        {
            Span<byte> place = buffer.Stretch(offsetBytes);
            int part = Math.Min(piece.Length, place.Length);
            _crc = Crc32c.AppendCopying(_crc, piece[..part], place);
            piece = piece[part..];
            offsetBytes += part;
        }
    }

    private void PayloadEnded()
    {
        _part = Part.Trailer;
        if (_trailerLeftBytes == 0)
            PduEnded(true);
    }

    // ---- Trailer -----------------------------------------------------------------------------------------------

    private int TakeTrailer(byte* at, int available)
    {
        int taken = Math.Min(available, _trailerLeftBytes);
        for (int i = 0; i < taken; i++)
            _trailer |= (ulong)at[i] << ((_trailerBytes - _trailerLeftBytes + i) * 8);
        _trailerLeftBytes -= taken;
        if (_trailerLeftBytes == 0)
            PduEnded(!_hasDataDigest || IsDigestRight());
        return taken;
    }

    /// <summary>The digest covers the padding as it came.</summary>
    private bool IsDigestRight()
    {
        int padding = _trailerBytes - BasicHeaderSegment.DigestLength;
        Span<byte> trailer = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(trailer, _trailer);
        uint crc = Crc32c.Finish(Crc32c.Append(_crc, trailer[..padding]));
        return crc == BinaryPrimitives.ReadUInt32LittleEndian(trailer[padding..]);
    }

    private void PduEnded(bool digestRight)
    {
        _part = Part.Header;
        Sink sink = _sink;
        _sink = Sink.Nowhere;
        if (!digestRight)
            Counters.DigestErrors++;
        if (sink == Sink.Command)
        {
            IscsiCommand command = _sinkCommand!;
            _sinkCommand = null;
            _session!.DataEnded(command, (uint)_payloadBytes, _sinkIsFinal, _sinkIsImmediate, digestRight);
            return;
        }
        nint lease = _lease;
        _lease = 0;
        if (sink == Sink.Nowhere)
            return;
        if (!digestRight)
        {
            _home.Executor.Buffers.Return(lease, _leaseBytes);
            _session!.CollectedWrongly(_keptHeader);
        }
        else if (_session is { } session)
        {
            session.RequestCollected(_keptHeader, lease, _leaseBytes);
        }
        else
        {
            LoginRequestCollected(lease, _leaseBytes);
        }
    }

    private void ReturnLease()
    {
        if (_lease == 0)
            return;
        if (_session is null)
            _home.Headers.ReturnText(_lease);
        else
            _home.Executor.Buffers.Return(_lease, _leaseBytes);
        _lease = 0;
    }
}
