namespace Scstd.Linux.Tests;

/// <summary>Threads for what can only block.</summary>
public sealed class WorkerThreadsTests
{
    private const int Devices = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void No_device_waits_for_another()
    {
        using var together = new Barrier(Devices);
        using var ended = new CountdownEvent(Devices);
        for (int i = 0; i < Devices; i++)
        {
            WorkerThreads.Blocking.Enqueue(new Item(() =>
            {
                // Passed only if all are under way at a time.
                if (together.SignalAndWait(Patience))
                    ended.Signal();
            }));
        }
        Assert.True(ended.Wait(Patience));
    }

    [Fact]
    public void A_pool_has_no_more_threads_than_it_may_and_does_everything_all_the_same()
    {
        var threads = new WorkerThreads("test", 3);
        int most = 0;
        int now = 0;
        using var ended = new CountdownEvent(100);
        for (int i = 0; i < 100; i++)
        {
            threads.Enqueue(new Item(() =>
            {
                int mine = Interlocked.Increment(ref now);
                for (int seen = most; mine > seen; seen = most)
                    Interlocked.CompareExchange(ref most, mine, seen);
                Thread.Yield();
                Interlocked.Decrement(ref now);
                ended.Signal();
            }));
        }
        Assert.True(ended.Wait(Patience));
        Assert.InRange(most, 1, 3);
        Assert.Equal(100, threads.Enqueued);
    }

    [Fact]
    public void Threads_without_work_end_and_others_come_when_there_is_some_again()
    {
        var threads = new WorkerThreads("test", 8, idleTimeoutMs: 1);
        for (int round = 0; round < 20; round++)
        {
            using var ended = new CountdownEvent(8);
            for (int i = 0; i < 8; i++)
                threads.Enqueue(new Item(() => ended.Signal()));
            Assert.True(ended.Wait(Patience));
            if (round % 2 == 0)
                Assert.True(SpinWait.SpinUntil(() => threads.Running == 0, Patience));
        }
    }

    [Fact]
    public void What_follows_from_an_item_is_for_the_thread_that_did_it()
    {
        var threads = new WorkerThreads("test", 8);
        using var ended = new ManualResetEventSlim();
        int left = 1000;
        threads.Enqueue(new Item(() => left--, Follow));
        Assert.True(ended.Wait(Patience));
        Assert.Equal(1, threads.Running);

        void Follow()
        {
            if (left > 0)
                threads.Enqueue(new Item(() => left--, Follow));
            else
                ended.Set();
        }
    }

    private sealed class Item(Action work, Action? tell = null) : IWorkItem
    {
        public IWorkItem? Following { get; set; }

        public void Run() => work();

        public void Tell() => tell?.Invoke();
    }
}
