using System.Runtime.InteropServices;
using CsCheck;

namespace Scstd.Core.Tests.Buffers;

public sealed unsafe class BufferPoolTests
{
    [Fact]
    public void Leases_are_page_aligned_and_do_not_overlap()
    {
        var slabs = new Slabs(8);
        using var pool = new BufferPool(slabs);
        var leases = new List<(nint Address, int Length)>();
        foreach (int length in new[] { 1, 4096, 4097, 65536, 262144, 1 << 20, 512, 12288 })
        {
            Assert.True(pool.TryLease(length, out nint address));
            Assert.Equal(0, address % 4096);
            Assert.All(leases, l => Assert.True(address + length <= l.Address || l.Address + l.Length <= address));
            new Span<byte>((void*)address, length).Fill(0xA5);
            leases.Add((address, length));
        }
        leases.ForEach(l => pool.Return(l.Address, l.Length));
        Assert.Equal(0, pool.LeasesOut);
        Assert.Equal(0, pool.BytesOut);
    }

    [Fact]
    public void The_bound_holds_and_what_comes_back_can_be_leased_in_another_size()
    {
        var slabs = new Slabs(1);
        using var pool = new BufferPool(slabs);
        var pages = new List<nint>();
        while (pool.TryLease(4096, out nint page))
            pages.Add(page);
        Assert.Equal(BufferPool.SlabBytes / 4096, pages.Count);
        Assert.False(pool.TryLease(1, out _));
        pages.ForEach(p => pool.Return(p, 4096));
        Assert.True(pool.TryLease(BufferPool.MaxSegmentBytes, out nint first));
        Assert.True(pool.TryLease(BufferPool.MaxSegmentBytes, out nint second));
        pool.Return(first, BufferPool.MaxSegmentBytes);
        pool.Return(second, BufferPool.MaxSegmentBytes);
    }

    [Fact]
    public void A_lease_returned_twice_is_our_bug()
    {
        using var pool = new BufferPool(new Slabs(1));
        Assert.True(pool.TryLease(4096, out nint address));
        Assert.True(pool.TryLease(4096, out nint other));
        pool.Return(address, 4096);
        Assert.ThrowsAny<Exception>(() => pool.Return(address, 4096));
        pool.Return(other, 4096);
    }

    [Fact]
    public void A_pool_that_is_closed_with_a_lease_out_says_so()
    {
        var pool = new BufferPool(new Slabs(1));
        Assert.True(pool.TryLease(8192, out nint address));
        Assert.ThrowsAny<Exception>(pool.Dispose);
        pool.Return(address, 8192);
        pool.Dispose();
    }

    [Fact]
    public void Memory_that_is_not_needed_goes_back_to_the_source()
    {
        var slabs = new Slabs(16);
        using var pool = new BufferPool(slabs);
        var leases = new List<nint>();
        for (int i = 0; i < 20; i++)
        {
            Assert.True(pool.TryLease(1 << 20, out nint address));
            leases.Add(address);
        }
        Assert.Equal(10, slabs.Out);
        leases.ForEach(l => pool.Return(l, 1 << 20));
        Assert.True(slabs.Out <= 1, $"{slabs.Out} slabs are kept");
    }

    [Fact]
    public void Any_sequence_of_leases_and_returns_keeps_its_data_apart()
    {
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var random = new Random(seed);
            var slabs = new Slabs(6);
            using var pool = new BufferPool(slabs);
            var leases = new List<(nint Address, int Length, byte Mark)>();
            for (int step = 0; step < 400; step++)
            {
                if (leases.Count > 0 && random.Next(5) < 2)
                {
                    int index = random.Next(leases.Count);
                    (nint address, int length, byte mark) = leases[index];
                    leases.RemoveAt(index);
                    Assert.Equal(-1, new Span<byte>((void*)address, length).IndexOfAnyExcept(mark));
                    pool.Return(address, length);
                    continue;
                }
                int wanted = 1 + random.Next(1 << (12 + random.Next(9)));
                if (!pool.TryLease(wanted, out nint got))
                    continue;
                byte stamp = (byte)random.Next(256);
                new Span<byte>((void*)got, wanted).Fill(stamp);
                leases.Add((got, wanted, stamp));
            }
            leases.ForEach(l => pool.Return(l.Address, l.Length));
            Assert.Equal(0, pool.BytesOut);
        }, iter: 60);
    }

    [Fact]
    public void A_lease_costs_no_managed_memory()
    {
        using var pool = new BufferPool(new Slabs(4));
        LeaseAndReturn(pool, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        LeaseAndReturn(pool, 1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_buffer_copies_across_its_segments()
    {
        var slabs = new Slabs(8);
        using var pool = new BufferPool(slabs);
        var buffer = new DataBuffer();
        int length = (2 * BufferPool.MaxSegmentBytes) + 5000;
        Assert.True(buffer.TryLease(pool, length));
        Assert.Equal(length, buffer.LengthBytes);
        byte[] bytes = new byte[9000];
        new Random(1).NextBytes(bytes);
        int offset = BufferPool.MaxSegmentBytes - 4000;
        buffer.CopyFrom(bytes, offset);
        byte[] back = new byte[9000];
        buffer.CopyTo(back, offset);
        Assert.Equal(bytes, back);
        Assert.ThrowsAny<Exception>(() => buffer.CopyFrom(bytes, length - 100));
        buffer.Return();
        Assert.Equal(0, pool.LeasesOut);
    }

    [Fact]
    public void A_buffer_that_cannot_be_leased_whole_leases_nothing()
    {
        using var pool = new BufferPool(new Slabs(1));
        var buffer = new DataBuffer();
        Assert.False(buffer.TryLease(pool, 3 * BufferPool.MaxSegmentBytes));
        Assert.True(buffer.IsEmpty);
        Assert.Equal(0, pool.LeasesOut);
    }

    private static void LeaseAndReturn(BufferPool pool, int times)
    {
        for (int i = 0; i < times; i++)
        {
            pool.TryLease(4096, out nint small);
            pool.TryLease(65536, out nint large);
            pool.Return(small, 4096);
            pool.Return(large, 65536);
        }
    }

    private sealed class Slabs(int limit) : ISlabSource
    {
        public int Out { get; private set; }

        public nint TakeSlab()
        {
            if (Out == limit)
                return 0;
            Out++;
            return (nint)NativeMemory.AlignedAlloc(BufferPool.SlabBytes, BufferPool.SlabBytes);
        }

        public void ReturnSlab(nint slab)
        {
            Out--;
            NativeMemory.AlignedFree((void*)slab);
        }
    }
}
