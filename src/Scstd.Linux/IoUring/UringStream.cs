using System.Runtime.InteropServices;

namespace Scstd.Linux.IoUring;

/// <summary>
/// A connection on the ring. At most one receive and one send are under way; what they use is native memory of the
/// connection, which lives until the last of them has completed.
/// </summary>
internal sealed unsafe class UringStream : SocketStream, IRingTarget
{
    private readonly UringReactor _reactor;
    private readonly int _slot;
    private readonly MessageHeader* _sendMessage;
    private int _underWay;
    private bool _sending;
    private bool _receiving;
    private bool _mayHoldMore;
    private bool _cancelled;
    private bool _disconnected;

    // Where sends may be made without copying.
    private readonly ZeroCopySends? _zeroCopy;

    // Allocated when the handler lends vectors for the first time.
    private MessageHeader* _receiveMessage;
    private IoVector* _vectors;
    private int _directCount;
    private nint _spill;

    internal UringStream(UringReactor reactor, SocketHandle socket, IStreamHandler handler)
        : base(reactor, socket, handler)
    {
        _reactor = reactor;
        _slot = reactor.Register(this);
        _sendMessage = (MessageHeader*)NativeMemory.AllocZeroed((nuint)sizeof(MessageHeader));
        _zeroCopy = reactor.ZeroCopyFor(this);
    }

    /// <summary>Null: never meant to.</summary>
    internal ZeroCopySends? ZeroCopy => _zeroCopy;

    public void Completed(RingWork work, int result, uint flags)
    {
        _underWay--;
        switch (work)
        {
            case RingWork.Send:
                _sending = false;
                SendCompleted(result);
                break;
            case RingWork.Receive:
                _receiving = false;
                _mayHoldMore = (flags & RingFlags.CompletionSocketNotEmpty) != 0;
                ReceiveCompleted(result, flags);
                break;
            case RingWork.ReceiveMessage:
                _receiving = false;
                _mayHoldMore = (flags & RingFlags.CompletionSocketNotEmpty) != 0;
                DirectCompleted(result);
                break;
            case RingWork.Cancel when State < StreamState.Ending:
                // It only leaves: what could not be cancelled just now is about to end, or can be cancelled again.
                _cancelled = false;
                break;
            case RingWork.Cancel when _underWay > 0:
                // What could not be cancelled ends when the socket does.
                _ = LibC.Shutdown(Descriptor, LibC.ShutdownBoth);
                break;
        }
        GoOn();
    }

    /// <summary>The first completion of a send that was not copied.</summary>
    internal void ZeroCopyTaken(ZeroCopySend send, int result, bool isNotificationDue)
    {
        _underWay--;
        _sending = false;
        _zeroCopy!.Taken(send, Math.Max(result, 0), isNotificationDue);
        if (State < StreamState.Ending)
        {
            if (result >= 0)
                ReportTaken(result);
            else if (IsRefusal(result))
                _zeroCopy.TurnOff();
            else if (!IsNothing(result))
                Failed(-result);
        }
        ReportWhatIsFree();
    }

    /// <summary>The second one.</summary>
    internal void ZeroCopyNotified(ZeroCopySend send, bool wasCopied)
    {
        _zeroCopy!.Notified(send, wasCopied);
        ReportWhatIsFree();
    }

    protected override void FlushOpen()
    {
        if (!_sending && SendQueue.Load())
            Send();
        if (UnsentBytes == 0)
            QueueEmptied();
        if (WantsBytes && !_receiving)
            Receive();
    }

    protected override bool TryRelease()
    {
        if (_underWay > 0)
        {
            if (!_cancelled)
            {
                _cancelled = true;
                _underWay++;
                _reactor.CancelAll(Descriptor, RingWork.Cancel, _slot);
            }
            return false;
        }
        if (_zeroCopy is not null)
        {
            if (_zeroCopy.Awaited > 0)
            {
                DropUnacknowledged();
                return false;
            }
            _zeroCopy.Release();
        }
        _reactor.Unregister(_slot);
        NativeMemory.Free(_sendMessage);
        NativeMemory.Free(_receiveMessage);
        NativeMemory.Free(_vectors);
        return true;
    }

    private bool IsForZeroCopy => _zeroCopy is not null && _zeroCopy.PaysFor(SendQueue);

    private void Send()
    {
        if (_reactor.FlushesOne && !IsForZeroCopy)
        {
            SendAtOnce();
            if (State >= StreamState.Ending || !SendQueue.Load())
                return;
        }
        _sendMessage->Vectors = SendQueue.Vectors;
        _sendMessage->VectorCount = (nuint)SendQueue.VectorCount;
        SubmissionEntry* entry = IsForZeroCopy
            ? _zeroCopy!.Prepare()
            : _reactor.Prepare(RingOperation.SendMessage, Descriptor, RingWork.Send, _slot);
        entry->Address = (nint)_sendMessage;
        entry->Length = 1;
        // Not MSG_WAITALL: what a slow peer takes is to be told as it goes, not when all is gone.
        entry->OperationFlags = LibC.MessageNoSignal;
        _sending = true;
        _underWay++;
    }

    /// <summary>
    /// The only connection of a pass sends by a call of its own: with the ring the call that submits would come back
    /// with nothing but the news that it was sent, and the loop would go round once more. Several share one submission.
    /// What does not fit, or fails, goes to the ring.
    /// </summary>
    private void SendAtOnce()
    {
        var message = new MessageHeader
        {
            Vectors = SendQueue.Vectors,
            VectorCount = (nuint)SendQueue.VectorCount,
        };
        _reactor.SystemCalls++;
        long sent = LibC.SendMessage(Descriptor, &message, LibC.MessageDoNotWait | LibC.MessageNoSignal);
        if (sent > 0)
            ReportCopied(sent);
    }

