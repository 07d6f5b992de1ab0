using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>Executors whose work is run by one seeded scheduler: any interleaving that real reactors could show, on one
/// thread, again and again for the same seed.</summary>
internal sealed class SimulatedExecutor(int index, BufferPool buffers) : IExecutor
{
    private readonly Queue<Action> _work = new();

    public int Index { get; } = index;

    public long NowMs => 0;

    public BufferPool Buffers { get; } = buffers;

    public bool HasWork => _work.Count > 0;

    public void Post(Action work) => _work.Enqueue(work);

    public void PostAfter(long delayMs, Action work) => _work.Enqueue(work);

    public void RunOne() => _work.Dequeue()();
}
