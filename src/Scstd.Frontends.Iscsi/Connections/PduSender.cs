using System.Buffers.Binary;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>What a PDU does with the status sequence number (RFC 7143 §4.2.2.2).</summary>
internal enum StatSnUse : byte
{
    /// <summary>A response: carries StatSN and advances it.</summary>
    Advances,

    /// <summary>R2T, NOP-In without Initiator Task Tag: carries the next one and leaves it (§11.8.3,
    /// §11.19.4).</summary>
    Shows,
}

/// <summary>A PDU without its sequence numbers and digests, or a command whose Data-In and status are made as they
/// go.</summary>
internal struct OutgoingPdu
{
    public IscsiCommand? Command;

    /// <summary>From the header pool; the header stands at its beginning.</summary>
    public nint Slot;
    public bool IsLarge;

    public StatSnUse StatSn;

    /// <summary>Nothing is sent behind it: the connection ends when it has left.</summary>
    public bool IsLast;

    /// <summary>Data segment in a buffer of its own, leased with <see cref="LeaseBytes"/>; else it stands in the slot,
    /// <see cref="PduSender.InlineDataOffset"/> behind the header.</summary>
    public nint Lease;
    public int LeaseBytes;

    /// <summary>The data segment's buffer is not from the data pool but <see cref="HeaderPool.TakeText"/>'s.</summary>
    public bool IsLoginText;
}

/// <summary>
/// The sending half of a connection. PDUs leave in the order in which they were given; StatSN, ExpCmdSN and MaxCmdSN
/// are written when a PDU is put on the stream's queue. What they lie in belongs to the stream until it has counted
/// the bytes as sent. Bounded: behind <see cref="IscsiLimits.QueuedPdusMax"/> PDUs the rest waits here, Data-In not
/// even made yet.
/// </summary>
internal sealed unsafe partial class PduSender
{
    /// <summary>Where the data segment of a large slot begins.</summary>
    public const int InlineDataOffset = 64;

    private const int DigestOffset = 48;
    private const int TailEnd = 56;

    private readonly StreamConnection _stream;
    private readonly IscsiReactor _home;
    private readonly BufferPool _buffers;
    private RingQueue<OutgoingPdu> _waiting = new(64);
    private RingQueue<InFlight> _inFlight = new(64);
    private long _queuedBytes;
    private long _sentBytes;
    private long _movedMs;
    private long _answerBytes;
    private bool _stopped;

    public PduSender(StreamConnection stream, IscsiReactor home)
    {
        _stream = stream;
        _home = home;
        _buffers = home.Executor.Buffers;
    }

    public bool HeaderDigest { get; set; }

    public bool DataDigest { get; set; }

    /// <summary>The initiator's MaxRecvDataSegmentLength.</summary>
    public int DataSegmentLengthMax { get; set; } = PduRules.LoginDataSegmentLengthMax;

    public int MaxBurstLength { get; set; } = 262144;

    /// <summary>The StatSN of the next response.</summary>
    public uint StatSn { get; set; }

    /// <summary>Where ExpCmdSN and MaxCmdSN come from.</summary>
    public CommandWindow? Window { get; set; }

    /// <summary>Answers that wait for room on the stream.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>PDUs that are with the stream.</summary>
    public int InFlightCount => _inFlight.Count;

    public bool IsIdle => _waiting.Count == 0 && _inFlight.Count == 0;

    /// <summary>The initiator has made more answers than it reads: it is not read from until they have become fewer.
    /// </summary>
    public bool IsBehind => _waiting.Count > IscsiLimits.WaitingPdusMax || _answerBytes > IscsiLimits.AnswerBytesMax;

    public bool HasCaughtUp =>
        _waiting.Count <= IscsiLimits.WaitingPdusMax / 2 && _answerBytes <= IscsiLimits.AnswerBytesMax / 2;

    /// <summary>Bytes wait, and none of them has left since this time.</summary>
    public bool IsStalledSince(long timeMs) => _queuedBytes > _sentBytes && _movedMs <= timeMs;

    /// <summary>A slot with a cleared header to write a PDU into.</summary>
    public nint TakeSlot(bool large = false) => _home.Headers.Take(large);

    public static Span<byte> HeaderOf(nint slot) => new((void*)slot, BasicHeaderSegment.Length);

