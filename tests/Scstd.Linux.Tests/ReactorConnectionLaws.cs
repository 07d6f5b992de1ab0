using System.Net;
using System.Net.Sockets;

namespace Scstd.Linux.Tests;

/// <summary>What every reactor owes to listeners, and to connections that come, go and misbehave in numbers.</summary>
public abstract class ReactorConnectionLaws : IDisposable
{
    private readonly RunningReactor _running;

    protected ReactorConnectionLaws(ReactorKind kind) =>
        _running = new RunningReactor(new ReactorOptions { Kind = kind });

    public void Dispose()
    {
        _running.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void A_closed_listener_refuses_and_its_address_can_be_taken_again_at_once()
    {
        _running.AssertHealthy();
        IPEndPoint endPoint = _running.Listener.LocalEndPoint;
        StreamListener again = _running.On(() =>
        {
            _running.Listener.Close();
            return _running.Reactor.Listen(endPoint, socket => socket.Dispose());
        });
        using (Socket client = _running.Connect())
            client.ReceiveToEndOrReset();
        _running.On(again.Close);

        Assert.Throws<SocketException>(() => _running.Connect().Dispose());
    }

    [Fact]
    public void An_address_in_use_is_named_in_the_error()
    {
        IPEndPoint endPoint = _running.Listener.LocalEndPoint;
        AggregateException thrown = Assert.Throws<AggregateException>(
            () => _running.On(() => _running.Reactor.Listen(endPoint, socket => socket.Dispose())));
        var refused = Assert.IsType<SocketException>(thrown.InnerException);

        Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
        Assert.Contains(endPoint.ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ipv6_is_served_and_both_ends_are_named()
    {
        var handler = new EchoHandler();
        StreamListener listener = _running.On(() => _running.Reactor.Listen(
            new IPEndPoint(IPAddress.IPv6Loopback, 0),
            socket => handler.Start(_running.Reactor.Attach(socket, handler))));
        using var client = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint);
        client.Send([3]);

        Assert.Equal([3], client.ReceiveExactly(1));
        Assert.Equal(client.LocalEndPoint, _running.On(() => handler.Connection!.RemoteEndPoint));
        Assert.Equal(client.RemoteEndPoint, _running.On(() => handler.Connection!.LocalEndPoint));
        client.Dispose();
        _running.Until(() => handler.ClosedCalls == 1, "closed");
        handler.Dispose();
    }

    [Fact]
    public void A_lack_of_descriptors_delays_connections_and_loses_none()
    {
        _running.AssertHealthy();
        var handler = new EchoHandler();
        void Accept(SocketHandle socket) => handler.Start(_running.Reactor.Attach(socket, handler));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (var limit = new DescriptorLimit())
        {
            limit.Spare();
            StreamListener listener =
                _running.On(() => _running.Reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), Accept));
            limit.Fill();
            client.Connect(listener.LocalEndPoint);
            _running.On(() => { }); // a pass after which the connection was looked at
            Assert.Null(_running.On(() => handler.Connection));
        }
        client.Send([5]);
        Assert.Equal([5], client.ReceiveExactly(1));
        client.Dispose();
        _running.Until(() => handler.ClosedCalls == 1, "closed");
        handler.Dispose();
    }

    [Fact]
    public void Two_hundred_connections_come_and_go_without_leaving_a_descriptor()
    {
        _running.AssertHealthy();
        _running.Until(() => _running.OpenConnections == 0, "closed");
        int before = RunningReactor.OpenDescriptors();
        var clients = new List<Socket>();
        for (int i = 0; i < 200; i++)
        {
            Socket client = _running.Connect();
            client.Send([(byte)i]);
            clients.Add(client);
        }
        for (int i = 0; i < clients.Count; i++)
        {
            Assert.Equal((byte)i, clients[i].ReceiveExactly(1)[0]);
            if (i % 3 == 0)
                clients[i].LingerState = new LingerOption(true, 0);
            clients[i].Dispose();
        }
        _running.Until(() => _running.OpenConnections == 0, "closed");

        Assert.Equal(before, RunningReactor.OpenDescriptors());
        Assert.Equal(201, _running.On(() => _running.Handlers.Count));
    }

    [Fact]
    public void More_connections_with_bytes_than_there_are_buffers_all_get_their_turn()
    {
        Socket[] clients = [.. Enumerable.Range(0, 150).Select(_ => _running.Connect())];
        byte[] sent = new byte[100_000];
        new Random(11).NextBytes(sent);
        using var release = new ManualResetEventSlim();
        _running.Hold(release);
        foreach (Socket client in clients)
            client.Send(sent);
        release.Set();

        foreach (Socket client in clients)
        {
            Assert.Equal(sent, client.ReceiveExactly(sent.Length));
            client.Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Connections_that_do_whatever_they_like_leave_nothing_behind(int seed)
    {
        _running.AssertHealthy();
        _running.Until(() => _running.OpenConnections == 0, "closed");
        int before = RunningReactor.OpenDescriptors();
        var random = new Random(seed);
        _running.NewHandler = () => new EchoHandler(directEvery: random.Next(3));
        var clients = new List<Socket>();
        byte[] bytes = new byte[20_000];
        for (int step = 0; step < 1000; step++)
        {
            if (clients.Count < 20)
                clients.Add(_running.Connect());
            Misbehave(clients, random, bytes);
        }
        clients.ForEach(client => client.Dispose());
        _running.On(() => _running.Handlers.ToList().ForEach(handler => handler.Connection!.ResumeReceive()));
        _running.Until(() => _running.OpenConnections == 0, "closed");

        Assert.Equal(before, RunningReactor.OpenDescriptors());
        _running.AssertHealthy();
    }

    private void Misbehave(List<Socket> clients, Random random, byte[] bytes)
    {
        int index = random.Next(clients.Count);
        Socket client = clients[index];
        switch (random.Next(9))
        {
            case 0:
                client.LingerState = new LingerOption(true, 0);
                client.Dispose();
                clients.RemoveAt(index);
                break;
            case 1:
                client.Dispose();
                clients.RemoveAt(index);
                break;
            case 2:
                client.Shutdown(SocketShutdown.Send);
                client.Dispose();
                clients.RemoveAt(index);
                break;
            case 3:
                _running.On(() => Pick(random)?.Close(afterSending: random.Next(2) == 0, timeoutMs: 20));
                break;
            case 4:
                _running.On(() => Pick(random)?.PauseReceive());
                break;
            case 5:
                _running.On(() => Pick(random)?.ResumeReceive());
                break;
            default:
                SendSome(client, bytes.AsSpan(0, random.Next(1, bytes.Length)));
                break;
        }
    }

    private StreamConnection? Pick(Random random) =>
        _running.Handlers.Count == 0 ? null : _running.Handlers[random.Next(_running.Handlers.Count)].Connection;

    private static void SendSome(Socket client, ReadOnlySpan<byte> bytes)
    {
        client.Blocking = false;
        client.Send(bytes, SocketFlags.None, out SocketError error);
        Assert.True(
            error is SocketError.Success or SocketError.WouldBlock
                or SocketError.ConnectionReset or SocketError.Shutdown,
            $"sending: {error}");
    }
}
