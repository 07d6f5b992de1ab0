using System.Net;
using Scstd.Testing;

namespace Scstd.Linux.Tests;

public sealed class ManualReactorTests
{
    private readonly ManualReactor _reactor = new();

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Bytes_come_back_in_order_however_they_are_cut(int? seed)
    {
        using var echo = new EchoHandler(directEvery: 3);
        InMemoryStreamPeer peer = Attach(echo, new InMemoryStreamOptions { Seed = seed, MaxReceiveBytes = 5000 });
        byte[] sent = new byte[100_000];
        new Random(7).NextBytes(sent);

        peer.Send(sent);
        _reactor.RunUntilIdle();

        Assert.Equal(sent, peer.Receive());
        Assert.Equal(sent.Length, echo.SentBytes);
    }

    [Fact]
    public void A_peer_that_stops_reading_holds_the_bytes_back()
    {
        using var echo = new EchoHandler();
        InMemoryStreamPeer peer = Attach(echo, new InMemoryStreamOptions());
        peer.WindowBytes = 10;

        peer.Send(new byte[30]);
        _reactor.RunUntilIdle();

        Assert.Equal(10, peer.AvailableBytes);
        Assert.Equal(20, echo.Connection!.UnsentBytes);
    }

    [Fact]
    public void Close_after_sending_gives_up_when_its_time_is_over()
    {
        using var echo = new EchoHandler();
        InMemoryStreamPeer peer = Attach(echo, new InMemoryStreamOptions());
        peer.WindowBytes = 0;
        peer.Send(new byte[30]);
        _reactor.RunUntilIdle();

        _reactor.Do(() => echo.Connection!.Close(afterSending: true, timeoutMs: 100));
        _reactor.Advance(99);
        Assert.Null(echo.ClosedReason);
        _reactor.Advance(1);

        Assert.Equal(StreamCloseReason.ClosedHere, echo.ClosedReason);
        Assert.True(peer.EndOfStream);
    }

    [Fact]
    public void The_end_of_the_peers_stream_closes_behind_its_bytes()
    {
        using var echo = new EchoHandler();
        InMemoryStreamPeer peer = Attach(echo, new InMemoryStreamOptions());
        peer.Send([1, 2, 3]);
        peer.EndSending();
        _reactor.RunUntilIdle();

        Assert.Equal([1, 2, 3], peer.Receive());
        Assert.Equal(StreamCloseReason.ClosedByPeer, echo.ClosedReason);
        Assert.Equal(0, _reactor.OpenStreams);
    }

    [Fact]
    public void A_listener_hands_over_what_connects_and_an_attached_stream_serves_it()
    {
        using var echo = new EchoHandler();
        StreamListener listener = _reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0),
            socket => echo.Start(_reactor.Attach(socket, echo)));
        InMemoryStreamPeer peer = _reactor.Connect(listener.LocalEndPoint);
        peer.Send([9]);
        _reactor.RunUntilIdle();

        Assert.Equal([9], peer.Receive());
        Assert.Equal(listener.LocalEndPoint, echo.Connection!.LocalEndPoint);
    }

    [Fact]
    public void Advance_runs_timers_in_the_order_of_their_times()
    {
        var ran = new List<(string Name, long AtMs)>();
        long start = _reactor.NowMs;
        ReactorTimer late = _reactor.CreateTimer(() => ran.Add(("late", _reactor.NowMs - start)));
        ReactorTimer early = _reactor.CreateTimer(() =>
        {
            ran.Add(("early", _reactor.NowMs - start));
            late.Arm(5);
        });
        late.Arm(20);
        early.Arm(10);

        _reactor.Advance(14);
        Assert.Equal([("early", 10L)], ran);
        _reactor.Advance(1);
        Assert.Equal([("early", 10L), ("late", 15L)], ran);
    }

    [Fact]
    public void A_file_operation_runs_on_the_real_file_and_stays_away_while_it_is_held()
    {
        string path = Path.GetTempFileName();
        File.WriteAllText(path, "hello");
        using FileHandle file = new(LibC.Open(path, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0));
        File.Delete(path);
        using var read = new RecordingOperation(5) { Kind = FileOperationKind.Read, File = file };
        Func<FileOperation, long?> real = _reactor.ExecuteFile;
        _reactor.ExecuteFile = _ => null;

        _reactor.Submit(read);
        _reactor.RunUntilIdle();
        Assert.Equal(1, _reactor.FilesUnderWay);
        _reactor.ExecuteFile = real;
        _reactor.RunUntilIdle();

        Assert.Equal(5, read.KernelResult);
        Assert.Equal("hello"u8.ToArray(), read.Bytes.ToArray());
    }

    [Fact]
    public void Blocking_work_runs_away_from_the_reactor_and_its_exception_comes_back()
    {
        Reactor? during = _reactor;
        Exception? came = null;
        Reactor? after = null;
        _reactor.RunBlocking(
            () =>
            {
                during = Reactor.Current;
                throw new InvalidDataException();
            },
            exception => (came, after) = (exception, Reactor.Current));
        _reactor.RunUntilIdle();

        Assert.Null(during);
        Assert.IsType<InvalidDataException>(came);
        Assert.Same(_reactor, after);
    }

    private InMemoryStreamPeer Attach(EchoHandler echo, InMemoryStreamOptions options)
    {
        (SocketHandle socket, InMemoryStreamPeer peer) = _reactor.CreateSocket(options);
        echo.Start(_reactor.Attach(socket, echo));
        return peer;
    }
}
