using System.Net;

namespace Scstd.Linux;

/// <summary>
/// One thread, one core, one event loop. Everything that belongs to a reactor is touched on its thread alone, so
/// nothing that it owns needs a lock. The loop works in passes: take all that is ready, run it to completion, flush
/// every connection once, submit all storage operations with one call, and only then look (or sleep) again.
/// </summary>
/// <remarks>All members but <see cref="Post"/>, InvokeAsync, the counters and <see cref="Stop"/> are for the
/// reactor's own thread.</remarks>
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

    /// <summary>The same clock in microseconds.</summary>
    public virtual long NowUs => NowMs * 1000;

    /// <summary>How often the loop went round.</summary>
    public ulong Passes { get; protected set; }

    /// <summary>How often it found nothing to do and slept.</summary>
    public ulong Sleeps { get; protected set; }

    /// <summary>System calls made by the reactor's own thread for sockets, files and waiting.</summary>
    public ulong SystemCalls { get; protected internal set; }

    /// <summary>Receives that brought bytes.</summary>
    public ulong Receives { get; protected internal set; }

    /// <summary>Sends that took bytes.</summary>
    public ulong Sends { get; protected internal set; }

    /// <summary>Timers of this reactor; the loop runs those that are due once a pass.</summary>
    protected TimerQueue Timers => _timers;

    /// <summary>Runs <paramref name="work"/> on this reactor, after whatever it does now. From any thread.</summary>
    public abstract void Post(Action work);

    /// <summary>Calls <paramref name="subscriber"/> once at the end of this pass, before it submits.</summary>
    public abstract void AtPassEnd(IPassEnd subscriber);

    /// <summary>A timer that is not armed yet.</summary>
    public ReactorTimer CreateTimer(Action expired) => new(this, expired);

    /// <summary>Takes an address, for so many listeners, of any reactors. Nobody else gets it meanwhile. Throws
    /// SocketException; then all is as it was.</summary>
    /// <param name="endPoint">The address.</param>
    /// <param name="shares">How many will listen.</param>
    /// <param name="inPlaceOf">Of this process, and to be closed: the address may overlap theirs, and until they are
    /// closed both are there.</param>
    public abstract ReservedPort Reserve(IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf);

    /// <summary>Listens for one of the shares; each accepted socket is handed over with its ownership.</summary>
    public abstract StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted);

    /// <summary>Listens alone.</summary>
    public StreamListener Listen(IPEndPoint endPoint, Action<SocketHandle> accepted) =>
        Listen(Reserve(endPoint, 1, []), 0, accepted);

    /// <summary>Takes over a connected socket, accepted by whichever reactor.</summary>
    public abstract StreamConnection Attach(SocketHandle socket, IStreamHandler handler);

    /// <summary>Starts a file operation; <see cref="FileOperation.Completed"/> is called later on this reactor, never
    /// from inside this call.</summary>
    public abstract void Submit(FileOperation operation);

    /// <summary>The reactor has a slab of <see cref="ReactorOptions.Slabs"/> now: the kernel can be told of it once
    /// instead of with each operation.</summary>
    public virtual void SlabTaken(nint slab)
    {
    }

    /// <summary>Before the slab is given back. Nothing in it is used by an operation.</summary>
    public virtual void SlabGoes(nint slab)
    {
    }

    /// <summary><see cref="FileHandle.TakeWriteError"/>: at once, by a call that does not wait.</summary>
    public virtual int TakeWriteError(FileHandle file)
    {
        SystemCalls++;
        return file.TakeWriteError();
    }

    /// <summary>Runs work of a device that can only block, on a thread that waits for no other device;
    /// <paramref name="completed"/> comes back as a message on this reactor, with what the work threw, or null. A
    /// device has few of these under way at a time.</summary>
    public abstract void RunBlocking(Action work, Action<Exception?> completed);

    /// <summary>The same for a call on a file that may wait for its disk, and of which there may be many: on the few
    /// threads that file operations have.</summary>
    public virtual void RunFileCall(Action work, Action<Exception?> completed) => RunBlocking(work, completed);

    /// <summary>Closes listeners and connections, waits for what is under way, no longer than
    /// <paramref name="timeoutMs"/>, and ends the loop. From any other thread. False if something was still under
    /// way: its memory is then left alone for ever. What is posted afterwards does not run.</summary>
    public virtual bool Stop(int timeoutMs = 5000) => true;

    /// <summary>Runs <paramref name="work"/> on this reactor and hands its result, or what it threw, to whoever
    /// awaits.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.SetResult(work());
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        });
        return result.Task;
    }

    /// <inheritdoc cref="InvokeAsync{T}"/>
    public Task InvokeAsync(Action work) =>
        InvokeAsync(() =>
        {
            work();
            return true;
        });

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
