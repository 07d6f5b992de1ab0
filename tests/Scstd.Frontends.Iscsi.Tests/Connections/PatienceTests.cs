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
}
