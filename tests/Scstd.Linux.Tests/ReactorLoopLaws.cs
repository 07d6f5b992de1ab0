using System.Net.Sockets;

namespace Scstd.Linux.Tests;

/// <summary>What every reactor owes to its timers, its mail and the ends of its passes.</summary>
public abstract class ReactorLoopLaws(ReactorKind kind)
{
    [Fact]
    public void Timers_run_in_the_order_of_their_times_and_not_before()
    {
        using RunningReactor running = Start();
        var ran = new List<(int DelayMs, long AtMs)>();
        int[] delays = [30, 5, 50, 0, 20, 5];
        long start = running.On(() =>
        {
            foreach (int delay in delays)
                running.Reactor.CreateTimer(() => ran.Add((delay, running.Reactor.NowMs))).Arm(delay);
            ReactorTimer cancelled = running.Reactor.CreateTimer(() => ran.Add((-1, 0)));
            cancelled.Arm(1);
            cancelled.Cancel();
            return running.Reactor.NowMs;
        });
        running.Until(() => ran.Count == delays.Length, "all timers have run");

        Assert.Equal(delays.Order(), ran.Select(timer => timer.DelayMs));
        Assert.All(ran, timer => Assert.True(timer.AtMs - start >= timer.DelayMs));
    }

    [Fact]
    public void A_timer_wakes_a_sleeping_reactor_and_may_arm_itself_again()
    {
        using RunningReactor running = Start();
        using var done = new ManualResetEventSlim();
        int rounds = 0;
        running.On(() =>
        {
            ReactorTimer? timer = null;
            timer = running.Reactor.CreateTimer(() =>
            {
                if (++rounds == 5)
                    done.Set();
                else
                    timer!.Arm(2);
            });
            timer.Arm(2);
        });
        Assert.True(done.Wait(RunningReactor.Patience));
        Assert.Equal(5, rounds);
    }

    [Fact]
    public void Everything_posted_from_many_threads_runs_once_and_in_each_threads_order()
    {
        using RunningReactor running = Start();
        const int Threads = 4;
        const int Each = 20_000;
        int[] next = new int[Threads];
        int outOfOrder = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                int number = i;
                running.Reactor.Post(() => outOfOrder += next[thread]++ == number ? 0 : 1);
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        running.Until(() => next.All(count => count == Each), "all has run");

        Assert.Equal(0, outOfOrder);
    }

    [Fact]
    public void A_subscriber_runs_once_a_pass_however_often_it_asks_and_before_the_flush()
    {
        using RunningReactor running = Start();
        using Socket client = running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        var subscriber = new Subscriber();
        (ulong Passes, ulong Sends) first = running.On(() =>
        {
            for (int i = 0; i < 10; i++)
                running.Reactor.AtPassEnd(subscriber);
            subscriber.When = () => running.Handlers[0].Received(subscriber.Memory, 1);
            return (running.Reactor.Passes, running.Reactor.Sends);
        });
        client.ReceiveExactly(1);

        Assert.Equal(1, subscriber.Runs);
        Assert.Equal(first.Sends + 1, running.On(() => running.Reactor.Sends));
        running.On(() => running.Reactor.AtPassEnd(subscriber));
        client.ReceiveExactly(1);
        Assert.Equal(2, subscriber.Runs);
    }

    [Fact]
    public void A_subscriber_that_always_asks_again_does_not_stop_the_loop()
    {
        using RunningReactor running = Start();
        var subscriber = new Subscriber();
        subscriber.When = () =>
        {
            if (subscriber.Runs < 1000)
                running.Reactor.AtPassEnd(subscriber);
        };
        running.On(() => running.Reactor.AtPassEnd(subscriber));
        running.AssertHealthy();
        running.Until(() => subscriber.Runs == 1000, "1000 ends");
        Assert.Equal(1000, subscriber.Runs);
    }

    [Fact]
    public void Blocking_work_leaves_the_reactor_free_and_comes_back_with_what_it_threw()
    {
        using RunningReactor running = Start();
        using var release = new ManualResetEventSlim();
        (Exception? Thrown, Reactor? On)? first = null;
        (Exception? Thrown, Reactor? On)? second = null;
        Reactor? during = running.Reactor;
        running.On(() =>
        {
            running.Reactor.RunBlocking(
                () =>
                {
                    release.Wait();
                    during = Reactor.Current;
                },
                thrown => first = (thrown, Reactor.Current));
            running.Reactor.RunBlocking(
                () => throw new InvalidDataException("broken"), thrown => second = (thrown, Reactor.Current));
        });
        running.Until(() => second is not null, "the second is back");
        running.AssertHealthy();
        Assert.Null(running.On(() => first));
        release.Set();
        running.Until(() => first is not null, "the first is back");

        Assert.Null(during);
        Assert.Equal((null, running.Reactor), first);
        Assert.IsType<InvalidDataException>(second!.Value.Thrown);
        Assert.Same(running.Reactor, second!.Value.On);
    }

