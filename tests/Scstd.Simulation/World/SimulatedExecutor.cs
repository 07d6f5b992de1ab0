using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>Executors whose work is run by one seeded scheduler: any interleaving that real reactors could show, on one
/// thread, again and again for the same seed.</summary>
internal sealed class SimulatedExecutor(World? world, int index, BufferPool buffers) : IExecutor
{
    private readonly Queue<Action> _work = new();
    private readonly PriorityQueue<Action, (long DueMs, long Order)> _later = new();
    private long _order;

    public int Index { get; } = index;

    /// <summary>Without a world there is no time either.</summary>
    public long NowMs => world?.NowMs ?? 0;

    public BufferPool Buffers { get; } = buffers;

    public bool HasWork => _work.Count > 0 || (_later.TryPeek(out _, out var due) && due.DueMs <= NowMs);

    /// <summary>When the next delayed work is due, or <see cref="long.MaxValue"/>.</summary>
    public long NextDueMs => _later.TryPeek(out _, out var due) ? due.DueMs : long.MaxValue;

    public void Post(Action work) => _work.Enqueue(work);

    public void PostAfter(long delayMs, Action work) => _later.Enqueue(work, (NowMs + delayMs, _order++));

    public void RunOne()
    {
        if (_later.TryPeek(out _, out var due) && due.DueMs <= NowMs)
            _later.Dequeue()();
        else
            _work.Dequeue()();
    }
}
