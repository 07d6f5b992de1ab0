namespace Scstd.Core;

/// <summary>
/// A reactor as the mid-layer sees it: a place where work runs one after the other. The mid-layer starts no thread
/// and no timer; whoever composes the daemon gives it these.
/// </summary>
public interface IExecutor
{
    /// <summary>0 … number of executors − 1.</summary>
    int Index { get; }

    /// <summary>Monotonic milliseconds.</summary>
    long NowMs { get; }

    /// <summary>The same clock in microseconds. Read once a pass: what begins and ends within one takes no time.
    /// </summary>
    long NowUs => NowMs * 1000;

    /// <summary>The leasing pool of this executor.</summary>
    BufferPool Buffers { get; }

    /// <summary>Runs <paramref name="work"/> here, later, in the order of the posts. From any thread.</summary>
    void Post(Action work);

    /// <summary>Runs <paramref name="work"/> here, not before <paramref name="delayMs"/> from now. From this executor
    /// alone. It cannot be called off: the work looks itself whether it is still wanted.</summary>
    void PostAfter(long delayMs, Action work);
}
