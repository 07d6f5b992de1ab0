using System.Diagnostics;
using System.Net;
using System.Runtime.Intrinsics.X86;

namespace Scstd.Linux;

/// <summary>
/// The loop that both kernel interfaces share: wait, dispatch what is ready, run mail and timers, end the pass, flush
/// every connection once, and wait again. What differs (how to wait, receive, send and reach files) is below.
/// </summary>
internal abstract class LoopReactor : Reactor
{
    /// <summary>Our choice: how often pass ends, flushes and closes may call each other up within one pass before the
    /// loop looks at the kernel again.</summary>
    private const int MaxRounds = 4;

    /// <summary>Our choice: inline file operations that one pass runs before it flushes.</summary>
    private const int MaxInlineFiles = 1024;

    /// <summary>Our choice: file operations that one reactor has with the workers at a time; what is beyond waits
    /// here, so that the workers' queue is bounded.</summary>
    private const int MaxFilesAtWorkers = 128;

    private static readonly long TicksPerMs = Stopwatch.Frequency / 1000;
    private static readonly long TicksPerUs = Stopwatch.Frequency / 1_000_000;

    private readonly ReactorOptions _options;
    private readonly SpinPolicy _spin;

    /// <summary>While work that blocks is under way: it takes longer than a command, and its end is all that is waited
    /// for.</summary>
    private readonly SpinPolicy _spinBesideBlocking;
    private readonly List<SocketStream> _streams = [];
    private readonly List<SocketListener> _listeners = [];
    private readonly PassEndList _passEnds = new();
    private List<SocketStream> _dirty = [];
    private List<SocketStream> _flushing = [];
    private List<SocketStream> _closing = [];
    private List<SocketStream> _closingNow = [];
    private FileList _inline;
    private FileList _waitingForWorkers;
    private int _filesAtWorkers;
    private long _nowMs;
    private long _nowUs;
    private int _blockingUnderWay;
    private bool _stopping;
    private long _stopDeadlineMs;
    private bool _isDisposed;

    protected LoopReactor(ReactorOptions options, bool nonBlockingMail)
        : base(options.Index)
    {
        _options = options;
        _spin = new SpinPolicy(options.Latency);
        _spinBesideBlocking = new SpinPolicy(options.Latency, SpinPolicy.BesideBlockingUs);
        Mailbox = new Mailbox(nonBlockingMail);
        ReadClocks();
    }

    public sealed override long NowMs => _nowMs;

    public sealed override long NowUs => _nowUs;

    internal Thread? Thread { get; set; }

    /// <summary>Everything that was under way when the loop ended had come back.</summary>
    internal bool IsDrained { get; private set; }

    internal bool IsStopping => _stopping;

    /// <summary>During a flush: no other connection has anything to send or to ask for.</summary>
    internal bool FlushesOne => _flushing.Count == 1;

    protected Mailbox Mailbox { get; }

    /// <summary>File operations that the kernel holds.</summary>
    protected abstract int FilesAtKernel { get; }

    private bool HasWork =>
        _dirty.Count > 0 || _closing.Count > 0 || !_inline.IsEmpty || _passEnds.Count > 0;

    public sealed override void Post(Action work) => Mailbox.Post(work);

    public sealed override void AtPassEnd(IPassEnd subscriber) => _passEnds.Add(subscriber);

    public sealed override void RunBlocking(Action work, Action<Exception?> completed) =>
        Run(WorkerThreads.Blocking, work, completed);

    public sealed override void RunFileCall(Action work, Action<Exception?> completed) =>
        Run(WorkerThreads.Files, work, completed);

    public sealed override void Submit(FileOperation operation)
    {
        if (operation.IsUnderWay)
            throw new InvalidOperationException("a file operation was submitted while it was under way");
        if (operation.File is null || operation.File.IsClosed)
            throw new InvalidOperationException("a file operation was submitted on a file that is not open");
        operation.IsUnderWay = true;
        if (operation.File.Inline)
            _inline.Append(operation);
        else
            SubmitToKernel(operation);
    }

    public sealed override ReservedPort Reserve(
        IPEndPoint endPoint, int shares, IReadOnlyList<ReservedPort> inPlaceOf) =>
        new SocketPort(endPoint, shares, inPlaceOf);

    public sealed override StreamListener Listen(ReservedPort port, int share, Action<SocketHandle> accepted)
    {
        SocketListener listener = CreateListener(((SocketPort)port).Take(share), accepted);
        _listeners.Add(listener);
        return listener;
    }

