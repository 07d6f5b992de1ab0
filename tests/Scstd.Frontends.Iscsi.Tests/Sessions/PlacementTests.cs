using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>On which reactor a session lives.</summary>
public sealed class PlacementTests
{
    [Fact]
    public void Sessions_that_all_came_in_at_one_reactor_are_spread()
    {
        using var world = new IscsiWorld(reactors: 3);
        Initiator[] initiators = [.. Enumerable.Range(0, 9).Select(i => LogInAt(world, 0, i))];

        Assert.Equal([3, 3, 3], world.Homes.Select(home => home.ConnectionCount));
        Assert.Equal([3, 3, 3], world.Homes.Select(home => home.SessionCount));
        foreach (Initiator initiator in initiators)
            initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal(9, world.Portal.AcceptedCount);
        Assert.Equal(9ul, world.Homes[0].Counters.ConnectionsAccepted);
    }

    [Fact]
    public void A_session_goes_to_the_reactor_that_does_the_least_however_many_sessions_it_has()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator[] initiators = [.. Enumerable.Range(0, 4).Select(i => LogInAt(world, 0, i))];
        // Three more go where it is quiet, and one of two that do not matter ends.
        Initiator busy = initiators.First(one => HomeOf(world, one) == 0);
        initiators.Last(one => HomeOf(world, one) == 0).Peer.Reset();
        world.Run();
        Assert.Equal([1, 2], world.Homes.Select(home => home.SessionCount));
        Work(world, busy);

