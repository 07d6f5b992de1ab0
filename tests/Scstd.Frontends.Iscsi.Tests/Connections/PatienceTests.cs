using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>Peers that are silent, slow or too many.</summary>
public sealed class PatienceTests
{
    [Fact]
    public void A_login_that_takes_too_long_ends()
    {
        using var world = new IscsiWorld();
        Initiator silent = world.Connect();
        Initiator half = world.Connect();
        half.SendRaw(new byte[20]);

        world.Advance(world.Portal.Options.LoginTimeoutMs - 200);
        Assert.False(silent.IsClosed);
        world.Advance(400);

        Assert.Equal((true, true), (silent.IsClosed, half.IsClosed));
        Assert.Equal(2ul, world.Home.Counters.LoginTimeouts);
        Assert.Equal(2, world.Portal.LoginFailureCount);
    }

    [Fact]
    public void A_portal_closes_what_is_beyond_its_connections()
    {
        using var world = new IscsiWorld(portal: portal => portal with { MaxConnections = 2 });
        Initiator first = world.Connect();
        world.Connect();

        Assert.True(world.Connect().IsClosed);
        first.Peer.Reset();
        world.Run();

        Assert.False(world.Connect().IsClosed);
    }

    [Fact]
    public void Anything_but_a_login_request_before_full_feature_phase_ends_the_connection()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();

        initiator.SendNop([]);