    [Fact]
    public void An_await_on_the_reactor_comes_back_to_it()
    {
        using RunningReactor running = Start();
        Reactor? after = null;
        running.On(() => Wait());
        running.Until(() => after is not null, "came back");
        Assert.Same(running.Reactor, after);

        async void Wait()
        {
            await Task.Run(() => { });
            after = Reactor.Current;
        }
    }

    [Fact]
    public void An_exception_that_escapes_is_told_and_ends_the_loop()
    {
        var faults = new List<Exception>();
        Reactor reactor = ReactorFactory.Start(new ReactorOptions { Kind = kind, Faulted = faults.Add }, _ => { });
        reactor.Post(() => throw new InvalidDataException("a bug"));

        Assert.False(reactor.Stop());
        Assert.Equal("a bug", Assert.IsType<InvalidDataException>(Assert.Single(faults)).Message);
    }

    [Fact]
    public void Stop_closes_what_is_open_and_leaves_no_descriptor()
    {
        Start().Dispose();
        int before = RunningReactor.OpenDescriptors();
        RunningReactor running = Start();
        using Socket quiet = running.Connect();
        using Socket talking = running.Connect();
        quiet.Send([1]);
        quiet.ReceiveExactly(1);
        talking.Send(new byte[100]);
        talking.ReceiveExactly(100);
        Assert.Equal(2, running.On(() => running.OpenConnections));

        running.Dispose();

        Assert.Empty(quiet.ReceiveToEnd());
        Assert.Equal(StreamCloseReason.ClosedHere, running.Handlers[0].ClosedReason);
        quiet.Dispose();
        talking.Dispose();
        Assert.Equal(before, RunningReactor.OpenDescriptors());
    }

    [Fact]
    public void Stop_gives_up_on_what_never_comes_back()
    {
        Reactor reactor = ReactorFactory.Start(new ReactorOptions { Kind = kind }, _ => { });
        using var release = new ManualResetEventSlim();
        reactor.Post(() => reactor.RunBlocking(release.Wait, _ => { }));

        Assert.False(reactor.Stop(timeoutMs: 20));
        release.Set();
    }

    [Theory]
    [InlineData(ReactorLatency.Power)]
    [InlineData(ReactorLatency.Balanced)]
    [InlineData(ReactorLatency.Low)]
    public void A_reactor_that_looks_for_work_serves_and_sleeps_in_the_end(ReactorLatency latency)
    {
        using RunningReactor running = new(new ReactorOptions { Kind = kind, Latency = latency });
        running.AssertHealthy();
        ulong before = running.Reactor.Sleeps;
        using var fired = new ManualResetEventSlim();
        running.On(() => running.Reactor.CreateTimer(fired.Set).Arm(20));
        Assert.True(fired.Wait(RunningReactor.Patience));
        Assert.True(running.Reactor.Sleeps > before);
    }

    [Fact]
    public void The_thread_alone_is_bound_to_its_core()
    {
        int cpu = ThreadAffinity.AllowedCpus()[^1];
        using RunningReactor running = new(new ReactorOptions { Kind = kind, Cpu = cpu });

        Assert.Equal([cpu], running.On(ThreadAffinity.AllowedCpus));
        Assert.Equal(Environment.ProcessorCount, ThreadAffinity.AllowedCpus().Count);
        Assert.Throws<LinuxException>(
            () => ReactorFactory.Start(new ReactorOptions { Kind = kind, Cpu = 1023 }, _ => { }));
    }

    [Fact]
    public void An_idle_reactor_sleeps_without_passes_and_the_counters_move_with_the_work()
    {
        using RunningReactor running = Start();
        using Socket client = running.Connect();
        client.Send([1]);
        client.ReceiveExactly(1);
        ulong receives = running.Reactor.Receives;
        for (int i = 0; i < 10; i++)
        {
            client.Send([1]);
            client.ReceiveExactly(1);
        }
        running.On(() => { });
        ulong passes = running.Reactor.Passes;

        Assert.Equal(receives + 10, running.Reactor.Receives);
        Assert.True(running.Reactor.SystemCalls >= running.Reactor.Sleeps);
        Assert.InRange(running.On(() => running.Reactor.Passes), passes, passes + 3);
    }

    private RunningReactor Start() => new(new ReactorOptions { Kind = kind });

    private sealed unsafe class Subscriber : IPassEnd
    {
        private readonly byte* _memory = (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed(16);

        public nint Memory => (nint)_memory;

        public int Runs { get; private set; }

        public Action? When { get; set; }

        public void PassEnded()
        {
            Runs++;
            When?.Invoke();
        }
    }
}