    private void SendCompleted(int result)
    {
        if (State >= StreamState.Ending)
            return;
        if (result >= 0)
            ReportCopied(result);
        else if (!IsNothing(result))
            Failed(-result);
    }

    private void ReportCopied(long lengthBytes)
    {
        if (_zeroCopy is not { Count: > 0 })
        {
            ReportSent(lengthBytes);
            return;
        }
        ReportTaken(lengthBytes);
        _zeroCopy.AddCopied(lengthBytes);
    }

    private void ReportWhatIsFree()
    {
        long free = _zeroCopy!.TakeFree();
        if (free > 0 && State < StreamState.Ending)
            ReportFree(free);
        GoOn();
    }

    private void GoOn()
    {
        if (State == StreamState.Ending)
            ListForTearDown();
        else
            MarkDirty();
    }

    /// <summary>A peer that acknowledges nothing would keep our memory for as long as TCP is patient.</summary>
    private void DropUnacknowledged()
    {
        if (State != StreamState.Ending || _disconnected)
            return;
        _disconnected = true;
        _reactor.SystemCalls++;
        SocketCalls.Disconnect(Descriptor);
    }

    private void Receive()
    {
        _directCount = 0;
        if (State == StreamState.Open)
        {
            IoVector* vectors = stackalloc IoVector[MaxDirectVectors];
            _directCount = Handler.DirectVectors(vectors, MaxDirectVectors);
            if (State != StreamState.Open)
                return; // the handler has closed just now
            if (_directCount > 0)
                Lend(vectors);
        }
        RingOperation operation = _directCount > 0 ? RingOperation.ReceiveMessage : RingOperation.Receive;
        RingWork work = _directCount > 0 ? RingWork.ReceiveMessage : RingWork.Receive;
        SubmissionEntry* entry = _reactor.Prepare(operation, Descriptor, work, _slot);
        // Nothing was left in the socket the last time: waiting at once saves the kernel a look.
        entry->SocketFlags = _mayHoldMore ? (ushort)0 : RingFlags.ReceivePollFirst;
        if (_directCount > 0)
        {
            entry->Address = (nint)_receiveMessage;
            entry->Length = 1;
        }
        else
        {
            entry->Flags = RingFlags.EntryBufferSelect;
            entry->BufferGroup = ReceiveBuffers.Group;
        }
        _receiving = true;
        _underWay++;
    }

    private void Lend(IoVector* vectors)
    {
        if (_receiveMessage == null)
        {
            _receiveMessage = (MessageHeader*)NativeMemory.AllocZeroed((nuint)sizeof(MessageHeader));
            _vectors = (IoVector*)NativeMemory.Alloc(MaxDirectVectors + 1, (nuint)sizeof(IoVector));
        }
        new ReadOnlySpan<IoVector>(vectors, _directCount).CopyTo(new Span<IoVector>(_vectors, _directCount));
        _spill = _reactor.TakeSpill(SpillBytes);
        _vectors[_directCount] = new IoVector(_spill, SpillBytes);
        _receiveMessage->Vectors = _vectors;
        _receiveMessage->VectorCount = (nuint)_directCount + 1;
    }

    private void ReceiveCompleted(int result, uint flags)
    {
        bool hasBuffer = (flags & RingFlags.CompletionBuffer) != 0;
        int index = (int)(flags >> RingFlags.CompletionBufferShift);
        if (result > 0 && State == StreamState.Open)
        {
            _reactor.Receives++;
            Handler.Received(_reactor.Buffers.Address(index), result);
        }
        if (hasBuffer)
            _reactor.Buffers.Return(index);
        // Without a free buffer (ENOBUFS) the receive is made again at the end of this pass, when all are back.
        if (result == -ErrorNumber.NoBuffers)
            _mayHoldMore = true;
        else
            EndedOrFailed(result);
    }

    private void DirectCompleted(int result)
    {
        if (result > 0 && State == StreamState.Open)
        {
            _reactor.Receives++;
            long direct = 0;
            for (int i = 0; i < _directCount; i++)
                direct += (long)_vectors[i].LengthBytes;
            int placed = (int)Math.Min(direct, result);
            Handler.ReceivedDirect(placed);
            if (result > placed && State == StreamState.Open)
                Handler.Received(_spill, result - placed);
        }
        _reactor.ReturnSpill(_spill);
        _spill = 0;
        EndedOrFailed(result);
    }

    private void EndedOrFailed(int result)
    {
        if (State >= StreamState.Ending || result > 0)
            return;
        if (result == 0)
            PeerEnded();
        else if (!IsNothing(result))
            Failed(-result);
    }

    /// <summary>The kernel does not know zero-copy sends or their report, has reached RLIMIT_MEMLOCK, or the socket is
    /// none of TCP: the same bytes are sent again, and copied.</summary>
    private static bool IsRefusal(int result) =>
        result is -ErrorNumber.InvalidArgument or -ErrorNumber.OutOfMemory or -ErrorNumber.NoBuffers
            or -ErrorNumber.NotSupported;

    /// <summary>The operation ended without having done anything, and may simply be made again.</summary>
    private static bool IsNothing(int result) =>
        result is -ErrorNumber.Cancelled or -ErrorNumber.Interrupted or -ErrorNumber.TryAgain;
}
