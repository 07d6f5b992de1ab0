using System.Net;
using System.Net.Sockets;

namespace Scstd.Linux.Tests;

/// <summary>A reactor under test with an echo server on it, and clients of the run-time's own sockets.</summary>
internal sealed class RunningReactor : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<EchoHandler> _handlers = [];

    public RunningReactor(ReactorOptions options)
    {
        Reactor = ReactorFactory.Start(options with { Faulted = Faults.Add }, Log.Add);
        Listener = On(() => Reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), Accept));
    }

    public Reactor Reactor { get; }

    public StreamListener Listener { get; }

    public List<Exception> Faults { get; } = [];

    public List<string> Log { get; } = [];

    /// <summary>How handlers of new connections are made.</summary>
    public Func<EchoHandler> NewHandler { get; set; } = () => new EchoHandler();

    /// <summary>Handlers in the order in which their connections were accepted; for the reactor's thread.</summary>
    public IReadOnlyList<EchoHandler> Handlers => _handlers;

    public int OpenConnections { get; private set; }

    /// <summary>Sockets, eventfds, epolls and rings of this process; the run-time opens files whenever it likes.
    /// </summary>
    public static int OpenDescriptors()
    {
        GC.Collect(); // what a former test left to the collector is not to go in between
        GC.WaitForPendingFinalizers();
        return Directory.GetFiles("/proc/self/fd")
            .Select(descriptor => new FileInfo(descriptor).LinkTarget ?? "")
            .Count(target => target.StartsWith("socket:", StringComparison.Ordinal)
                || target.StartsWith("anon_inode:", StringComparison.Ordinal));
    }

    public T On<T>(Func<T> work)
    {
        Task<T> task = Reactor.InvokeAsync(work);
        Assert.True(task.Wait(Patience), "the reactor does not answer");
        return task.Result;
    }

    public void On(Action work) =>
        On(() =>
        {
            work();
            return true;
        });

    /// <summary>Keeps the reactor's thread from doing anything; returns once it is held.</summary>
    public void Hold(ManualResetEventSlim release)
    {
        var held = new ManualResetEventSlim();
        Reactor.Post(() =>
        {
            held.Set();
            release.Wait();
        });
        Assert.True(held.Wait(Patience));
    }

    public Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
            SendTimeout = (int)Patience.TotalMilliseconds,
        };
        try
        {
            socket.Connect(Listener.LocalEndPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks the reactor, pass after pass, until it says yes.</summary>
    public void Until(Func<bool> reached, string what)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!On(reached))
            Assert.True(Environment.TickCount64 < end, $"never happened: {what}");
    }

    public void AssertHealthy()
    {
        Assert.Empty(Faults);
        using Socket client = Connect();
        byte[] ping = [1, 2, 3, 4, 5];
        client.Send(ping);
        Assert.Equal(ping, client.ReceiveExactly(5));
    }

    public void Dispose()
    {
        bool drained = Reactor.Stop();
        Reactor.Dispose();
        foreach (EchoHandler handler in _handlers)
            handler.Dispose();
        if (Faults.Count > 0)
            throw new InvalidOperationException("a callback has thrown", Faults[0]);
        Assert.True(drained, "something was still under way");
        Assert.Equal(0, OpenConnections);
        Assert.All(_handlers, handler => Assert.Equal(1, handler.ClosedCalls));
    }

    private void Accept(SocketHandle socket)
    {
        EchoHandler handler = NewHandler();
        handler.WhenClosed += _ => OpenConnections--;
        OpenConnections++;
        _handlers.Add(handler);
        handler.Start(Reactor.Attach(socket, handler));
    }
}

internal static class SocketReading
{
    public static byte[] ReceiveExactly(this Socket socket, int lengthBytes)
    {
        byte[] bytes = new byte[lengthBytes];
        int received = 0;
        while (received < lengthBytes)
        {
            int part = socket.Receive(bytes, received, lengthBytes - received, SocketFlags.None);
            Assert.True(part > 0, $"end of stream after {received} of {lengthBytes} bytes");
            received += part;
        }
        return bytes;
    }

    public static void ReceiveExactlyInto(this Socket socket, byte[] bytes)
    {
        for (int received = 0; received < bytes.Length;)
            received += socket.Receive(bytes, received, bytes.Length - received, SocketFlags.None);
    }

    /// <summary>Until the stream ends, in whichever way.</summary>
    public static void ReceiveToEndOrReset(this Socket socket)
    {
        try
        {
            socket.ReceiveToEnd();
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            socket.Close();
        }
    }

    /// <summary>All bytes up to the end of the stream.</summary>
    public static byte[] ReceiveToEnd(this Socket socket)
    {
        var all = new MemoryStream();
        byte[] part = new byte[65536];
        int received;
        while ((received = socket.Receive(part)) > 0)
            all.Write(part, 0, received);
        return all.ToArray();
    }
}
