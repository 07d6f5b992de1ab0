using CsCheck;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using static Scstd.Frontends.Iscsi.Tests.Login.LoginConversation;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class LoginExchangeTests
{
    private const LoginStage Security = LoginStage.SecurityNegotiation;
    private const LoginStage Operational = LoginStage.LoginOperationalNegotiation;
    private const LoginStage Full = LoginStage.FullFeaturePhase;

    private static readonly string[] Phrases =
    [
        "InitiatorName=iqn.2026-11.test:a", $"TargetName={Target}", "SessionType=Normal", "SessionType=Discovery",
        "AuthMethod=None", "AuthMethod=CHAP", "CHAP_A=5", "CHAP_N=joe", "CHAP_R=0x1", "MaxBurstLength=512",
        "HeaderDigest=CRC32C", "InitialR2T=Yes", "X-a=b", "junk", "=",
    ];

    private readonly LoginConversation _login = new();

    private static void Refused(LoginStatus status, Said said)
    {
        Assert.Equal((LoginOutcome.Failed, status), (said.Outcome, said.Status));
        Assert.False(said.Transit || said.Continue);
    }

    [Fact]
    public void Login_in_one_step_skips_security()
    {
        var said = _login.Say($"{Names} HeaderDigest=None,CRC32C MaxRecvDataSegmentLength=65536 InitialR2T=No",
            Operational, Full);
        Assert.Equal((LoginOutcome.Complete, true, Operational, Full),
            (said.Outcome, said.Transit, said.Csg, said.Nsg));
        Assert.Equal(0x42, said.Tsih);
        Assert.Equal(
            "TargetPortalGroupTag=3 HeaderDigest=None InitialR2T=No MaxRecvDataSegmentLength=131072", said.Text);
        Assert.Equal([$"{Initiator} to {Target}"], _login.Policy.Asked);
        var parameters = _login.Exchange.Parameters;
        Assert.Equal((65536, 131072, false), (parameters.InitiatorMaxRecvDataSegmentLength,
            parameters.TargetMaxRecvDataSegmentLength, parameters.InitialR2T));
        Assert.Equal(new LoginIdentity(Initiator, null, _login.Isid, 0, 1, SessionType.Normal, Target, 0x1000),
            _login.Exchange.Identity);
    }

    [Fact]
    public void Login_through_all_stages_without_authentication()
    {
        var said = _login.Say($"{Names} AuthMethod=CHAP,None", Security, Operational);
        Assert.Equal((LoginOutcome.Continue, true, Security, Operational),
            (said.Outcome, said.Transit, said.Csg, said.Nsg));
        Assert.Equal("TargetPortalGroupTag=3 AuthMethod=None", said.Text);
        Assert.Equal(0, said.Tsih);
        said = _login.Say("InitialR2T=Yes", Operational);
        Assert.False(said.Transit);
        Assert.Equal("InitialR2T=Yes MaxRecvDataSegmentLength=131072", said.Text);
        said = _login.Say("", Operational, Full);
        Assert.Equal((LoginOutcome.Complete, ""), (said.Outcome, said.Text));
    }

    [Fact]
    public void Discovery_may_go_from_security_straight_to_full_feature_phase()
    {
        var said = _login.Say($"{DiscoveryNames} AuthMethod=None", Security, Full);
        Assert.Equal((LoginOutcome.Complete, Full, "AuthMethod=None"), (said.Outcome, said.Nsg, said.Text));
        Assert.Equal([$"discovery {Initiator}"], _login.Policy.Asked);
        Assert.Equal((SessionType.Discovery, null),
            (_login.Exchange.Identity!.SessionType, _login.Exchange.Identity.TargetName));
        // Nothing was declared, so the standard's 8192 holds in both directions.
        Assert.Equal(8192, _login.Exchange.Parameters.TargetMaxRecvDataSegmentLength);
    }

    [Fact]
    public void Names_may_be_repeated_in_the_operational_stage_if_they_do_not_change()
    {
        _login.Say($"{Names} AuthMethod=None", Security, Operational);
        Assert.Equal(LoginOutcome.Complete, _login.Say(Names, Operational, Full).Outcome);

        var other = new LoginConversation();
        other.Say($"{Names} AuthMethod=None", Security, Operational);
        Refused(LoginStatus.InitiatorError, other.Say($"TargetName={Target}2", Operational, Full));
    }

    [Fact]
    public void Names_are_normalised_before_anyone_is_asked()
    {
        _login.Say("InitiatorName=IQN.2026-11.Test:Me TargetName=IQN.2026-11.TEST:Disk", Operational, Full);
        Assert.Equal(["iqn.2026-11.test:me to iqn.2026-11.test:disk"], _login.Policy.Asked);
    }

    [Fact]
    public void Aliases_are_exchanged()
    {
        _login.Policy.Admission = LoginAdmission.Granted(ChapSettings.None, new ParameterLimits(), 1, "Store-1");
        var said = _login.Say($"{Names} InitiatorAlias=Host-7", Operational);
        Assert.Equal("Store-1", said["TargetAlias"]);
        Assert.Null(_login.Say("", Operational, Full)["TargetAlias"]);
        Assert.Equal("Host-7", _login.Exchange.Identity!.InitiatorAlias);
    }

    [Theory]
    [InlineData($"TargetName={Target}", LoginStatus.MissingParameter)]
    [InlineData("", LoginStatus.MissingParameter)]
    [InlineData($"InitiatorName={Initiator}", LoginStatus.MissingParameter)]
    [InlineData($"InitiatorName=me TargetName={Target}", LoginStatus.InitiatorError)]
    [InlineData($"InitiatorName={Initiator} TargetName=disk", LoginStatus.NotFound)]
    [InlineData($"{Names} InitiatorName={Initiator}", LoginStatus.InitiatorError)]
    [InlineData($"InitiatorName={Initiator} SessionType=Strange", LoginStatus.SessionTypeNotSupported)]
    [InlineData($"InitiatorName={Initiator} SessionType=discovery", LoginStatus.SessionTypeNotSupported)]
    public void First_step_must_say_who_and_what(string text, LoginStatus status)
    {
        Refused(status, new LoginConversation().Say(text, Operational, Full));
        Refused(status, new LoginConversation().Say(text, Security, Operational));
    }

    [Theory]
    [InlineData(LoginStatus.NotFound)]
    [InlineData(LoginStatus.TargetRemoved)]
    [InlineData(LoginStatus.AuthorizationFailure)]
    [InlineData(LoginStatus.ServiceUnavailable)]
    [InlineData(LoginStatus.OutOfResources)]
    public void Policy_refuses_with_its_status(LoginStatus status)
    {
        _login.Policy.Admission = LoginAdmission.Refused(status, "the administrator knows why");
        var said = _login.Say(Names, Security, Operational);
        Refused(status, said);
        Assert.Equal("", said.Text);
    }

    [Theory]
    [InlineData(true, LoginStatus.TargetMovedPermanently)]
    [InlineData(false, LoginStatus.TargetMovedTemporarily)]
    public void Moved_target_tells_its_address(bool permanently, LoginStatus status)
    {
        _login.Policy.Admission = LoginAdmission.Moved(permanently, "[2001:db8::7]:3260");
        var said = _login.Say(Names, Security, Operational);
        Refused(status, said);
        Assert.Equal("TargetAddress=[2001:db8::7]:3260", said.Text);
    }

    [Theory]
    [InlineData(Operational, Operational)]
    [InlineData(Operational, Security)]
    [InlineData(Security, Security)]
    [InlineData(Security, (LoginStage)2)]
    [InlineData(Operational, (LoginStage)2)]
    [InlineData(Full, Full)]
    [InlineData((LoginStage)2, Full)]
    [InlineData((LoginStage)2, null)]
    [InlineData(Full, null)]
    public void Stages_only_go_forward_and_exist(LoginStage csg, LoginStage? nsg) =>
        Refused(LoginStatus.InitiatorError, _login.Say(Names, csg, nsg));

    [Fact]
    public void Request_of_another_stage_than_the_current_is_refused()
    {
        _login.Say(Names, Operational);
        Refused(LoginStatus.InitiatorError, _login.Say("", Security, Operational));

        var other = new LoginConversation();
        other.Say(Names, Security);
        Refused(LoginStatus.InitiatorError, other.Say("", Operational, Full));
    }

    [Fact]
    public void Both_T_and_C_are_refused() =>
        Refused(LoginStatus.InitiatorError, _login.Say(Names, Operational, Full, more: true));

    [Fact]
    public void Version_above_ours_is_refused()
    {
        _login.VersionMin = 1;
        Refused(LoginStatus.UnsupportedVersion, _login.Say(Names, Operational, Full));
    }

    [Theory]
    [InlineData("isid")]
    [InlineData("tsih")]
    [InlineData("cid")]
    [InlineData("itt")]
    [InlineData("cmdsn")]
    public void What_the_first_request_said_must_not_change(string field)
    {
        _login.Say(Names, Operational);
        switch (field)
        {
            case "isid": _login.Isid = new Isid(9); break;
            case "tsih": _login.Tsih = 9; break;
            case "cid": _login.Cid = 9; break;
            case "itt": _login.Itt = 9; break;
            default: _login.CmdSn++; break;
        }
        Refused(LoginStatus.InitiatorError, _login.Say("", Operational, Full));
    }

    [Theory]
    [InlineData("InitiatorName=iqn.2026-11.test:a")] // no zero byte: appended raw below
    [InlineData("NoEqualsSign\0")]
    [InlineData("=value\0")]
    public void Malformed_text_is_refused(string text) => Refused(LoginStatus.InitiatorError,
        _login.Say(System.Text.Encoding.ASCII.GetBytes(text), Operational, Full));

    [Fact]
    public void Text_may_be_cut_in_the_middle_of_a_key()
    {
        var text = Encode($"{Names} MaxBurstLength=65536");
        foreach (var piece in text[..^20].Chunk(33))
        {
            var said = _login.Say(piece, Operational, more: true);
            Assert.Equal((LoginOutcome.Continue, false, ""), (said.Outcome, said.Transit, said.Text));
        }
        var last = _login.Say(text[^20..], Operational, Full);
        Assert.Equal((LoginOutcome.Complete, "65536"), (last.Outcome, last["MaxBurstLength"]));
    }

    [Fact]
    public void Text_without_end_is_refused_when_it_is_too_long()
    {
        var piece = new byte[LoginLimits.LoginDataSegmentLengthMax];
        Array.Fill(piece, (byte)'A');
        Assert.Equal(LoginOutcome.Continue, _login.Say(piece, Operational, more: true).Outcome);
        Assert.Equal(LoginOutcome.Continue, _login.Say(piece, Operational, more: true).Outcome);
        Refused(LoginStatus.InitiatorError, _login.Say(piece, Operational, more: true));
    }

    [Fact]
    public void Huge_keys_and_values_are_refused()
    {
        Refused(LoginStatus.InitiatorError, _login.Say($"{Names} {new string('K', 64)}=1", Operational, Full));
        Refused(LoginStatus.InitiatorError,
            new LoginConversation().Say($"{Names} MaxBurstLength={new string('1', 256)}", Operational, Full));
        Refused(LoginStatus.InitiatorError, new LoginConversation().Say(
            Names + string.Concat(Enumerable.Range(0, 128).Select(i => $" X-{i}=")), Operational, Full));
    }

    [Fact]
    public void Login_that_never_ends_is_refused()
    {
        _login.Say(Names, Operational);
        for (var i = 1; i < LoginLimits.LoginRequestsMax; i++)
            Assert.Equal(LoginOutcome.Continue, _login.Say("", Operational).Outcome);
        Refused(LoginStatus.InitiatorError, _login.Say("", Operational));
    }

    [Theory]
    [InlineData("MaxBurstLength=65536")]
    [InlineData("SendTargets=All")]
    [InlineData("TargetAlias=me")]
    [InlineData("HeaderDigest=None")]
    public void Keys_in_the_wrong_stage_are_refused_in_security(string pair) =>
        Refused(LoginStatus.InitiatorError, _login.Say($"{Names} AuthMethod=None {pair}", Security, Operational));

    [Theory]
    [InlineData("AuthMethod=None")]
    [InlineData("CHAP_A=5")]
    [InlineData("SendTargets=All")]
    [InlineData("TargetAddress=127.0.0.1")]
    [InlineData("SessionType=Discovery")]
    public void Keys_in_the_wrong_stage_are_refused_in_operational(string pair)
    {
        _login.Say(Names, Operational);
        Refused(LoginStatus.InitiatorError, _login.Say(pair, Operational, Full));
    }

    [Fact]
    public void Unknown_keys_are_not_understood_in_either_stage()
    {
        Assert.Equal("NotUnderstood", _login.Say($"{Names} X-org.test=1", Security, Operational)["X-org.test"]);
        Assert.Equal("NotUnderstood", _login.Say("Mystery=1", Operational, Full)["Mystery"]);
    }

    [Fact]
    public void Key_repeated_in_a_later_step_is_refused()
    {
        _login.Say($"{Names} MaxBurstLength=65536", Operational);
        Refused(LoginStatus.InitiatorError, _login.Say("MaxBurstLength=65536", Operational, Full));
    }

    [Fact]
    public void AuthMethod_without_common_value_or_repeated_is_refused()
    {
        Refused(LoginStatus.AuthenticationFailure,
            new LoginConversation().Say($"{Names} AuthMethod=CHAP", Security, Operational));
        Refused(LoginStatus.AuthenticationFailure,
            new LoginConversation().Say($"{Names} AuthMethod=KRB5,SRP", Security, Operational));
        Refused(LoginStatus.AuthenticationFailure,
            new LoginConversation().Say($"{Names} AuthMethod=", Security, Operational));
        _login.Say($"{Names} AuthMethod=None", Security);
        Refused(LoginStatus.InitiatorError, _login.Say("AuthMethod=None", Security, Operational));
    }

    [Fact]
    public void Chap_keys_without_agreed_chap_are_refused() => Refused(LoginStatus.AuthenticationFailure,
        _login.Say($"{Names} AuthMethod=None CHAP_A=5", Security, Operational));

    [Fact]
    public void Default_we_cannot_accept_is_offered_and_must_be_answered()
    {
        var limits = new ParameterLimits { ImmediateData = false };
        foreach (var answer in (bool[])[true, false])
        {
            var login = new LoginConversation();
            login.Policy.Admission = LoginAdmission.Granted(ChapSettings.None, limits);
            var said = login.Say(Names, Operational, Full);
            Assert.Equal((LoginOutcome.Continue, false, "No"), (said.Outcome, said.Transit, said["ImmediateData"]));
            said = login.Say(answer ? "ImmediateData=No" : "", Operational, Full);
            if (!answer)
            {
                Refused(LoginStatus.InitiatorError, said);
                continue;
            }
            Assert.Equal((LoginOutcome.Complete, ""), (said.Outcome, said.Text));
            Assert.False(login.Exchange.Parameters.ImmediateData);
        }
    }

    [Fact]
    public void Jump_over_the_operational_stage_is_shortened_when_we_have_to_offer()
    {
        _login.Policy.Admission = LoginAdmission.Granted(
            ChapSettings.None, new ParameterLimits { HeaderDigests = [Digest.Crc32c] });
        var said = _login.Say($"{Names} AuthMethod=None", Security, Full);
        Assert.Equal((LoginOutcome.Continue, true, Operational), (said.Outcome, said.Transit, said.Nsg));
        Assert.Equal("CRC32C", _login.Say("", Operational, Full)["HeaderDigest"]);
        Assert.Equal(LoginOutcome.Complete, _login.Say("HeaderDigest=CRC32C", Operational, Full).Outcome);
        Assert.Equal(Digest.Crc32c, _login.Exchange.Parameters.HeaderDigest);
    }

    [Fact]
    public void Long_answer_comes_in_pieces_and_the_stage_ends_with_the_last()
    {
        var keys = string.Concat(Enumerable.Range(0, 120).Select(i => $" X-{i:d3}{new string('k', 58)}=1"));
        var said = _login.Say(Encode(Names + keys)[..8000], Operational, more: true);
        said = _login.Say(Encode(Names + keys)[8000..], Operational, Full);
        Assert.Equal((LoginOutcome.Continue, true, false, 8192),
            (said.Outcome, said.Continue, said.Transit, said.Data.Length));
        var last = _login.Say("", Operational, Full);
        Assert.Equal((LoginOutcome.Complete, false), (last.Outcome, last.Continue));
        var text = System.Text.Encoding.ASCII.GetString([.. said.Data, .. last.Data]);
        Assert.Equal(120, text.Split("=NotUnderstood\0").Length - 1);
    }

    [Fact]
    public void Text_in_between_a_long_answer_is_refused()
    {
        var keys = string.Concat(Enumerable.Range(0, 120).Select(i => $" X-{i:d3}{new string('k', 58)}=1"));
        _login.Say(Encode(Names + keys)[..8000], Operational, more: true);
        Assert.True(_login.Say(Encode(Names + keys)[8000..], Operational, Full).Continue);
        Refused(LoginStatus.InitiatorError, _login.Say("A=1", Operational, Full));
    }

    [Theory]
    [InlineData(LoginStatus.Success)]
    [InlineData(LoginStatus.SessionDoesNotExist)]
    [InlineData(LoginStatus.TooManyConnections)]
    public void Connection_that_names_a_session_needs_the_portals_consent(LoginStatus status)
    {
        foreach (var first in (LoginStage[])[Security, Operational])
        {
            var login = new LoginConversation { Tsih = 7 };
            login.Policy.ConnectionStatus = status;
            var said = login.Say(Names, first, Full);
            Assert.Equal([$"{Initiator} to {Target}", "join 7 as "], login.Policy.Asked);
            if (status == LoginStatus.Success) Assert.Equal(LoginOutcome.Complete, said.Outcome);
            else Refused(status, said);
        }
    }

    [Fact]
    public void Refusal_from_outside_repeats_who_was_asking()
    {
        _login.Say(Names, Operational);
        var said = _login.Read(_login.Exchange.Refuse(LoginStatus.InvalidDuringLogin, "a SCSI Command came"));
        Refused(LoginStatus.InvalidDuringLogin, said);
        Assert.Equal(Operational, said.Csg);
        Assert.Throws<InvalidOperationException>(() => _login.Say("", Operational));
    }

    [Fact]
    public void Session_that_cannot_be_made_turns_success_into_refusal()
    {
        Assert.Equal(LoginOutcome.Complete, _login.Say(Names, Operational, Full).Outcome);
        var said = _login.Read(_login.Exchange.Refuse(LoginStatus.OutOfResources, "too many sessions"));
        Refused(LoginStatus.OutOfResources, said);
        Assert.Throws<InvalidOperationException>(() => _login.Exchange.Parameters);
    }

    [Fact]
    public void Random_conversations_never_throw_and_always_end_within_the_limit() =>
        Gen.Select(
            Gen.Int[0, Phrases.Length - 1].Select(i => Phrases[i]).List[0, 6],
            Gen.Int[0, 3], Gen.Int[-1, 3], Gen.Bool, Gen.Byte.Array[0, 3]).List[1, 12]
        .Sample(steps =>
        {
            var login = new LoginConversation();
            foreach (var (pairs, csg, nsg, more, tail) in steps)
            {
                var data = Encode(string.Join(' ', pairs)).Concat(tail).ToArray();
                var said = login.Say(data, (LoginStage)csg, nsg < 0 ? null : (LoginStage)nsg, more);
                if (said.Outcome != LoginOutcome.Continue) return;
            }
        });
}
