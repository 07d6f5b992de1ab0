using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>What one peer can make the target keep is bounded in bytes, whatever it sends and whether or not it
/// reads.</summary>
public sealed class MemoryBoundsTests
{
    private const string OtherName = "iqn.2026-11.test:other";

    /// <summary>What is with the stream, what waits, and what one receive may add.</summary>
    private const long BoundBytes = IscsiLimits.UnsentBytesMax + 2 * IscsiLimits.AnswerBytesMax;

    [Theory]
    [InlineData(262144)]
    [InlineData(512)]
    public void Echoes_that_nobody_reads_leave_the_pool_to_others(int initiatorLimitBytes)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn([$"MaxRecvDataSegmentLength={initiatorLimitBytes}"]);
        initiator.Peer.WindowBytes = 0;

        for (int i = 0; i < 200; i++)
            initiator.SendNop(Bytes.Pattern(262144));

        Assert.InRange(world.Buffers.BytesOut, 1, BoundBytes);
        Assert.True(initiator.Peer.UntakenBytes > 0);
        Initiator other = world.LogIn(name: OtherName);
        other.ReceiveGood(other.SendCommand(Cdbs.TestUnitReady));
        world.Advance(world.Options.Timers.StallTimeoutMs + 10_000);
        Assert.Equal((true, false), (initiator.IsClosed, other.IsClosed));
        Assert.Equal(0, world.Buffers.BytesOut);
    }

    [Fact]
    public void Echoes_go_on_when_the_peer_reads_again()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["MaxRecvDataSegmentLength=262144"]);
        initiator.Peer.WindowBytes = 0;
        var tags = new List<uint>();
        for (int i = 0; i < 80; i++)
            tags.Add(initiator.SendNop(Bytes.Pattern(262144)));
        Assert.True(initiator.Peer.UntakenBytes > 0);

        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();

        Assert.Equal(tags, initiator.ReceiveAll().Select(answer => answer.InitiatorTaskTag));
        Assert.Equal(0, world.Buffers.BytesOut);
    }

    [Fact]
    public void Long_answers_to_short_questions_are_bounded_also_within_one_receive()
    {
        using var world = new IscsiWorld();
        world.Registry.SetTargets(Enumerable.Range(0, 4000).Select(i => new TargetOptions
        {
            Name = $"iqn.2026-11.test:{i:d100}",
            Luns = world.Luns,
        }));
        Initiator initiator = world.Connect();
        initiator.LogIn(["MaxRecvDataSegmentLength=16777215"], discovery: true);
        initiator.Peer.WindowBytes = 0;

        initiator.SendRaw([.. Enumerable.Range(0, 100).SelectMany(_ =>
        {
            byte[] header = new byte[48];
            TextRequestPdu.WriteTo(header, 7, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn, 0,
                immediate: true);
            return initiator.Encode(header, Initiator.Keys("SendTargets=All"));
        })]);

        Assert.InRange(world.Buffers.BytesOut, 1, BoundBytes);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();
        List<Pdu> answers = initiator.ReceiveAll();
        Assert.Equal(100, answers.Count);
        Assert.Contains(answers, answer => answer.Opcode == Opcode.TextResponse);
        Assert.Equal(RejectReason.LongOperationReject,
            new RejectPdu(answers.First(answer => answer.Opcode == Opcode.Reject).Header).Reason);
    }

    [Fact]
    public void Requests_that_wait_for_older_ones_are_bounded_in_bytes_and_in_time()
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 512 });
        Initiator initiator = world.LogIn();
        for (uint i = 1; i < 200; i++)
            initiator.SendNop(Bytes.Pattern(262144), immediate: false, cmdSn: initiator.CmdSn + i);
        for (uint i = 200; i < 400; i++)
        {
            initiator.SendCommand(Cdbs.Write10(0, 128), write: true, expected: 65536,
                immediateData: Bytes.Pattern(65536), cmdSn: initiator.CmdSn + i);
        }
        Assert.InRange(world.Buffers.BytesOut, 1, IscsiLimits.HeldBytesMax);

        world.Advance(world.Options.Timers.DataOutTimeoutMs - 10_000);
        Assert.False(initiator.IsClosed);
        world.Advance(20_000);

        Assert.True(initiator.IsClosed);
        Assert.Equal(["a CmdSN that others wait for does not come"], world.Events.Failures);
        Assert.Equal(0, world.Buffers.BytesOut);
    }

    [Fact]
    public void Requests_that_waited_are_done_in_order_when_the_missing_one_comes_and_may_wait_again()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        for (int round = 0; round < 3; round++)
        {
            uint missing = initiator.CmdSn++;
            var tags = new List<uint> { initiator.NextTag() };
            for (int i = 0; i < 12; i++)
                tags.Add(initiator.SendNop(Bytes.Pattern(262144), immediate: false));
            world.Advance(world.Options.Timers.DataOutTimeoutMs - 10_000);
            initiator.ReceiveNothing();

            initiator.SendCommand(Cdbs.TestUnitReady, tag: tags[0], cmdSn: missing);

            Assert.Equal(tags, initiator.ReceiveAll().Select(answer => answer.InitiatorTaskTag));
            Assert.Equal(0, world.Buffers.BytesOut);
        }
    }

    [Fact]
    public void Immediate_commands_with_data_are_bounded()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;

        for (int i = 0; i < 300; i++)
        {
            initiator.SendCommand(Cdbs.Write10(0, 128), write: true, expected: 65536,
                immediateData: Bytes.Pattern(65536), immediate: true);
        }

        Assert.Equal(IscsiLimits.ImmediateCommandsMax * 65536, world.Buffers.BytesOut);
        Assert.Equal(300 - IscsiLimits.ImmediateCommandsMax,
            initiator.ReceiveAll().Count(answer => answer.Opcode == Opcode.Reject));
    }

    [Fact]
    public void A_login_needs_nothing_of_the_pool_that_sessions_share()
    {
        using var world = new IscsiWorld(slabs: 1);
        Assert.True(world.Buffers.TryLease(BufferPool.MaxSegmentBytes, out nint one));
        Assert.True(world.Buffers.TryLease(BufferPool.MaxSegmentBytes, out nint two));

        Initiator initiator = world.LogIn();
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));

        world.Buffers.Return(one, BufferPool.MaxSegmentBytes);
        world.Buffers.Return(two, BufferPool.MaxSegmentBytes);
    }

    [Fact]
    public void Login_requests_of_a_peer_that_does_not_read_the_responses_end_its_connection()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.Connect();
        initiator.Peer.WindowBytes = 0;
        byte[] header = new byte[48];
        LoginRequestPdu.WriteTo(header, initiator.Isid, 0, 0, 0, initiator.CmdSn, initiator.ExpStatSn,
            LoginStage.LoginOperationalNegotiation, LoginStage.LoginOperationalNegotiation, transit: false, 0);
        for (int i = 0; i < LoginLimits.LoginRequestsMax && !initiator.IsClosed; i++)
        {
            initiator.Send(header, Initiator.Keys(
                i == 0 ? [$"InitiatorName={initiator.Name}", $"TargetName={IscsiWorld.TargetName}"] : [$"X-key{i}=1"]));
            Assert.InRange(world.Home.HeaderSlotsOut, 0, 2 * IscsiLimits.LoginResponsesMax + 1);
        }

        Assert.True(initiator.IsClosed);
        Assert.Equal(["Login Requests without reading the responses"], world.Events.Failures);
    }
}
