using System.Net;
using System.Text;
using CsCheck;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class TextExchangeTests
{
    private const string Disk = "iqn.2026-11.test:disk";
    private const string Tape = "iqn.2026-11.test:tape";
    private const uint Fresh = 0x5555;

    private static readonly TargetRecord[] Visible =
    [
        new(Disk, [new TargetPortal("192.0.2.1", 3260, 1), new TargetPortal("2001:db8::1", 3260, 2)]),
        new(Tape, [new TargetPortal("192.0.2.1", 3261, 1)]),
    ];

    private static IReadOnlyList<TargetRecord> Lookup(string? name) =>
        [.. Visible.Where(record => name is null || record.TargetName == name)];

    private static TextExchange Discovery(int maxRecv = 8192) => new(SessionType.Discovery, null, maxRecv, Lookup);

    private static TextExchange Normal() => new(SessionType.Normal, Disk, 8192, Lookup);

    private static TextReply Say(
        TextExchange exchange, byte[] data, bool final = true, bool more = false, uint tag = 0xFFFFFFFF, uint itt = 9)
    {
        var header = new byte[48];
        TextRequestPdu.WriteTo(header, itt, tag, 1, 1, data.Length, final, more);
        var reply = exchange.Receive(new TextRequestPdu(header), data, Fresh);
        if (reply.Reject is not null)
        {
            Assert.NotEqual("", reply.Why);
            return reply;
        }
        reply.WriteHeader(header);
        var pdu = new TextResponsePdu(header);
        Assert.Equal((reply.Final, reply.Continue, itt), (pdu.Final, pdu.Continue, pdu.InitiatorTaskTag));
        // §11.11.4: reserved with F=1, a real tag with F=0.
        Assert.Equal(pdu.Final ? 0xFFFFFFFF : Fresh, pdu.TargetTransferTag);
        Assert.False(pdu is { Final: true, Continue: true });
        Assert.Equal(!pdu.Final, exchange.Open);
        return reply;
    }

    private static TextReply Say(
        TextExchange exchange, string text, bool final = true, bool more = false, uint tag = 0xFFFFFFFF) =>
        Say(exchange, LoginConversation.Encode(text), final, more, tag);

    private static string Text(TextReply reply) =>
        Encoding.UTF8.GetString(reply.Data.Span).Replace('\0', ' ').TrimEnd();

    [Fact]
    public void SendTargets_All_tells_what_the_initiator_may_see()
    {
        var reply = Say(Discovery(), "SendTargets=All");
        Assert.True(reply.Final);
        Assert.Equal($"TargetName={Disk} TargetAddress=192.0.2.1:3260,1 TargetAddress=[2001:db8::1]:3260,2 "
            + $"TargetName={Tape} TargetAddress=192.0.2.1:3261,1", Text(reply));
    }

    [Fact]
    public void SendTargets_with_a_name_tells_that_target_only()
    {
        Assert.Equal($"TargetName={Tape} TargetAddress=192.0.2.1:3261,1",
            Text(Say(Discovery(), $"SendTargets={Tape.ToUpperInvariant()}")));
        Assert.Equal("", Text(Say(Discovery(), "SendTargets=iqn.2026-11.test:none")));
    }

    [Fact]
    public void Normal_session_learns_of_its_own_target_only()
    {
        var own = $"TargetName={Disk} TargetAddress=192.0.2.1:3260,1 TargetAddress=[2001:db8::1]:3260,2";
        Assert.Equal(own, Text(Say(Normal(), "SendTargets=")));
        Assert.Equal(own, Text(Say(Normal(), $"SendTargets={Disk}")));
        Assert.Equal("", Text(Say(Normal(), $"SendTargets={Tape}")));
        Assert.Equal("", Text(Say(Normal(), "SendTargets=All")));
    }

    [Theory]
    [InlineData("SendTargets=Alle", "SendTargets=Reject")]
    [InlineData("SendTargets=A", "SendTargets=Reject")]
    [InlineData("SendTargets=all", "SendTargets=Reject")]
    [InlineData("sendtargets=All", "sendtargets=NotUnderstood")]
    [InlineData("X-whatever=1", "X-whatever=NotUnderstood")]
    [InlineData("MaxBurstLength=512", "MaxBurstLength=Reject")]
    [InlineData("AuthMethod=None", "AuthMethod=Reject")]
    [InlineData("TargetAddress=me", "TargetAddress=Reject")]
    [InlineData("InitiatorAlias=me", "")]
    [InlineData("", "")]
    public void Other_keys_are_answered_by_the_book(string text, string answer) =>
        Assert.Equal(answer, Text(Say(Normal(), text)));

    [Fact]
    public void Empty_SendTargets_in_discovery_is_refused() =>
        Assert.Equal("SendTargets=Reject", Text(Say(Discovery(), "SendTargets=")));

    [Fact]
    public void MaxRecvDataSegmentLength_may_change_in_full_feature_phase()
    {
        var exchange = Normal();
        Assert.Equal("", Text(Say(exchange, "MaxRecvDataSegmentLength=65536")));
        Assert.Equal(65536, exchange.InitiatorMaxRecvDataSegmentLength);
        Assert.Equal(RejectReason.ProtocolError, Say(exchange, "MaxRecvDataSegmentLength=1").Reject);
        Assert.Equal(65536, exchange.InitiatorMaxRecvDataSegmentLength);
    }

    [Fact]
    public void Long_answer_comes_in_pieces_that_the_initiator_can_take()
    {
        var portals = Enumerable.Range(1, 100).Select(i => new TargetPortal("192.0.2.1", i, 1)).ToList();
        var exchange = new TextExchange(SessionType.Discovery, null, 512, _ => [new TargetRecord(Disk, portals)]);
        var reply = Say(exchange, "SendTargets=All");
        var text = new List<byte>(reply.Data.ToArray());
        while (!reply.Final)
        {
            Assert.True(reply.Continue);
            Assert.Equal(512, reply.Data.Length);
            reply = Say(exchange, "", tag: Fresh);
            text.AddRange(reply.Data.ToArray());
        }
        Assert.Null(TextAssembly.Parse(text.ToArray(), out var pairs));
        Assert.Equal(101, pairs.Count);
        Assert.Equal("192.0.2.1:100,1", pairs[^1].Value);
    }

    [Fact]
    public void Answer_beyond_the_limit_is_refused_not_promised()
    {
        var portals = Enumerable.Repeat(new TargetPortal("192.0.2.1", 3260, 1), 40000).ToList();
        var exchange = new TextExchange(SessionType.Discovery, null, 8192, _ => [new TargetRecord(Disk, portals)]);
        Assert.Equal("SendTargets=Reject", Text(Say(exchange, "SendTargets=All")));
    }

    [Fact]
    public void Question_may_come_in_pieces()
    {
        var exchange = Discovery();
        var reply = Say(exchange, Encoding.ASCII.GetBytes("SendTar"), final: false, more: true);
        Assert.Equal((false, false, ""), (reply.Final, reply.Continue, Text(reply)));
        reply = Say(exchange, Encoding.ASCII.GetBytes($"gets={Tape}\0"), tag: Fresh);
        Assert.True(reply.Final);
        Assert.StartsWith($"TargetName={Tape}", Text(reply));
    }

    [Fact]
    public void Initiator_that_has_more_to_say_keeps_the_exchange_open()
    {
        var exchange = Discovery();
        var reply = Say(exchange, $"SendTargets={Tape}", final: false);
        Assert.False(reply.Final);
        Assert.StartsWith($"TargetName={Tape}", Text(reply));
        reply = Say(exchange, "", tag: Fresh);
        Assert.Equal((true, ""), (reply.Final, Text(reply)));
    }

    [Fact]
    public void New_question_with_the_reserved_tag_drops_the_old_one()
    {
        var exchange = Discovery();
        Say(exchange, Encoding.ASCII.GetBytes("SendTar"), final: false, more: true);
        Assert.StartsWith($"TargetName={Tape}", Text(Say(exchange, $"SendTargets={Tape}")));
    }

    [Fact]
    public void Tag_of_no_exchange_is_rejected()
    {
        var exchange = Discovery();
        Assert.Equal(RejectReason.InvalidPduField, Say(exchange, "SendTargets=All", tag: 0x1234).Reject);
        Say(exchange, "A=1", final: false);
        Assert.Equal(RejectReason.InvalidPduField, Say(exchange, [], tag: Fresh, itt: 10).Reject);
        Assert.False(exchange.Open);
        Say(exchange, "A=1", final: false);
        Assert.Equal(RejectReason.InvalidPduField, Say(exchange, "", tag: Fresh + 1).Reject);
    }

    [Fact]
    public void Malformed_duplicate_or_endless_text_is_rejected()
    {
        Assert.Equal(RejectReason.ProtocolError, Say(Discovery(), Encoding.ASCII.GetBytes("SendTargets=All")).Reject);
        Assert.Equal(RejectReason.ProtocolError, Say(Discovery(), "SendTargets=All SendTargets=All").Reject);
        var exchange = Discovery();
        var piece = new byte[8192];
        Assert.Null(Say(exchange, piece, false, true).Reject);
        Assert.Null(Say(exchange, piece, false, true, Fresh).Reject);
        Assert.Equal(RejectReason.ProtocolError, Say(exchange, piece, false, true, Fresh).Reject);
    }

    [Fact]
    public void Text_while_an_answer_is_unfinished_is_rejected()
    {
        var portals = Enumerable.Range(1, 100).Select(i => new TargetPortal("192.0.2.1", i, 1)).ToList();
        var exchange = new TextExchange(SessionType.Discovery, null, 512, _ => [new TargetRecord(Disk, portals)]);
        Assert.True(Say(exchange, "SendTargets=All").Continue);
        Assert.Equal(RejectReason.ProtocolError, Say(exchange, "A=1", tag: Fresh).Reject);
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7:3260,5")]
    [InlineData("2001:db8::7", "[2001:db8::7]:3260,5")]
    [InlineData("fe80::1%3", "[fe80::1]:3260,5")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7:3260,5")]
    public void Address_is_written_as_the_initiator_reads_it(string address, string expected)
    {
        var portal = new TargetPortal(new IPEndPoint(IPAddress.Parse(address), 3260), 5);
        Assert.Equal(expected, portal.ToString());
    }

    [Fact]
    public void Host_names_and_bracketed_addresses_stay_as_they_are()
    {
        Assert.Equal("store.example:3260,1", new TargetPortal("store.example", 3260, 1).ToString());
        Assert.Equal("[2001:db8::7]:860,1", new TargetPortal("[2001:db8::7]", 860, 1).ToString());
    }

    [Fact]
    public void Random_requests_never_throw() =>
        Gen.Select(Gen.Byte.Array[0, 64], Gen.Bool, Gen.Bool).List[1, 8].Sample(requests =>
        {
            var exchange = Discovery(512);
            foreach (var (data, final, open) in requests)
                Say(exchange, data, final, !final, open && exchange.Open ? Fresh : 0xFFFFFFFF);
        });
}
