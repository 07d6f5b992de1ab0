using System.Text;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Tests.Login;

public sealed class ChapTests
{
    private const string Secret = "correct horse staple";
    private const string MutualSecret = "another horse staple";

    private static readonly ChapSettings OneWay = new([new ChapAccount("joe", Secret)]);
    private static readonly ChapSettings Mutual = OneWay with { Mutual = new ChapAccount("target", MutualSecret) };

    private readonly ChapChallengeLedger _ledger = new();
    private byte _nextRandom = 0x10;

    private ChapExchange New(ChapSettings settings) => new(settings, FillRandom, _ledger);

    // Counts upwards: the tests know each challenge, and no two are equal.
    private void FillRandom(Span<byte> bytes)
    {
        foreach (ref var one in bytes) one = _nextRandom++;
    }

    private static Dictionary<string, string> Step(ChapExchange chap, params (string Key, string Value)[] keys)
    {
        var answers = new List<TextPair>();
        var fault = chap.Receive(keys.ToDictionary(k => k.Key, k => k.Value), answers);
        Assert.True(fault is null, fault?.Why);
        return answers.ToDictionary(answer => answer.Key, answer => answer.Value);
    }

    private static void Fails(ChapExchange chap, params (string Key, string Value)[] keys)
    {
        var answers = new List<TextPair>();
        var fault = chap.Receive(keys.ToDictionary(k => k.Key, k => k.Value), answers);
        Assert.Equal(LoginStatus.AuthenticationFailure, fault?.Status);
        Assert.Empty(answers);
        Assert.False(chap.Authenticated);
    }

    private static byte[] Respond(Dictionary<string, string> challenge, string secret = Secret)
    {
        Assert.True(TextValue.TryBinary(challenge["CHAP_C"], out var bytes));
        return ChapResponse.Compute((ChapAlgorithm)int.Parse(challenge["CHAP_A"]), byte.Parse(challenge["CHAP_I"]),
            Encoding.ASCII.GetBytes(secret), bytes);
    }

    [Theory]
    [InlineData(ChapAlgorithm.Md5, "a66aa8cbfc98c83db13e41de6924b7d2")]
    [InlineData(ChapAlgorithm.Sha1, "136517e6487337150bcc18310840d39f08289b2c")]
    [InlineData(ChapAlgorithm.Sha256, "8ca53a1ad9dec2f6e26bd2e2f0dd52cd43b999fa0435fac973a5746ba79b7847")]
    [InlineData(ChapAlgorithm.Sha3256, "24d6e24f236e9da891cc510c7bf8795a77befc5f40332ea03476c0fd6ee06cb1")]
    public void Response_is_the_hash_of_identifier_secret_and_challenge(ChapAlgorithm algorithm, string expected)
    {
        // Only SHA3-256 may be missing: it needs OpenSSL 1.1.1, and is then not offered.
        if (!ChapResponse.IsSupported(algorithm))
        {
            Assert.Equal(ChapAlgorithm.Sha3256, algorithm);
            return;
        }
        var challenge = Enumerable.Range(0, 16).Select(i => (byte)i).ToArray();
        var response = ChapResponse.Compute(algorithm, 0x27, Encoding.ASCII.GetBytes(Secret), challenge);
        Assert.Equal(expected, Convert.ToHexStringLower(response));
        Assert.Equal(ChapResponse.Length(algorithm), response.Length);
    }

    [Fact]
    public void Challenge_is_random_and_as_long_as_the_response()
    {
        var challenge = Step(New(OneWay), ("CHAP_A", "5"));
        Assert.Equal("5", challenge["CHAP_A"]);
        Assert.Equal("16", challenge["CHAP_I"]);
        Assert.Equal("0x1112131415161718191a1b1c1d1e1f20", challenge["CHAP_C"]);
    }

    [Theory]
    [InlineData("5", "5")]
    [InlineData("5,6,7,8", "5")]
    [InlineData("7,5", "7")]
    [InlineData("99,6", "6")]
    [InlineData("0x7", "7")]
    [InlineData("six,6", "6")]
    public void First_algorithm_of_the_list_that_we_have_is_used(string list, string chosen) =>
        Assert.Equal(chosen, Step(New(OneWay), ("CHAP_A", list))["CHAP_A"]);

    [Theory]
    [InlineData("")]
    [InlineData("56")]
    [InlineData("4")]
    [InlineData("261")] // 5, if cut to a byte
    [InlineData("5,")]
    public void List_without_an_algorithm_we_have_fails(string list) => Fails(New(OneWay), ("CHAP_A", list));

    [Theory]
    [InlineData("5")]
    [InlineData("6")]
    [InlineData("7")]
    public void Right_response_authenticates_in_both_encodings(string algorithm)
    {
        foreach (var base64 in (bool[])[false, true])
        {
            var chap = New(OneWay);
            var response = Respond(Step(chap, ("CHAP_A", algorithm)));
            var encoded = base64 ? "0b" + Convert.ToBase64String(response) : "0x" + Convert.ToHexString(response);
            Assert.Empty(Step(chap, ("CHAP_N", "joe"), ("CHAP_R", encoded)));
            Assert.True(chap.Authenticated);
            Assert.Equal("joe", chap.UserName);
        }
    }

