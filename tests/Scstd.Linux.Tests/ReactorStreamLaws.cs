using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>What every reactor owes to streams, whatever kernel interface is below.</summary>
public abstract class ReactorStreamLaws : IDisposable
{
    private readonly RunningReactor _running;

    protected ReactorStreamLaws(ReactorKind kind)
        : this(new ReactorOptions { Kind = kind })
    {
    }

    private protected ReactorStreamLaws(ReactorOptions options) => _running = new RunningReactor(options);

    public void Dispose()
    {
        _running.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 5)]
    public void Random_bytes_of_random_sizes_come_back_unchanged(int seed, int directEvery)
    {
        _running.NewHandler = () => new EchoHandler(directEvery);
        var random = new Random(seed);
        Socket[] clients = [_running.Connect(), _running.Connect(), _running.Connect()];
        for (int round = 0; round < 40; round++)
        {
            Socket client = clients[random.Next(clients.Length)];
            byte[] sent = new byte[random.Next(2) == 0 ? random.Next(1, 100) : random.Next(1, 300_000)];
            random.NextBytes(sent);
            client.Send(sent);
            Assert.Equal(sent, client.ReceiveExactly(sent.Length));
        }
        if (directEvery > 0)
            Assert.True(_running.On(() => _running.Handlers.Sum(handler => handler.DirectBytes)) > 0);
        foreach (Socket client in clients)
            client.Dispose();
    }

    [Fact]
    public void Every_byte_sent_is_reported_once()
    {
        using Socket client = _running.Connect();
        client.Send(new byte[1_000_000]);
        client.ReceiveExactly(1_000_000);
        _running.Until(() => _running.Handlers[0].Connection!.UnsentBytes == 0, "all is sent");

        Assert.Equal(1_000_000, _running.On(() => _running.Handlers[0].SentBytes));
    }

    [Fact]
    public void Many_small_pieces_leave_in_order_with_few_sends()
    {
        using Socket client = _running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        const int Pieces = 5000;
        nint memory = Numbers(Pieces * 2);
        ulong before = _running.On(() => _running.Reactor.Sends);
        _running.On(() =>
        {
            // Every other word, so that no two vectors can be joined.
            for (int i = 0; i < Pieces; i++)
                _running.Handlers[0].Connection!.Queue(memory + (i * 8), 4);
        });
        byte[] received = client.ReceiveExactly(Pieces * 4);
        ulong sends = _running.On(() => _running.Reactor.Sends) - before;

        Assert.Equal(Enumerable.Range(0, Pieces).Select(i => i * 2), MemoryMarshal.Cast<byte, int>(received).ToArray());
        Assert.InRange(sends, 1UL, 40UL);
        Marshal.FreeHGlobal(memory);
    }

    [Fact]
    public void A_paused_stream_takes_no_more_than_one_receive_and_loses_nothing()
    {
        using Socket paused = _running.Connect();
        using Socket other = _running.Connect();
        paused.Send([0]);
        paused.ReceiveExactly(1);
        _running.On(() => _running.Handlers[0].Connection!.PauseReceive());
        byte[] sent = new byte[3_000_000];
        new Random(5).NextBytes(sent);
        var sending = new Thread(() => paused.Send(sent));
        sending.Start();
        for (int i = 0; i < 50; i++)
        {
            other.Send([7]);
            other.ReceiveExactly(1);
        }

        // One receive was already with the kernel: at most a buffer or two of it.
        Assert.InRange(_running.On(() => _running.Handlers[0].ReceivedBytes), 1, 1 + (256 * 1024));
        _running.On(() => _running.Handlers[0].Connection!.ResumeReceive());
        byte[] received = paused.ReceiveExactly(sent.Length);
        Assert.True(sending.Join(RunningReactor.Patience));
        Assert.Equal(sent, received);
    }

    [Fact]
    public void A_half_closed_peer_still_gets_its_answers()
    {
        using Socket client = _running.Connect();
        byte[] sent = new byte[200_000];
        new Random(6).NextBytes(sent);
        client.Send(sent);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(sent, client.ReceiveToEnd());
        _running.Until(() => _running.OpenConnections == 0, "closed");
        Assert.Equal(StreamCloseReason.ClosedByPeer, _running.On(() => _running.Handlers[0].ClosedReason));
    }

    [Fact]
    public void A_reset_by_the_peer_ends_the_stream_as_failed()
    {
        Socket client = _running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();

        _running.Until(() => _running.OpenConnections == 0, "closed");
        Assert.Equal(StreamCloseReason.Failed, _running.On(() => _running.Handlers[0].ClosedReason));
        Assert.Equal("Connection reset by peer", _running.On(() => _running.Handlers[0].ClosedDetail));
        _running.AssertHealthy();
    }

    [Fact]
    public void A_reset_while_sending_is_blocked_ends_the_stream()
    {
        Socket client = _running.Connect();
        FillUntilBlocked(client);
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();

        _running.Until(() => _running.OpenConnections == 0, "closed");
        Assert.Equal(StreamCloseReason.Failed, _running.On(() => _running.Handlers[0].ClosedReason));
        _running.AssertHealthy();
    }

    [Fact]
    public void A_peer_that_stops_reading_stops_nobody_else_and_gets_all_when_it_reads_again()
    {
        using Socket client = _running.Connect();
        int queued = FillUntilBlocked(client);
        _running.AssertHealthy();

        client.ReceiveExactly(queued);
        _running.Until(() => _running.Handlers[0].Connection!.UnsentBytes == 0, "all is sent");
        _running.AssertHealthy();
    }

    [Fact]
    public void Close_drops_what_a_stuck_peer_does_not_take()
    {
        using Socket client = _running.Connect();
        FillUntilBlocked(client);
        bool inside = _running.On(() =>
        {
            _running.Handlers[0].Connection!.Close();
            return _running.Handlers[0].ClosedCalls > 0;
        });

        Assert.False(inside);
        _running.Until(() => _running.OpenConnections == 0, "closed");
        Assert.Equal(StreamCloseReason.ClosedHere, _running.On(() => _running.Handlers[0].ClosedReason));
    }

    [Fact]
    public void Close_after_sending_gives_a_stuck_peer_only_so_much_time()
    {
        using Socket client = _running.Connect();
        FillUntilBlocked(client);
        long started = _running.On(() =>
        {
            _running.Handlers[0].Connection!.Close(afterSending: true, timeoutMs: 50);
            return _running.Reactor.NowMs;
        });
        _running.Until(() => _running.OpenConnections == 0, "closed");

        Assert.InRange(_running.On(() => _running.Reactor.NowMs) - started, 50, 20_000);
    }

    [Fact]
    public void Close_after_sending_delivers_the_last_words_though_the_peer_talks_on()
    {
        using Socket client = _running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        nint memory = Numbers(50_000);
        _running.On(() =>
        {
            _running.Handlers[0].Connection!.Queue(memory, 200_000);
            _running.Handlers[0].Connection!.Close(afterSending: true);
            _running.Handlers[0].Connection!.Queue(memory, 200_000);
        });
        client.Send(new byte[100_000]);
        byte[] received = client.ReceiveToEnd();
        client.Dispose();

        Assert.Equal(Enumerable.Range(0, 50_000), MemoryMarshal.Cast<byte, int>(received).ToArray());
        _running.Until(() => _running.OpenConnections == 0, "closed");
        Marshal.FreeHGlobal(memory);
    }

    [Fact]
    public void A_stream_may_be_closed_from_its_own_callback_and_hears_nothing_more()
    {
        int callsAfterClose = 0;
        _running.NewHandler = () => new EchoHandler
        {
            WhenReceived = handler =>
            {
                callsAfterClose++;
                handler.Connection!.Close();
                handler.Connection!.Close(afterSending: true);
            },
        };
        using Socket client = _running.Connect();
        client.Send(new byte[10]);
        client.ReceiveToEndOrReset();

        _running.Until(() => _running.OpenConnections == 0, "closed");
        Assert.Equal(1, callsAfterClose);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_echo_in_steady_state_allocates_nothing(int directEvery)
    {
        const int Bytes = 20_000;
        const int Looks = 6;
        const int Between = 1000 * Bytes;
        var allocated = new List<long>(Looks);
        _running.NewHandler = () => new EchoHandler(directEvery)
        {
            WhenReceived = handler =>
            {
                if (handler.ReceivedBytes >= (long)Between * (allocated.Count + 1) && allocated.Count < Looks)
                    allocated.Add(GC.GetAllocatedBytesForCurrentThread());
            },
        };
        using Socket client = _running.Connect();
        byte[] bytes = new byte[Bytes];
        for (int i = 0; i < 1000 * Looks; i++)
        {
            client.Send(bytes);
            client.ReceiveExactlyInto(bytes);
        }
        Assert.Equal(Looks, allocated.Count);
        // What the runtime does once (a method compiled anew) is no steady state: the median of a thousand echoes.
        List<long> each = [.. allocated.Skip(1).Zip(allocated, (later, earlier) => later - earlier).Order()];
        Assert.Equal(0, each[each.Count / 2]);
    }

    protected void AssertKind(string kind) => Assert.Equal(kind, _running.Reactor.Kind);

    private static nint Numbers(int count)
    {
        nint memory = Marshal.AllocHGlobal(count * 4);
        Marshal.Copy(Enumerable.Range(0, count).ToArray(), 0, memory, count);
        return memory;
    }

    /// <summary>Makes the first connection owe its client, which does not read, more than the kernel takes.</summary>
    private int FillUntilBlocked(Socket client)
    {
        client.Send([1]);
        client.ReceiveExactly(1);
        int queued = 0;
        nint memory = Marshal.AllocHGlobal(1 << 20);
        _running.On(() => _running.Handlers[0].WhenClosed += _ => Marshal.FreeHGlobal(memory));
        for (int i = 0; i < 64; i++)
        {
            _running.On(() => _running.Handlers[0].Connection!.Queue(memory, 1 << 20));
            queued += 1 << 20;
        }
        Assert.True(_running.On(() => _running.Handlers[0].Connection!.UnsentBytes) > 0);
        return queued;
    }
}