    public sealed override StreamConnection Attach(SocketHandle socket, IStreamHandler handler)
    {
        SocketCalls.SendAtOnce(socket.Descriptor);
        SocketStream stream = CreateStream(socket, handler);
        stream.ListIndex = _streams.Count;
        _streams.Add(stream);
        return stream;
    }

    public sealed override bool Stop(int timeoutMs = 5000)
    {
        if (IsCurrent)
            throw new InvalidOperationException("a reactor cannot wait for its own end");
        Post(() => BeginStop(timeoutMs));
        Thread?.Join();
        return IsDrained;
    }

    /// <summary>The thread's life. Returns when the reactor was stopped or has faulted.</summary>
    internal void Run()
    {
        Current = this;
        SynchronizationContext.SetSynchronizationContext(new ReactorContext(this));
        try
        {
            while (!IsFinished())
                RunPass();
            if (IsDrained)
                ReleaseKernel();
        }
        catch (Exception exception) when (_options.Faulted is not null)
        {
            // Whatever the kernel still holds stays allocated: the process is about to end loudly.
            _options.Faulted(exception);
        }
        finally
        {
            Current = null;
        }
    }

    /// <summary>Any thread: a worker has run the operation.</summary>
    internal void CompletedElsewhere(FileOperation operation) => Mailbox.PostCompleted(operation);

    internal void MarkDirty(SocketStream stream) => _dirty.Add(stream);

    internal void MarkClosing(SocketStream stream) => _closing.Add(stream);

    /// <summary>The last takes its place: the same work for any number of connections.</summary>
    internal void Forget(SocketStream stream)
    {
        SocketStream last = _streams[^1];
        _streams[stream.ListIndex] = last;
        last.ListIndex = stream.ListIndex;
        _streams.RemoveAt(_streams.Count - 1);
    }

    internal void Forget(SocketListener listener) => _listeners.Remove(listener);

    private void ReadClocks()
    {
        long ticks = Stopwatch.GetTimestamp();
        _nowMs = ticks / TicksPerMs;
        _nowUs = ticks / TicksPerUs;
    }

    protected static long ReadClock() => Stopwatch.GetTimestamp() / TicksPerMs;

    /// <summary>Waits until something is ready, no longer than <paramref name="timeoutMs"/> (−1: for ever; 0: only
    /// looks), having submitted everything that is to be submitted. Whether something is ready.</summary>
    protected abstract bool Wait(int timeoutMs);

    /// <summary>Handles what <see cref="Wait"/> found.</summary>
    protected abstract void Dispatch();

    protected abstract SocketListener CreateListener(SocketHandle socket, Action<SocketHandle> accepted);

    protected abstract SocketStream CreateStream(SocketHandle socket, IStreamHandler handler);

    protected abstract void SubmitToKernel(FileOperation operation);

    /// <summary>Gives back what the kernel was asked for. Nothing is under way any more.</summary>
    protected abstract void ReleaseKernel();

    /// <summary>Keeps an operation for the next step of this pass, where it is read from the page cache without
    /// waiting, or given to a worker.</summary>
    protected void RunLater(FileOperation operation) => _inline.Append(operation);

    protected void GiveToWorker(FileOperation operation)
    {
        if (_filesAtWorkers >= MaxFilesAtWorkers)
        {
            _waitingForWorkers.Append(operation);
            return;
        }
        _filesAtWorkers++;
        operation.Owner = this;
        WorkerThreads.Files.Enqueue(operation);
    }

