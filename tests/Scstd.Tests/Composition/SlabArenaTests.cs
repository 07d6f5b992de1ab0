using CsCheck;
using Scstd.Composition;
using Scstd.Core;

namespace Scstd.Tests.Composition;

public sealed class SlabArenaTests
{
    private const long Slab = BufferPool.SlabBytes;

    [Fact]
    public void The_bound_is_kept_and_every_slab_is_another()
    {
        using var arena = new SlabArena(5 * Slab + 1);
        Assert.Equal(5, arena.Capacity);
        nint[] taken = [.. Enumerable.Range(0, 5).Select(_ => arena.TakeSlab())];

        Assert.Equal(5, taken.Distinct().Count());
        Assert.All(taken, slab => Assert.Equal(0, slab % Slab));
        Assert.Equal(0, arena.TakeSlab());
        Assert.Equal(0, arena.TakeSlab());
        arena.ReturnSlab(taken[3]);
        Assert.Equal(taken[3], arena.TakeSlab());
        Assert.Equal(5, arena.Taken);
        Array.ForEach(taken, arena.ReturnSlab);
        Assert.Equal(0, arena.Taken);
    }

    /// <summary>The first touch decides where the kernel takes a page from.</summary>
    [Fact]
    public unsafe void A_slab_comes_back_to_its_node_or_without_its_pages()
    {
        using var arena = new SlabArena(3 * Slab, nodes: 2);
        ISlabSource near = arena.OfNode(0), far = arena.OfNode(1);
        nint one = near.TakeSlab(), other = near.TakeSlab();
        *(long*)one = *(long*)other = 7;
        near.ReturnSlab(one);
        near.ReturnSlab(other);

        nint fresh = far.TakeSlab();
        Assert.DoesNotContain(fresh, (nint[])[one, other]);
        Assert.Equal(other, near.TakeSlab());
        Assert.Equal(7, *(long*)other);
        Assert.Equal(one, far.TakeSlab());
        Assert.Equal(0, *(long*)one);
        Assert.Equal((nint)0, near.TakeSlab());
        far.ReturnSlab(fresh);
        far.ReturnSlab(one);
        near.ReturnSlab(other);
    }

    [Fact]
    public void An_arena_does_not_end_under_a_pool()
    {
        var arena = new SlabArena(2 * Slab);
        nint slab = arena.TakeSlab();
        Assert.ThrowsAny<Exception>(arena.Dispose);
        arena.ReturnSlab(slab);
        arena.Dispose();
    }

    [Fact]
    public void Memory_of_another_place_is_not_taken_back()
    {
        using var arena = new SlabArena(2 * Slab);
        Assert.ThrowsAny<Exception>(() => arena.ReturnSlab(4096));
    }

    /// <summary>More slabs than are kept warm come back, and all can be written to again.</summary>
    [Fact]
    public unsafe void A_slab_that_went_back_to_the_kernel_is_as_good_as_new()
    {
        using var arena = new SlabArena(40 * Slab);
        for (int round = 0; round < 2; round++)
        {
            nint[] taken = [.. Enumerable.Range(0, 40).Select(_ => arena.TakeSlab())];
            foreach (nint slab in taken)
            {
                *(long*)slab = slab;
                *(long*)(slab + Slab - 8) = ~slab;
            }
            Assert.All(taken, slab => Assert.Equal((slab, ~slab), (*(long*)slab, *(long*)(slab + Slab - 8))));
            Array.ForEach(taken, arena.ReturnSlab);
        }
    }

    /// <summary>Threads that take, mark, look and give back: no slab is ever with two of them.</summary>
    [Fact]
    public async Task Threads_never_get_the_same_slab()
    {
        const int Threads = 4, Rounds = 20_000, Capacity = 6;
        using var arena = new SlabArena(Capacity * Slab);
        int[] owners = new int[Capacity];
        nint first = arena.TakeSlab();
        arena.ReturnSlab(first);
        int clashes = 0, refusals = 0;

        await Task.WhenAll(Enumerable.Range(1, Threads).Select(me => Task.Factory.StartNew(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                nint a = arena.TakeSlab(), b = arena.TakeSlab();
                if (a == 0 || b == 0)
                    Interlocked.Increment(ref refusals);
                foreach (nint slab in (nint[])[b, a])
                {
                    if (slab == 0)
                        continue;
                    ref int owner = ref owners[(slab - first) / Slab];
                    if (Interlocked.Exchange(ref owner, me) != 0 || Interlocked.Exchange(ref owner, 0) != me)
                        Interlocked.Increment(ref clashes);
                    arena.ReturnSlab(slab);
                }
            }
        }, TaskCreationOptions.LongRunning)));

        Assert.Equal(0, clashes);
        Assert.Equal(0, arena.Taken);
        nint[] all = [.. Enumerable.Range(0, Capacity).Select(_ => arena.TakeSlab())];
        Assert.Equal(Capacity, all.Where(slab => slab != 0).Distinct().Count());
        Array.ForEach(all, arena.ReturnSlab);
        Assert.True(refusals < Threads * Rounds, "nobody ever got two");
    }

    [Fact]
    public void Pools_that_share_an_arena_stay_within_it() =>
        Gen.Int[1, BufferPool.MaxSegmentBytes].Array[1, 60].Sample(lengths =>
        {
            using var arena = new SlabArena(4 * Slab);
            using var left = new BufferPool(arena);
            using var right = new BufferPool(arena);
            var leases = new List<(BufferPool Pool, nint Address, int Length)>();
            foreach (int length in lengths)
            {
                BufferPool pool = length % 2 == 0 ? left : right;
                if (pool.TryLease(length, out nint address))
                    leases.Add((pool, address, length));
            }
            bool within = arena.Taken <= arena.Capacity && left.SlabCount + right.SlabCount == arena.Taken;
            leases.ForEach(lease => lease.Pool.Return(lease.Address, lease.Length));
            return within;
        }, iter: 50);
}
