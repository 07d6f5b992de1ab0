using System.Net;
using System.Runtime.InteropServices;
using Scstd.Linux;

namespace Scstd.Testing;

/// <summary>
/// A stream without a kernel. As strict as the real ones: it asks for direct vectors before any byte is there, it
/// may report one more receive after a pause (seeded), and it overwrites borrowed memory when the call is over.
/// </summary>
public sealed unsafe class InMemoryStream : StreamConnection
{
    private const byte Poison = 0xDB;

    private readonly ManualReactor _reactor;
    private readonly SocketHandle _socket;
    private readonly IStreamHandler _handler;
    private readonly InMemoryStreamOptions _options;
    private readonly Random? _random;
    private readonly ReactorTimer _closeTimer;
    private readonly Queue<(nint Address, int LengthBytes)> _queued = new();
    private readonly byte[] _taken;
    private readonly IoVector* _vectors;
    private readonly byte* _borrowed;
    private int _vectorCount;
    private int _firstSent;
    private long _unsentBytes;
    private bool _started;
    private bool _paused;
    private bool _armed;
    private bool _reportOnceMore;
    private bool _closing;
    private bool _dropUnsent;
    private bool _closed;
    private Action<SocketHandle>? _detached;
    private Func<bool>? _mayLeave;
    private StreamCloseReason _reason;
    private string _detail = "";

    internal InMemoryStream(
        ManualReactor reactor,
        SocketHandle socket,
        InMemoryStreamPeer peer,
        IStreamHandler handler,
        InMemoryStreamOptions options)
    {
        (_reactor, _socket, Peer, _handler, _options) = (reactor, socket, peer, handler, options);
        _random = options.Seed is int seed ? new Random(seed) : null;
        _closeTimer = reactor.CreateTimer(() => _dropUnsent = true);
        _taken = new byte[options.MaxReceiveBytes];
        _vectors = (IoVector*)NativeMemory.Alloc(MaxDirectVectors, (nuint)sizeof(IoVector));
        _borrowed = (byte*)NativeMemory.Alloc((nuint)options.MaxReceiveBytes);
    }

    public InMemoryStreamPeer Peer { get; }

    public override Reactor Reactor => _reactor;

    public override IPEndPoint LocalEndPoint => _options.LocalEndPoint;

    public override IPEndPoint RemoteEndPoint => _options.RemoteEndPoint;

    public override long UnsentBytes => _unsentBytes;

    public override void Start() => _started = true;

    public override void PauseReceive()
    {
        _reportOnceMore |= !_paused && _armed && _random is not null && _random.Next(2) == 0;
        _paused = true;
    }

    public override void ResumeReceive()
    {
        _paused = false;
        _reportOnceMore = false;
    }

    public override void Queue(nint address, int lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfZero(address);
        if (_closed || _closing)
            return;
        _queued.Enqueue((address, lengthBytes));
        _unsentBytes += lengthBytes;
    }

    public override void Detach(Action<SocketHandle> detached, Func<bool>? mayLeave = null)
    {
        if (_closed || _closing)
            return;
        PauseReceive();
        (_detached, _mayLeave) = (detached, mayLeave);
    }

    public override void Close(bool afterSending = false, int timeoutMs = 2000) =>
        BeginClose(StreamCloseReason.ClosedHere, "closed here", afterSending, timeoutMs);

    internal bool ReceiveStep()
    {
        if (_closed)
            return false;
        if (Peer.WasReset)
            return BeginClose(StreamCloseReason.Failed, "connection reset by peer", afterSending: false, 0);
        if (_closing || !_started || ((_paused || _detached is not null) && !_reportOnceMore))
            return false;
        if (!_armed)
            Arm();
        int limit = (int)Math.Min(Peer.UntakenBytes, _taken.Length);
        if (limit > 0)
        {
            Deliver(_random is null ? limit : _random.Next(1, limit + 1));
            return true;
        }
        return Peer.WriteEnded
            && BeginClose(StreamCloseReason.ClosedByPeer, "closed by peer", afterSending: true, 2000);
    }

