using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>Data-In of a command that is still being read.</summary>
public sealed class EarlyDataInTests
{
    private const int Blocks = 16;
    private const int WholeBytes = Blocks * TestDisk.BlockBytes;

    private static readonly SenseData Unreadable = new()
    {
        Key = SenseKey.MediumError,
        Additional = AdditionalSense.UnrecoveredReadError,
    };

    [Fact]
    public void What_has_been_read_is_sent_at_once_and_the_rest_with_the_status()
    {
        using var world = Reading(out Initiator initiator, out uint tag);

        world.Disk.HasRead(2048);
        world.Run();
        Pdu first = initiator.Receive();
        world.Disk.HasRead(6144);
        world.Run();
        Pdu second = initiator.Receive();
        initiator.ReceiveNothing();
        world.Disk.LetGo();
        world.Run();
        Pdu last = initiator.Receive();

        Pdu[] all = [first, second, last];
        Assert.All(all, pdu => Assert.Equal((Opcode.DataIn, tag), (pdu.Opcode, pdu.InitiatorTaskTag)));
        Assert.Equal([2048, 4096, 2048], all.Select(pdu => pdu.Data.Length));
        Assert.Equal([0u, 1, 2], all.Select(pdu => new DataInPdu(pdu.Header).DataSn));
        Assert.Equal([0u, 2048, 6144], all.Select(pdu => new DataInPdu(pdu.Header).BufferOffset));
        Assert.Equal([false, false, true], all.Select(pdu => new DataInPdu(pdu.Header).HasStatus));
        Assert.Equal(Bytes.Pattern(WholeBytes), all.SelectMany(pdu => pdu.Data));
        Assert.Equal(ScsiStatus.Good, last.Status);
        initiator.ReceiveNothing();
    }

    /// <summary>RFC 7143 §11.7.1: the F bit ends a sequence, which is no longer than MaxBurstLength.</summary>
    [Fact]
    public void What_is_sent_ahead_is_a_sequence_of_its_own()
    {
        using var world = Reading(out Initiator initiator, out _, "MaxRecvDataSegmentLength=1024",
            "MaxBurstLength=2048", "FirstBurstLength=1024");

        world.Disk.HasRead(3072);
        world.Run();
        List<Pdu> early = initiator.ReceiveAll();
        world.Disk.LetGo();
        world.Run();
        List<Pdu> rest = initiator.ReceiveAll();

        Assert.Equal([false, true, true], early.Select(pdu => pdu.Final));
        Assert.Equal([false, true, false, true, true], rest.Select(pdu => pdu.Final));
        Assert.Equal(Bytes.Pattern(WholeBytes), early.Concat(rest).SelectMany(pdu => pdu.Data));
    }

    [Fact]
    public void Digests_cover_what_is_sent_ahead()
    {
        using var world = Reading(out Initiator initiator, out uint tag, "HeaderDigest=CRC32C", "DataDigest=CRC32C");

        world.Disk.HasRead(2048);
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(Bytes.Pattern(WholeBytes), initiator.ReceiveDataIn(tag).Data);
    }

    [Fact]
    public void An_initiator_never_gets_more_than_it_has_room_for()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        uint tag = initiator.Read(0, Blocks, expected: 3000);

        world.Disk.HasRead(2048);
        world.Disk.HasRead(6144);
        world.Disk.LetGo();
        world.Run();

