using CsCheck;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class NegotiatorTests
{
    private static readonly ParameterLimits Limits = new()
    {
        MaxRecvDataSegmentLength = 131072,
        MaxBurstLength = 262144,
        FirstBurstLength = 65536,
        MaxOutstandingR2T = 4,
        DefaultTime2Wait = 1,
        DefaultTime2Retain = 20,
    };

    private static Negotiator New(
        ParameterLimits? limits = null, SessionType type = SessionType.Normal, bool leading = true) =>
        new(limits ?? Limits, type, leading);

    private static string? Ask(Negotiator negotiator, string key, string value)
    {
        var answers = new List<TextPair>();
        Assert.Null(negotiator.Receive([new TextPair(key, value)], answers));
        return answers.Count == 0 ? null : Assert.Single(answers, pair => pair.Key == key).Value;
    }

    private static LoginFault Fault(Negotiator negotiator, params TextPair[] pairs)
    {
        var fault = negotiator.Receive(pairs, []);
        Assert.NotNull(fault);
        Assert.Equal(LoginStatus.InitiatorError, fault.Status);
        return fault;
    }

    [Theory]
    [InlineData("HeaderDigest", "CRC32C,None", "CRC32C")]
    [InlineData("HeaderDigest", "None,CRC32C", "None")]
    [InlineData("HeaderDigest", "X-new,CRC32C", "CRC32C")]
    [InlineData("HeaderDigest", "X-new", "Reject")]
    [InlineData("HeaderDigest", "", "Reject")]
    [InlineData("HeaderDigest", "crc32c", "Reject")]
    [InlineData("DataDigest", "CRC32C", "CRC32C")]
    [InlineData("DataDigest", "None", "None")]
    [InlineData("MaxConnections", "8", "1")]
    [InlineData("MaxConnections", "0", "Reject")]
    [InlineData("MaxConnections", "65536", "Reject")]
    [InlineData("InitialR2T", "Yes", "Yes")]
    [InlineData("InitialR2T", "No", "No")]
    [InlineData("InitialR2T", "Maybe", "Reject")]
    [InlineData("ImmediateData", "Yes", "Yes")]
    [InlineData("ImmediateData", "No", "No")]
    [InlineData("MaxBurstLength", "131072", "131072")]
    [InlineData("MaxBurstLength", "16776192", "262144")]
    [InlineData("MaxBurstLength", "0x20000", "131072")]
    [InlineData("MaxBurstLength", "511", "Reject")]
    [InlineData("MaxBurstLength", "16777216", "Reject")]
    [InlineData("FirstBurstLength", "4096", "4096")]
    [InlineData("FirstBurstLength", "262144", "65536")]
    [InlineData("FirstBurstLength", "garbage", "Reject")]
    [InlineData("DefaultTime2Wait", "0", "1")]
    [InlineData("DefaultTime2Wait", "5", "5")]
    [InlineData("DefaultTime2Wait", "3601", "Reject")]
    [InlineData("DefaultTime2Retain", "60", "20")]
    [InlineData("DefaultTime2Retain", "0", "0")]
    [InlineData("MaxOutstandingR2T", "16", "4")]
    [InlineData("MaxOutstandingR2T", "1", "1")]
    [InlineData("DataPDUInOrder", "No", "Yes")]
    [InlineData("DataPDUInOrder", "Yes", "Yes")]
    [InlineData("DataSequenceInOrder", "No", "Yes")]
    [InlineData("ErrorRecoveryLevel", "2", "0")]
    [InlineData("ErrorRecoveryLevel", "3", "Reject")]
    [InlineData("TaskReporting", "FastAbort,ResponseFence,RFC3720", "ResponseFence")]
    [InlineData("TaskReporting", "FastAbort", "Reject")]
    [InlineData("iSCSIProtocolLevel", "31", "2")]
    [InlineData("iSCSIProtocolLevel", "1", "1")]
    [InlineData("iSCSIProtocolLevel", "32", "Reject")]
    [InlineData("IFMarker", "No", "Reject")]
    [InlineData("OFMarker", "Yes", "Reject")]
    [InlineData("IFMarkInt", "2048~8192", "Reject")]
    [InlineData("OFMarkInt", "2048", "Reject")]
    [InlineData("X-com.example.Trick", "1", "NotUnderstood")]
    [InlineData("Unheard", "", "NotUnderstood")]
    [InlineData("headerdigest", "None", "NotUnderstood")]
    [InlineData("MaxRecvDataSegmentLength", "65536", null)]
    [InlineData("X#NodeArchitecture", "Example", null)]
    public void Every_key_is_answered_as_its_type_demands(string key, string value, string? answer) =>
        Assert.Equal(answer, Ask(New(), key, value));

    [Fact]
    public void Every_negotiable_key_has_been_asked_for_above_or_is_declared()
    {
        foreach (var row in KeyTable.All)
        {
            if (row.Type is KeyType.Declarative || (row.Use & KeyUse.Operational) == 0) continue;
            var answer = Ask(New(), row.Name, "impossible?");
            Assert.Equal(Answer.Reject, answer);
        }
    }

    [Theory]
    [InlineData("AuthMethod")]
    [InlineData("CHAP_A")]
    [InlineData("SendTargets")]
    [InlineData("TargetAlias")]
    [InlineData("TargetAddress")]
    [InlineData("TargetPortalGroupTag")]
    public void Keys_of_another_stage_or_of_the_target_end_the_login(string key) =>
        Fault(New(), new TextPair(key, "1"));

    [Theory]
    [InlineData("Reject")]
    [InlineData("Irrelevant")]
    [InlineData("NotUnderstood")]
    public void Constants_of_a_responder_are_no_offers(string value) =>
        Fault(New(), new TextPair("MaxBurstLength", value));

    [Theory]
    [InlineData("MaxBurstLength", "65536")]
    [InlineData("MaxRecvDataSegmentLength", "65536")]
    [InlineData("IFMarker", "No")]
    [InlineData("X-unknown", "1")]
    public void Key_may_come_once_only(string key, string value)
    {
        var negotiator = New();
        Ask(negotiator, key, value);
        Fault(negotiator, new TextPair(key, value));
        Fault(New(), new TextPair(key, value), new TextPair(key, value));
    }

    [Theory]
    [InlineData("511")]
    [InlineData("16777216")]
    [InlineData("many")]
    public void Impossible_MaxRecvDataSegmentLength_ends_the_login(string value) =>
        Fault(New(), new TextPair("MaxRecvDataSegmentLength", value));

    [Fact]
    public void FirstBurstLength_stays_within_MaxBurstLength_in_either_order()
    {
        foreach (var pairs in (TextPair[][])[
            [new("FirstBurstLength", "65536"), new("MaxBurstLength", "8192")],
            [new("MaxBurstLength", "8192"), new("FirstBurstLength", "65536")]])
        {
            var negotiator = New();
            var answers = new List<TextPair>();
            Assert.Null(negotiator.Receive(pairs, answers));
            Assert.Equal(pairs.Select(pair => pair.Key), answers.Select(answer => answer.Key));
            Assert.All(answers, answer => Assert.Equal("8192", answer.Value));
            Assert.Null(negotiator.Verify());
            Assert.Equal((8192, 8192), (negotiator.Result().MaxBurstLength, negotiator.Result().FirstBurstLength));
        }
    }

    [Fact]
    public void FirstBurstLength_left_at_a_default_above_MaxBurstLength_is_offered_lower()
    {
        var negotiator = New();
        Ask(negotiator, "MaxBurstLength", "8192");
        var offers = new List<TextPair>();
        Assert.True(negotiator.Offer(offers));
        Assert.Equal([new TextPair("FirstBurstLength", "8192")], offers);
        Assert.True(negotiator.AwaitsAnswers);
        Assert.NotNull(negotiator.Verify());
        Assert.Null(Ask(negotiator, "FirstBurstLength", "4096"));
        Assert.Null(negotiator.Verify());
        Assert.Equal(4096, negotiator.Result().FirstBurstLength);
    }

    [Theory]
    [InlineData("MaxConnections", true)]
    [InlineData("InitialR2T", true)]
    [InlineData("ImmediateData", true)]
    [InlineData("MaxBurstLength", true)]
    [InlineData("FirstBurstLength", true)]
    [InlineData("MaxOutstandingR2T", true)]
    [InlineData("DataPDUInOrder", true)]
    [InlineData("DataSequenceInOrder", true)]
    [InlineData("TaskReporting", true)]
    [InlineData("iSCSIProtocolLevel", true)]
    [InlineData("HeaderDigest", false)]
    [InlineData("DefaultTime2Wait", false)]
    [InlineData("DefaultTime2Retain", false)]
    [InlineData("ErrorRecoveryLevel", false)]
    [InlineData("IFMarker", false)]
    public void Discovery_session_has_irrelevant_keys(string key, bool irrelevant) =>
        Assert.Equal(irrelevant, Ask(New(type: SessionType.Discovery), key, "1") == Answer.Irrelevant);

    [Fact]
    public void Irrelevant_key_beyond_our_limits_does_no_harm()
    {
        var negotiator = New(Limits with { ImmediateData = false }, SessionType.Discovery);
        Assert.Equal(Answer.Irrelevant, Ask(negotiator, "ImmediateData", "Yes"));
        Assert.Null(negotiator.Verify());
    }

    [Fact]
    public void Later_connection_may_not_send_leading_only_keys()
    {
        Fault(New(leading: false), new TextPair("MaxBurstLength", "65536"));
        Assert.Equal("CRC32C", Ask(New(leading: false), "HeaderDigest", "CRC32C"));
    }

    [Fact]
    public void Nothing_said_means_the_defaults_of_the_standard()
    {
        var negotiator = New();
        Assert.False(negotiator.NeedsOffers);
        Assert.Null(negotiator.Verify());
        Assert.Equal(new NegotiatedParameters(), negotiator.Result());
    }

    [Fact]
    public void What_was_agreed_is_the_result()
    {
        var negotiator = New();
        var answers = new List<TextPair>();
        negotiator.Declare(answers);
        negotiator.Declare(answers);
        Assert.Equal([new TextPair("MaxRecvDataSegmentLength", "131072")], answers);
        Assert.Null(negotiator.Receive(
        [
            new("HeaderDigest", "CRC32C"), new("DataDigest", "CRC32C,None"), new("InitialR2T", "No"),
            new("ImmediateData", "No"), new("MaxRecvDataSegmentLength", "4096"), new("MaxBurstLength", "65536"),
            new("FirstBurstLength", "32768"), new("DefaultTime2Wait", "3"), new("DefaultTime2Retain", "0"),
            new("MaxOutstandingR2T", "2"), new("TaskReporting", "ResponseFence"), new("iSCSIProtocolLevel", "2"),
        ], []));
        Assert.Equal(new NegotiatedParameters
        {
            HeaderDigest = Digest.Crc32c,
            DataDigest = Digest.Crc32c,
            InitialR2T = false,
            ImmediateData = false,
            InitiatorMaxRecvDataSegmentLength = 4096,
            TargetMaxRecvDataSegmentLength = 131072,
            MaxBurstLength = 65536,
            FirstBurstLength = 32768,
            DefaultTime2Wait = 3,
            DefaultTime2Retain = 0,
            MaxOutstandingR2T = 2,
            TaskReporting = TaskReporting.ResponseFence,
            IscsiProtocolLevel = 2,
        }, negotiator.Result());
    }

    public static TheoryData<string, ParameterLimits, string> Offers => new()
    {
        { "HeaderDigest", Limits with { HeaderDigests = [Digest.Crc32c] }, "CRC32C" },
        { "DataDigest", Limits with { DataDigests = [Digest.Crc32c] }, "CRC32C" },
        { "ImmediateData", Limits with { ImmediateData = false }, "No" },
        { "MaxBurstLength", Limits with { MaxBurstLength = 131072 }, "131072" },
        { "FirstBurstLength", Limits with { FirstBurstLength = 4096 }, "4096" },
        { "DefaultTime2Wait", Limits with { DefaultTime2Wait = 7 }, "7" },
        { "DefaultTime2Retain", Limits with { DefaultTime2Retain = 0 }, "0" },
    };

    [Theory]
    [MemberData(nameof(Offers))]
    public void Default_that_we_cannot_accept_is_offered_otherwise(string key, ParameterLimits limits, string value)
    {
        var negotiator = New(limits);
        Assert.True(negotiator.NeedsOffers);
        var offers = new List<TextPair>();
        Assert.True(negotiator.Offer(offers));
        Assert.Equal([new TextPair(key, value)], offers);
        Assert.False(negotiator.Offer(offers)); // only once
        Assert.NotNull(negotiator.Verify());
        Assert.Null(Ask(negotiator, key, value));
        Assert.Null(negotiator.Verify());
        Fault(negotiator, new TextPair(key, value));
    }

    [Theory]
    [InlineData("MaxBurstLength", "131073")]
    [InlineData("MaxBurstLength", "Reject")]
    [InlineData("MaxBurstLength", "NotUnderstood")]
    [InlineData("MaxBurstLength", "Irrelevant")]
    [InlineData("HeaderDigest", "None")]
    [InlineData("HeaderDigest", "Reject")]
    public void Answer_that_we_did_not_offer_ends_the_login(string key, string value)
    {
        var negotiator = New(Limits with { MaxBurstLength = 131072, HeaderDigests = [Digest.Crc32c] });
        negotiator.Offer([]);
        Fault(negotiator, new TextPair(key, value));
    }

    [Fact]
    public void Compulsory_digest_that_the_initiator_refuses_ends_the_login()
    {
        var negotiator = New(Limits with { HeaderDigests = [Digest.Crc32c] });
        Assert.Equal(Answer.Reject, Ask(negotiator, "HeaderDigest", "None"));
        Assert.NotNull(negotiator.Verify());
    }

    [Fact]
    public void Limits_that_contradict_the_standard_are_found()
    {
        Assert.Null(new ParameterLimits().Check());
        Assert.Null(Limits.Check());
        Assert.NotNull((Limits with { HeaderDigests = [] }).Check());
        Assert.NotNull((Limits with { MaxRecvDataSegmentLength = 511 }).Check());
        Assert.NotNull((Limits with { MaxBurstLength = 1 << 24 }).Check());
        Assert.NotNull((Limits with { FirstBurstLength = 262145 }).Check());
        Assert.NotNull((Limits with { MaxOutstandingR2T = 0 }).Check());
        Assert.NotNull((Limits with { DefaultTime2Wait = 3601 }).Check());
        Assert.NotNull((Limits with { TaskReporting = [TaskReporting.FastAbort] }).Check());
        Assert.NotNull((Limits with { IscsiProtocolLevel = 32 }).Check());
    }

    [Fact]
    public void Whatever_is_offered_the_result_lies_within_both_sides_limits() =>
        Gen.Select(Gen.Int[0, 1 << 24], Gen.Int[0, 1 << 24], Gen.Int[0, 70000], Gen.Int[0, 4000])
            .Sample((maxBurst, firstBurst, r2T, time) =>
            {
                var negotiator = New();
                Assert.Null(negotiator.Receive(
                [
                    new("FirstBurstLength", $"{firstBurst}"), new("MaxBurstLength", $"{maxBurst}"),
                    new("MaxOutstandingR2T", $"{r2T}"), new("DefaultTime2Wait", $"{time}"),
                ], []));
                if (negotiator.Verify() is not null) return;
                var result = negotiator.Result();
                Assert.InRange(result.MaxBurstLength, 512, Limits.MaxBurstLength);
                Assert.InRange(result.FirstBurstLength, 512, result.MaxBurstLength);
                Assert.InRange(result.MaxOutstandingR2T, 1, Limits.MaxOutstandingR2T);
                Assert.InRange(result.DefaultTime2Wait, Limits.DefaultTime2Wait, 3600);
            });
}