    internal bool SendStep()
    {
        if (_closed)
            return false;
        bool worked = false;
        if (!_dropUnsent && _queued.Count > 0)
            worked = Send(Limit(Math.Min(Peer.WindowLeft, _options.MaxSendBytes)));
        if (_detached is not null && !_closing && _queued.Count == 0
            && (!_reportOnceMore || Peer.UntakenBytes == 0))
        {
            if (_mayLeave?.Invoke() != false)
            {
                Leave(_detached);
                return true;
            }
            _detached = null;
            ResumeReceive();
        }
        if (!_closing || (_queued.Count > 0 && !_dropUnsent))
            return worked;
        FinishClose();
        return true;
    }

    private void Arm()
    {
        _vectorCount = _handler.DirectVectors(_vectors, MaxDirectVectors);
        if (_vectorCount is < 0 or > MaxDirectVectors)
            throw new InvalidOperationException($"{_vectorCount} direct vectors given");
        for (int i = 0; i < _vectorCount; i++)
        {
            if (_vectors[i].Address == 0 || _vectors[i].LengthBytes == 0)
                throw new InvalidOperationException("an empty direct vector was given");
        }
        _armed = true;
    }

    private void Deliver(int lengthBytes)
    {
        _reportOnceMore = false;
        _armed = false;
        int taken = Peer.Take(_taken.AsSpan(0, lengthBytes));
        int direct = 0;
        for (int i = 0; i < _vectorCount && direct < taken; i++)
        {
            int part = (int)Math.Min(_vectors[i].LengthBytes, (nuint)(taken - direct));
            _taken.AsSpan(direct, part).CopyTo(new Span<byte>((void*)_vectors[i].Address, part));
            direct += part;
        }
        if (direct > 0)
            _handler.ReceivedDirect(direct);
        if (direct == taken || _closing)
            return;
        var borrowed = new Span<byte>(_borrowed, taken - direct);
        _taken.AsSpan(direct, taken - direct).CopyTo(borrowed);
        _handler.Received((nint)_borrowed, taken - direct);
        borrowed.Fill(Poison);
    }

    private int Limit(int limit) =>
        _random is null || limit == 0 ? limit : _random.Next(1, (int)Math.Min(limit, _unsentBytes) + 1);

    private bool Send(int limit)
    {
        int sent = 0;
        while (sent < limit && _queued.TryPeek(out (nint Address, int LengthBytes) first))
        {
            int part = Math.Min(limit - sent, first.LengthBytes - _firstSent);
            Peer.Give(new ReadOnlySpan<byte>((byte*)first.Address + _firstSent, part));
            sent += part;
            _firstSent += part;
            if (_firstSent < first.LengthBytes)
                continue;
            _queued.Dequeue();
            _firstSent = 0;
        }
        if (sent == 0)
            return false;
        _unsentBytes -= sent;
        _handler.Sent(sent);
        return true;
    }

    private bool BeginClose(StreamCloseReason reason, string detail, bool afterSending, int timeoutMs)
    {
        if (_closed)
            return false;
        _dropUnsent |= !afterSending;
        if (_closing)
            return true;
        (_closing, _reason, _detail) = (true, reason, detail);
        if (afterSending)
            _closeTimer.Arm(timeoutMs);
        return true;
    }

    private void Leave(Action<SocketHandle> detached)
    {
        _closed = true;
        _reactor.Remove(this);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_borrowed);
        InMemoryNetwork.Release(_socket, Peer, _options);
        detached(_socket);
    }

    private void FinishClose()
    {
        _closed = true;
        _closeTimer.Cancel();
        _queued.Clear();
        _socket.Dispose();
        _reactor.Remove(this);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_borrowed);
        _handler.Closed(_reason, _detail);
    }
}
