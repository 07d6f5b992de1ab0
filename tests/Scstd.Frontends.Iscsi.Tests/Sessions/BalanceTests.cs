using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>Which sessions go by themselves to another reactor.</summary>
public sealed class BalanceTests
{
    private const int Seconds = 60;

    [Fact]
    public void Of_two_busy_sessions_on_one_reactor_one_goes_to_the_idle_one_and_stays_there()
    {
        using var world = World();
        Initiator[] busy = TwoAtOneReactor(world);
        int[] before = [.. busy.Select(one => HomeOf(world, one))];
        Assert.Equal(before[0], before[1]);
        Work(world, busy, Seconds);
        int[] after = [.. busy.Select(one => HomeOf(world, one))];
        Assert.NotEqual(after[0], after[1]);

        Work(world, busy, Seconds);
        Assert.Equal(after, busy.Select(one => HomeOf(world, one)));
    }

    /// <summary>It does no less with one session less, so what it saves says nothing.</summary>
    [Fact]
    public void From_a_reactor_with_many_sessions_and_all_it_can_do_they_go_until_both_are_alike()
    {
        using var world = World();
        Initiator[] all = [.. Enumerable.Range(0, 16).Select(i => world.LogIn(name: $"iqn.2026-11.test:number{i}"))];
        Initiator[] busy = [.. all.Where(one => HomeOf(world, one) == 1)];
        foreach (Initiator other in all.Except(busy))
            other.Peer.Reset();
        world.Run();
        Assert.Equal([0, 8], world.Homes.Select(home => home.SessionCount));
        for (int minute = 0; minute < 6; minute++)
        {
            int there = busy.Count(one => HomeOf(world, one) == 1);
            Work(world, busy, Seconds, one => HomeOf(world, one) == 1 ? 80ul / (ulong)there : 10);
        }
        Assert.InRange(world.Homes[0].SessionCount, 3, 5);
    }

    [Fact]
    public void Two_that_are_busy_do_not_both_send_to_the_one_that_is_idle()
    {
        using var world = World(reactors: 3);
        Initiator[] all = [.. Enumerable.Range(0, 6).Select(i => world.LogIn(name: $"iqn.2026-11.test:number{i}"))];
        Initiator[] busy = [.. all.Where(one => HomeOf(world, one) != 2)];
        foreach (Initiator other in all.Except(busy))
            other.Peer.Reset();
        world.Run();
        Assert.Equal([2, 2, 0], world.Homes.Select(home => home.SessionCount));
        Work(world, busy, Seconds * 2);

        Assert.Equal([1, 1, 2], world.Homes.Select(home => home.SessionCount).Order());
    }

    [Fact]
    public void The_only_busy_session_stays_where_it_is()
    {
        using var world = World();
        Initiator[] busy = TwoAtOneReactor(world)[..1];
        int before = HomeOf(world, busy[0]);
        Work(world, busy, Seconds);

        Assert.Equal(before, HomeOf(world, busy[0]));
    }

    [Fact]
    public void Sessions_that_do_little_stay_together()
    {
        using var world = World();
        Initiator[] quiet = TwoAtOneReactor(world);
        int before = HomeOf(world, quiet[0]);
        Work(world, quiet, Seconds, commandsPerMs: 5);

        Assert.Equal([before, before], quiet.Select(one => HomeOf(world, one)));
    }

    [Fact]
    public void Where_it_is_switched_off_nobody_moves()
    {
        using var world = World(moves: false);
        Initiator[] busy = TwoAtOneReactor(world);
        int before = HomeOf(world, busy[0]);
        Work(world, busy, Seconds);

        Assert.Equal([before, before], busy.Select(one => HomeOf(world, one)));
    }

    private static IscsiWorld World(bool moves = true, int reactors = 2) => new(
        target => target with { Timers = new TimerOptions { NopIntervalMs = 4_000, NopTimeoutMs = 100_000 } },
        reactors: reactors,
        movesSessions: moves);

    /// <summary>Those that were spread at login, and one of two reactors has lost all others.</summary>
    private static Initiator[] TwoAtOneReactor(IscsiWorld world)
    {
        Initiator[] all = [.. Enumerable.Range(0, 4).Select(i => world.LogIn(name: $"iqn.2026-11.test:number{i}"))];
        Initiator[] staying = [.. all.Where(one => HomeOf(world, one) == 1)];
        foreach (Initiator other in all.Except(staying))
            other.Peer.Reset();
        world.Run();
        return staying;
    }

    /// <summary>Something is always under way when somebody looks; how much was done is only counted, not done.
    /// </summary>
    private static void Work(IscsiWorld world, Initiator[] initiators, int seconds, ulong commandsPerMs = 30) =>
        Work(world, initiators, seconds, _ => commandsPerMs);

    private static void Work(
        IscsiWorld world, Initiator[] initiators, int seconds, Func<Initiator, ulong> commandsPerMs)
    {
        world.Disk.Holds = true;
        for (int half = 0; half < 2 * seconds; half++)
        {
            foreach (Initiator initiator in initiators)
            {
                initiator.Read(0, 1);
                SessionInfo session = SessionOf(world, initiator);
                ulong commands = 500 * commandsPerMs(initiator);
                session.Counters.Commands += commands;
                world.Homes[session.ReactorIndex].Counters.Commands += commands;
            }
            world.Advance(500);
            world.Disk.LetGo();
            world.Run();
            foreach (Initiator initiator in initiators)
                initiator.ReceiveAll();
        }
        world.Disk.Holds = false;
    }

    private static int HomeOf(IscsiWorld world, Initiator initiator) => SessionOf(world, initiator).ReactorIndex;

    private static SessionInfo SessionOf(IscsiWorld world, Initiator initiator) =>
        world.Registry.DescribeSessions().Single(one => one.InitiatorName == initiator.Name);
}
