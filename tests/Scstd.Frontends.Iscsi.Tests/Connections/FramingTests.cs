using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

public sealed class FramingTests
{
    private static readonly string[] Digests = ["HeaderDigest=CRC32C", "DataDigest=CRC32C"];

    /// <summary>A ping with padding, a WRITE with immediate data, and a READ of what it wrote.</summary>
    private static byte[] Conversation(Initiator initiator, byte[] data)
    {
        byte[] nop = new byte[48];
        NopOutPdu.WriteTo(nop, 1000, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn);
        byte[] write = new byte[48];
        ScsiCommandPdu.WriteTo(write, 0, 1001, (uint)data.Length, initiator.CmdSn, initiator.ExpStatSn,
            Cdbs.Write10(3, data.Length / 512), write: true);
        byte[] read = new byte[48];
        ScsiCommandPdu.WriteTo(read, 0, 1002, (uint)data.Length, initiator.CmdSn + 1, initiator.ExpStatSn,
            Cdbs.Read10(3, data.Length / 512), read: true);
        return
        [
            .. initiator.Encode(nop, "a ping"u8),
            .. initiator.Encode(write, data),
            .. initiator.Encode(read),
        ];
    }

    private static void AssertAnswers(Initiator initiator, byte[] data)
    {
        Pdu echo = initiator.Receive(Opcode.NopIn);
        Assert.Equal("a ping", echo.Text);
        initiator.ReceiveGood(1001);
        Assert.Equal(data, initiator.ReceiveDataIn(1002).Data);
        initiator.ReceiveNothing();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_stream_cut_in_two_at_any_byte_gives_the_same_answers(bool digests)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(digests ? Digests : []);
        byte[] data = Bytes.Pattern(1024);
        int length = Conversation(initiator, data).Length;
        for (int cut = 1; cut < length; cut++)
        {
            byte[] bytes = Conversation(initiator, data);
            initiator.SendRaw(bytes.AsSpan(0, cut));
            initiator.SendRaw(bytes.AsSpan(cut));
            AssertAnswers(initiator, data);
            initiator.CmdSn += 2;
        }
        Assert.True(length > 1000);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    [InlineData(true, 3)]
    public void A_stream_in_pieces_of_any_size_gives_the_same_answers(bool digests, int seed)
    {
        using var world = new IscsiWorld(target => target with { QueueDepth = 64 });
        Initiator initiator = world.LogIn(
            digests ? Digests : [], new InMemoryStreamOptions { Seed = seed, MaxReceiveBytes = 20_000 });
        var random = new Random(seed);
        for (int round = 0; round < 60; round++)
        {
            byte[] data = Bytes.Pattern(512 * random.Next(1, 90), round);
            initiator.SendRaw(Conversation(initiator, data));
            AssertAnswers(initiator, data);
            initiator.CmdSn += 2;
        }
        Assert.Equal(60, world.Disk.WriteCount);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Solicited_data_is_received_in_place_in_pieces_of_any_size(int seed)
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn([.. Digests, "ImmediateData=No", "InitialR2T=Yes", "MaxBurstLength=262144"],
            new InMemoryStreamOptions { Seed = seed, MaxReceiveBytes = 30_000 });
        byte[] data = Bytes.Pattern(1 << 20, seed);

        uint tag = initiator.Write(0, data);
        for (int bursts = 0; bursts < 4; bursts++)
            initiator.Answer(initiator.Receive(), data, pduBytes: 100_000);

        initiator.ReceiveGood(tag);
        Assert.True(data.AsSpan().SequenceEqual(world.Disk.Contents[..data.Length]));
    }

    [Fact]
    public void An_unknown_opcode_is_rejected_with_its_header_and_its_data_skipped()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        byte[] header = new byte[48];
        header[0] = 0x40 | 0x1C;

        initiator.Send(header, "skip me"u8);

        Pdu reject = initiator.Receive(Opcode.Reject);
        Assert.Equal(RejectReason.CommandNotSupported, new RejectPdu(reject.Header).Reason);
        BasicHeaderSegment.SetDataSegmentLength(header, 7);
        Assert.Equal(header, reject.Data);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public void A_SNACK_is_rejected()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        byte[] header = new byte[48];
        SnackPdu.WriteTo(header, SnackType.Status, BasicHeaderSegment.ReservedTag, 1, 1, initiator.ExpStatSn);

        initiator.Send(header);

        Assert.Equal(RejectReason.SnackReject, new RejectPdu(initiator.Receive(Opcode.Reject).Header).Reason);
        initiator.ReceiveGood(initiator.SendCommand(Cdbs.TestUnitReady));
    }

    [Fact]
    public void A_data_segment_beyond_MaxRecvDataSegmentLength_ends_the_connection()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn();
        byte[] header = new byte[48];
        NopOutPdu.WriteTo(header, 1, BasicHeaderSegment.ReservedTag, initiator.CmdSn, initiator.ExpStatSn);
        BasicHeaderSegment.SetDataSegmentLength(header, 262144 + 1);

        initiator.SendRaw(header);

        Assert.True(initiator.IsClosed);
        Assert.Single(world.Events.Failures);
    }

    [Fact]
    public void A_ping_longer_than_the_initiator_can_take_is_echoed_in_part()
    {
        using var world = new IscsiWorld();
        Initiator initiator = world.LogIn(["MaxRecvDataSegmentLength=600"]);

        uint tag = initiator.SendNop(Bytes.Pattern(1000));

        Pdu echo = initiator.Receive(Opcode.NopIn);
        Assert.Equal(tag, echo.InitiatorTaskTag);
        Assert.Equal(Bytes.Pattern(1000)[..600], echo.Data);
    }
}
