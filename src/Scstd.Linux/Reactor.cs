using System.Net;

namespace Scstd.Linux;

/// <summary>
/// One thread, one core, one event loop. Everything that belongs to a reactor is touched on its thread alone, so
/// nothing that it owns needs a lock. The loop works in passes: take all that is ready, run it to completion, flush
/// every connection once, submit all storage operations with one call, and only then look (or sleep) again.
/// </summary>
/// <remarks>All members but <see cref="Post"/> are for the reactor's own thread.</remarks>
public abstract class Reactor : IDisposable
{
    private readonly TimerQueue _timers = new();

    [ThreadStatic]
    private static Reactor? _current;

    protected Reactor(int index) => Index = index;

    /// <summary>The reactor whose thread this is, or null on any other thread.</summary>
    public static Reactor? Current
    {
        get => _current;
        protected set => _current = value;
    }

    /// <summary>0 … number of reactors − 1.</summary>
    public int Index { get; }

    /// <summary>"io_uring", "epoll", or a test's own name.</summary>
    public abstract string Kind { get; }

    public bool IsCurrent => ReferenceEquals(_current, this);

    /// <summary>Monotonic milliseconds, read once a pass.</summary>
    public abstract long NowMs { get; }

    /// <summary>Timers of this reactor; the loop runs those that are due once a pass.</summary>
    protected TimerQueue Timers => _timers;

    /// <summary>Runs <paramref name="work"/> on this reactor, after whatever it does now. From any thread.</summary>
    public abstract void Post(Action work);

    /// <summary>Calls <paramref name="subscriber"/> once at the end of this pass, before it submits.</summary>
    public abstract void AtPassEnd(IPassEnd subscriber);

    /// <summary>A timer that is not armed yet.</summary>
    public ReactorTimer CreateTimer(Action expired) => new(this, expired);

    /// <summary>Listens; each accepted socket is handed over with its ownership. Throws SocketException.</summary>
    public abstract StreamListener Listen(IPEndPoint endPoint, Action<SocketHandle> accepted);

    /// <summary>Takes over a connected socket, accepted by whichever reactor.</summary>
    public abstract StreamConnection Attach(SocketHandle socket, IStreamHandler handler);

    /// <summary>Starts a file operation; <see cref="FileOperation.Completed"/> is called later on this reactor, never
    /// from inside this call.</summary>
    public abstract void Submit(FileOperation operation);

    /// <summary>Runs work that can only block on a small bounded pool; <paramref name="completed"/> comes back as a
    /// message on this reactor, with what the work threw, or null.</summary>
    public abstract void RunBlocking(Action work, Action<Exception?> completed);

    internal void Arm(ReactorTimer timer, long dueMs) => _timers.Arm(timer, dueMs);

    internal void Disarm(ReactorTimer timer) => _timers.Disarm(timer);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>What wants to run once when the current pass ends, before the reactor submits and sleeps.</summary>
public interface IPassEnd
{
    void PassEnded();
}
