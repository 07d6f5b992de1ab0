using Scstd.Linux.IoUring;

namespace Scstd.Linux.Tests;

public sealed unsafe class RingTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, ErrorNumber.Busy)]
    [InlineData(7, ErrorNumber.TryAgain)]
    [InlineData(2, ErrorNumber.Interrupted)]
    public void Entries_beyond_the_queue_are_kept_in_order_while_the_kernel_takes_none(int refusals, int error)
    {
        const int Entries = 5000;
        using var ring = new Ring(null);
        ring.RefuseEnter = () => refusals-- > 0 ? error : 0;
        for (int i = 0; i < Entries; i++)
            ring.Next()->UserData = (ulong)i;
        var order = new List<int>();
        while (order.Count < Entries)
        {
            ring.Enter(1, 1000);
            for (uint ready = ring.CompletionsReady(); ready > 0; ready--)
                order.Add((int)ring.Take().UserData);
        }
        Assert.Equal(Enumerable.Range(0, Entries), order);
        Assert.False(ring.HasSubmissions);
        Assert.False(ring.HasCompletions);
    }

    [Fact]
    public void More_completions_than_the_queue_holds_are_not_lost()
    {
        const int Entries = 20_000;
        using var ring = new Ring(null);
        for (int i = 0; i < Entries; i++)
            ring.Next()->UserData = (ulong)i;
        var seen = new HashSet<ulong>();
        while (seen.Count < Entries)
        {
            ring.Enter(1, 1000);
            for (uint ready = ring.CompletionsReady(); ready > 0; ready--)
                Assert.True(seen.Add(ring.Take().UserData));
        }
        Assert.Equal(Entries, seen.Count);
    }

    [Fact]
    public void An_error_that_nothing_can_cure_is_thrown()
    {
        using var ring = new Ring(null);
        ring.RefuseEnter = () => ErrorNumber.BadDescriptor;

        LinuxException thrown = Assert.Throws<LinuxException>(() => ring.Enter(0, 0));
        Assert.Equal("io_uring_enter", thrown.Call);
    }

    [Fact]
    public void A_wait_ends_with_its_time()
    {
        using var ring = new Ring(null);
        ring.Enter(1, 20);
        Assert.False(ring.HasCompletions);
    }
}
