using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>Long data segments are received in place: the stream holds a command's buffer while the command, its
/// session or the stream itself may end.</summary>
public sealed class LentBufferTests
{
    public enum Ending
    {
        Close,
        Reset,
        NewLogin,
        Silence,
        RemovedTarget,
    }

    [Theory]
    [InlineData(Ending.Close)]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.NewLogin)]
    [InlineData(Ending.Silence)]
    [InlineData(Ending.RemovedTarget)]
    public void A_session_may_end_in_the_middle_of_the_data_of_a_command_that_came_early(Ending ending)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        initiator.SendRaw(EarlyWrite(initiator, 32768)[..100]);

        End(world, initiator, ending);

        Assert.True(initiator.IsClosed);
        AssertServes(world, ending);
    }

    [Theory]
    [InlineData(Ending.Close)]
    [InlineData(Ending.Reset)]
    [InlineData(Ending.NewLogin)]
    [InlineData(Ending.Silence)]
    [InlineData(Ending.RemovedTarget)]
    public void A_session_may_end_in_the_middle_of_data_that_was_asked_for(Ending ending)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["ImmediateData=No"]);
        byte[] data = Bytes.Pattern(32768);
        initiator.Write(0, data);
        initiator.SendRaw(Answer(initiator, initiator.Receive(Opcode.ReadyToTransfer), data)[..148]);

        End(world, initiator, ending);

        Assert.True(initiator.IsClosed);
        Assert.Equal(0, world.Disk.WriteCount);
        AssertServes(world, ending);
    }

    [Fact]
    public void The_data_digest_of_a_command_that_came_early_is_that_of_its_own_data()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["DataDigest=CRC32C"]);
        byte[] pdu = EarlyWrite(initiator, 32768);

        initiator.SendRaw(pdu[..100]);
        initiator.SendRaw(pdu[100..]);
        initiator.ReceiveNothing();
        uint first = initiator.SendCommand(Cdbs.TestUnitReady);

        initiator.ReceiveGood(first);
        Assert.Equal(ScsiStatus.Good, initiator.Receive(Opcode.ScsiResponse).Status);
        Assert.True(world.Disk.Contents[..32768].SequenceEqual(Bytes.Pattern(32768)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_command_that_another_initiator_aborts_in_the_middle_of_its_data_answers_when_the_data_has_ended(
        bool isUnderWay)
    {
        using var world = new IscsiWorld();
        world.Unit.Control.Current[3] |= 0x40; // TAS, byte 5 of the page (SPC-4 §7.5.8)
        Assert.True(ControlModePage.ReportsTaskAborted(world.Unit.Control));
        Initiator victim = world.LogIn(["ImmediateData=No"]);
        Initiator other = world.LogIn(name: "iqn.2026-11.test:other");
        byte[] data = Bytes.Pattern(32768);
        uint tag = victim.Write(0, data);
        byte[] pdu = Answer(victim, victim.Receive(Opcode.ReadyToTransfer), data);
        int sent = isUnderWay ? 148 : 0;
        victim.SendRaw(pdu.AsSpan(0, sent));

        uint reset = other.SendFunction(TaskManagementFunctionCode.LogicalUnitReset);
        victim.SendRaw(pdu.AsSpan(sent));

        Assert.Equal(TaskManagementResponseCode.FunctionComplete, other.ReceiveFunctionResponse(reset));
        Pdu status = victim.Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.TaskAborted), (status.InitiatorTaskTag, status.Status));
        Assert.Equal(0, world.Disk.WriteCount);
        world.Advance(world.Options.Timers.DataOutTimeoutMs + 10_000);
        Assert.False(victim.IsClosed);
    }

    private static byte[] EarlyWrite(Initiator initiator, int immediateBytes)
    {
        byte[] header = new byte[48];
        ScsiCommandPdu.WriteTo(header, 0, initiator.NextTag(), (uint)immediateBytes, initiator.CmdSn + 1,
            initiator.ExpStatSn, Cdbs.Write10(0, immediateBytes / 512), read: false, write: true, final: true,
            immediate: false, TaskAttributeCode.Simple);
        return initiator.Encode(header, Bytes.Pattern(immediateBytes));
    }

    /// <summary>All that an R2T asks for, in one PDU.</summary>
    private static byte[] Answer(Initiator initiator, Pdu r2T, byte[] data)
    {
        byte[] header = new byte[48];
        DataOutPdu.WriteTo(header, r2T.InitiatorTaskTag, new R2TPdu(r2T.Header).TargetTransferTag, 0, 0, data.Length,
            final: true, expStatSn: initiator.ExpStatSn);
        return initiator.Encode(header, data);
    }

    private static void End(IscsiWorld world, Initiator initiator, Ending ending)
    {
        switch (ending)
        {
            case Ending.Close:
                initiator.Peer.EndSending();
                break;
            case Ending.Reset:
                initiator.Peer.Reset();
                break;
            case Ending.NewLogin:
                world.Connect().SendLogin([]);
                break;
            case Ending.RemovedTarget:
                world.Registry.RemoveTarget(IscsiWorld.TargetName);
                break;
            default:
                world.Advance(world.Options.Timers.DataOutTimeoutMs + 10_000);
                break;
        }
        world.Advance(5_000);
    }

    private static void AssertServes(IscsiWorld world, Ending ending)
    {
        if (ending == Ending.RemovedTarget)
            return;
        Initiator other = world.LogIn(name: "iqn.2026-11.test:bystander");
        other.ReceiveGood(other.SendCommand(Cdbs.TestUnitReady));
    }
}