        Assert.True(initiator.IsClosed);
    }

    [Fact]
    public void A_silent_initiator_is_pinged_and_lost_without_an_answer()
    {
        using var world = new IscsiWorld(target => target with
        {
            Timers = new TimerOptions { NopIntervalMs = 5_000, NopTimeoutMs = 3_000 },
        });
        Initiator initiator = world.LogIn();

        world.Advance(8_000);
        Pdu ping = initiator.Receive(Opcode.NopIn);
        uint transferTag = new NopInPdu(ping.Header).TargetTransferTag;
        Assert.NotEqual(BasicHeaderSegment.ReservedTag, transferTag);
        byte[] answer = new byte[48];
        NopOutPdu.WriteTo(answer, BasicHeaderSegment.ReservedTag, transferTag, initiator.CmdSn, initiator.ExpStatSn);
        initiator.Send(answer);

        world.Advance(6_000);
        Assert.Equal(ping.StatSn, initiator.Receive(Opcode.NopIn).StatSn);
        Assert.False(initiator.IsClosed);
        world.Advance(6_000);

        Assert.True(initiator.IsClosed);
        Assert.Equal(0, world.Registry.SessionCount);
    }

    /// <summary>Each look wakes a reactor up that could sleep.</summary>
    [Fact]
    public void Sessions_that_do_nothing_are_looked_at_seldom_and_together()
    {
        using var world = new IscsiWorld();
        for (int i = 0; i < 20; i++)
        {
            world.LogIn(name: $"iqn.2026-11.test:idle{i}");
            world.Advance(100);
        }
        int before = world.Reactor.TimesWokenByClock;
        world.Advance(120_000);

        Assert.InRange(world.Reactor.TimesWokenByClock - before, 1, 30);
    }

    [Fact]
    public void A_silence_is_asked_about_in_time_however_many_sessions_are_silent()
    {
        using var world = new IscsiWorld(target => target with
        {
            Timers = new TimerOptions { NopIntervalMs = 15_000, NopTimeoutMs = 30_000 },
        });
        Initiator[] silent =
        [
            .. Enumerable.Range(0, 10).Select(i =>
            {
                Initiator initiator = world.LogIn(name: $"iqn.2026-11.test:idle{i}");
                world.Advance(300);
                return initiator;
            }),
        ];
        world.Advance(11_900);
        Assert.All(silent, initiator => initiator.ReceiveNothing());
        world.Advance(4_200);

        Assert.All(silent, initiator => initiator.Receive(Opcode.NopIn));
        world.Advance(32_000);
        Assert.All(silent, initiator => Assert.True(initiator.IsClosed));
    }

    [Fact]
    public void A_peer_that_does_not_read_is_not_read_from_and_ends_after_its_time()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        initiator.Peer.WindowBytes = 0;

        for (int i = 0; i < 100; i++)
        {
            byte[] pings = [.. Enumerable.Range(0, 100).SelectMany(_ =>
            {
                byte[] nop = new byte[48];
                NopOutPdu.WriteTo(nop, 5, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn);
                return initiator.Encode(nop, "data"u8);
            })];
            initiator.SendRaw(pings);
        }

        Assert.True(initiator.Peer.UntakenBytes > 0);
        Assert.InRange(world.Home.HeaderSlotsOut, 1, 8000);
        other.ReceiveGood(other.SendCommand(Cdbs.TestUnitReady));
        world.Advance(world.Options.Timers.StallTimeoutMs + 10_000);
        Assert.Equal((true, false), (initiator.IsClosed, other.IsClosed));
    }

    [Fact]
    public void A_peer_that_reads_again_gets_everything_in_order()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Bytes.Pattern(1 << 20).CopyTo(world.Disk.Contents);
        initiator.Peer.WindowBytes = 0;
        uint[] tags = [.. Enumerable.Range(0, 12).Select(_ => initiator.Read(0, 2048))];
        Assert.InRange(world.Home.HeaderSlotsOut, 1, IscsiLimits.QueuedPdusMax);

        foreach (uint tag in tags)
        {
            byte[] data = [];
            while (data.Length < 1 << 20)
            {
                initiator.Peer.WindowBytes = BasicHeaderSegment.Length + 8192;
                world.Run();
                Pdu pdu = initiator.Receive(Opcode.DataIn);
                Assert.Equal(tag, pdu.InitiatorTaskTag);
                data = [.. data, .. pdu.Data];
            }
            Assert.True(data.AsSpan().SequenceEqual(world.Disk.Contents[..(1 << 20)]));
        }
    }

    [Fact]
    public void A_drain_asks_for_logout_lets_nobody_in_and_ends_what_is_left()
    {
        using var world = new IscsiWorld();
        Initiator polite = world.LogIn();
        Initiator deaf = world.LogIn(name: "iqn.2026-11.test:deaf");
        Initiator logging = world.Connect();

        world.Registry.BeginDrain(timeoutSeconds: 5);
        world.Run();
        foreach (Initiator initiator in (Initiator[])[polite, deaf])
        {
            var message = new AsyncMessagePdu(initiator.Receive(Opcode.AsyncMessage).Header);
            Assert.Equal((AsyncEvent.TargetRequestsLogout, (ushort)5), (message.Event, message.Parameter3));
        }
        polite.SendLogout();
        logging.SendLogin([]);
        Assert.Equal(LoginStatus.ServiceUnavailable, logging.RefusedLogin());
        world.Registry.EndDrain();
        world.Run();

        Assert.Equal(AsyncEvent.DropAllConnections,
            new AsyncMessagePdu(deaf.Receive(Opcode.AsyncMessage).Header).Event);
        Assert.Equal(0, world.Registry.SessionCount);
        Assert.Equal((true, true), (polite.IsClosed, deaf.IsClosed));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(512)]
    public void Data_that_trickles_does_not_hold_up_the_unit_for_others(int bytesPerPdu)
    {
        using var world = new IscsiWorld();
        Initiator slow = world.LogIn(["ImmediateData=No"]);
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        uint tag = slow.SendCommand(Cdbs.Write10(0, 2048), write: true, expected: 1 << 20,
            attribute: TaskAttributeCode.Ordered);
        Pdu r2T = slow.Receive(Opcode.ReadyToTransfer);
        uint read = other.Read(0, 1);

        for (uint i = 0; i < 3 && !slow.IsClosed; i++)
        {
            slow.SendDataOut(tag, new R2TPdu(r2T.Header).TargetTransferTag, i, i * (uint)bytesPerPdu,
                Bytes.Pattern(bytesPerPdu), final: false);
            other.ReceiveNothing();
            world.Advance(world.Options.Timers.DataOutTimeoutMs / 2);
        }

        Assert.True(slow.IsClosed);
        Assert.Equal(512, other.ReceiveDataIn(read).Data.Length);
    }

    [Fact]
    public void Data_that_comes_burst_by_burst_may_take_long_as_a_whole()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=No", "MaxBurstLength=8192", "FirstBurstLength=8192"]);
        byte[] data = Bytes.Pattern(10 * 8192);
        uint tag = initiator.Write(0, data);

        for (int i = 0; i < 10; i++)
        {
            world.Advance(world.Options.Timers.DataOutTimeoutMs / 2);
            initiator.Answer(initiator.Receive(Opcode.ReadyToTransfer), data);
        }

        initiator.ReceiveGood(tag);
    }

    [Theory]
    [InlineData(29_000)]
    [InlineData(40_000)]
    [InlineData(45_000)]
    public void A_peer_is_slow_only_from_when_there_is_something_to_read(int afterMs)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint tag = initiator.Read(0, 1);
        world.Reactor.CreateTimer(world.Disk.LetGo).Arm(afterMs);

        world.Reactor.Advance(afterMs + 1_000);

        Assert.Empty(world.Events.Failures);
        Assert.Equal(512, initiator.ReceiveDataIn(tag).Data.Length);
    }

    [Fact]
    public void A_peer_that_reads_slowly_but_steadily_is_not_given_up()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        initiator.Peer.WindowBytes = 0;
        uint tag = initiator.Read(0, 2048);

        for (int i = 0; i < 10; i++)
        {
            world.Advance(world.Options.Timers.StallTimeoutMs - 10_000);
            initiator.Peer.WindowBytes += 1000;
            world.Run();
        }

        Assert.Empty(world.Events.Failures);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();
        Assert.Equal(1 << 20, initiator.ReceiveDataIn(tag).Data.Length);
    }

    [Fact]
    public void A_logout_waits_for_slow_storage_and_is_answered()
    {
        using var world = new IscsiWorld(target => target with { Timers = new TimerOptions() });
        Initiator initiator = world.LogIn();
        world.Advance(9_000);
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        world.Advance(9_500);
        initiator.SendLogout();

        world.Advance(60_000);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        Assert.Empty(world.Events.Failures);
        Assert.Equal(0ul, world.Home.Counters.LoginTimeouts);
        initiator.Receive(Opcode.LogoutResponse);
    }

    /// <summary>An answer to a ping that is under way when the logout comes is not waited for.</summary>
    [Fact]
    public void A_logout_in_the_place_of_the_answer_to_a_ping_is_answered()
    {
        using var world = new IscsiWorld(target => target with { Timers = new TimerOptions() });
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Read(0, 1);
        world.Advance(16_000);
        initiator.Receive(Opcode.NopIn);
        initiator.SendLogout();

        world.Advance(60_000);
        world.Disk.Holds = false;
        world.Disk.LetGo();
        world.Run();

        Assert.Empty(world.Events.Failures);
        initiator.Receive(Opcode.LogoutResponse);
    }

    [Fact]
    public void A_discovery_session_is_not_pinged_and_ends_when_it_asks_nothing()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();
        initiator.LogIn([], discovery: true);

        world.Advance(IscsiLimits.DiscoveryIdleTimeoutMs - 10_000);
        initiator.ReceiveNothing();
        initiator.SendText(Initiator.Keys("SendTargets=All"));
        initiator.Receive(Opcode.TextResponse);
        world.Advance(IscsiLimits.DiscoveryIdleTimeoutMs - 10_000);
        Assert.False(initiator.IsClosed);
        world.Advance(20_000);

        Assert.True(initiator.IsClosed);
        initiator.ReceiveNothing();
        Assert.Empty(world.Events.Failures);
    }
}
