using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>How sessions begin and end, and who may have one.</summary>
public sealed class SessionTests
{
    [Fact]
    public void A_login_tells_TSIH_and_window_and_answers_by_number_from_then_on()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 32 });
        Initiator initiator = world.Connect();

        Pdu response = initiator.LogIn();

        Assert.NotEqual(0, initiator.LastTsih);
        Assert.Equal((initiator.CmdSn, initiator.CmdSn + 31), (response.ExpCmdSn, response.MaxCmdSn));
        initiator.TakeUnitAttention();
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void Reinstatement_waits_until_nothing_of_the_old_session_can_act()
    {
        using var world = new IscsiWorld();
        Initiator old = world.LogIn();
        world.Disk.Holds = true;
        old.Write(0, Bytes.Pattern(512), immediateBytes: 512);

        Initiator young = world.Connect();
        young.SendLogin([]);
        young.ReceiveNothing();
        Assert.True(old.IsClosed);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        young.LoggedIn([]);
        uint tag = young.SendCommand(Cdbs.TestUnitReady);
        Pdu response = young.Receive(Opcode.ScsiResponse);
        Assert.Equal(tag, response.InitiatorTaskTag);
        Assert.Equal(AdditionalSense.ItNexusLossOccurred, response.Sense.Additional);
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void Reinstatement_works_across_reactors()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator old = world.LogIn();
        Initiator young = world.Connect();

        young.LogIn();

        Assert.True(old.IsClosed);
        young.TakeUnitAttention();
        young.ReceiveGood(young.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void Of_three_logins_of_one_initiator_port_the_last_remains()
    {
        using var world = new IscsiWorld();
        Initiator first = world.LogIn();
        world.Disk.Holds = true;
        first.Read(0, 1);
        Initiator second = world.Connect();
        second.SendLogin([]);
        Initiator third = world.Connect();
        third.SendLogin([]);
        Assert.Equal((true, true, false), (first.IsClosed, second.IsClosed, third.IsClosed));

        world.Disk.LetGo();
        world.Run();

        third.LoggedIn([]);
        second.ReceiveNothing();
        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void A_login_that_dies_while_it_waits_leaves_nothing()
    {
        using var world = new IscsiWorld();
        Initiator old = world.LogIn();
        world.Disk.Holds = true;
        old.Read(0, 1);
        Initiator young = world.Connect();
        young.SendLogin([]);
        young.Peer.Reset();
        world.Run();

        world.Disk.LetGo();
        world.Run();

        Assert.Equal(0, world.Registry.SessionCount);
    }

    [Fact]
    public void Another_ISID_is_another_session()
    {
        using var world = new IscsiWorld();
        Initiator first = world.LogIn();
        Initiator second = world.Connect();
        second.Isid = new Isid(0x8000_0000_0002);
        second.LogIn();

        second.TakeUnitAttention();
        first.ReceiveGood(first.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal(2, world.Registry.SessionCount);
    }

    [Fact]
    public void A_TSIH_of_no_session_is_refused()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();
        initiator.Tsih = 4711;

        initiator.SendLogin([]);

        Assert.Equal(LoginStatus.SessionDoesNotExist, initiator.RefusedLogin());
        Assert.True(initiator.IsClosed);
    }

    [Fact]
    public void A_second_connection_is_refused_and_one_in_the_place_of_the_first_ends_the_session()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Initiator second = world.Connect();
        (second.Tsih, second.Cid) = (initiator.LastTsih, 1);
        second.SendLogin([]);
        Assert.Equal(LoginStatus.TooManyConnections, second.RefusedLogin());
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));

        Initiator again = world.Connect();
        (again.Tsih, again.Cid) = (initiator.LastTsih, 0);
        again.SendLogin([]);

        Assert.Equal(LoginStatus.SessionDoesNotExist, again.RefusedLogin());
        Assert.True(initiator.IsClosed);
    }

    [Fact]
    public void A_target_has_no_more_than_its_sessions_but_a_reinstated_one_has_its_place()
    {
        using var world = new IscsiWorld(target => target with { MaxSessions = 1 });
        world.LogIn();
        Initiator other = world.Connect(name: "iqn.2026-11.test:other");
        other.SendLogin([]);
        Assert.Equal(LoginStatus.OutOfResources, other.RefusedLogin());

        world.Connect().LogIn();

        Assert.Equal(1, world.Registry.SessionCount);
    }

    [Fact]
    public void Logout_ends_commands_answers_and_closes()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=No"]);
        for (int i = 0; i < 9; i++)
            initiator.Write(0, Bytes.Pattern(512));
        initiator.ReceiveAll();

        uint tag = initiator.SendLogout();

        Pdu response = initiator.Receive(Opcode.LogoutResponse);
        Assert.Equal(tag, response.InitiatorTaskTag);
        Assert.Equal(LogoutResponseCode.Closed, new LogoutResponsePdu(response.Header).Response);
        Assert.True(initiator.IsClosed);
        Assert.Equal((0, 0), (world.Registry.SessionCount, world.Disk.WriteCount));
    }

    [Theory]
    [InlineData(LogoutReason.CloseConnection, 1, LogoutResponseCode.CidNotFound)]
    [InlineData(LogoutReason.RemoveConnectionForRecovery, 0, LogoutResponseCode.ConnectionRecoveryNotSupported)]
    public void Other_logouts_are_answered_and_the_session_goes_on(
        LogoutReason reason, ushort cid, LogoutResponseCode answer)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        initiator.SendLogout(reason, cid, immediate: false);

        Assert.Equal(answer, new LogoutResponsePdu(initiator.Receive(Opcode.LogoutResponse).Header).Response);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public void Logout_of_the_only_connection_ends_the_session()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        initiator.SendLogout(LogoutReason.CloseConnection, cid: 0);

        Assert.Equal(LogoutResponseCode.Closed,
            new LogoutResponsePdu(initiator.Receive(Opcode.LogoutResponse).Header).Response);
        Assert.Equal(0, world.Registry.SessionCount);
    }

    [Fact]
    public void A_lost_connection_ends_the_session_at_once()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=No"]);
        initiator.Write(0, Bytes.Pattern(4096));

        initiator.Peer.Reset();
        world.Run();

        Assert.Equal((0, 0L), (world.Registry.SessionCount, world.Buffers.LeasesOut));
    }

    // ---- Who may ---------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("iqn.2026-11.test:a1", true)]
    [InlineData("iqn.2026-11.test:a9", false)]
    [InlineData("iqn.2026-11.test:b", false)]
    public void The_first_group_that_matches_decides_and_a_set_without_LUNs_hides_the_target(string name, bool visible)
    {
        using var world = new IscsiWorld(target => target with
        {
            Luns = LunMap.Empty,
            Groups =
            [
                new AccessGroup { Name = "none", Initiators = ["*:a9"], Luns = LunMap.Empty },
                new AccessGroup { Name = "some", Initiators = ["!*:x*", "iqn.*:A?"], Luns = target.Luns },
            ],
        });
        Initiator initiator = world.Connect(name: name);

        initiator.SendLogin([]);

        Assert.Equal(visible ? LoginStatus.Success : LoginStatus.NotFound, initiator.RefusedLogin());
        Initiator discovering = world.Connect(name: name);
        discovering.LogIn([], discovery: true);
        discovering.SendText(Initiator.Keys("SendTargets=All"));
        Assert.Equal(visible, discovering.Receive(Opcode.TextResponse).Text.Contains(IscsiWorld.TargetName));
    }

    [Fact]
    public void A_group_may_have_an_authentication_of_its_own()
    {
        var settings = new ChapSettings([new ChapAccount("someone", "a secret of 16 b")]);
        using var world = new IscsiWorld(target => target with
        {
            Groups =
            [
                new AccessGroup
                {
                    Name = "proved", Initiators = ["*:proved"], Luns = target.Luns, Authentication = settings,
                },
            ],
        });

        world.LogIn();
        Initiator proved = world.Connect(name: "iqn.2026-11.test:proved");
        proved.SendLogin([]);

        Assert.Equal(LoginStatus.AuthenticationFailure, proved.RefusedLogin());
    }

    [Fact]
    public void A_target_of_another_portal_group_is_not_found()
    {
        using var world = new IscsiWorld(target => target with { PortalGroupTags = [2] });
        Initiator initiator = world.Connect();

        initiator.SendLogin([]);

        Assert.Equal(LoginStatus.NotFound, initiator.RefusedLogin());
    }

    [Theory]
    [InlineData(false, LoginStatus.TargetMovedTemporarily)]
    [InlineData(true, LoginStatus.TargetMovedPermanently)]
    public void A_target_that_has_moved_sends_its_initiators_on(bool permanent, LoginStatus status)
    {
        using var world = new IscsiWorld(
            target => target with { Redirect = new RedirectOptions("[2001:db8::1]:3261", permanent) });
        Initiator initiator = world.Connect();

        initiator.SendLogin([]);

        Pdu response = initiator.Receive(Opcode.LoginResponse);
        Assert.Equal(status, new LoginResponsePdu(response.Header).Status);
        Assert.Equal("TargetAddress=[2001:db8::1]:3261\0", response.Text);
    }

    // ---- Discovery -------------------------------------------------------------------------------------------------

    [Fact]
    public void A_discovery_session_tells_targets_with_their_addresses_and_does_nothing_else()
    {
        using var world = new IscsiWorld(
            portal: portal => portal with { EndPoint = new IPEndPoint(IPAddress.Any, 3260), Tag = 3 });
        var other = new IPEndPoint(IPAddress.Parse("192.0.2.7"), 3260);
        Initiator initiator = world.Connect(new InMemoryStreamOptions { LocalEndPoint = other });
        initiator.LogIn([], discovery: true);

        initiator.SendText(Initiator.Keys("SendTargets=All"));
        Pdu answer = initiator.Receive(Opcode.TextResponse);
        Assert.Equal($"TargetName={IscsiWorld.TargetName}\0TargetAddress=0.0.0.0:3260,3\0", answer.Text);
        initiator.SendCommand(Cdbs.TestUnitReady);
        Assert.Equal(RejectReason.CommandNotSupported,
            new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
        initiator.SendLogout();
        initiator.Receive(Opcode.LogoutResponse);
        Assert.True(initiator.IsClosed);
    }

    [Fact]
    public void A_portal_is_known_by_its_advertised_address()
    {
        using var world = new IscsiWorld(portal: portal => portal with { AdvertisedAddress = "storage.example" });
        Initiator initiator = world.Connect();
        initiator.LogIn([], discovery: true);

        initiator.SendText(Initiator.Keys($"SendTargets={IscsiWorld.TargetName}"));

        Assert.Contains("TargetAddress=storage.example:3260,1\0", initiator.Receive(Opcode.TextResponse).Text);
    }

    [Fact]
    public void Discovery_may_be_switched_off()
    {
        using var world = new IscsiWorld(discovery: new DiscoveryOptions { IsEnabled = false });
        Initiator initiator = world.Connect();

        initiator.SendLogin([], discovery: true);

        Assert.Equal(LoginStatus.SessionTypeNotSupported, initiator.RefusedLogin());
    }

    [Fact]
    public void A_normal_session_is_told_of_its_own_target_only()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        initiator.SendText(Initiator.Keys("SendTargets="));
        Assert.StartsWith($"TargetName={IscsiWorld.TargetName}\0", initiator.Receive(Opcode.TextResponse).Text);
        initiator.SendText(Initiator.Keys("SendTargets=All"));
        Assert.Equal("", initiator.Receive(Opcode.TextResponse).Text);
    }

    [Fact]
    public void A_long_answer_comes_in_pieces()
    {
        using var world = new IscsiWorld();
        world.Registry.SetTargets(Enumerable.Range(0, 300).Select(i => new TargetOptions
        {
            Name = $"iqn.2026-11.test:many-{i:d4}",
            Luns = world.Luns,
        }));
        Initiator initiator = world.Connect();
        initiator.LogIn(["MaxRecvDataSegmentLength=2048"], discovery: true);

        uint tag = initiator.SendText(Initiator.Keys("SendTargets=All"));
        string text = "";
        for (Pdu piece = initiator.Receive(Opcode.TextResponse); ; piece = initiator.Receive(Opcode.TextResponse))
        {
            text += piece.Text;
            if (piece.Final)
                break;
            initiator.SendText([], tag: tag,
                transferTag: new TextResponsePdu(piece.Header).TargetTransferTag);
        }

        Assert.Equal(301, text.Split('\0').Count(pair => pair.StartsWith("TargetName=", StringComparison.Ordinal)));
    }
}
