using System.Net;
using System.Net.Sockets;
using Scstd.Linux.IoUring;

namespace Scstd.Linux.Tests;

/// <summary>All laws of streams, by the way that leads to other machines; the kernel copies at its end.</summary>
public sealed class ZeroCopyStreamTests() : ReactorStreamLaws(ZeroCopyTests.Options);

public sealed unsafe class ZeroCopyTests : IDisposable
{
    internal static readonly ReactorOptions Options = new()
    {
        Kind = ReactorKind.IoUring,
        ZeroCopyToSelf = true,
        ZeroCopyMostCopied = int.MaxValue,
    };

    private readonly List<RunningReactor> _all = [];

    public void Dispose() => _all.ForEach(running => running.Dispose());

    /// <summary>What is reported as free is spoiled at once, so a byte that was still to be read would come wrong. The
    /// peer reads slower than is sent: sends end in the middle of vectors.</summary>
    [Fact]
    public void Hundreds_of_megabytes_arrive_unchanged_though_memory_is_used_again_as_soon_as_it_is_free()
    {
        const long TotalBytes = 300_000_000;
        RunningReactor running = Start(Options);
        using var source = new PatternSource(TotalBytes, seed: 11);
        using Socket client = ConnectTo(running, source);
        byte[] received = new byte[1 << 20];
        byte[] expected = new byte[received.Length];
        for (long at = 0; at < TotalBytes;)
        {
            int part = client.Receive(received);
            Assert.True(part > 0, $"the stream ends after {at} bytes");
            PatternSource.Fill(expected.AsSpan(0, part), at);
            Assert.True(received.AsSpan(0, part).SequenceEqual(expected.AsSpan(0, part)), $"wrong behind byte {at}");
            at += part;
        }
        running.Until(() => source.Connection!.UnsentBytes == 0, "all is free");

        Assert.Equal(TotalBytes, running.On(() => source.FreeBytes));
        Assert.InRange(running.On(() => source.MostOutstanding), 2, 64);
        Assert.False(running.On(() => source.ZeroCopy.IsOff));
        Assert.Equal((0, 0), running.On(() => (source.ZeroCopy.Count, source.ZeroCopy.Awaited)));
    }

    [Fact]
    public void A_close_waits_until_the_kernel_reads_no_memory_and_makes_it_stop()
    {
        RunningReactor running = Start(Options);
        using var source = new PatternSource(64_000_000, seed: 3);
        using Socket client = ConnectTo(running, source);
        running.Until(() => source.ZeroCopy.Awaited > 0 && IsStuck(source), "the peer takes no more");
        int awaited = running.On(() =>
        {
            source.Connection!.Close();
            return source.ZeroCopy.Awaited;
        });

        Assert.True(awaited > 0);
        running.Until(() => source.ClosedCalls > 0, "closed");
        Assert.Equal(0, source.AwaitedWhenClosed);
        client.ReceiveToEndOrReset();
        running.AssertHealthy();
    }

    [Theory]
    [InlineData(12_000_000, false)]
    [InlineData(1_500_000, true)]
    [InlineData(1_500_000, false)]
    public void An_orderly_end_brings_all_of_it_to_a_peer_that_reads_late(int totalBytes, bool peerBegins)
    {
        RunningReactor running = Start(Options);
        using var source = new PatternSource(totalBytes, seed: 4, ringBytes: 2 * totalBytes);
        using Socket client = ConnectTo(running, source);
        running.Until(() => source.ZeroCopy.Awaited > 0 && IsStuck(source), "the peer takes no more");
        if (peerBegins)
            client.Shutdown(SocketShutdown.Send);
        else
            running.On(() => source.Connection!.Close(afterSending: true, timeoutMs: 30_000));
        running.AssertHealthy();
        byte[] expected = new byte[totalBytes];
        PatternSource.Fill(expected, 0);

        Assert.True(client.ReceiveToEnd().AsSpan().SequenceEqual(expected));
        client.Dispose();
        running.Until(() => source.ClosedCalls > 0, "closed");
        Assert.Equal(totalBytes, source.FreeBytes);
    }

    [Fact]
    public void A_connection_whose_bytes_are_copied_after_all_goes_back_to_plain_sends()
    {
        RunningReactor running = Start(Options with { ZeroCopyMostCopied = 4 });
        using Socket client = running.Connect();
        byte[] bytes = new byte[400_000];
        Assert.False(running.On(() => ZeroCopyOf(running.Handlers[0]).IsOff));
        for (int i = 0; i < 40 && !running.On(() => ZeroCopyOf(running.Handlers[0]).IsOff); i++)
        {
            new Random(i).NextBytes(bytes);
            running.On(() => running.Handlers[0].Connection!.PauseReceive());
            client.Send(bytes.AsSpan(0, 60_000));
            running.On(() => running.Handlers[0].Connection!.ResumeReceive());
            Assert.Equal(bytes[..60_000], client.ReceiveExactly(60_000));
        }
        Assert.True(running.On(() => ZeroCopyOf(running.Handlers[0]).IsOff));
        client.Send(bytes);
        Assert.Equal(bytes, client.ReceiveExactly(bytes.Length));
        Assert.Equal(0, running.On(() => ZeroCopyOf(running.Handlers[0]).Count));
    }

