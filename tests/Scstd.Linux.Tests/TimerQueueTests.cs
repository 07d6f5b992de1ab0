using CsCheck;
using Scstd.Testing;

namespace Scstd.Linux.Tests;

public sealed class TimerQueueTests
{
    private const int Timers = 12;

    private static readonly Gen<(int What, int Timer, long At)> Step =
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, Timers - 1], Gen.Long[0, 40]);

    [Fact]
    public void Whatever_is_armed_moved_and_cancelled_the_queue_runs_what_a_plain_list_would() =>
        Step.Array[0, 200].Sample(steps =>
        {
            var queue = new TimerQueue();
            var model = new SortedDictionary<int, long>();
            var ran = new List<int>();
            using var reactor = new ManualReactor();
            ReactorTimer[] timers =
                [.. Enumerable.Range(0, Timers).Select(i => reactor.CreateTimer(() => ran.Add(i)))];
            long now = 0;
            foreach ((int what, int timer, long at) in steps)
            {
                switch (what)
                {
                    case 0 or 1:
                        queue.Arm(timers[timer], now + at);
                        model[timer] = now + at;
                        break;
                    case 2:
                        queue.Disarm(timers[timer]);
                        model.Remove(timer);
                        break;
                    default:
                        now += at;
                        ran.Clear();
                        queue.RunDue(now);
                        AssertRan(model, ran, now);
                        break;
                }
                Assert.Equal(model.Count, queue.Count);
                Assert.Equal(model.Count == 0 ? long.MaxValue : model.Values.Min(), queue.NextDueMs);
                Assert.All(Enumerable.Range(0, Timers), i => Assert.Equal(model.ContainsKey(i), timers[i].IsArmed));
            }
        });

    [Fact]
    public void What_a_timer_arms_for_now_waits_for_the_next_call()
    {
        var queue = new TimerQueue();
        using var reactor = new ManualReactor();
        int runs = 0;
        ReactorTimer? timer = null;
        timer = reactor.CreateTimer(() =>
        {
            runs++;
            queue.Arm(timer!, 0);
        });
        queue.Arm(timer, 0);

        queue.RunDue(10);
        Assert.Equal(1, runs);
        queue.RunDue(10);
        Assert.Equal(2, runs);
    }

    private static void AssertRan(SortedDictionary<int, long> model, List<int> ran, long now)
    {
        int[] due = [.. model.Where(timer => timer.Value <= now).Select(timer => timer.Key)];
        Assert.Equal(due.Order(), ran.Order());
        Assert.Equal(ran.Select(timer => model[timer]).Order(), ran.Select(timer => model[timer]));
        foreach (int timer in due)
            model.Remove(timer);
    }
}
