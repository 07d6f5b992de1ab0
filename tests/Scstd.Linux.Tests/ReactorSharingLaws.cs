using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>What reactors owe to each other: connections to one address are shared, and a connection may go from one
/// to another.</summary>
public abstract class ReactorSharingLaws : IDisposable
{
    private readonly RunningReactor _first;
    private readonly RunningReactor _second;

    protected ReactorSharingLaws(ReactorKind kind)
    {
        _first = new RunningReactor(new ReactorOptions { Kind = kind });
        _second = new RunningReactor(new ReactorOptions { Kind = kind, Index = 1 });
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0.0.0.0")]
    public void Connections_to_one_address_are_spread_over_the_reactors(string address)
    {
        const int Count = 200;
        int[] accepted = [0, 0];
        ReservedPort port = Reserve(new IPEndPoint(IPAddress.Parse(address), 0));
        StreamListener[] listeners = ListenOnBoth(port, (reactor, socket) =>
        {
            accepted[reactor]++;
            socket.Dispose();
        });
        for (int i = 0; i < Count; i++)
        {
            using Socket client = Connect(port.LocalEndPoint);
            client.ReceiveToEndOrReset();
        }
        _first.Until(() => Volatile.Read(ref accepted[0]) + Volatile.Read(ref accepted[1]) == Count, "all are in");

        Assert.All(accepted, one => Assert.InRange(one, Count / 8, Count));
        Close(port, listeners);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    public void Nobody_else_gets_an_address_that_is_shared_whatever_he_asks_for(string address)
    {
        ReservedPort port = Reserve(new IPEndPoint(IPAddress.Parse(address), 0));
        IPEndPoint endPoint = port.LocalEndPoint;
        StreamListener[] listeners = ListenOnBoth(port, (_, socket) => socket.Dispose());
        IPAddress any = endPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        foreach (IPEndPoint wanted in (IPEndPoint[])[endPoint, new IPEndPoint(any, endPoint.Port)])
        {
            foreach (bool sharesPort in (bool[])[false, true])
            {
                SocketException refused = Assert.Throws<SocketException>(
                    () => SocketCalls.Bind(wanted, sharesPort).Dispose());
                Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
            }
        }
        Assert.Throws<AggregateException>(() => Reserve(endPoint));
        Close(port, listeners);
        Close(Reserve(endPoint), []);
    }

    [Fact]
    public void An_address_may_overlap_one_that_goes_and_only_that()
    {
        ReservedPort any = Reserve(new IPEndPoint(IPAddress.Any, 0));
        StreamListener[] before = ListenOnBoth(any, (_, socket) => socket.Dispose());
        var one = new IPEndPoint(IPAddress.Loopback, any.LocalEndPoint.Port);
        ReservedPort next = _first.On(() => _first.Reactor.Reserve(one, 2, [any]));
        StreamListener[] after = ListenOnBoth(next, (_, socket) => socket.Dispose());
        Close(any, before);

        Assert.Throws<SocketException>(() => SocketCalls.Bind(one, sharesPort: true).Dispose());
        using (Socket client = Connect(one))
            client.ReceiveToEndOrReset();
        Close(next, after);
    }

    /// <summary>The peer never stops to talk; some of its bytes are on their way, some are being echoed.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_connection_goes_from_one_reactor_to_another_and_loses_nothing(int directEvery)
    {
        const int Moves = 20;
        var handlers = new List<EchoHandler>();
        EchoHandler current = Accepted(directEvery, handlers, out Socket client);
        var random = new Random(7);
        for (int move = 0; move < Moves; move++)
        {
            byte[] sent = new byte[random.Next(1, 200_000)];
            random.NextBytes(sent);
            (RunningReactor from, RunningReactor to) = move % 2 == 0 ? (_first, _second) : (_second, _first);
            var sending = Task.Run(() => client.Send(sent));
            EchoHandler before = current;
            var next = new EchoHandler(directEvery);
            handlers.Add(next);
            from.Reactor.Post(() => before.Connection!.Detach(
                socket => to.Reactor.Post(() => next.Start(to.Reactor.Attach(socket, next)))));
            Assert.Equal(sent, client.ReceiveExactly(sent.Length));
            await sending.WaitAsync(RunningReactor.Patience);
            to.Until(() => next.Connection is not null, "it has come over");
            Assert.Equal(0, before.ClosedCalls);
            current = next;
        }
        client.Dispose();
        RunningReactor last = Moves % 2 == 0 ? _first : _second;
        last.Until(() => current.ClosedCalls == 1, "the end is told where it lives");
        handlers.ForEach(handler => handler.Dispose());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_connection_that_may_not_leave_stays_and_goes_on(int directEvery)
    {
        var handlers = new List<EchoHandler>();
        EchoHandler handler = Accepted(directEvery, handlers, out Socket client);
        int asked = 0;
        bool isGone = false;
        for (int i = 0; i < 10; i++)
        {
            byte[] sent = new byte[100_000];
            new Random(i).NextBytes(sent);
            _first.On(() => handler.Connection!.Detach(_ => isGone = true, () => ++asked < 0));
            client.Send(sent);
            Assert.Equal(sent, client.ReceiveExactly(sent.Length));
        }
        client.Dispose();
        _first.Until(() => handler.ClosedCalls == 1, "the end is told where it lives");

        Assert.False(isGone);
        Assert.InRange(asked, 10, 1000);
        handlers.ForEach(one => one.Dispose());
    }

    [Fact]
    public void A_connection_that_ends_before_it_has_gone_ends_as_ever()
    {
        var handlers = new List<EchoHandler>();
        EchoHandler handler = Accepted(0, handlers, out Socket client);
        bool isGone = false;
        _first.On(() =>
        {
            handler.Connection!.Detach(_ => isGone = true);
            handler.Connection.Close();
        });
        _first.Until(() => handler.ClosedCalls == 1, "closed");

        Assert.Equal((false, StreamCloseReason.ClosedHere), (isGone, handler.ClosedReason));
        client.Dispose();
        handlers.ForEach(one => one.Dispose());
    }

    /// <summary>It must not leave before, and its memory is the stream's until then.</summary>
    [Fact]
    public unsafe void What_is_queued_leaves_before_the_connection_does()
    {
        const int LengthBytes = 8 * 1024 * 1024;
        var handlers = new List<EchoHandler>();
        EchoHandler handler = Accepted(0, handlers, out Socket client);
        byte* memory = (byte*)NativeMemory.AllocZeroed(LengthBytes);
        SocketHandle? gone = null;
        _first.On(() =>
        {
            handler.Connection!.Queue((nint)memory, LengthBytes);
            handler.Connection.Detach(socket => gone = socket);
        });
        _first.On(() => Assert.Null(gone));
        client.ReceiveExactly(LengthBytes);
        _first.Until(() => gone is not null, "it has gone");

        Assert.Equal((LengthBytes, 0), (handler.SentBytes, handler.ClosedCalls));
        gone!.Dispose();
        NativeMemory.Free(memory);
        client.Dispose();
        handlers.ForEach(one => one.Dispose());
    }

    private EchoHandler Accepted(int directEvery, List<EchoHandler> handlers, out Socket client)
    {
        var handler = new EchoHandler(directEvery);
        handlers.Add(handler);
        StreamListener listener = _first.On(() => _first.Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0), socket => handler.Start(_first.Reactor.Attach(socket, handler))));
        client = Connect(listener.LocalEndPoint);
        _first.Until(() => handler.Connection is not null, "accepted");
        _first.On(listener.Close);
        return handler;
    }

    private ReservedPort Reserve(IPEndPoint endPoint) => _first.On(() => _first.Reactor.Reserve(endPoint, 2, []));

    private StreamListener[] ListenOnBoth(ReservedPort port, Action<int, SocketHandle> accepted) =>
    [
        _first.On(() => _first.Reactor.Listen(port, 0, socket => accepted(0, socket))),
        _second.On(() => _second.Reactor.Listen(port, 1, socket => accepted(1, socket))),
    ];

    private void Close(ReservedPort port, StreamListener[] listeners)
    {
        for (int i = 0; i < listeners.Length; i++)
            (i == 0 ? _first : _second).On(listeners[i].Close);
        _first.On(port.Close);
    }

    private static Socket Connect(IPEndPoint endPoint)
    {
        var client = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)RunningReactor.Patience.TotalMilliseconds,
            SendTimeout = (int)RunningReactor.Patience.TotalMilliseconds,
        };
        client.Connect(endPoint.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, endPoint.Port)
            : endPoint);
        return client;
    }
}