    protected static void Complete(FileOperation operation, long result)
    {
        operation.IsUnderWay = false;
        operation.Completed(result);
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing || _isDisposed)
            return;
        _isDisposed = true;
        if (Thread is not null)
            Stop();
    }

    private void RunPass()
    {
        Passes++;
        WaitForWork();
        ReadClocks();
        Dispatch();
        Mailbox.RunPosted();
        TakeCompletedFiles();
        Timers.RunDue(_nowMs);
        for (int round = 0; round < MaxRounds && HasWork; round++)
            EndPass();
    }

    private void WaitForWork()
    {
        int timeoutMs = TimeoutMs();
        if (timeoutMs == 0)
        {
            Wait(0);
            return;
        }
        SpinPolicy spin = _blockingUnderWay == 0 ? _spin : _spinBesideBlocking;
        if (spin.BudgetUs == 0)
        {
            Sleep(timeoutMs);
            return;
        }
        long begun = Stopwatch.GetTimestamp();
        bool found = spin.IsWorthIt && Spin(spin, begun, timeoutMs);
        if (!found)
            Sleep(TimeoutMs());
        spin.Waited((Stopwatch.GetTimestamp() - begun) / TicksPerUs, slept: !found);
    }

    private void Sleep(int timeoutMs)
    {
        if (!Mailbox.TrySleep())
        {
            Wait(0);
            return;
        }
        Sleeps++;
        Wait(timeoutMs);
        Mailbox.Awake();
    }

    /// <summary>Looks again and again for a while; true if there is something to do.</summary>
    private bool Spin(SpinPolicy spin, long begun, int timeoutMs)
    {
        long budget = spin.BudgetUs * TicksPerUs;
        long end = begun + (timeoutMs < 0 ? budget : Math.Min(budget, timeoutMs * TicksPerMs));
        do
        {
            if (Wait(0) || !Mailbox.IsEmpty)
                return true;
            if (X86Base.IsSupported)
                X86Base.Pause(); // leaves the core's other thread its share
        }
        while (Stopwatch.GetTimestamp() < end);
        return false;
    }

    private int TimeoutMs()
    {
        if (HasWork || !Mailbox.IsEmpty)
            return 0;
        long due = _stopping ? Math.Min(Timers.NextDueMs, _stopDeadlineMs) : Timers.NextDueMs;
        return due == long.MaxValue ? -1 : (int)Math.Clamp(due - ReadClock(), 0, int.MaxValue);
    }

    private void EndPass()
    {
        for (int budget = MaxInlineFiles; budget > 0 && _inline.TryTake(out FileOperation? operation); budget--)
            RunInline(operation);
        _passEnds.Run();
        (_dirty, _flushing) = (_flushing, _dirty);
        foreach (SocketStream stream in _flushing)
            stream.Flush();
        _flushing.Clear();
        (_closing, _closingNow) = (_closingNow, _closing);
        foreach (SocketStream stream in _closingNow)
            stream.TearDown();
        _closingNow.Clear();
    }

    private void TakeCompletedFiles()
    {
        FileOperation? operation = Mailbox.TakeCompleted();
        while (operation is not null)
        {
            FileOperation? following = operation.Next;
            operation.Next = null;
            operation.Owner = null;
            _filesAtWorkers--;
            Complete(operation, operation.WorkerResult);
            operation = following;
        }
        while (_filesAtWorkers < MaxFilesAtWorkers && _waitingForWorkers.TryTake(out operation))
            GiveToWorker(operation);
    }

    private void RunInline(FileOperation operation)
    {
        SystemCalls++;
        if (operation.File!.Inline)
        {
            Complete(operation, FileCalls.Run(operation));
            return;
        }
        long result = FileCalls.ReadWithoutWaiting(operation);
        if (result is -ErrorNumber.TryAgain or -ErrorNumber.NotSupported or -ErrorNumber.Interrupted)
            GiveToWorker(operation);
        else
            Complete(operation, result);
    }

    private void BeginStop(int timeoutMs)
    {
        if (_stopping)
            return;
        _stopping = true;
        _stopDeadlineMs = ReadClock() + timeoutMs;
        foreach (SocketListener listener in _listeners.ToArray())
            listener.Close();
        foreach (SocketStream stream in _streams.ToArray())
            stream.Close(afterSending: stream.UnsentBytes > 0, timeoutMs / 2);
    }

    private bool IsFinished()
    {
        if (!_stopping)
            return false;
        bool idle = _streams.Count == 0 && _listeners.Count == 0 && FilesAtKernel == 0 && _filesAtWorkers == 0
            && _blockingUnderWay == 0 && !HasWork;
        IsDrained = idle;
        return idle || ReadClock() >= _stopDeadlineMs;
    }

    private void Run(WorkerThreads threads, Action work, Action<Exception?> completed)
    {
        _blockingUnderWay++;
        threads.Enqueue(new BlockingWork(this, work, completed));
    }

    /// <summary>Awaits in the control path come back to the reactor.</summary>
    private sealed class ReactorContext(LoopReactor reactor) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback callback, object? state) =>
            reactor.Post(() => callback(state));
    }

    private sealed class BlockingWork(LoopReactor reactor, Action work, Action<Exception?> completed) : IWorkItem
    {
        private Exception? _thrown;

        public IWorkItem? Following { get; set; }

        public void Run()
        {
            try
            {
                work();
            }
            catch (Exception exception)
            {
                _thrown = exception;
            }
        }

        public void Tell() => reactor.Post(() =>
        {
            reactor._blockingUnderWay--;
            completed(_thrown);
        });
    }
}
