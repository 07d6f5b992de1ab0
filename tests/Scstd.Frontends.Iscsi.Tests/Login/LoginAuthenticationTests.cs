using System.Text;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using static Scstd.Frontends.Iscsi.Tests.Login.LoginConversation;

namespace Scstd.Frontends.Iscsi.Tests.Login;

/// <summary>Whole logins with CHAP, byte by byte as libiscsi and open-iscsi hold them.</summary>
public sealed class LoginAuthenticationTests
{
    private const LoginStage Security = LoginStage.SecurityNegotiation;
    private const LoginStage Operational = LoginStage.LoginOperationalNegotiation;
    private const LoginStage Full = LoginStage.FullFeaturePhase;
    private const string Secret = "correct horse staple";
    private const string MutualSecret = "another horse staple";

    private readonly LoginConversation _login = new();

    public LoginAuthenticationTests() => _login.Policy.Admission = LoginAdmission.Granted(
        new ChapSettings([new ChapAccount("joe", Secret)], new ChapAccount("target", MutualSecret)),
        new ParameterLimits());

    private static string Response(Said challenge, string secret = Secret)
    {
        Assert.True(TextValue.TryBinary(challenge["CHAP_C"]!, out var bytes));
        return TextValue.Binary(ChapResponse.Compute((ChapAlgorithm)int.Parse(challenge["CHAP_A"]!),
            byte.Parse(challenge["CHAP_I"]!), Encoding.ASCII.GetBytes(secret), bytes));
    }

    private Said Challenge()
    {
        var said = _login.Say($"{Names} AuthMethod=CHAP,None", Security, Operational);
        Assert.Equal((LoginOutcome.Continue, false, "CHAP"), (said.Outcome, said.Transit, said["AuthMethod"]));
        said = _login.Say("CHAP_A=5", Security);
        Assert.Equal((LoginOutcome.Continue, false), (said.Outcome, said.Transit));
        return said;
    }

    private static void Refused(Said said) =>
        Assert.Equal((LoginOutcome.Failed, LoginStatus.AuthenticationFailure), (said.Outcome, said.Status));

    [Fact]
    public void One_way_login()
    {
        var said = _login.Say($"CHAP_N=joe CHAP_R={Response(Challenge())}", Security, Operational);
        Assert.Equal((LoginOutcome.Continue, true, Operational, ""), (said.Outcome, said.Transit, said.Nsg, said.Text));
        Assert.Equal(LoginOutcome.Complete, _login.Say($"{Names} InitialR2T=No", Operational, Full).Outcome);
        Assert.Equal("joe", _login.Exchange.Identity!.UserName);
    }

    [Fact]
    public void Mutual_login()
    {
        const string Question = "0xa0a1a2a3a4a5a6a7a8a9aaabacadaeaf";
        var said = _login.Say($"CHAP_N=joe CHAP_R={Response(Challenge())} CHAP_I=9 CHAP_C={Question}", Security,
            Operational);
        Assert.True(said.Transit);
        Assert.Equal("target", said["CHAP_N"]);
        Assert.Equal(TextValue.Binary(ChapResponse.Compute(ChapAlgorithm.Md5, 9, Encoding.ASCII.GetBytes(MutualSecret),
            Convert.FromHexString(Question[2..]))), said["CHAP_R"]);
        Assert.Equal(LoginOutcome.Complete, _login.Say("", Operational, Full).Outcome);
    }

    [Fact]
    public void Discovery_login_straight_to_full_feature_phase()
    {
        _login.Say($"{DiscoveryNames} AuthMethod=CHAP", Security);
        var said = _login.Say("CHAP_A=7,5", Security);
        Assert.Equal("7", said["CHAP_A"]);
        said = _login.Say($"CHAP_N=joe CHAP_R={Response(said)}", Security, Full);
        Assert.Equal((LoginOutcome.Complete, Full), (said.Outcome, said.Nsg));
    }

    [Fact]
    public void Stage_may_end_one_request_after_the_proof()
    {
        var said = _login.Say($"CHAP_N=joe CHAP_R={Response(Challenge())}", Security);
        Assert.Equal((LoginOutcome.Continue, false), (said.Outcome, said.Transit));
        Assert.True(_login.Say("", Security, Operational).Transit);
    }

    [Fact]
    public void Connection_joins_a_session_only_after_the_proof()
    {
        _login.Tsih = 5;
        var challenge = Challenge();
        Assert.Single(_login.Policy.Asked);
        _login.Say($"CHAP_N=joe CHAP_R={Response(challenge)}", Security, Operational);
        Assert.Equal("join 5 as joe", _login.Policy.Asked[1]);
    }

    [Theory]
    [InlineData("joe", "wrong horse staple")]
    [InlineData("jim", Secret)]
    public void Wrong_user_and_wrong_secret_get_the_same_answer(string user, string secret)
    {
        var said = _login.Say($"CHAP_N={user} CHAP_R={Response(Challenge(), secret)}", Security, Operational);
        Refused(said);
        Assert.Equal("", said.Text);
        Assert.Equal("wrong user or wrong secret", said.Why);
    }

    [Theory]
    [InlineData("CHAP_A=56")]
    [InlineData("CHAP_A=")]
    [InlineData("CHAP_N=joe")]
    public void Login_without_common_algorithm_is_refused(string text)
    {
        _login.Say($"{Names} AuthMethod=CHAP", Security);
        Refused(_login.Say(text, Security));
    }

    [Fact]
    public void Skipping_security_is_refused() => Refused(_login.Say(Names, Operational, Full));

    [Fact]
    public void Offering_only_None_is_refused() =>
        Refused(_login.Say($"{Names} AuthMethod=None", Security, Operational));

    [Fact]
    public void Leaving_security_without_offer_is_refused() => Refused(_login.Say(Names, Security, Operational));

    [Fact]
    public void Offer_may_come_in_a_later_request()
    {
        Assert.False(_login.Say(Names, Security).Transit);
        Assert.Equal("CHAP", _login.Say("AuthMethod=CHAP", Security)["AuthMethod"]);
    }

    [Fact]
    public void T_in_the_midst_of_the_authentication_does_not_end_the_stage()
    {
        var said = _login.Say($"{Names} AuthMethod=CHAP", Security, Full);
        Assert.Equal((LoginOutcome.Continue, false), (said.Outcome, said.Transit));
        said = _login.Say("CHAP_A=5", Security, Full);
        Assert.Equal((LoginOutcome.Continue, false), (said.Outcome, said.Transit));
        said = _login.Say("", Security, Full);
        Assert.Equal((LoginOutcome.Continue, false), (said.Outcome, said.Transit));
    }

    [Fact]
    public void Reflected_challenge_is_refused()
    {
        var challenge = Challenge();
        Refused(_login.Say($"CHAP_N=joe CHAP_R={Response(challenge)} CHAP_I=1 CHAP_C={challenge["CHAP_C"]}", Security,
            Operational));
    }
}
