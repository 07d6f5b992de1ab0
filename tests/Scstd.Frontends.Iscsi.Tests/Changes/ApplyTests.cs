using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Changes;

/// <summary>Another configuration while sessions are open, on two reactors.</summary>
public sealed class ApplyTests
{
    private static readonly (SenseKey, AdditionalSense) Inventory =
        (SenseKey.UnitAttention, AdditionalSense.ReportedLunsDataHasChanged);

    // ---- Sessions --------------------------------------------------------------------------------------------------

    [Fact]
    public void Only_the_sessions_whose_map_changed_hear_of_it()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        ConfigurationOutcome outcome = world.Apply(world.Target with
        {
            Groups = [ChangingWorld.Group(ChangingWorld.Red, world.First, world.Second)],
        });
        Assert.Equal((1, 0, true), (outcome.SessionsChanged, outcome.SessionsEnded, outcome.Settled.IsCompleted));
        Assert.Equal(Inventory, TestUnitReady(red).Sense);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
        Assert.Equal(AdditionalSense.PowerOnResetOrBusDeviceReset, TestUnitReady(red, lun: 1).Sense.Additional);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red, lun: 1).Status);
        Assert.Equal(AdditionalSense.LogicalUnitNotSupported, TestUnitReady(blue, lun: 1).Sense.Additional);
    }

    [Fact]
    public void The_same_configuration_again_is_noticed_by_nobody_not_even_by_a_login_under_way()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator entering = BeginLogin(world.World);
        TargetOptions again = world.Target with
        {
            Luns = ChangingWorld.Map(world.First),
            Groups = [.. world.Target.Groups],
            Authentication = new ChapSettings([]),
            Negotiation = new ParameterLimits(),
        };
        Assert.Equal(0, world.Apply(again).SessionsChanged);
        entering.SendLoginText([], LoginStage.LoginOperationalNegotiation);
        entering.LoggedIn([]);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
    }

    [Fact]
    public void An_initiator_moves_between_groups_and_finds_another_unit_at_its_lun()
    {
        using var world = new ChangingWorld(options => options with { Groups = [] });
        world.Apply(world.Target with
        {
            Groups = [ChangingWorld.Group(ChangingWorld.Red, world.Second), ChangingWorld.Group("other", world.Third)],
        });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.Target with
        {
            Groups = [ChangingWorld.Group("other", world.Second), ChangingWorld.Group(ChangingWorld.Red, world.Third)],
        });
        Assert.Equal(AdditionalSense.PowerOnResetOrBusDeviceReset, TestUnitReady(red).Sense.Additional);
        Assert.Equal(AdditionalSense.InquiryDataHasChanged, TestUnitReady(red).Sense.Additional);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        Assert.Equal("third", Assert.Single(Snapshot(world, red).Luns).UnitName);
    }

    [Fact]
    public void Commands_under_way_on_a_unit_that_is_replaced_end_there_and_only_then_is_it_settled()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        world.World.Disk.Holds = true;
        uint read = blue.Read(0, 1);
        ConfigurationOutcome outcome = world.Result(
            world.World.Registry.ReplaceUnitAsync(world.First, world.Second));
        Assert.Equal((2, false), (outcome.SessionsChanged, outcome.Settled.IsCompleted));
        Assert.Equal(AdditionalSense.PowerOnResetOrBusDeviceReset, TestUnitReady(red).Sense.Additional);
        Assert.Equal(AdditionalSense.InquiryDataHasChanged, TestUnitReady(red).Sense.Additional);
        world.World.Disk.LetGo();
        world.World.Run();
        Assert.Equal(ScsiStatus.Good, blue.ReceiveDataIn(read).Last.Status);
        Assert.True(outcome.Settled.IsCompleted);
    }

    [Fact]
    public void Sessions_end_whose_target_is_hidden_from_them_and_nobody_elses()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        ConfigurationOutcome outcome = world.Apply(world.Target with
        {
            Groups = [ChangingWorld.Group(ChangingWorld.Red)],
        });
        Assert.Equal((0, 1, true), (outcome.SessionsChanged, outcome.SessionsEnded, outcome.Settled.IsCompleted));
        Assert.Equal(AsyncEvent.DropAllConnections, new AsyncMessagePdu(red.Receive(Opcode.AsyncMessage).Header).Event);
        Assert.True(red.IsClosed);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
    }

    [Fact]
    public void Sessions_of_a_target_that_is_gone_end_and_the_others_targets_go_on()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        TargetOptions other = world.Target with { Name = "iqn.2026-11.test:other" };
        world.Apply(world.Target, other);
        Initiator blue = world.World.Connect(name: ChangingWorld.Blue);
        blue.SendLogin([], target: other.Name);
        blue.LoggedIn([]);
        blue.TakeUnitAttention();
        Assert.Equal(1, world.Apply(other).SessionsEnded);
        Assert.Equal(Opcode.AsyncMessage, red.Receive().Opcode);
        Assert.True(red.IsClosed);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
    }

    [Fact]
    public void What_was_authenticated_and_negotiated_holds_until_the_next_login()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.Target with
        {
            Authentication = new ChapSettings([new ChapAccount("user", "a secret of twelve")]),
            Negotiation = new ParameterLimits { HeaderDigests = [Digest.Crc32c] },
            Timers = world.Target.Timers with { NopIntervalMs = 1_000 },
        });
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        world.World.Advance(10_000);
        Assert.Equal(Opcode.NopIn, red.Receive().Opcode);
        Initiator late = world.World.Connect(name: ChangingWorld.Blue);
        late.SendLogin([]);
        Assert.Equal(LoginStatus.AuthenticationFailure, late.RefusedLogin());
    }

    [Fact]
    public void A_command_window_grows_at_once_and_becomes_smaller_as_commands_end()
    {
        using var world = new ChangingWorld(options => options with { QueueDepth = 4 });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.Target with { QueueDepth = 16 });
        Assert.Equal(16, Snapshot(world, red).QueueDepth);
        Pdu news = red.Receive(Opcode.NopIn);
        Assert.Equal((BasicHeaderSegment.ReservedTag, red.CmdSn + 15), (news.InitiatorTaskTag, news.MaxCmdSn));

        world.Apply(world.Target with { QueueDepth = 2 });
        red.ReceiveNothing();
        for (int i = 0; i < 14; i++)
            Assert.Equal(news.MaxCmdSn, red.ReceiveGood(red.SendCommand(Cdbs.TestUnitReady)).MaxCmdSn);
        Assert.Equal(news.MaxCmdSn + 1, red.ReceiveGood(red.SendCommand(Cdbs.TestUnitReady)).MaxCmdSn);
        Assert.Equal(2, Snapshot(world, red).QueueDepth);
    }

    [Fact]
    public void A_login_that_waits_for_its_predecessor_is_judged_by_the_new_rules()
    {
        using var world = new ChangingWorld();
        world.World.LogIn(name: ChangingWorld.Red).Read(0, 1);
        world.World.Disk.Holds = true;
        Initiator first = world.World.LogIn(name: ChangingWorld.Blue);
        first.Read(0, 1);
        Initiator waiting = world.World.Connect(name: ChangingWorld.Blue);
        waiting.SendLogin([]);
        waiting.ReceiveNothing();
        world.Apply(world.Target with { Groups = [ChangingWorld.Group(ChangingWorld.Blue)] });
        world.World.Disk.LetGo();
        world.World.Run();
        Assert.Equal(LoginStatus.ServiceUnavailable, waiting.RefusedLogin());
        Assert.Equal(1, world.World.Registry.SessionCount);
    }

    // ---- All or nothing --------------------------------------------------------------------------------------------

    [Fact]
    public void A_mistake_anywhere_changes_nothing()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        IscsiConfiguration before = world.World.Registry.Configuration;
        TargetOptions changed = world.Target with { Luns = ChangingWorld.Map(world.Second) };
        Assert.IsType<ArgumentException>(world.Refuse(before with { Targets = [changed, changed] }));
        Assert.IsType<ArgumentException>(world.Refuse(before with { Targets = [changed with { Name = "no name" }] }));
        Exception refused = world.Refuse(before with
        {
            Targets = [changed],
            Portals = [world.Portal, ChangingWorld.At(3261), ChangingWorld.At(3261)],
        });
        Assert.NotEmpty(refused.Message);
        Assert.Single(world.World.Registry.Portals);
        Assert.ThrowsAny<Exception>(() => world.World.Reactor.Connect(ChangingWorld.At(3261).EndPoint));
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        Assert.Same(world.First, world.Target.Luns.Find(0)!.Unit);
    }

    // ---- Portals ---------------------------------------------------------------------------------------------------

    [Fact]
    public void A_portal_that_is_closed_lets_nobody_in_and_its_sessions_go_on_while_the_group_is_there()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.World.Registry.Configuration with { Portals = [ChangingWorld.At(3261)] });
        Assert.ThrowsAny<Exception>(() => world.World.Reactor.Connect(ChangingWorld.At(3260).EndPoint));
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        world.Apply(world.World.Registry.Configuration with { Portals = [ChangingWorld.At(3261, tag: 2)] });
        Assert.Equal(Opcode.AsyncMessage, red.Receive().Opcode);
        Assert.True(red.IsClosed);
    }

    [Fact]
    public void A_portal_that_stays_keeps_its_listener_and_takes_its_new_rules()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.World.Registry.Configuration with { Portals = [world.Portal with { MaxConnections = 2 }] });
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        Assert.Equal(2, world.World.Registry.Portals.Single().ConnectionCount);
        Assert.True(world.World.Connect().IsClosed);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
    }

    [Fact]
    public void A_login_at_a_portal_whose_group_went_meanwhile_gets_no_session()
    {
        using var world = new ChangingWorld();
        Initiator entering = BeginLogin(world.World);
        world.Apply(world.World.Registry.Configuration with { Portals = [ChangingWorld.At(3261, tag: 2)] });
        entering.SendLoginText([], LoginStage.LoginOperationalNegotiation);
        Assert.Equal(LoginStatus.ServiceUnavailable, entering.RefusedLogin());
    }

    // ---- Kicking and describing ------------------------------------------------------------------------------------

    [Fact]
    public void A_session_is_asked_to_log_out_and_ended_when_its_time_is_over()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        Assert.Equal(1, world.Result(world.World.Registry.KickAsync(blue.LastTsih, patienceSeconds: 5)));
        var asked = new AsyncMessagePdu(blue.Receive(Opcode.AsyncMessage).Header);
        Assert.Equal((AsyncEvent.TargetRequestsLogout, 5), (asked.Event, (int)asked.Parameter3));
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
        world.World.Advance(5_000);
        Assert.Equal(
            AsyncEvent.DropAllConnections, new AsyncMessagePdu(blue.Receive(Opcode.AsyncMessage).Header).Event);
        Assert.True(blue.IsClosed);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(red).Status);
    }

    [Fact]
    public void Who_logs_out_when_it_is_asked_to_leaves_nothing_behind()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Result(world.World.Registry.KickAsync(red.LastTsih, patienceSeconds: 5));
        red.Receive(Opcode.AsyncMessage);
        red.SendLogout();
        Assert.Equal(Opcode.LogoutResponse, red.Receive().Opcode);
        world.World.Advance(6_000);
        red.ReceiveNothing();
        Assert.Equal(0, world.Result(world.World.Registry.KickAsync(red.LastTsih, patienceSeconds: 0)));
    }

    [Fact]
    public void All_sessions_of_an_initiator_are_ended_at_once_when_that_is_wanted()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        Assert.Equal(1, world.Result(world.World.Registry.KickAsync(ChangingWorld.Red, null, patienceSeconds: 0)));
        Assert.Equal(
            AsyncEvent.DropAllConnections, new AsyncMessagePdu(red.Receive(Opcode.AsyncMessage).Header).Event);
        Assert.True(red.IsClosed);
        Assert.Equal(ScsiStatus.Good, TestUnitReady(blue).Status);
    }

    [Fact]
    public void Sessions_are_described_as_they_are_on_their_reactors()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        world.World.Disk.Holds = true;
        blue.Read(0, 1);
        world.World.Advance(1_500);
        SessionSnapshot ofRed = Snapshot(world, red), ofBlue = Snapshot(world, blue);
        Assert.Equal(
            (ChangingWorld.Red, 0, 0), (ofRed.InitiatorName, ofRed.ReactorIndex, ofRed.CommandsInFlight));
        Assert.Equal(
            (ChangingWorld.Blue, 1, 1), (ofBlue.InitiatorName, ofBlue.ReactorIndex, ofBlue.CommandsInFlight));
        Assert.Equal(("Open", 1_500L, 3260), (ofBlue.State, ofBlue.AgeMs, ofBlue.Portal.Port));
        LunSnapshot lun = Assert.Single(ofBlue.Luns);
        Assert.Equal((0, "disk", false, 1), (lun.Number, lun.UnitName, lun.IsReadOnly, lun.CommandsInFlight));
    }

    private static SessionSnapshot Snapshot(ChangingWorld world, Initiator initiator) =>
        world.Result(world.World.Registry.DescribeSessionsAsync()).Single(s => s.Tsih == initiator.LastTsih);

    private static Initiator BeginLogin(IscsiWorld world)
    {
        Initiator initiator = world.Connect();
        byte[] header = new byte[48];
        LoginRequestPdu.WriteTo(header, initiator.Isid, 0, 0, 0, initiator.CmdSn, initiator.ExpStatSn,
            LoginStage.LoginOperationalNegotiation, LoginStage.LoginOperationalNegotiation, transit: false, 0);
        initiator.Send(header,
            Initiator.Keys($"InitiatorName={initiator.Name}", $"TargetName={IscsiWorld.TargetName}"));
        initiator.Receive(Opcode.LoginResponse);
        return initiator;
    }

    internal static Pdu TestUnitReady(Initiator initiator, int lun = 0)
    {
        uint tag = initiator.SendCommand(Cdbs.TestUnitReady, lun: (ulong)lun << 48);
        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal(tag, response.InitiatorTaskTag);
        return response;
    }
}