        (byte[] data, Pdu last) = initiator.ReceiveDataIn(tag);
        Assert.Equal(3000, data.Length);
        Residual residual = last.Opcode == Opcode.DataIn
            ? new DataInPdu(last.Header).Residual : new ScsiResponsePdu(last.Header).Residual;
        Assert.Equal(Residual.Overflow(WholeBytes - 3000), residual);
    }

    [Fact]
    public void Other_answers_need_not_wait_for_the_rest()
    {
        using var world = Reading(out Initiator initiator, out uint tag);
        SendAhead(world, initiator);

        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));

        world.Disk.LetGo();
        world.Run();
        Assert.Equal(tag, initiator.Receive(Opcode.DataIn).InitiatorTaskTag);
    }

    /// <summary>RFC 7143 §11.4.5.1: the residual count tells what was not transferred; §11.4.8: ExpDataSN counts the
    /// Data-In PDUs.</summary>
    [Fact]
    public void A_read_that_fails_later_tells_what_of_it_was_transferred()
    {
        using var world = Reading(out Initiator initiator, out uint tag);
        SendAhead(world, initiator);

        world.Disk.Fail(Unreadable);
        world.Run();

        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        var pdu = new ScsiResponsePdu(response.Header);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (response.InitiatorTaskTag, response.Status));
        Assert.Equal((SenseKey.MediumError, AdditionalSense.UnrecoveredReadError), response.Sense);
        Assert.Equal((Residual.Underflow(WholeBytes - 2048), 1u), (pdu.Residual, pdu.ExpDataSn));
    }

    [Fact]
    public void Of_an_aborted_command_nothing_more_is_sent_and_its_function_is_answered()
    {
        using var world = Reading(out Initiator initiator, out uint tag);
        SendAhead(world, initiator);

        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTask, tag, initiator.CmdSn - 1);
        world.Disk.HasRead(4096);
        world.Run();
        initiator.ReceiveNothing();
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.ReceiveNothing();
        Assert.Equal(0, world.Buffers.LeasesOut);
    }

    [Fact]
    public void The_buffer_of_an_aborted_command_stays_until_the_stream_has_sent_from_it()
    {
        using var world = Reading(out Initiator initiator, out uint tag);
        initiator.Peer.WindowBytes = 0;
        world.Disk.HasRead(4096);
        world.Run();
        initiator.SendFunction(TaskManagementFunctionCode.AbortTask, tag, initiator.CmdSn - 1);
        world.Disk.LetGo();
        world.Run();

        Assert.NotEqual(0, world.Buffers.LeasesOut);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();
        Pdu data = initiator.Receive(Opcode.DataIn);
        initiator.Receive(Opcode.TaskManagementFunctionResponse);

        Assert.Equal(Bytes.Pattern(WholeBytes)[..4096], data.Data);
        Assert.Equal(0, world.Buffers.LeasesOut);
    }

    /// <summary>RFC 7143 §11.4.2: the status waits for the data that was announced, and nothing is sent ahead of it.
    /// </summary>
    [Fact]
    public void What_a_read_that_announces_data_has_read_waits_for_that_data()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Bytes.Pattern(WholeBytes).CopyTo(world.Disk.Contents);
        world.Disk.Holds = true;
        byte[] header = new byte[48];
        ScsiCommandPdu.WriteTo(header, 0, 77, WholeBytes, initiator.CmdSn++, initiator.ExpStatSn,
            Cdbs.Read10(0, Blocks), read: true, write: true, final: false, immediate: false,
            TaskAttributeCode.Simple);
        byte[] bidirectional = [0, 5, 2, 0, 0, 0, WholeBytes >> 8, 0]; // §11.2.2.4: 8192 bytes to be read
        initiator.Send(header, ahs: bidirectional);

        world.Disk.HasRead(2048);
        world.Disk.LetGo();
        world.Run();
        initiator.ReceiveNothing();
        uint function = initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, initiator.ReceiveFunctionResponse(function));
        initiator.ReceiveNothing();
        Assert.Equal(0, world.Buffers.LeasesOut);
    }

    /// <summary>RFC 7143 §11.4.5.1: TASK ABORTED, too, tells the residual of what was transferred.</summary>
    [Fact]
    public void A_read_that_another_initiator_aborts_tells_what_of_it_was_transferred()
    {
        using var world = new IscsiWorld();
        world.Unit.Control.Current[3] |= 0x40; // TAS, byte 5 of the page (SPC-4 §7.5.8)
        Initiator victim = world.LogIn();
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        world.Disk.Holds = true;
        uint tag = victim.Read(0, Blocks);
        SendAhead(world, victim);

        uint reset = other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        world.Disk.LetGo();
        world.Run();

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, other.ReceiveFunctionResponse(reset));
        Pdu response = victim.Receive(Opcode.ScsiResponse);
        var pdu = new ScsiResponsePdu(response.Header);
        Assert.Equal((tag, ScsiStatus.TaskAborted), (response.InitiatorTaskTag, response.Status));
        Assert.Equal((Residual.Underflow(WholeBytes - 2048), 1u), (pdu.Residual, pdu.ExpDataSn));
    }

    /// <summary>Or one connection could take all memory with a window of a few commands.</summary>
    [Fact]
    public void Who_aborts_what_it_does_not_read_is_not_read_from_any_more()
    {
        using var world = new IscsiWorld(slabs: 16);
        Initiator initiator = world.LogIn();
        world.Disk.Holds = true;
        initiator.Peer.WindowBytes = 0;
        for (int i = 0; i < 20 && initiator.Peer.UntakenBytes == 0; i++)
        {
            initiator.Read(0, 4096, expected: 512);
            world.Disk.HasRead(2048);
            initiator.SendFunction(TaskManagementFunctionCode.AbortTaskSet);
            world.Disk.LetGo();
            world.Run();
        }

        Assert.InRange(world.Buffers.BytesOut, 4 << 20, 8 << 20);
        Assert.NotEqual(0, initiator.Peer.UntakenBytes);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();
        initiator.ReceiveAll();
        Assert.Equal(0, initiator.Peer.UntakenBytes);
        Assert.Equal(0, world.Buffers.LeasesOut);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_may_end_while_data_ahead_of_the_end_is_under_way(bool endsAfter)
    {
        using var world = Reading(out Initiator initiator, out _);
        initiator.Peer.WindowBytes = 0;
        world.Disk.HasRead(4096);
        world.Run();
        if (endsAfter)
        {
            world.Disk.LetGo();
            world.Run();
        }

        initiator.Peer.Reset();
        world.Run();
        world.Disk.LetGo();
        world.Run();

        Assert.Equal((0, 0L), (world.Registry.SessionCount, world.Buffers.LeasesOut));
    }

    /// <summary>Whoever has no room for an answer sends it later, and the place in the queue is not taken twice.
    /// </summary>
    [Fact]
    public void Data_ahead_of_the_end_waits_behind_what_a_slow_peer_has_not_taken()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["MaxRecvDataSegmentLength=512"]);
        initiator.Peer.WindowBytes = 0;
        Bytes.Pattern(WholeBytes).CopyTo(world.Disk.Contents);
        uint whole = initiator.Read(0, 2048);
        world.Disk.Holds = true;
        uint tag = initiator.Read(0, Blocks);

        world.Disk.HasRead(2048);
        world.Run();
        world.Disk.HasRead(4096);
        world.Run();
        world.Disk.LetGo();
        world.Run();

        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();
        Assert.Equal(2048 * TestDisk.BlockBytes, initiator.ReceiveDataIn(whole).Data.Length);
        Assert.Equal(Bytes.Pattern(WholeBytes), initiator.ReceiveDataIn(tag).Data);
        initiator.ReceiveNothing();
    }

    /// <summary>2048 bytes of the oldest READ, in one PDU.</summary>
    private static void SendAhead(IscsiWorld world, Initiator initiator)
    {
        world.Disk.HasRead(2048);
        world.Run();
        Assert.Equal(2048, initiator.Receive(Opcode.DataIn).Data.Length);
    }

    private static IscsiWorld Reading(out Initiator initiator, out uint tag, params string[] keys)
    {
        var world = new IscsiWorld();
        initiator = world.LogIn(keys);
        Bytes.Pattern(WholeBytes).CopyTo(world.Disk.Contents);
        world.Disk.Holds = true;
        tag = initiator.Read(0, Blocks);
        return world;
    }
}
