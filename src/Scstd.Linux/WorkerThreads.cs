namespace Scstd.Linux;

/// <summary>Work that may block. Its item is linked into the queue by itself, so queueing allocates nothing.</summary>
internal interface IWorkItem
{
    IWorkItem? Following { get; set; }

    /// <summary>Runs on a worker thread; must not throw.</summary>
    void Run();
}

/// <summary>
/// Threads for calls that can only block, started when they are wanted. The queue is bounded by its users: every
/// reactor lets only so many items out at a time.
/// </summary>
/// <param name="name">Of each thread.</param>
/// <param name="count">No more than these; further items wait.</param>
/// <param name="idleTimeoutMs">A thread without work ends after this.</param>
internal sealed class WorkerThreads(string name, int count, int idleTimeoutMs = Timeout.Infinite)
{
    private readonly object _lock = new();
    private IWorkItem? _first;
    private IWorkItem? _last;
    private int _queued;
    private int _idle;
    private int _running;

    /// <summary>File operations that would make a reactor wait. Our choice: 4 threads keep a disk's queue busy, and
    /// more only add switching where the ring is refused.</summary>
    internal static WorkerThreads Files { get; } = new("scstd-file", 4);

    /// <summary>Tapes, robots, pass-through devices and the like. Apart from the file workers, for they may block for
    /// minutes; and each of these devices has one thing under way at a time, so with a thread for each none waits for
    /// another. The number is a bound against the unforeseen.</summary>
    internal static WorkerThreads Blocking { get; } = new("scstd-blocking", 256, idleTimeoutMs: 10_000);

    /// <summary>How many items were ever given to these threads.</summary>
    internal long Enqueued { get; private set; }

    /// <summary>Threads that are there.</summary>
    internal int Running
    {
        get
        {
            lock (_lock)
                return _running;
        }
    }

    internal void Enqueue(IWorkItem item)
    {
        item.Following = null;
        lock (_lock)
        {
            Enqueued++;
            if (_last is null)
                _first = item;
            else
                _last.Following = item;
            _last = item;
            _queued++;
            if (_queued <= _idle)
                Monitor.Pulse(_lock);
            else if (_running < count)
                StartOne();
        }
    }

    private void StartOne()
    {
        _running++;
        try
        {
            new Thread(Serve) { IsBackground = true, Name = name }.Start();
        }
        catch (OutOfMemoryException) when (_running > 1)
        {
            // The system lets this process have no more of them: one that is there will come to it.
            _running--;
        }
    }

    private void Serve()
    {
        while (Take() is { } item)
            item.Run();
    }

    /// <summary>Null: there was nothing to do for long enough, and the thread is not counted any more.</summary>
    private IWorkItem? Take()
    {
        lock (_lock)
        {
            while (_first is null)
            {
                _idle++;
                bool isCalled = Monitor.Wait(_lock, idleTimeoutMs);
                _idle--;
                if (!isCalled && _first is null)
                {
                    _running--;
                    return null;
                }
            }
            IWorkItem item = _first;
            _first = item.Following;
            if (_first is null)
                _last = null;
            _queued--;
            item.Following = null;
            return item;
        }
    }
}