    /// <summary>What a network device lets go of first need not be what was sent first.</summary>
    [Fact]
    public void Memory_is_free_in_the_order_of_the_sends_whatever_the_order_of_the_notifications() =>
        WithSends(sends =>
        {
            ZeroCopySend[] made = [.. Enumerable.Range(0, 3).Select(_ => Begin(sends))];
            sends.Taken(made[0], 100, isNotificationDue: true);
            sends.Taken(made[1], 200, isNotificationDue: true);
            sends.Taken(made[2], 0, isNotificationDue: false); // refused, and sent again
            sends.AddCopied(50);
            Assert.Equal(0, sends.TakeFree());
            sends.Notified(made[1], wasCopied: false);
            Assert.Equal(0, sends.TakeFree());
            sends.Notified(made[0], wasCopied: false);
            Assert.Equal(350, sends.TakeFree());
            Assert.Equal((0, 0), (sends.Count, sends.Awaited));
        });

    [Fact]
    public void Only_copies_in_a_row_make_an_end_of_it() =>
        WithSends(sends =>
        {
            for (int i = 0; i <= 1000; i++)
            {
                ZeroCopySend send = Begin(sends);
                sends.Taken(send, 1 + i, isNotificationDue: true);
                sends.Notified(send, wasCopied: i % 4 != 0);
                Assert.Equal(1 + i, sends.TakeFree());
            }
            Assert.False(sends.IsOff);
            for (int i = 0; i < 4; i++)
            {
                Assert.False(sends.IsOff);
                ZeroCopySend send = Begin(sends);
                sends.Taken(send, 1, isNotificationDue: true);
                sends.Notified(send, wasCopied: true);
            }
            Assert.True(sends.IsOff);
        });

    /// <summary>A socket of the Unix family knows none of it; a limit on locked memory or an old kernel looks the same.
    /// </summary>
    [Fact]
    public void A_refusal_costs_nothing_but_the_attempt()
    {
        RunningReactor running = Start(Options);
        int* pair = stackalloc int[2];
        Assert.Equal(0, LibC.SocketPair(LibC.AddressFamilyUnix, LibC.SocketStream, 0, pair));
        var near = new SocketHandle(pair[0]);
        using var far = new Socket(new SafeSocketHandle(pair[1], ownsHandle: true));
        byte[] expected = new byte[500_000];
        PatternSource.Fill(expected, 0);
        using var source = new PatternSource(expected.Length, seed: 5);
        running.On(() => source.Attach(running.Reactor, near));

        Assert.Equal(expected, far.ReceiveExactly(expected.Length));
        Assert.True(running.On(() => source.ZeroCopy.IsOff));
        far.Close();
        running.Until(() => source.ClosedCalls == 1, "closed");
        Assert.Equal(expected.Length, running.On(() => source.FreeBytes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void To_itself_a_machine_copies_unless_a_test_wants_it_otherwise(bool allowed)
    {
        RunningReactor running = Start(Options with { ZeroCopy = allowed, ZeroCopyToSelf = !allowed });
        using Socket client = running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        Assert.Null(running.On(() => ((UringStream)running.Handlers[0].Connection!).ZeroCopy));
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("127.0.0.1", "127.0.0.53", true)]
    [InlineData("::1", "::1", true)]
    [InlineData("::ffff:127.0.0.1", "::ffff:127.0.0.1", true)]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("2001:db8::1", "2001:db8::2", false)]
    [InlineData("::ffff:192.0.2.1", "::ffff:192.0.2.2", false)]
    public void Addresses_tell_whether_a_connection_leaves_the_machine(string local, string remote, bool stays) =>
        Assert.Equal(stays, SocketCalls.StaysHere(
            new IPEndPoint(IPAddress.Parse(local), 3260), new IPEndPoint(IPAddress.Parse(remote), 40000)));

    private void WithSends(Action<ZeroCopySends> test)
    {
        RunningReactor running = Start(Options);
        using Socket client = running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        running.On(() => test(new ZeroCopySends(
            (UringStream)running.Handlers[0].Connection!, (UringReactor)running.Reactor, mostCopied: 4)));
    }

    /// <summary>The kernel is not asked to do it.</summary>
    private static ZeroCopySend Begin(ZeroCopySends sends)
    {
        *sends.Prepare() = default;
        return sends.Newest;
    }

    private static ZeroCopySends ZeroCopyOf(EchoHandler handler) => ((UringStream)handler.Connection!).ZeroCopy!;

    /// <summary>Nothing has been freed for a while of passes.</summary>
    private static bool IsStuck(PatternSource source)
    {
        bool isStuck = source.FreeBytes == source.FreeBytesSeen;
        source.FreeBytesSeen = source.FreeBytes;
        return isStuck;
    }

    private static Socket ConnectTo(RunningReactor running, PatternSource source)
    {
        StreamListener listener = running.On(() => running.Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback, 0), socket => source.Attach(running.Reactor, socket)));
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveBufferSize = 128 * 1024,
            ReceiveTimeout = (int)RunningReactor.Patience.TotalMilliseconds,
        };
        client.Connect(listener.LocalEndPoint);
        running.Until(() => source.Connection is not null, "accepted");
        return client;
    }

    private RunningReactor Start(ReactorOptions options)
    {
        var running = new RunningReactor(options);
        _all.Add(running);
        return running;
    }
}
