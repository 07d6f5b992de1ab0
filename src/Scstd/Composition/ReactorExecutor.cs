using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Composition;

/// <summary>A reactor as the mid-layer sees it, with the memory that it leases from.</summary>
internal sealed class ReactorExecutor(Reactor reactor, ISlabSource slabs) : IExecutor
{
    public Reactor Reactor { get; } = reactor;

    public int Index => Reactor.Index;

    public long NowMs => Reactor.NowMs;

    public long NowUs => Reactor.NowUs;

    public BufferPool Buffers { get; } = new(slabs);

    public void Post(Action work) => Reactor.Post(work);

    public void PostAfter(long delayMs, Action work) => Reactor.CreateTimer(work).Arm(delayMs);
}
