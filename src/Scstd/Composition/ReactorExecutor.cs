using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Composition;

/// <summary>A reactor as the mid-layer sees it, with the memory that it leases from.</summary>
internal sealed class ReactorExecutor : IExecutor
{
    private readonly SlabsOfReactor _slabs;

    public ReactorExecutor(Reactor reactor, ISlabSource source)
    {
        Reactor = reactor;
        _slabs = new SlabsOfReactor(source, reactor.SlabTaken, reactor.SlabGoes);
        Buffers = new BufferPool(_slabs);
    }

    public Reactor Reactor { get; }

    public int Index => Reactor.Index;

    public long NowMs => Reactor.NowMs;

    public long NowUs => Reactor.NowUs;

    public BufferPool Buffers { get; }

    public void Post(Action work) => Reactor.Post(work);

    public void PostAfter(long delayMs, Action work) => Reactor.CreateTimer(work).Arm(delayMs);

    /// <summary>Gives all memory back, on the reactor's thread.</summary>
    public void GiveMemoryBack()
    {
        Buffers.Dispose();
        _slabs.Dispose();
    }
}

/// <summary>
/// What one reactor's pool takes slabs from: tells the reactor which it has, and keeps a few of those that came back,
/// for a load of large commands takes one and gives it back with each of them, and telling the kernel costs two system
/// calls. Used on the reactor's thread alone, as the pool is.
/// </summary>
internal sealed class SlabsOfReactor(ISlabSource source, Action<nint> taken, Action<nint> goes)
    : ISlabSource, IDisposable
{
    /// <summary>Our choice: what the largest transfer of a disk takes. With the free one that the pool keeps this is
    /// what each reactor is sure to have, so it is taken from nobody.</summary>
    internal const int MostKept = 4;

    private readonly Stack<nint> _kept = new(MostKept);

    public nint TakeSlab()
    {
        if (_kept.TryPop(out nint slab))
            return slab;
        slab = source.TakeSlab();
        if (slab != 0)
            taken(slab);
        return slab;
    }

    public void ReturnSlab(nint slab)
    {
        if (_kept.Count < MostKept)
            _kept.Push(slab);
        else
            GiveBack(slab);
    }

    public void Dispose()
    {
        while (_kept.TryPop(out nint slab))
            GiveBack(slab);
    }

    private void GiveBack(nint slab)
    {
        // First, for the arena may take the pages away, and who has the slab next gets others.
        goes(slab);
        source.ReturnSlab(slab);
    }
}
