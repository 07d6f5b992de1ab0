using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

public sealed class ReadWriteTests
{
    private static byte[] Pattern(int lengthBytes, int seed = 1)
    {
        byte[] bytes = new byte[lengthBytes];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void A_read_comes_in_one_data_in_with_its_status()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        Pattern(4096).CopyTo(world.Disk.Contents[1024..]);

        uint tag = initiator.Read(2, 8);

        (byte[] data, Pdu last) = initiator.ReceiveDataIn(tag);
        Assert.Equal(Pattern(4096), data);
        Assert.Equal((Opcode.DataIn, ScsiStatus.Good, true), (last.Opcode, last.Status, last.Final));
        initiator.ReceiveNothing();
    }

    [Fact]
    public void A_write_with_immediate_data_needs_no_R2T()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=Yes"]);

        uint tag = initiator.Write(4, Pattern(4096), immediateBytes: 4096);

        initiator.ReceiveGood(tag);
        Assert.Equal(Pattern(4096), world.Disk.Contents.Slice(2048, 4096).ToArray());
    }

    [Fact]
    public void A_write_is_asked_for_in_bursts_of_MaxBurstLength()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(
            ["ImmediateData=No", "InitialR2T=Yes", "MaxBurstLength=16384", "FirstBurstLength=16384"]);
        byte[] data = Pattern(40960);

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
}
