using System.Net;
using System.Runtime.InteropServices;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>
/// A reactor whose one stream only counts what is queued, so that what a connection allocates can be told from what a
/// test's network does. The test calls the handler itself.
/// </summary>
internal sealed class StillReactor : Reactor
{
    public StillReactor()
        : base(0)
    {
    }

    public CountingStream Stream { get; private set; } = null!;

    public IStreamHandler Handler { get; private set; } = null!;

    public Action<SocketHandle> Accept { get; private set; } = null!;

    public override string Kind => "still";

    public override long NowMs => 1;

    public override void Post(Action work) => work();

    public override void AtPassEnd(IPassEnd subscriber) => subscriber.PassEnded();

    public override ReservedPort Reserve(
        IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf) => new Port(endPoint);

    public override StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted)
    {
        Accept = accepted;
        return new Listener(port.LocalEndPoint);
    }

    public override StreamConnection Attach(SocketHandle socket, IStreamHandler handler)
    {
        Handler = handler;
        return Stream = new CountingStream(this);
    }

    public override void Submit(FileOperation operation) => throw new NotSupportedException();

    public override void RunBlocking(Action work, Action<Exception?> completed) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Port(IPEndPoint endPoint) : ReservedPort
    {
        public override IPEndPoint LocalEndPoint => endPoint;

        public override void Close()
        {
        }
    }

    private sealed class Listener(IPEndPoint endPoint) : StreamListener
    {
        public override IPEndPoint LocalEndPoint => endPoint;

        public override void Close()
        {
        }
    }
}

/// <summary>Remembers the first bytes of what was queued since the last look.</summary>
internal sealed class CountingStream(Reactor reactor) : StreamConnection
{
    private readonly byte[] _first = new byte[48];
    private int _firstBytes;
    private long _unsent;

    public override Reactor Reactor => reactor;

    public override IPEndPoint LocalEndPoint { get; } = new(IPAddress.Loopback, 3260);

    public override IPEndPoint RemoteEndPoint { get; } = new(IPAddress.Loopback, 49152);

    public override long UnsentBytes => _unsent;

    public bool IsClosing { get; private set; }

    public byte[] First => _first;

    public override void Start()
    {
    }

    public override void PauseReceive()
    {
    }

    public override void ResumeReceive()
    {
    }

    public override void Queue(nint address, int lengthBytes)
    {
        int part = Math.Min(lengthBytes, _first.Length - _firstBytes);
        Marshal.Copy(address, _first, _firstBytes, part);
        _firstBytes += part;
        _unsent += lengthBytes;
    }

    public override void Detach(Action<SocketHandle> detached) => throw new NotSupportedException();

    public override void Close(bool afterSending = false, int timeoutMs = 2000) => IsClosing = true;

    public long TakeUnsent()
    {
        long unsent = _unsent;
        _unsent = 0;
        _firstBytes = 0;
        return unsent;
    }
}
