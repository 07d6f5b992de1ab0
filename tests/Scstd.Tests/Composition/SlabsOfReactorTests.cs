using Scstd.Composition;
using Scstd.Core;

namespace Scstd.Tests.Composition;

public sealed class SlabsOfReactorTests
{
    private const int Capacity = 12;

    [Fact]
    public void A_few_slabs_stay_with_the_reactor_and_it_knows_all_that_it_has()
    {
        using var arena = new SlabArena(Capacity * BufferPool.SlabBytes);
        var known = new HashSet<nint>();
        int calls = 0;
        using var slabs = new SlabsOfReactor(
            arena,
            slab => calls += known.Add(slab) ? 1 : 1000,
            slab => calls += known.Remove(slab) ? 1 : 1000);
        nint[] taken = [.. Enumerable.Range(0, Capacity).Select(_ => slabs.TakeSlab())];
        Assert.Equal(0, slabs.TakeSlab());
        Assert.Equal(taken.Order(), known.Order());

        Array.ForEach(taken, slabs.ReturnSlab);
        Assert.Equal(SlabsOfReactor.MostKept, arena.Taken);
        Assert.Equal(SlabsOfReactor.MostKept, known.Count);
        int before = calls;
        slabs.ReturnSlab(slabs.TakeSlab());
        Assert.Equal(before, calls);

        slabs.Dispose();
        Assert.Equal(0, arena.Taken);
        Assert.Empty(known);
        Assert.Equal(2 * Capacity, calls);
    }
}
