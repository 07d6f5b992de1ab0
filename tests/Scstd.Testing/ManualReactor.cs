using System.Collections.Concurrent;
using System.Net;
using Scstd.Linux;

namespace Scstd.Testing;

/// <summary>
/// A reactor that runs when the test says so, on the calling thread, with a clock that the test moves. Streams are
/// in memory, file operations run at the pass after their submission. The same calls give the same run, always.
/// </summary>
public sealed class ManualReactor : Reactor
{
    private readonly ConcurrentQueue<Action> _mail = new();
    private readonly Queue<FileOperation> _files = new();
    private readonly Queue<(Action Work, Action<Exception?> Completed)> _blocking = new();
    private readonly List<IPassEnd> _passEnds = [];
    private readonly List<InMemoryStream> _streams = [];
    private readonly InMemoryNetwork _network;
    private long _nowMs = 1_000_000;
    private bool _running;

    public ManualReactor(int index = 0)
        : base(index) => _network = new InMemoryNetwork(this);

    public override string Kind => "manual";

    public override long NowMs => _nowMs;

    public bool IsDisposed { get; private set; }

    /// <summary>What a file operation does: its result, or null while it shall stay under way. By default the real
    /// system call.</summary>
    public Func<FileOperation, long?> ExecuteFile { get; set; } = operation => FileCalls.Run(operation);

    /// <summary>What the kernel has recorded of errors in writing back; by default the real one's answer.</summary>
    public Func<FileHandle, int>? FindWriteError { get; set; }

    /// <summary>While true, work given to <see cref="RunBlocking"/> waits.</summary>
    public bool HoldBlocking { get; set; }

    /// <summary>File operations submitted and not completed.</summary>
    public int FilesUnderWay => _files.Count;

    /// <summary>Streams that are not yet closed.</summary>
    public int OpenStreams => _streams.Count;

    public int ArmedTimers => Timers.Count;

    /// <summary>How often a timer, and nothing else, made it run.</summary>
    public int TimesWokenByClock { get; private set; }

    /// <summary>Runs all reactors until none has anything to do.</summary>
    public static void RunUntilIdle(params ReadOnlySpan<ManualReactor> reactors)
    {
        bool worked = true;
        for (int round = 0; worked; round++)
        {
            if (round > 100_000)
                throw new InvalidOperationException("the reactors never come to rest");
            worked = false;
            foreach (ManualReactor reactor in reactors)
                worked |= reactor.RunPass();
        }
    }

    /// <summary>Runs passes until there is nothing to do without the clock moving.</summary>
    public void RunUntilIdle() => RunUntilIdle(this);

    /// <summary>Moves the clock, stopping at every timer on the way, and runs what becomes due.</summary>
    public void Advance(long milliseconds)
    {
        long end = _nowMs + milliseconds;
        RunUntilIdle();
        while (Timers.NextDueMs <= end)
        {
            _nowMs = Math.Max(_nowMs, Timers.NextDueMs);
            TimesWokenByClock++;
            RunUntilIdle();
        }
        _nowMs = end;
        RunUntilIdle();
    }

    /// <summary>One pass; whether there was anything to do.</summary>
    public bool RunPass()
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_running)
            throw new InvalidOperationException("a pass was started from inside a pass");
        Reactor? before = Current;
        _running = true;
        Current = this;
        try
        {
            bool worked = RunMail();
            worked |= RunBlockingWork();
            worked |= RunFiles();
            worked |= _network.AcceptPending();
            foreach (InMemoryStream stream in _streams.ToArray())
                worked |= stream.ReceiveStep();
            worked |= Timers.NextDueMs <= _nowMs;
            Timers.RunDue(_nowMs);
            worked |= RunPassEnds();
            foreach (InMemoryStream stream in _streams.ToArray())
                worked |= stream.SendStep();
            return worked;
        }
        finally
        {
            Current = before;
            _running = false;
        }
    }

    /// <summary>Runs <paramref name="work"/> as if it came by <see cref="Post"/>, then everything it led to.</summary>
    public void Do(Action work)
    {
        Post(work);
        RunUntilIdle();
    }

    public override void Post(Action work) => _mail.Enqueue(work);

    public override void AtPassEnd(IPassEnd subscriber)
    {
        if (!_passEnds.Contains(subscriber))
            _passEnds.Add(subscriber);
    }

    /// <summary>An in-memory socket for <see cref="Attach"/> and the peer that holds its other end.</summary>
    public (SocketHandle Socket, InMemoryStreamPeer Peer) CreateSocket(InMemoryStreamOptions? options = null) =>
        _network.CreateSocket(options ?? new InMemoryStreamOptions());

    /// <summary>Connects to a listener of this reactor; it sees the socket in the next pass.</summary>
    public InMemoryStreamPeer Connect(IPEndPoint endPoint, InMemoryStreamOptions? options = null) =>
        _network.Connect(endPoint, options ?? new InMemoryStreamOptions());

    public override ReservedPort Reserve(
        IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf) =>
        _network.Reserve(endPoint, shares, inPlaceOf);

    public override StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted) =>
        _network.Listen(port, share, accepted);

    public override StreamConnection Attach(SocketHandle socket, IStreamHandler handler)
    {
        InMemoryStream stream = _network.Attach(socket, handler);
        _streams.Add(stream);
        return stream;
    }

    public override void Submit(FileOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation.File);
        ObjectDisposedException.ThrowIf(operation.File.IsClosed, operation.File);
        if (_files.Contains(operation))
            throw new InvalidOperationException("a file operation was submitted twice");
        _files.Enqueue(operation);
    }

    public override int TakeWriteError(FileHandle file) =>
        FindWriteError is null ? base.TakeWriteError(file) : FindWriteError(file);

    public override void RunBlocking(Action work, Action<Exception?> completed) => _blocking.Enqueue((work, completed));

    internal void Remove(InMemoryStream stream) => _streams.Remove(stream);

    protected override void Dispose(bool disposing) => IsDisposed = true;

    private bool RunMail()
    {
        int count = _mail.Count;
        for (int i = 0; i < count && _mail.TryDequeue(out Action? work); i++)
            work();
        return count > 0;
    }

    private bool RunBlockingWork()
    {
        if (HoldBlocking)
            return false;
        int count = _blocking.Count;
        for (int i = 0; i < count; i++)
        {
            (Action work, Action<Exception?> completed) = _blocking.Dequeue();
            Exception? thrown = RunElsewhere(work);
            Post(() => completed(thrown));
        }
        return count > 0;
    }

    private Exception? RunElsewhere(Action work)
    {
        Current = null;
        try
        {
            work();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
        finally
        {
            Current = this;
        }
    }

    private bool RunFiles()
    {
        bool worked = false;
        for (int count = _files.Count; count > 0; count--)
        {
            FileOperation operation = _files.Dequeue();
            if (ExecuteFile(operation) is long result)
            {
                worked = true;
                operation.Completed(result);
            }
            else
            {
                _files.Enqueue(operation);
            }
        }
        return worked;
    }

    private bool RunPassEnds()
    {
        if (_passEnds.Count == 0)
            return false;
        IPassEnd[] subscribers = [.. _passEnds];
        _passEnds.Clear();
        foreach (IPassEnd subscriber in subscribers)
            subscriber.PassEnded();
        return true;
    }
}