    [Theory]
    [InlineData("0xabcd")]
    [InlineData("0bYWJj")]
    public void User_names_that_look_like_binary_values_are_text(string name)
    {
        var chap = New(new ChapSettings([new ChapAccount(name, Secret)]));
        var response = Respond(Step(chap, ("CHAP_A", "5")));
        Step(chap, ("CHAP_N", name), ("CHAP_R", TextValue.Binary(response)));
        Assert.True(chap.Authenticated);
    }

    [Fact]
    public void Any_of_several_accounts_may_be_used_but_not_one_with_the_secret_of_another()
    {
        var settings = new ChapSettings([new("joe", Secret), new("jim", "secret of jim itself")]);
        var chap = New(settings);
        var challenge = Step(chap, ("CHAP_A", "5"));
        Step(chap, ("CHAP_N", "jim"), ("CHAP_R", TextValue.Binary(Respond(challenge, "secret of jim itself"))));
        Assert.Equal("jim", chap.UserName);

        chap = New(settings);
        challenge = Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "jim"), ("CHAP_R", TextValue.Binary(Respond(challenge))));
    }

    [Fact]
    public void Wrong_user_and_wrong_secret_look_the_same()
    {
        var wrongUser = Failure("jim", Secret);
        var wrongSecret = Failure("joe", "wrong horse staple");
        Assert.Equal(wrongUser, wrongSecret);

        LoginFault? Failure(string user, string secret)
        {
            var chap = New(OneWay);
            var response = Respond(Step(chap, ("CHAP_A", "5")), secret);
            var keys = new Dictionary<string, string> { ["CHAP_N"] = user, ["CHAP_R"] = TextValue.Binary(response) };
            return chap.Receive(keys, []);
        }
    }

    [Theory]
    [InlineData("0x")]
    [InlineData("0x00")] // too short
    [InlineData("plain")]
    [InlineData("0b!!!!")]
    public void Response_that_is_none_fails(string response)
    {
        var chap = New(OneWay);
        Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", response));
    }

    [Fact]
    public void Oversize_base64_response_fails()
    {
        var chap = New(OneWay);
        Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", "0b" + Convert.ToBase64String(new byte[1025])));
    }

    [Fact]
    public void Keys_out_of_order_or_missing_fail()
    {
        Fails(New(OneWay), ("CHAP_N", "joe"), ("CHAP_R", "0x00"));
        Fails(New(OneWay), ("CHAP_A", "5"), ("CHAP_N", "joe"));

        foreach (var keys in ((string, string)[][])[
            [("CHAP_N", "joe")], [("CHAP_R", "0x00")], [("CHAP_A", "5")],
            [("CHAP_A", "5"), ("CHAP_N", "joe"), ("CHAP_R", "0x00")]])
        {
            var chap = New(OneWay);
            Step(chap, ("CHAP_A", "5"));
            Fails(chap, keys);
        }
    }

    [Fact]
    public void Nothing_more_may_come_after_the_authentication()
    {
        var chap = New(OneWay);
        var response = Respond(Step(chap, ("CHAP_A", "5")));
        Step(chap, ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(response)));
        Assert.Empty(Step(chap));
        Assert.NotNull(chap.Receive(new Dictionary<string, string> { ["CHAP_A"] = "5" }, []));
    }

    [Theory]
    [InlineData("200", "0xa0a1a2a3a4a5a6a7a8a9aaabacadaeaf")]
    [InlineData("0xC8", "0boKGio6SlpqeoqaqrrK2urw==")]
    public void Target_proves_itself_when_asked(string identifier, string challenge)
    {
        var chap = New(Mutual);
        var response = Respond(Step(chap, ("CHAP_A", "5")));
        var answer = Step(chap, ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(response)), ("CHAP_I", identifier),
            ("CHAP_C", challenge));
        Assert.True(chap.Authenticated);
        Assert.Equal("target", answer["CHAP_N"]);
        var expected = ChapResponse.Compute(ChapAlgorithm.Md5, 200, Encoding.ASCII.GetBytes(MutualSecret),
            Convert.FromHexString("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"));
        Assert.Equal(TextValue.Binary(expected), answer["CHAP_R"]);
    }

    [Fact]
    public void Target_does_not_prove_itself_to_one_who_has_not()
    {
        var chap = New(Mutual);
        Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", "0x00112233445566778899aabbccddeeff"), ("CHAP_I", "1"),
            ("CHAP_C", "0xa0a1a2a3"));
    }

    [Theory]
    [InlineData("1", null)]
    [InlineData(null, "0xa0a1")]
    [InlineData("256", "0xa0a1")]
    [InlineData("-1", "0xa0a1")]
    [InlineData("1", "a0a1")]
    [InlineData("1", "0x")]
    public void Malformed_question_of_the_initiator_fails(string? identifier, string? challenge)
    {
        var chap = New(Mutual);
        var keys = new List<(string, string)>
        {
            ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(Respond(Step(chap, ("CHAP_A", "5"))))),
        };
        if (identifier is not null) keys.Add(("CHAP_I", identifier));
        if (challenge is not null) keys.Add(("CHAP_C", challenge));
        Fails(chap, [.. keys]);
    }

    [Fact]
    public void Mutual_without_configuration_fails()
    {
        var chap = New(OneWay);
        var response = Respond(Step(chap, ("CHAP_A", "5")));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(response)), ("CHAP_I", "1"), ("CHAP_C", "0xa0"));
    }

    [Fact]
    public void Our_challenge_is_not_answered_when_it_is_reflected()
    {
        var chap = New(Mutual);
        var challenge = Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(Respond(challenge))), ("CHAP_I", "1"),
            ("CHAP_C", challenge["CHAP_C"]));
    }

    [Fact]
    public void Our_challenge_of_another_connection_is_not_answered_either()
    {
        var other = Step(New(Mutual), ("CHAP_A", "5"));
        var chap = New(Mutual);
        var challenge = Step(chap, ("CHAP_A", "5"));
        Fails(chap, ("CHAP_N", "joe"), ("CHAP_R", TextValue.Binary(Respond(challenge))), ("CHAP_I", "1"),
            ("CHAP_C", other["CHAP_C"]));
    }

    [Fact]
    public void Challenge_is_never_used_twice()
    {
        var draws = new Queue<byte>([1, 7, 1, 7, 9]); // identifier, challenge; identifier, the same challenge, another
        var chap = () => new ChapExchange(OneWay, bytes => bytes.Fill(draws.Dequeue()), _ledger);
        var first = Step(chap(), ("CHAP_A", "5"))["CHAP_C"];
        var second = Step(chap(), ("CHAP_A", "5"))["CHAP_C"];
        Assert.Equal(TextValue.Binary(Enumerable.Repeat((byte)7, 16).ToArray()), first);
        Assert.Equal(TextValue.Binary(Enumerable.Repeat((byte)9, 16).ToArray()), second);
    }

    [Fact]
    public void Ledger_forgets_the_oldest_challenge_and_stays_bounded()
    {
        for (var i = 0; i <= ChapChallengeLedger.ChallengesMax; i++)
            Assert.True(_ledger.TryAdd(BitConverter.GetBytes(i)));
        Assert.False(_ledger.Contains(BitConverter.GetBytes(0)));
        Assert.True(_ledger.Contains(BitConverter.GetBytes(1)));
        Assert.True(_ledger.Contains(BitConverter.GetBytes(ChapChallengeLedger.ChallengesMax)));
    }

    [Theory]
    [InlineData("12 bytes long", null, null)]
    [InlineData("elevenbytes", "shorter than 12", null)]
    [InlineData("", "empty", null)]
    [InlineData("the initiator's secret", null, "the target's own secret")]
    [InlineData("the same secret twice", "same as that of user 'joe'", "the same secret twice")]
    [InlineData("the initiator's secret", "shorter than 12", "too short")]
    public void Secrets_obey_the_standard(string secret, string? problem, string? mutualSecret)
    {
        var mutual = mutualSecret is null ? null : new ChapAccount("target", mutualSecret);
        var found = ChapSecretRules.Check(new ChapSettings([new ChapAccount("joe", secret)], mutual));
        if (problem is null) Assert.Null(found);
        else Assert.Contains(problem, found);
    }

    [Fact]
    public void Short_secret_is_allowed_under_ipsec_and_no_problem_shows_a_secret()
    {
        var settings = new ChapSettings([new ChapAccount("joe", "verysecret")]);
        Assert.Null(ChapSecretRules.Check(settings, protectedByIpsec: true));
        Assert.DoesNotContain("verysecret", ChapSecretRules.Check(settings));
        Assert.DoesNotContain("verysecret", settings.ToString());
        Assert.DoesNotContain("verysecret", settings.Accounts[0].ToString());
    }

    [Fact]
    public void Mutual_account_without_accounts_for_initiators_is_a_mistake() =>
        Assert.NotNull(ChapSecretRules.Check(new ChapSettings([], new ChapAccount("target", MutualSecret))));

    [Fact]
    public void User_name_must_be_sendable()
    {
        Assert.NotNull(ChapSecretRules.Check(new ChapSettings([new ChapAccount("", Secret)])));
        Assert.NotNull(ChapSecretRules.Check(new ChapSettings([new ChapAccount("a\0b", Secret)])));
        Assert.NotNull(ChapSecretRules.Check(new ChapSettings([new ChapAccount(new string('u', 256), Secret)])));
        Assert.NotNull(ChapSecretRules.Check(new ChapSettings([new ChapAccount("joe", new string('s', 256))])));
    }
}