    /// <summary>Room for a short data segment in a large slot.</summary>
    public static Span<byte> InlineDataOf(nint slot) =>
        new((void*)(slot + InlineDataOffset), HeaderPool.LargeDataBytes - BasicHeaderSegment.DigestLength);

    public void Send(in OutgoingPdu pdu)
    {
        _answerBytes += PinnedBytes(pdu.Lease, pdu.LeaseBytes);
        if (_stopped)
        {
            Drop(pdu);
            return;
        }
        if (_waiting.Count > 0 || !HasRoom)
        {
            _waiting.Enqueue(pdu);
        }
        else if (pdu.Command is not { } command)
        {
            Emit(pdu);
        }
        else
        {
            EmitNext(command);
            if (command.IsAnswered)
                return;
            _waiting.Enqueue(pdu);
            Pump();
        }
    }

    public void SendHeader(nint slot, StatSnUse statSn = StatSnUse.Advances, bool isLast = false, bool large = false) =>
        Send(new OutgoingPdu { Slot = slot, StatSn = statSn, IsLast = isLast, IsLarge = large });

    /// <summary>Sends the Data-In and the status of a command, and releases it when nothing of it is needed any more.
    /// </summary>
    public void SendCommand(IscsiCommand command)
    {
        if (!command.IsQueuedEarly)
            Send(new OutgoingPdu { Command = command });
        else if (!_stopped)
            Pump();
    }

    /// <summary>Sends what there is of a command's Data-In, ahead of its end.</summary>
    public void SendDataIn(IscsiCommand command)
    {
        if (_stopped || command.IsQueuedEarly)
            return;
        command.IsQueuedEarly = true;
        command.EarlyPartsOut++;
        _waiting.Enqueue(new OutgoingPdu { Command = command });
        Pump();
    }

    /// <summary>The command gets no answer; it is released when all that was sent ahead has left. Until then its memory
    /// counts: nobody shall bind more and more of it by aborting what it does not read.</summary>
    public void Forget(IscsiCommand command)
    {
        command.IsForgotten = true;
        _answerBytes += command.Data.LengthBytes;
    }

    /// <summary>The stream has taken so many bytes.</summary>
    public void Sent(long lengthBytes)
    {
        _sentBytes += lengthBytes;
        _movedMs = _stream.Reactor.NowMs;
        while (_inFlight.Count > 0 && _inFlight.First.EndBytes <= _sentBytes)
            Free(_inFlight.Dequeue());
        if (!_stopped)
            Pump();
    }

    /// <summary>Puts nothing more on the stream. What waits stays until the stream is gone: parts of it may be under
    /// way.</summary>
    public void Stop()
    {
        _stopped = true;
    }

    /// <summary>The stream is gone: nothing is read from our memory any more.</summary>
    public void StreamClosed()
    {
        Stop();
        while (_inFlight.Count > 0)
            Free(_inFlight.Dequeue());
        while (_waiting.Count > 0)
            Drop(_waiting.Dequeue());
    }

    private bool HasRoom =>
        _inFlight.Count < IscsiLimits.QueuedPdusMax && _queuedBytes - _sentBytes < IscsiLimits.UnsentBytesMax;

    private void Pump()
    {
        while (_waiting.Count > 0 && HasRoom)
        {
            if (_waiting.First.Command is { } command)
            {
                if (!command.IsForgotten)
                    EmitNext(command);
                if (command.IsForgotten || command.IsAnswered || HasSentWhatThereIs(command))
                {
                    _waiting.Dequeue();
                    LeaveQueue(command);
                }
            }
            else
            {
                Emit(_waiting.Dequeue());
            }
        }
    }

    private void Emit(in OutgoingPdu pdu, IscsiCommand? releases = null)
    {
        Span<byte> header = HeaderOf(pdu.Slot);
        Stamp(header, pdu.StatSn);
        int headBytes = DigestHeader(pdu.Slot);
        int dataBytes = new BasicHeaderSegment(header).DataSegmentLength;
        Queue(pdu.Slot, headBytes);
        if (dataBytes > 0)
        {
            nint data = pdu.Lease != 0 ? pdu.Lease : pdu.Slot + InlineDataOffset;
            Queue(data, dataBytes);
            uint crc = Crc32c.Seed;
            if (DataDigest)
                crc = Crc32c.Append(crc, new ReadOnlySpan<byte>((void*)data, dataBytes));
            QueueTail(pdu.Slot, dataBytes, crc);
        }
        _inFlight.Enqueue(new InFlight
        {
            EndBytes = _queuedBytes,
            Slot = pdu.Slot,
            IsLarge = pdu.IsLarge,
            Lease = pdu.Lease,
            LeaseBytes = pdu.LeaseBytes,
            IsLoginText = pdu.IsLoginText,
            Command = releases,
        });
        if (!pdu.IsLast)
            return;
        Stop();
        _stream.Close(afterSending: true, IscsiLimits.LastWordTimeoutMs);
    }

