using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

public sealed class ReadWriteTests
{
    [Fact]
    public void A_read_comes_in_one_data_in_with_its_status()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Bytes.Pattern(4096).CopyTo(world.Disk.Contents[1024..]);

        uint tag = initiator.Read(2, 8);

        (byte[] data, Pdu last) = initiator.ReceiveDataIn(tag);
        Assert.Equal(Bytes.Pattern(4096), data);
        Assert.Equal((Opcode.DataIn, ScsiStatus.Good, true), (last.Opcode, last.Status, last.Final));
        initiator.ReceiveNothing();
    }

    [Fact]
    public void A_write_with_immediate_data_needs_no_R2T()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=Yes"]);

        uint tag = initiator.Write(4, Bytes.Pattern(4096), immediateBytes: 4096);

        initiator.ReceiveGood(tag);
        Assert.Equal(Bytes.Pattern(4096), world.Disk.Contents.Slice(2048, 4096).ToArray());
    }

    [Fact]
    public void A_write_is_asked_for_in_bursts_of_MaxBurstLength()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(
            ["ImmediateData=No", "InitialR2T=Yes", "MaxBurstLength=16384", "FirstBurstLength=16384"]);
        byte[] data = Bytes.Pattern(40960);

        uint tag = initiator.Write(0, data);

        foreach (int length in (int[])[16384, 16384, 8192])
        {
            Pdu r2T = initiator.Receive(Opcode.ReadyToTransfer);
            Assert.Equal((uint)length, new R2TPdu(r2T.Header).DesiredDataTransferLength);
            initiator.Answer(r2T, data);
        }
        initiator.ReceiveGood(tag);
        Assert.Equal(data, world.Disk.Contents[..40960].ToArray());
    }

    [Fact]
    public void A_read_is_cut_by_the_initiators_MaxRecvDataSegmentLength_and_final_at_each_bursts_end()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(
            ["MaxRecvDataSegmentLength=1024", "MaxBurstLength=2560", "FirstBurstLength=1024"]);
        Bytes.Pattern(6144).CopyTo(world.Disk.Contents);

        uint tag = initiator.Read(0, 12);

        List<Pdu> pdus = initiator.ReceiveAll();
        Assert.All(pdus, pdu => Assert.Equal((Opcode.DataIn, tag), (pdu.Opcode, pdu.InitiatorTaskTag)));
        Assert.Equal([1024, 1024, 512, 1024, 1024, 512, 1024], pdus.Select(pdu => pdu.Data.Length));
        Assert.Equal([false, false, true, false, false, true, true], pdus.Select(pdu => pdu.Final));
        Assert.Equal([0u, 1, 2, 3, 4, 5, 6], pdus.Select(pdu => new DataInPdu(pdu.Header).DataSn));
        Assert.Equal(Bytes.Pattern(6144), pdus.SelectMany(pdu => pdu.Data));
    }

    [Fact]
    public void StatSN_counts_responses_and_not_data()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["MaxRecvDataSegmentLength=512"]);

        initiator.Read(0, 4);
        uint first = initiator.ReceiveAll()[^1].StatSn;
        initiator.Read(0, 1);
        initiator.SendCommand(Cdbs.TestUnitReady);

        Assert.Equal([first + 1, first + 2], initiator.ReceiveAll().Select(pdu => pdu.StatSn));
    }

    [Fact]
    public void A_read_shorter_than_expected_underflows_and_a_longer_one_overflows()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        (byte[] data, Pdu last) = initiator.ReceiveDataIn(initiator.Read(0, 2, expected: 4096));
        Assert.Equal((1024, Residual.Underflow(3072)), (data.Length, new DataInPdu(last.Header).Residual));

        (data, last) = initiator.ReceiveDataIn(initiator.Read(0, 8, expected: 512));
        Assert.Equal((512, Residual.Overflow(3584)), (data.Length, new DataInPdu(last.Header).Residual));
    }

    [Fact]
    public void A_write_is_cut_to_the_blocks_that_the_initiator_gives_and_overflows()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        uint tag = initiator.SendCommand(
            Cdbs.Write10(0, 4), write: true, expected: 512, immediateData: Bytes.Pattern(512));

        Pdu response = initiator.ReceiveGood(tag);
        Assert.Equal(Residual.Overflow(1536), new ScsiResponsePdu(response.Header).Residual);
        Assert.Equal(Bytes.Pattern(512), world.Disk.Contents[..512].ToArray());
    }

    [Fact]
    public void Data_beyond_what_the_command_writes_is_dropped()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        uint tag = initiator.SendCommand(
            Cdbs.Write10(0, 1), write: true, expected: 2048, immediateData: Bytes.Pattern(2048));

        Pdu response = initiator.ReceiveGood(tag);
        Assert.Equal(Residual.Underflow(1536), new ScsiResponsePdu(response.Header).Residual);
        Assert.Equal(Bytes.Pattern(2048)[..512], world.Disk.Contents[..512].ToArray());
        Assert.All(world.Disk.Contents[512..2048].ToArray(), b => Assert.Equal(0, b));
    }

    [Fact]
    public void Several_R2Ts_are_outstanding_and_answered_in_order()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=No", "InitialR2T=Yes", "MaxBurstLength=4096",
            "FirstBurstLength=4096", "MaxOutstandingR2T=3"]);
        byte[] data = Bytes.Pattern(20480);

        uint tag = initiator.Write(0, data);

        var r2Ts = new Queue<Pdu>(initiator.ReceiveAll());
        Assert.Equal(3, r2Ts.Count);
        for (int answered = 0; answered < 5; answered++)
        {
            Pdu r2T = r2Ts.Dequeue();
            Assert.Equal(((uint)answered, (uint)answered * 4096),
                (new R2TPdu(r2T.Header).R2TSn, new R2TPdu(r2T.Header).BufferOffset));
            initiator.Answer(r2T, data, pduBytes: 1000);
            if (answered < 2)
                r2Ts.Enqueue(initiator.Receive(Opcode.ReadyToTransfer));
        }
        initiator.ReceiveGood(tag);
        Assert.Equal(data, world.Disk.Contents[..20480].ToArray());
    }

    [Fact]
    public void Immediate_unsolicited_and_solicited_data_make_one_write()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(
            ["InitialR2T=No", "ImmediateData=Yes", "FirstBurstLength=8192", "MaxBurstLength=8192"]);
        byte[] data = Bytes.Pattern(20480);

        uint tag = initiator.Write(0, data, immediateBytes: 1024, final: false);
        initiator.SendDataOut(tag, BasicHeaderSegment.ReservedTag, 0, 1024, data.AsSpan(1024, 4096), final: false);
        initiator.SendDataOut(tag, BasicHeaderSegment.ReservedTag, 1, 5120, data.AsSpan(5120, 3072), final: true);
        initiator.Answer(initiator.Receive(), data);
        initiator.Answer(initiator.Receive(), data);

        initiator.ReceiveGood(tag);
        Assert.Equal(data, world.Disk.Contents[..20480].ToArray());
    }

    [Fact]
    public void A_CDB_of_32_bytes_comes_with_an_additional_header_segment()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Bytes.Pattern(1024).CopyTo(world.Disk.Contents[512..]);
        byte[] ahs = new byte[64];
        int ahsBytes = AdditionalHeaderSegments.WriteExtendedCdb(ahs, Cdbs.Read32(1, 2));

        uint tag = initiator.SendCommand(Cdbs.Read32(1, 2), read: true, expected: 1024, ahs: ahs[..ahsBytes]);

        (byte[] data, _) = initiator.ReceiveDataIn(tag);
        Assert.Equal(Bytes.Pattern(1024), data);
    }

    [Fact]
    public void A_command_to_a_LUN_without_a_unit_is_answered_with_sense_data()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();

        initiator.SendCommand(Cdbs.TestUnitReady, lun: Lun.FromNumber(7).Value);

        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal(ScsiStatus.CheckCondition, response.Status);
        Assert.Equal((SenseKey.IllegalRequest, AdditionalSense.LogicalUnitNotSupported), response.Sense);
    }

    [Fact]
    public void A_session_is_described_with_what_it_has_moved()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        initiator.ReceiveGood(initiator.Write(0, Bytes.Pattern(1024), immediateBytes: 1024));
        initiator.ReceiveDataIn(initiator.Read(0, 1));

        SessionInfo session = Assert.Single(world.Registry.DescribeSessions());

        Assert.Equal((IscsiWorld.TargetName, initiator.Name, initiator.LastTsih),
            (session.TargetName, session.InitiatorName, session.Tsih));
        Assert.Equal((3ul, 512ul, 1024ul),
            (session.Counters.Commands, session.Counters.DataInBytes, session.Counters.DataOutBytes));
        Assert.Equal((1, 0L), (world.Portal.AcceptedCount, world.Portal.LoginFailureCount));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_read_of_lent_memory_is_copied_for_a_data_digest_alone(bool digest)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(digest ? ["DataDigest=CRC32C"] : []);
        world.Disk.Lends = true;

        initiator.ReceiveDataIn(initiator.Read(0, 16));

        Assert.Equal(digest ? 8192ul : 0, world.Home.Counters.PayloadCopiedBytes);
    }

    [Fact]
    public void What_is_copied_of_a_write_is_what_was_read_ahead()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        initiator.ReceiveGood(initiator.Write(0, Bytes.Pattern(4096), immediateBytes: 4096));
        Assert.Equal(4096ul, world.Home.Counters.PayloadCopiedBytes);

        byte[] data = Bytes.Pattern(65536);
        byte[] header = new byte[48];
        ScsiCommandPdu.WriteTo(
            header, 0, 77, 65536, initiator.CmdSn, initiator.ExpStatSn, Cdbs.Write10(0, 128), write: true);
        byte[] pdu = initiator.Encode(header, data);
        initiator.SendRaw(pdu.AsSpan(0, 48 + 1000));
        initiator.SendRaw(pdu.AsSpan(48 + 1000));

        Assert.Equal(ScsiStatus.Good, initiator.Receive(Opcode.ScsiResponse).Status);
        Assert.Equal(4096ul + 1000, world.Home.Counters.PayloadCopiedBytes);
        Assert.Equal(data, world.Disk.Contents[..65536].ToArray());
    }

    [Fact]
    public void Two_reactors_serve_one_unit()
    {
        using var world = new IscsiWorld(reactors: 2);
        Initiator first = world.LogIn();
        Initiator second = world.LogIn(name: "iqn.2026-11.test:second");
        Assert.Equal([1, 1], world.Homes.Select(home => home.ConnectionCount));

        first.ReceiveGood(first.Write(0, Bytes.Pattern(4096), immediateBytes: 4096));

        (byte[] data, _) = second.ReceiveDataIn(second.Read(0, 8));
        Assert.Equal(Bytes.Pattern(4096), data);
    }
}
