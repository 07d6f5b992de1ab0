namespace Scstd.Linux.Epoll;

internal sealed unsafe class EpollStream : SocketStream, IEpollTarget
{
    private readonly EpollReactor _reactor;
    private readonly int _slot;
    private uint _interest;
    private bool _sendBlocked;

    internal EpollStream(EpollReactor reactor, SocketHandle socket, IStreamHandler handler)
        : base(reactor, socket, handler)
    {
        _reactor = reactor;
        _slot = reactor.Register(this, Descriptor, 0);
    }

    public void Ready(uint events)
    {
        const uint Failure = LibC.EpollError | LibC.EpollHangUp;
        if ((events & LibC.EpollOut) != 0)
        {
            _sendBlocked = false;
            MarkDirty();
        }
        if ((events & (LibC.EpollIn | Failure)) == 0 || State >= StreamState.Ending)
            return;
        if (WantsBytes)
            Receive();
        else if ((events & Failure) != 0)
            Lost();
    }

    protected override void FlushOpen()
    {
        while (!_sendBlocked && State < StreamState.Ending && SendQueue.Load())
            Send();
        if (State >= StreamState.Ending)
            return;
        if (SendQueue.IsEmpty)
            QueueEmptied();
        UpdateInterest();
    }

    protected override bool TryRelease()
    {
        _reactor.Unregister(_slot, Descriptor);
        return true;
    }

    private void UpdateInterest()
    {
        uint wanted = (WantsBytes ? LibC.EpollIn : 0) | (_sendBlocked ? LibC.EpollOut : 0);
        if (wanted == _interest || State >= StreamState.Ending)
            return;
        _interest = wanted;
        _reactor.Modify(_slot, Descriptor, wanted);
    }

    private void Send()
    {
        long loaded = SendQueue.LoadedBytes();
        var message = new MessageHeader
        {
            Vectors = SendQueue.Vectors,
            VectorCount = (nuint)SendQueue.VectorCount,
        };
        _reactor.SystemCalls++;
        long sent = LibC.SendMessage(Descriptor, &message, LibC.MessageDoNotWait | LibC.MessageNoSignal);
        if (sent >= 0)
        {
            // Less than all means that the socket's buffer is full: asking again would only be refused.
            _sendBlocked = sent < loaded;
            ReportSent(sent);
            return;
        }
        int error = LibC.LastError;
        if (error == ErrorNumber.TryAgain)
        {
            _sendBlocked = true;
        }
        else if (error != ErrorNumber.Interrupted)
        {
            _sendBlocked = true;
            Failed(error);
        }
    }

    private void Receive()
    {
        IoVector* vectors = _reactor.Vectors;
        int direct = State == StreamState.Open ? Handler.DirectVectors(vectors, MaxDirectVectors) : 0;
        int spill = direct == 0 ? EpollReactor.ReceiveBufferBytes : SpillBytes;
        vectors[direct] = new IoVector(_reactor.ReceiveBuffer, spill);
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)direct + 1 };
        _reactor.SystemCalls++;
        long received = LibC.ReceiveMessage(Descriptor, &message, LibC.MessageDoNotWait);
        if (received > 0)
        {
            Deliver(vectors, direct, received);
            return;
        }
        int error = received == 0 ? 0 : LibC.LastError;
        if (received == 0)
            EndOfPeer();
        else if (error is not (ErrorNumber.TryAgain or ErrorNumber.Interrupted))
            Failed(error);
    }

    private void Deliver(IoVector* vectors, int directCount, long received)
    {
        if (State != StreamState.Open)
            return;
        _reactor.Receives++;
        long direct = 0;
        for (int i = 0; i < directCount; i++)
            direct += (long)vectors[i].LengthBytes;
        direct = Math.Min(direct, received);
        if (direct > 0)
            Handler.ReceivedDirect((int)direct);
        if (received > direct && State == StreamState.Open)
            Handler.Received(_reactor.ReceiveBuffer, (int)(received - direct));
    }

    private void EndOfPeer()
    {
        PeerEnded();
        MarkDirty();
    }

    /// <summary>The connection is gone although no bytes were wanted: a send, if any is left, must find out too.
    /// </summary>
    private void Lost()
    {
        _sendBlocked = false;
        int error = SocketCalls.PendingError(Descriptor);
        if (error == 0)
            EndOfPeer();
        else
            Failed(error);
    }
}