        Assert.Equal(1, HomeOf(world, LogInAt(world, 0, 10)));
    }

    /// <summary>They look alike at first: each is taken for an average one.</summary>
    [Fact]
    public void Sessions_that_come_together_are_not_all_put_on_the_reactor_that_was_idle()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator busy = LogInAt(world, 0, 0);
        Work(world, busy);
        int[] homes = [.. Enumerable.Range(1, 8).Select(i => HomeOf(world, LogInAt(world, 0, i)))];

        Assert.Equal(1, homes[0]);
        Assert.InRange(homes.Count(home => home == HomeOf(world, busy)), 2, 6);
    }

    [Fact]
    public void A_trickle_of_commands_outweighs_no_session()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator first = LogInAt(world, 0, 0);
        LogInAt(world, 0, 1);
        LogInAt(world, 0, 2).Peer.Reset();
        world.Run();
        for (int i = 0; i < 20; i++)
        {
            first.ReceiveGood(first.SendCommand(Cdbs.TestUnitReady));
            world.Advance(100);
        }
        Assert.Equal([0, 1], Enumerable.Range(3, 2).Select(i => HomeOf(world, LogInAt(world, 0, i))).Order());
    }

    /// <summary>It does nothing, so it looks as if it had the most time.</summary>
    [Fact]
    public void A_reactor_that_hangs_gets_nobody_more()
    {
        using var world = new IscsiWorld(reactors: 2);
        LogInAt(world, 0, 0);
        world.HungReactor = 1;
        Initiator lost = world.ConnectAt(0, name: "iqn.2026-11.test:lost");
        lost.SendLogin([]);
        lost.ReceiveNothing();
        world.Advance(2_000);

        Assert.Equal([0, 0, 0], Enumerable.Range(1, 3).Select(i => HomeOf(world, LogInAt(world, 0, i))));

        world.HungReactor = null;
        world.Run();
        lost.LoggedIn([]);
        Assert.Equal(1, HomeOf(world, LogInAt(world, 0, 4)));
    }

    [Fact]
    public void A_discovery_session_stays_where_it_was_accepted()
    {
        using var world = new IscsiWorld(reactors: 2);
        LogInAt(world, 0, 0);
        Initiator asking = world.ConnectAt(0);
        asking.LogIn([], discovery: true);

        Assert.Equal(2, world.Homes[0].ConnectionCount);
        Assert.Equal([1, 0], world.Homes.Select(home => home.SessionCount));
    }

    [Fact]
    public void Who_comes_back_to_his_port_waits_for_his_predecessor_on_another_reactor()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator old = LogInAt(world, 0, 0);
        Initiator young = world.ConnectAt(0, name: old.Name);
        world.Disk.Holds = true;
        old.Read(0, 1);
        young.SendLogin([]);
        young.ReceiveNothing();
        Assert.Equal(1, world.Homes[1].ConnectionCount);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        young.LoggedIn([]);
        young.TakeUnitAttention();
        young.ReceiveGood(young.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal(1, world.Registry.SessionCount);
    }

    /// <summary>The bytes behind its last Login Request came before the socket was taken away, in one piece or
    /// two.</summary>
    [Theory]
    [InlineData(48)]
    [InlineData(20)]
    public void Who_speaks_before_he_is_answered_ends_as_on_one_reactor(int lengthBytes)
    {
        using var world = new IscsiWorld(reactors: 2);
        LogInAt(world, 0, 0);
        Initiator hasty = world.ConnectAt(0, name: "iqn.2026-11.test:hasty");
        byte[] login = new byte[48];
        LoginRequestPdu.WriteTo(login, hasty.Isid, 0, 0, 0, hasty.CmdSn, hasty.ExpStatSn,
            LoginStage.LoginOperationalNegotiation, LoginStage.FullFeaturePhase, transit: true, 0);
        byte[] text = Initiator.Keys($"InitiatorName={hasty.Name}", $"TargetName={IscsiWorld.TargetName}");
        byte[] nop = new byte[48];
        NopOutPdu.WriteTo(nop, 7, BasicHeaderSegment.ReservedTag, hasty.CmdSn, hasty.ExpStatSn);
        hasty.SendRaw([.. hasty.Encode(login, text), .. nop[..lengthBytes]]);

        if (lengthBytes == 48)
        {
            Assert.True(hasty.IsClosed);
            return;
        }
        hasty.LoggedIn([]);
        hasty.SendRaw(nop[lengthBytes..]);
        Assert.Equal(7u, hasty.Receive(Opcode.NopIn).InitiatorTaskTag);
        Assert.Equal(1, world.Homes[1].ConnectionCount);
    }

    [Fact]
    public void A_login_that_moves_has_no_longer_than_any_other()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator old = LogInAt(world, 0, 0);
        world.Disk.Holds = true;
        old.Read(0, 1);
        Initiator young = world.ConnectAt(0, name: old.Name);
        world.Advance(world.Portal.Options.LoginTimeoutMs - 300);
        young.SendLogin([]);
        Assert.Equal(1, world.Homes[1].ConnectionCount);
        world.Advance(600);

        Assert.True(young.IsClosed);
        Assert.Equal([0, 0], world.Homes.Select(home => home.SessionCount));
    }

    [Fact]
    public async Task The_history_tells_where_it_went()
    {
        using var world = new IscsiWorld(reactors: 2);
        LogInAt(world, 0, 0);
        Initiator moved = LogInAt(world, 0, 1);
        Task<IReadOnlyList<SessionMoves>> asked =
            world.Registry.DescribeMovesAsync((tsih, _) => tsih == moved.LastTsih);
        world.Run();

        Assert.Contains((await asked)[0].Moves, move => move.What == "goes to reactor 1, which has less to do");
    }

    private static Initiator LogInAt(IscsiWorld world, int reactor, int number)
    {
        Initiator initiator = world.ConnectAt(reactor, name: $"iqn.2026-11.test:number{number}");
        initiator.LogIn();
        initiator.TakeUnitAttention();
        return initiator;
    }

    private static int HomeOf(IscsiWorld world, Initiator initiator) =>
        world.Registry.DescribeSessions().Single(one => one.InitiatorName == initiator.Name).ReactorIndex;

    /// <summary>A second of some thousands of commands; the next login looks back at it.</summary>
    private static void Work(IscsiWorld world, Initiator initiator)
    {
        world.Advance(1500);
        world.ConnectAt(0).Peer.Reset();
        for (int i = 0; i < 10; i++)
        {
            for (int k = 0; k < 300; k++)
                initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
            world.Advance(100);
        }
    }
}
