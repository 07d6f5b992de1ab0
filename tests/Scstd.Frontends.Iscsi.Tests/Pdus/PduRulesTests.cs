using CsCheck;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Pdus;

public sealed class PduRulesTests
{
    private static readonly PduBounds Normal = new(ConnectionPhase.FullFeature, 65536, true, false, 16384);
    private static readonly PduBounds Discovery = Normal with { Phase = ConnectionPhase.Discovery };
    private static readonly PduBounds Login = Normal with
    {
        Phase = ConnectionPhase.Login,
        MaxRecvDataSegmentLength = PduRules.LoginDataSegmentLengthMax,
    };

    private static byte[] Header(byte opcodeByte, byte flags = 0x80, int dataSegmentLength = 0, int ahsWords = 0)
    {
        var header = new byte[48];
        header[0] = opcodeByte;
        header[1] = flags;
        header[4] = (byte)ahsWords;
        BasicHeaderSegment.SetDataSegmentLength(header, dataSegmentLength);
        return header;
    }

    private static byte[] Write(uint expected, int immediate, bool final = true, bool write = true, bool read = false)
    {
        var header = new byte[48];
        ScsiCommandPdu.WriteTo(header, 0, 1, expected, 1, 1, [0x2A], read, write, final,
            dataSegmentLength: immediate);
        return header;
    }

    private static PduVerdict Judge(byte[] header, PduBounds bounds) =>
        PduRules.Judge(new BasicHeaderSegment(header), bounds);

    [Theory]
    [InlineData(0x00)]
    [InlineData(0x01)]
    [InlineData(0x41)]
    [InlineData(0x02)]
    [InlineData(0x04)]
    [InlineData(0x05)]
    [InlineData(0x06)]
    public void Requests_of_an_initiator_are_accepted_in_full_feature_phase(byte opcode) =>
        Assert.True(Judge(Header(opcode), Normal).Accepted);

    [Theory]
    [InlineData(0x03, RejectReason.ProtocolError)]
    [InlineData(0x07, RejectReason.CommandNotSupported)]
    [InlineData(0x10, RejectReason.SnackReject)]
    [InlineData(0x1C, RejectReason.CommandNotSupported)]
    [InlineData(0x20, RejectReason.ProtocolError)]
    [InlineData(0x3F, RejectReason.ProtocolError)]
    public void Other_opcodes_are_rejected_with_their_reason(byte opcode, RejectReason reason)
    {
        var verdict = Judge(Header(opcode), Normal);
        Assert.Equal((PduVerdictKind.Reject, reason), (verdict.Kind, verdict.Reason));
    }

    [Theory]
    [InlineData(0x04, true)]
    [InlineData(0x06, true)]
    [InlineData(0x00, false)]
    [InlineData(0x01, false)]
    [InlineData(0x02, false)]
    [InlineData(0x05, false)]
    public void Discovery_session_allows_text_and_logout_only(byte opcode, bool allowed) =>
        Assert.Equal(allowed, Judge(Header(opcode), Discovery).Accepted);

    [Fact]
    public void Login_phase_knows_only_login_requests()
    {
        Assert.True(Judge(Header(0x43), Login).Accepted);
        Assert.Equal(PduVerdictKind.Close, Judge(Header(0x01), Login).Kind);
        Assert.Equal(PduVerdictKind.Close, Judge(Header(0x43, ahsWords: 1), Login).Kind);
        Assert.Equal(PduVerdictKind.Close, Judge(Header(0x43, dataSegmentLength: 8193), Login).Kind);
    }

    [Fact]
    public void Data_segment_beyond_MaxRecvDataSegmentLength_closes()
    {
        Assert.True(Judge(Header(0x05, dataSegmentLength: 65536), Normal).Accepted);
        Assert.Equal(PduVerdictKind.Close, Judge(Header(0x05, dataSegmentLength: 65537), Normal).Kind);
        Assert.Equal(PduVerdictKind.Close, Judge(Header(0x3E, dataSegmentLength: 65537), Normal).Kind);
    }