    private void Stamp(Span<byte> header, StatSnUse use)
    {
        TargetSequence.Stamp(header, StatSn, Window?.ExpCmdSn ?? 0, Window?.MaxCmdSn ?? 0);
        if (use == StatSnUse.Advances)
            StatSn++;
    }

    /// <summary>Returns the length of what precedes the data segment.</summary>
    private int DigestHeader(nint slot)
    {
        if (!HeaderDigest)
            return BasicHeaderSegment.Length;
        uint crc = Crc32c.Compute(HeaderOf(slot));
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>((void*)(slot + DigestOffset), 4), crc);
        return BasicHeaderSegment.Length + BasicHeaderSegment.DigestLength;
    }

    /// <summary>Padding and data digest stand side by side in the slot, so that they are one piece.</summary>
    private void QueueTail(nint slot, int dataBytes, uint crc)
    {
        int padding = -dataBytes & 3;
        nint tail = slot + TailEnd - padding;
        int tailBytes = padding;
        new Span<byte>((void*)tail, padding).Clear();
        if (DataDigest)
        {
            crc = Crc32c.Finish(Crc32c.AppendPadding(crc, dataBytes));
            BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>((void*)(slot + TailEnd), 4), crc);
            tailBytes += BasicHeaderSegment.DigestLength;
        }
        if (tailBytes > 0)
            Queue(tail, tailBytes);
    }

    private void Queue(nint address, int lengthBytes)
    {
        // A peer is slow from when there is something for it to take.
        if (_queuedBytes == _sentBytes)
            _movedMs = _stream.Reactor.NowMs;
        _queuedBytes += lengthBytes;
        _stream.Queue(address, lengthBytes);
    }

    private void Free(in InFlight sent)
    {
        _home.Headers.Return(sent.Slot, sent.IsLarge);
        _answerBytes -= PinnedBytes(sent.Lease, sent.LeaseBytes);
        ReturnData(sent.Lease, sent.LeaseBytes, sent.IsLoginText);
        if (sent.EarlyOf is { } early)
            EarlyPartLeft(early);
        sent.Command?.Session.AnswerSent(sent.Command);
    }

    /// <summary>It will not be sent.</summary>
    private void Drop(in OutgoingPdu pdu)
    {
        if (pdu.Command is { } command)
        {
            bool hasEnded = command.HasEnded && !command.IsForgotten;
            LeaveQueue(command);
            if (hasEnded)
                command.Session.AnswerDropped(command);
            return;
        }
        _home.Headers.Return(pdu.Slot, pdu.IsLarge);
        _answerBytes -= PinnedBytes(pdu.Lease, pdu.LeaseBytes);
        ReturnData(pdu.Lease, pdu.LeaseBytes, pdu.IsLoginText);
    }

    private void ReturnData(nint lease, int leaseBytes, bool isLoginText)
    {
        if (isLoginText)
            _home.Headers.ReturnText(lease);
        else if (lease != 0)
            _buffers.Return(lease, leaseBytes);
    }

    private static long PinnedBytes(nint lease, int leaseBytes) =>
        lease == 0 ? 0 : Math.Max(leaseBytes, BufferPool.MinSegmentBytes);

    /// <summary>A PDU whose memory the stream may still read.</summary>
    private struct InFlight
    {
        /// <summary>Where it ends in the stream of bytes.</summary>
        public long EndBytes;
        public nint Slot;
        public bool IsLarge;
        public nint Lease;
        public int LeaseBytes;
        public bool IsLoginText;

        /// <summary>The command that is released with it.</summary>
        public IscsiCommand? Command;

        /// <summary>The command that goes on and whose Data-In this is.</summary>
        public IscsiCommand? EarlyOf;
    }
}
