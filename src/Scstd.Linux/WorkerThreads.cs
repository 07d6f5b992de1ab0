namespace Scstd.Linux;

/// <summary>Work that may block. Its item is linked into the queue by itself, so queueing allocates nothing.</summary>
internal interface IWorkItem
{
    IWorkItem? Following { get; set; }

    /// <summary>Runs on a worker thread; must not throw.</summary>
    void Run();
}

/// <summary>
/// A few threads for calls that can only block. The queue is bounded by its users: every reactor lets only so many
/// items out at a time.
/// </summary>
internal sealed class WorkerThreads(string name, int count)
{
    private readonly object _lock = new();
    private IWorkItem? _first;
    private IWorkItem? _last;
    private int _queued;
    private int _idle;
    private int _started;

    /// <summary>File operations that would make a reactor wait. Our choice: 4 threads keep a disk's queue busy, and
    /// more only add switching where the ring is refused.</summary>
    internal static WorkerThreads Files { get; } = new("scstd-file", 4);

    /// <summary>Pass-through devices and the like. Apart from the file workers, for they may block for minutes.
    /// </summary>
    internal static WorkerThreads Blocking { get; } = new("scstd-blocking", 4);

    /// <summary>How many items were ever given to these threads.</summary>
    internal long Enqueued { get; private set; }

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
            else if (_started < count)
                StartOne();
        }
    }

    private void StartOne()
    {
        _started++;
        new Thread(Serve) { IsBackground = true, Name = name }.Start();
    }

    private void Serve()
    {
        while (true)
            Take().Run();
    }

    private IWorkItem Take()
    {
        lock (_lock)
        {
            while (_first is null)
            {
                _idle++;
                Monitor.Wait(_lock);
                _idle--;
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
