using System.Collections.Concurrent;
using Scstd.Core;

namespace Scstd.Testing;

/// <summary>
/// An executor that runs what was posted when the test says so, in the order of the posts, with a clock that the test
/// moves. Disposing it proves that every lease came back.
/// </summary>
public sealed class TestExecutor : IExecutor, IDisposable
{
    // From any thread, as an executor must take them: a backend's pool may post while a test waits for it.
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly PriorityQueue<Action, (long DueMs, long Number)> _timers = new();
    private readonly NativeSlabs _slabs;
    private long _timerCount;

    public TestExecutor(int index = 0, int slabs = 64)
    {
        Index = index;
        _slabs = new NativeSlabs(slabs);
        Buffers = new BufferPool(_slabs);
    }

    public int Index { get; }

    public long NowMs { get; set; } = 1_000_000;

    public BufferPool Buffers { get; }

    public bool IsIdle => _posted.IsEmpty;

    public void Post(Action work) => _posted.Enqueue(work);

    public void PostAfter(long delayMs, Action work) => _timers.Enqueue(work, (NowMs + delayMs, _timerCount++));

    /// <summary>Moves the clock; what is due is posted in the order of its time.</summary>
    public void Advance(long ms)
    {
        NowMs += ms;
        while (_timers.TryPeek(out Action? work, out (long DueMs, long Number) next) && next.DueMs <= NowMs)
        {
            _timers.Dequeue();
            Post(work);
        }
    }

    /// <summary>Runs one piece of work; false if there is none.</summary>
    public bool RunOne()
    {
        if (!_posted.TryDequeue(out Action? work))
            return false;
        work();
        return true;
    }

    /// <summary>Runs what is posted, and what that posts, until nothing is left.</summary>
    public void Run()
    {
        while (RunOne())
        {
        }
    }

    /// <summary>Runs several executors in turn until none has anything left.</summary>
    public static void RunAll(params ReadOnlySpan<TestExecutor> executors)
    {
        bool ran = true;
        while (ran)
        {
            ran = false;
            foreach (TestExecutor executor in executors)
                ran |= executor.RunOne();
        }
    }

    public void Dispose()
    {
        Invariant.That(Buffers.LeasesOut == 0, $"{Buffers.LeasesOut} leases are still out at the end of the test");
        Buffers.Dispose();
        Invariant.That(_slabs.SlabsOut == 0, "a slab did not come back");
    }
}
