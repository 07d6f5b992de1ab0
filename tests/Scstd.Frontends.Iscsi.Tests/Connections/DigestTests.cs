using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

public sealed class DigestTests
{
    private static readonly string[] Both = ["HeaderDigest=CRC32C", "DataDigest=CRC32C"];

    [Fact]
    public void A_wrong_header_digest_ends_the_connection()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Both);
        byte[] header = new byte[48];
        NopOutPdu.WriteTo(header, 1, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn);
        byte[] pdu = initiator.Encode(header);
        pdu[^1] ^= 1;

        initiator.SendRaw(pdu);

        Assert.True(initiator.IsClosed);
        Assert.Equal(1ul, world.Home.Counters.DigestErrors);
    }

    [Fact]
    public void A_wrong_digest_of_Data_Out_fails_its_command_alone()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn([.. Both, "ImmediateData=No", "InitialR2T=Yes"]);
        byte[] data = Bytes.Pattern(2048);
        uint tag = initiator.Write(0, data);
        uint transferTag = new R2TPdu(initiator.Receive(Opcode.ReadyToTransfer).Header).TargetTransferTag;
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, tag, transferTag, 0, 0, 1024, final: false);
        byte[] wrong = initiator.Encode(header, data.AsSpan(0, 1024));
        wrong[60] ^= 0x10;

        initiator.SendRaw(wrong);
        Pdu reject = initiator.Receive(Opcode.Reject);
        Assert.Equal(RejectReason.DataDigestError, new RejectPdu(reject.Header).Reason);
        Assert.Equal(wrong[..48], reject.Data);
        initiator.ReceiveNothing();
        initiator.SendDataOut(tag, transferTag, 1, 1024, data.AsSpan(1024), final: true);

        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (response.InitiatorTaskTag, response.Status));
        Assert.Equal((SenseKey.AbortedCommand, new AdditionalSense(0x47, 0x05)), response.Sense);
        Assert.Equal(0, world.Disk.WriteCount);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public void A_wrong_digest_of_immediate_data_ends_the_session_and_writes_nothing()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Both);
        byte[] header = new byte[48];
        ScsiCommandPdu.WriteTo(
            header, 0, 7, 512, initiator.CmdSn, initiator.ExpStatSn, Cdbs.Write10(0, 1), write: true);
        byte[] wrong = initiator.Encode(header, Bytes.Pattern(512));
        wrong[^1] ^= 0x80;

        initiator.SendRaw(wrong);

        Assert.Equal(RejectReason.DataDigestError, new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
        Assert.True(initiator.IsClosed);
        Assert.Equal(0, world.Disk.WriteCount);
    }

    [Fact]
    public void A_wrong_digest_of_a_ping_is_rejected()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Both);
        byte[] header = new byte[48];
        NopOutPdu.WriteTo(header, 9, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn);
        byte[] wrong = initiator.Encode(header, "odd"u8);
        wrong[52] ^= 1;

        initiator.SendRaw(wrong);

        Assert.Equal(RejectReason.DataDigestError, new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
    }

    [Fact]
    public void Data_In_that_a_store_has_lent_never_contradicts_its_digest()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Both);
        world.Disk.Lends = true;
        initiator.Peer.WindowBytes = 100;

        uint tag = initiator.Read(0, 64);
        // The disk changes while half of the answer is still on its way.
        Bytes.Pattern(32768).CopyTo(world.Disk.Contents);
        initiator.Peer.WindowBytes = int.MaxValue;
        world.Run();

        Assert.Equal(new byte[32768], initiator.ReceiveDataIn(tag).Data);
    }

    [Fact]
    public void A_read_whose_digest_needs_a_copy_is_refused_without_memory_and_holds_nobody_up()
    {
        using var world = new IscsiWorld(slabs: 1);
        Initiator initiator = world.LogIn([.. Both, "MaxRecvDataSegmentLength=1048576"]);
        world.Disk.Lends = true;
        Bytes.Pattern(1 << 20).CopyTo(world.Disk.Contents);
        var taken = new List<nint>();
        while (world.Buffers.TryLease(4096, out nint lease))
            taken.Add(lease);

        uint tag = initiator.Read(0, 2048);
        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        taken.ForEach(lease => world.Buffers.Return(lease, 4096));

        Assert.Equal((tag, ScsiStatus.Busy), (response.InitiatorTaskTag, response.Status));
        Assert.Equal(Bytes.Pattern(1 << 20), initiator.ReceiveDataIn(initiator.Read(0, 2048)).Data);
    }

    [Theory]
    [InlineData("HeaderDigest=CRC32C")]
    [InlineData("DataDigest=CRC32C")]
    public void Each_digest_works_without_the_other(string key)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn([key]);
        byte[] data = Bytes.Pattern(4096);

        initiator.ReceiveGood(initiator.Write(1, data, immediateBytes: 4096));

        Assert.Equal(data, initiator.ReceiveDataIn(initiator.Read(1, 8)).Data);
    }
}
