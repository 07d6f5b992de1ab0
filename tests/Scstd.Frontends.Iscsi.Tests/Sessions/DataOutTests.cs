using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Sessions;

/// <summary>What may be wrong with Data-Out (RFC 7143 §11.7, §11.4.7.2, §7.8), and that it harms nobody else.</summary>
public sealed class DataOutTests
{
    private const uint NoTag = BasicHeaderSegment.ReservedTag;

    private static readonly string[] Solicited = ["ImmediateData=No", "InitialR2T=Yes", "MaxBurstLength=4096",
        "FirstBurstLength=4096", "MaxOutstandingR2T=2"];

    private static readonly string[] Unsolicited =
        ["ImmediateData=Yes", "InitialR2T=No", "MaxBurstLength=8192", "FirstBurstLength=4096"];

    private static readonly byte[] Data = Bytes.Pattern(8192);

    private static void AssertFailed(IscsiWorld world, Initiator initiator, uint tag, byte code, byte qualifier)
    {
        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, ScsiStatus.CheckCondition), (response.InitiatorTaskTag, response.Status));
        Assert.Equal((SenseKey.AbortedCommand, new AdditionalSense(code, qualifier)), response.Sense);
        Assert.Equal(0, world.Disk.WriteCount);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    private static (uint Tag, uint First, uint Second) BeginSolicited(Initiator initiator)
    {
        uint tag = initiator.Write(0, Data);
        return (tag, new R2TPdu(initiator.Receive(Opcode.ReadyToTransfer).Header).TargetTransferTag,
            new R2TPdu(initiator.Receive(Opcode.ReadyToTransfer).Header).TargetTransferTag);
    }

    [Theory]
    [InlineData(1u, 0u)]
    [InlineData(27u, 0u)]
    [InlineData(uint.MaxValue, 0u)]
    [InlineData(0u, 512u)]
    [InlineData(0u, 0x8000_0000u)]
    public void A_wrong_DataSN_or_offset_fails_the_command_when_all_sequences_have_ended(uint dataSn, uint offset)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, first, dataSn, offset, Data.AsSpan(0, 4096), final: true);
        initiator.ReceiveNothing();
        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);

        AssertFailed(world, initiator, tag, 0x47, 0x05);
    }

    [Fact]
    public void A_repeated_DataSN_fails_the_command()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, first, 0, 0, Data.AsSpan(0, 2048), final: false);
        initiator.SendDataOut(tag, first, 0, 2048, Data.AsSpan(2048, 2048), final: true);
        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);

        AssertFailed(world, initiator, tag, 0x47, 0x05);
    }

    [Fact]
    public void R2Ts_answered_out_of_order_fail_the_command()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);
        initiator.SendDataOut(tag, first, 0, 0, Data.AsSpan(0, 4096), final: true);

        AssertFailed(world, initiator, tag, 0x47, 0x05);
    }

    [Theory]
    [InlineData(2048)]
    [InlineData(8192)]
    public void An_answer_to_an_R2T_that_is_too_short_or_too_long_is_an_incorrect_amount(int lengthBytes)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, first, 0, 0, Data.AsSpan(0, lengthBytes), final: true);
        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);

        AssertFailed(world, initiator, tag, 0x0C, 0x0D);
    }

    [Fact]
    public void Unsolicited_data_beyond_FirstBurstLength_is_an_incorrect_amount()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Unsolicited);

        uint tag = initiator.Write(0, Data, immediateBytes: 2048, final: false);
        initiator.SendDataOut(tag, NoTag, 0, 2048, Data.AsSpan(2048, 4096), final: true);

        AssertFailed(world, initiator, tag, 0x0C, 0x0D);
    }

    [Fact]
    public void Unsolicited_data_that_was_forbidden_is_dropped_and_fails_the_command()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);

        uint tag = initiator.Write(0, Data, final: false);
        initiator.ReceiveNothing();
        initiator.SendDataOut(tag, NoTag, 0, 0, Data.AsSpan(0, 4096), final: true);

        AssertFailed(world, initiator, tag, 0x0C, 0x0C);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(8192)]
    public void Immediate_data_that_was_forbidden_is_dropped_and_fails_the_command(int immediateBytes)
    {
        using var world = new IscsiWorld();
        // 512 bytes: ImmediateData=No. 8192 bytes: allowed, but above FirstBurstLength.
        Initiator initiator = world.LogIn(immediateBytes == 512 ? Solicited : Unsolicited);

        uint tag = initiator.Write(0, Data, immediateBytes);

        AssertFailed(world, initiator, tag, 0x0C, 0x0C);
    }

    [Fact]
    public void Less_unsolicited_data_than_allowed_is_followed_by_an_R2T_for_the_rest()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Unsolicited);

        uint tag = initiator.Write(0, Data, immediateBytes: 512, final: false);
        initiator.SendDataOut(tag, NoTag, 0, 512, Data.AsSpan(512, 512), final: true);
        Pdu r2T = initiator.Receive(Opcode.ReadyToTransfer);
        Assert.Equal((1024u, 7168u),
            (new R2TPdu(r2T.Header).BufferOffset, new R2TPdu(r2T.Header).DesiredDataTransferLength));
        initiator.Answer(r2T, Data, pduBytes: 3000);

        initiator.ReceiveGood(tag);
        Assert.Equal(Data, world.Disk.Contents[..8192].ToArray());
    }

    [Fact]
    public void A_Target_Transfer_Tag_that_is_not_outstanding_is_rejected_and_changes_nothing()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, second + 100, 0, 0, Bytes.Pattern(4096, 9), final: true);
        initiator.SendDataOut(tag, NoTag, 0, 0, Bytes.Pattern(4096, 9), final: true);

        Assert.Equal([RejectReason.InvalidPduField, RejectReason.ProtocolError],
            initiator.ReceiveAll().Select(pdu => new RejectPdu(pdu.Header).Reason));
        initiator.SendDataOut(tag, first, 0, 0, Data.AsSpan(0, 4096), final: true);
        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);
        initiator.ReceiveGood(tag);
        Assert.Equal(Data, world.Disk.Contents[..8192].ToArray());
    }

    [Fact]
    public void Data_for_a_command_that_does_not_exist_is_dropped_in_silence()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);

        initiator.SendDataOut(4711, 1, 0, 0, Data, final: true);

        initiator.ReceiveNothing();
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
        Assert.Equal(1ul, world.Home.Counters.LateDataOuts);
    }

    [Fact]
    public void The_status_of_a_refused_command_waits_for_the_last_unsolicited_PDU()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Unsolicited);

        // An operation code that nobody knows.
        uint tag = initiator.SendCommand(
            [0xEE], write: true, expected: 8192, immediateData: Data[..1024], final: false);
        initiator.ReceiveNothing();
        initiator.SendDataOut(tag, NoTag, 0, 1024, Data.AsSpan(1024, 1024), final: false);
        initiator.ReceiveNothing();
        initiator.SendDataOut(tag, NoTag, 1, 2048, Data.AsSpan(2048, 2048), final: true);

        Pdu response = initiator.Receive(Opcode.ScsiResponse);
        Assert.Equal((tag, SenseKey.IllegalRequest), (response.InitiatorTaskTag, response.Sense.Key));
    }

    [Fact]
    public void A_zero_length_final_PDU_ends_a_sequence()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        (uint tag, uint first, uint second) = BeginSolicited(initiator);

        initiator.SendDataOut(tag, first, 0, 0, Data.AsSpan(0, 4096), final: false);
        initiator.SendDataOut(tag, first, 1, 4096, [], final: true);
        initiator.SendDataOut(tag, second, 0, 4096, Data.AsSpan(4096), final: true);

        initiator.ReceiveGood(tag);
        Assert.Equal(Data, world.Disk.Contents[..8192].ToArray());
    }

    [Fact]
    public void Data_that_does_not_come_ends_the_session_after_its_time()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(Solicited);
        BeginSolicited(initiator);

        world.Advance(world.Options.Timers.DataOutTimeoutMs - 100);
        Assert.False(initiator.IsClosed);
        world.Advance(10_000);

        Assert.True(initiator.IsClosed);
    }
}
