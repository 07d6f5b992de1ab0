using System.Diagnostics;

namespace Scstd.Linux;

/// <summary>Work that may block. Its item is linked into the queue by itself, so queueing allocates nothing.</summary>
internal interface IWorkItem
{
    IWorkItem? Following { get; set; }

    /// <summary>Runs on a worker thread; must not throw.</summary>
    void Run();

    /// <summary>Tells that it has run, upon which the next item may come at once.</summary>
    void Tell()
    {
    }
}

/// <summary>
/// Threads for calls that can only block, started when they are wanted. The queue is bounded by its users: every
/// reactor lets only so many items out at a time.
/// </summary>
/// <param name="name">Of each thread.</param>
/// <param name="count">No more than these; further items wait.</param>
/// <param name="idleTimeoutMs">A thread without work ends after this.</param>
/// <param name="looksForWork">A thread looks for its next item a little before it sleeps.</param>
internal sealed class WorkerThreads(
    string name, int count, int idleTimeoutMs = Timeout.Infinite, bool looksForWork = false)
{
    private readonly object _lock = new();
    private IWorkItem? _first;
    private IWorkItem? _last;
    private int _queued;
    private int _idle;
    private int _looking;
    private int _running;

    /// <summary>File operations that would make a reactor wait. Our choice: 4 threads keep a disk's queue busy, and
    /// more only add switching where the ring is refused.</summary>
    internal static WorkerThreads Files { get; } = new("scstd-file", 4);

    /// <summary>Tapes, robots, pass-through devices and the like. Apart from the file workers, for they may block for
    /// minutes; and each of these devices has one thing under way at a time, so with a thread for each none waits for
    /// another. The number is a bound against the unforeseen.</summary>
    internal static WorkerThreads Blocking { get; } =
        new("scstd-blocking", 256, idleTimeoutMs: 10_000, looksForWork: true);

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
            // Whoever looks will look once more under the lock before it waits.
            int beyond = _queued - Volatile.Read(ref _looking);
            if (beyond <= 0)
                return;
            if (beyond <= _idle)
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
        var spin = new SpinPolicy(looksForWork ? ReactorLatency.Balanced : ReactorLatency.Power);
        Interlocked.Increment(ref _looking);
        while (Take(spin) is { } item)
        {
            item.Run();
            // What follows from this item is for this thread, and wakes no other one up.
            Interlocked.Increment(ref _looking);
            item.Tell();
        }
    }

    /// <summary>Null: there was nothing to do for long enough, and the thread is not counted any more.</summary>
    private IWorkItem? Take(SpinPolicy spin)
    {
        long begun = Stopwatch.GetTimestamp();
        bool found = Look(begun, spin.IsWorthIt ? spin.BudgetUs : 0);
        IWorkItem? item = TakeOrWait();
        spin.Waited(Microseconds(begun), slept: !found);
        return item;
    }

    /// <summary>Looks for an item a little while, where that has been worth it lately: to be woken up takes longer than
    /// what comes between two commands of a stream.</summary>
    private bool Look(long begun, int budgetUs)
    {
        while (Volatile.Read(ref _queued) == 0 && Microseconds(begun) < budgetUs)
            Thread.SpinWait(20);
        Interlocked.Decrement(ref _looking);
        return Volatile.Read(ref _queued) > 0;
    }

    private static long Microseconds(long begun) =>
        (Stopwatch.GetTimestamp() - begun) / (Stopwatch.Frequency / 1_000_000);

    private IWorkItem? TakeOrWait()
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
