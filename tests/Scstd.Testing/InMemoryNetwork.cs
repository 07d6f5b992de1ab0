using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Scstd.Linux;

namespace Scstd.Testing;

/// <summary>The listeners and unattached sockets of one manual reactor.</summary>
internal sealed class InMemoryNetwork(ManualReactor reactor)
{
    /// <summary>Shared by all reactors: a socket may be accepted on one and attached on another.</summary>
    private static readonly ConditionalWeakTable<SocketHandle, Unattached> Sockets = [];

    private readonly List<Listener> _listeners = [];
    private readonly List<Port> _ports = [];
    private int _nextPort = 40_000;

    /// <summary>The handle owns a real descriptor, so that a socket which nobody closes shows as a leak.</summary>
    internal (SocketHandle Socket, InMemoryStreamPeer Peer) CreateSocket(InMemoryStreamOptions options)
    {
        int descriptor = LibC.Open("/dev/null", LibC.OpenReadWrite | LibC.OpenCloseOnExec, 0);
        if (descriptor < 0)
            throw new IOException($"/dev/null: errno {LibC.LastError}");
        var socket = new SocketHandle(descriptor);
        var peer = new InMemoryStreamPeer(socket);
        Sockets.Add(socket, new Unattached(peer, options));
        return (socket, peer);
    }

    internal InMemoryStream Attach(SocketHandle socket, IStreamHandler handler)
    {
        if (!Sockets.TryGetValue(socket, out Unattached? found) || !Sockets.Remove(socket))
            throw new InvalidOperationException("only an in-memory socket can be attached, and once");
        return new InMemoryStream(reactor, socket, found.Peer, handler, found.Options);
    }

    /// <summary>May be attached again, by any reactor.</summary>
    internal static void Release(SocketHandle socket, InMemoryStreamPeer peer, InMemoryStreamOptions options) =>
        Sockets.Add(socket, new Unattached(peer, options));

    internal Port Reserve(IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf)
    {
        var bound = new IPEndPoint(endPoint.Address, endPoint.Port == 0 ? _nextPort++ : endPoint.Port);
        if (_ports.Exists(other => Overlap(other.LocalEndPoint, bound) && !inPlaceOf.Contains(other)))
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"{bound}: Address already in use");
        var port = new Port(this, bound, shares);
        _ports.Add(port);
        return port;
    }

    internal StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted)
    {
        var listener = new Listener(this, (Port)port, accepted);
        listener.Port.Take(share);
        _listeners.Add(listener);
        return listener;
    }

    /// <summary>As bind(2) has it.</summary>
    private static bool Overlap(IPEndPoint one, IPEndPoint other) =>
        one.Port == other.Port && one.AddressFamily == other.AddressFamily
        && (one.Address.Equals(other.Address) || IsAny(one.Address) || IsAny(other.Address));

    private static bool IsAny(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    internal InMemoryStreamPeer Connect(IPEndPoint endPoint, InMemoryStreamOptions options)
    {
        Listener listener = _listeners.Find(candidate => candidate.LocalEndPoint.Equals(endPoint))
            ?? throw new SocketException((int)SocketError.ConnectionRefused);
        (SocketHandle socket, InMemoryStreamPeer peer) = CreateSocket(options with { LocalEndPoint = endPoint });
        listener.Pending.Enqueue(socket);
        return peer;
    }

    internal bool AcceptPending()
    {
        bool worked = false;
        foreach (Listener listener in _listeners.ToArray())
        {
            while (listener.Pending.TryDequeue(out SocketHandle? socket))
            {
                worked = true;
                listener.Accepted(socket);
            }
        }
        return worked;
    }

    /// <summary>Free again when it is closed and no listener is left.</summary>
    internal sealed class Port(InMemoryNetwork network, IPEndPoint bound, int shares) : ReservedPort
    {
        private readonly bool[] _isTaken = new bool[shares];
        private int _listening;

        public override IPEndPoint LocalEndPoint => bound;

        public override void Close()
        {
            if (_listening == 0)
                network._ports.Remove(this);
        }

        internal void Take(int share)
        {
            if (_isTaken[share] || !network._ports.Contains(this))
                throw new InvalidOperationException($"share {share} of {bound} is taken or given up");
            _isTaken[share] = true;
            _listening++;
        }

        internal void GiveBack()
        {
            _listening--;
            Close();
        }
    }

    private sealed class Listener(InMemoryNetwork network, Port port, Action<SocketHandle> accepted) : StreamListener
    {
        public override IPEndPoint LocalEndPoint => port.LocalEndPoint;

        internal Port Port => port;

        internal Queue<SocketHandle> Pending { get; } = new();

        internal Action<SocketHandle> Accepted => accepted;

        public override void Close()
        {
            if (!network._listeners.Remove(this))
                return;
            port.GiveBack();
            while (Pending.TryDequeue(out SocketHandle? socket))
                socket.Dispose();
        }
    }

    private sealed record Unattached(InMemoryStreamPeer Peer, InMemoryStreamOptions Options);
}