    [Theory]
    [InlineData(0x02, 4, 0)]
    [InlineData(0x06, 4, 0)]
    [InlineData(0x02, 0, 1)]
    [InlineData(0x06, 0, 1)]
    [InlineData(0x00, 0, 1)]
    [InlineData(0x04, 0, 1)]
    [InlineData(0x05, 0, 1)]
    [InlineData(0x01, 0, 65)]
    public void Data_or_segments_where_none_belong_are_an_invalid_field(byte opcode, int data, int ahsWords) =>
        Assert.Equal(RejectReason.InvalidPduField, Judge(Header(opcode, 0x80, data, ahsWords), Normal).Reason);

    [Fact]
    public void Command_with_the_largest_segments_is_accepted() =>
        Assert.True(Judge(Header(0x01, ahsWords: 64), Normal).Accepted);

    [Theory]
    [InlineData(0x85)]
    [InlineData(0x86)]
    [InlineData(0x87)]
    [InlineData(0x00)] // W=0 and F=0
    [InlineData(0x40)] // R=1, W=0 and F=0
    public void Command_flags_that_mean_nothing_are_an_invalid_field(byte flags) =>
        Assert.Equal(RejectReason.InvalidPduField, Judge(Header(0x01, flags), Normal).Reason);

    [Fact]
    public void Expected_length_needs_a_direction() =>
        Assert.Equal(RejectReason.InvalidPduField, Judge(Write(512, 0, write: false), Normal).Reason);

    [Fact]
    public void Directions_without_length_are_allowed() =>
        Assert.True(Judge(Write(0, 0, read: true), Normal).Accepted);

    [Fact]
    public void Immediate_data_obeys_what_was_negotiated()
    {
        Assert.True(Judge(Write(16384, 16384), Normal).Accepted);
        Assert.Equal(RejectReason.InvalidPduField, Judge(Write(4096, 4097), Normal).Reason);
        Assert.Equal(RejectReason.InvalidPduField, Judge(Write(512, 512, write: false, read: true), Normal).Reason);
        Assert.Equal(PduVerdictKind.UnexpectedUnsolicitedData, Judge(Write(32768, 16385), Normal).Kind);
        Assert.Equal(PduVerdictKind.UnexpectedUnsolicitedData,
            Judge(Write(512, 512), Normal with { ImmediateData = false }).Kind);
    }

    [Fact]
    public void Unsolicited_data_may_be_announced_only_with_InitialR2T_No()
    {
        Assert.True(Judge(Write(65536, 0, final: false), Normal).Accepted);
        Assert.Equal(PduVerdictKind.UnexpectedUnsolicitedData,
            Judge(Write(65536, 0, final: false), Normal with { InitialR2T = true }).Kind);
    }

    [Fact]
    public void Nop_out_without_tag_must_be_immediate()
    {
        var header = new byte[48];
        NopOutPdu.WriteTo(header, BasicHeaderSegment.ReservedTag, BasicHeaderSegment.ReservedTag, 1, 1);
        Assert.True(Judge(header, Normal).Accepted);
        NopOutPdu.WriteTo(header, BasicHeaderSegment.ReservedTag, BasicHeaderSegment.ReservedTag, 1, 1, 0, false);
        Assert.Equal(RejectReason.InvalidPduField, Judge(header, Normal).Reason);
    }

    [Fact]
    public void Text_with_both_F_and_C_is_a_protocol_error()
    {
        Assert.True(Judge(Header(0x04, 0x40), Normal).Accepted);
        Assert.Equal(RejectReason.ProtocolError, Judge(Header(0x04, 0xC0), Normal).Reason);
        Assert.Equal(RejectReason.ProtocolError, Judge(Header(0x04, 0xC0), Discovery).Reason);
    }

    [Fact]
    public void Every_header_gets_a_verdict_and_refusals_say_why() =>
        Gen.Select(Gen.Byte.Array[48], Gen.Enum<ConnectionPhase>(), Gen.Int[512, 262144]).Sample((bytes, phase, max) =>
        {
            var verdict = Judge(bytes, Normal with { Phase = phase, MaxRecvDataSegmentLength = max });
            Assert.Equal(verdict.Accepted, string.IsNullOrEmpty(verdict.Why));
            Assert.Equal(verdict.Kind == PduVerdictKind.Reject, verdict.Reason != 0);
            if (new BasicHeaderSegment(bytes).DataSegmentLength > max)
                Assert.Equal(PduVerdictKind.Close, verdict.Kind);
        });
}
