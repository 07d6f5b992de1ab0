using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>Between the login and the session: a predecessor may act for long, and much may happen meanwhile.</summary>
public sealed class AdmissionTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_session_that_waits_does_not_begin_on_a_target_that_was_removed(int reactors)
    {
        using var world = new IscsiWorld(reactors: reactors);
        Initiator waiting = WaitBehindHangingSession(world);

        world.Registry.RemoveTarget(IscsiWorld.TargetName);
        world.Run();

        Assert.Equal(LoginStatus.TargetRemoved, waiting.RefusedLogin());
        Finish(world);
        waiting.ReceiveNothing();
        Assert.Equal((0, true), (world.Registry.SessionCount, waiting.IsClosed));
    }

    [Fact]
    public void A_session_that_waits_does_not_begin_on_a_target_that_was_replaced()
    {
        using var world = new IscsiWorld();
        Initiator waiting = WaitBehindHangingSession(world);

        world.Registry.SetTargets([world.Options with { QueueDepth = 5 }]);
        Finish(world);

        Assert.Equal(LoginStatus.ServiceUnavailable, waiting.RefusedLogin());
        Assert.Equal(0, world.Registry.SessionCount);
        world.LogIn();
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void A_session_that_waits_does_not_begin_while_the_target_drains()
    {
        using var world = new IscsiWorld();
        Initiator waiting = WaitBehindHangingSession(world);

        world.Registry.BeginDrain(timeoutSeconds: 5);
        Finish(world);

        Assert.Equal(LoginStatus.ServiceUnavailable, waiting.RefusedLogin());
        Assert.Equal(0, world.Registry.SessionCount);
    }

    [Fact]
    public void A_login_that_began_under_other_rules_is_asked_to_come_again()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();
        byte[] header = new byte[48];
        LoginRequestPdu.WriteTo(header, initiator.Isid, 0, 0, 0, initiator.CmdSn, initiator.ExpStatSn,
            LoginStage.LoginOperationalNegotiation, LoginStage.LoginOperationalNegotiation, transit: false, 0);
        initiator.Send(header,
            Initiator.Keys($"InitiatorName={initiator.Name}", $"TargetName={IscsiWorld.TargetName}"));
        initiator.Receive(Opcode.LoginResponse);

        world.Registry.SetTargets([world.Options with { QueueDepth = 5 }]);
        initiator.SendLoginText([], LoginStage.LoginOperationalNegotiation);

        Assert.Equal(LoginStatus.ServiceUnavailable, initiator.RefusedLogin());
    }

    [Fact]
    public void Logins_that_come_and_go_while_a_session_hangs_leave_nothing_behind()
    {
        using var world = new IscsiWorld();
        WaitBehindHangingSession(world).Peer.Reset();
        world.Run();
        for (int i = 0; i < 10; i++)
        {
            Initiator hasty = world.Connect();
            hasty.SendLogin([]);
            hasty.Peer.Reset();
            world.Run();
        }
        Assert.Equal(1, world.Registry.SessionCount);

        Initiator last = world.Connect();
        last.SendLogin([]);
        last.ReceiveNothing();
        Assert.Equal(2, world.Registry.SessionCount);
        Finish(world);

        last.LoggedIn([]);
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void Who_waited_for_a_login_that_was_pushed_aside_waits_for_what_that_one_waited_for()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator second = WaitBehindHangingSession(world);
        Initiator third = world.Connect();
        third.SendLogin([]);
        Initiator fourth = world.Connect();
        fourth.SendLogin([]);

        Assert.Equal((true, true), (second.IsClosed, third.IsClosed));
        fourth.ReceiveNothing();
        Assert.Equal(2, world.Registry.SessionCount);
        Finish(world);

        fourth.LoggedIn([]);
        fourth.TakeUnitAttention();
        fourth.ReceiveGood(fourth.SendCommand(Cdbs.TestUnitReady));
    }

    /// <summary>The predecessor has a command on storage that does not answer.</summary>
    private static Initiator WaitBehindHangingSession(IscsiWorld world)
    {
        Initiator predecessor = world.LogIn();
        world.Disk.Holds = true;
        predecessor.Read(0, 1);
        Initiator waiting = world.Connect();
        waiting.SendLogin([]);
        waiting.ReceiveNothing();
        Assert.Equal(2, world.Registry.SessionCount);
        return waiting;
    }

    private static void Finish(IscsiWorld world)
    {
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();
    }
}
