using System.Security.Cryptography;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// The target's side of CHAP in one login (RFC 7143 §12.1.3):
/// <code>
/// initiator: CHAP_A=&lt;A1,A2...&gt;            target: CHAP_A=&lt;A&gt; CHAP_I=&lt;I&gt; CHAP_C=&lt;C&gt;
/// initiator: CHAP_N=&lt;N&gt; CHAP_R=&lt;R&gt;          target: (nothing)
///       or:  ... CHAP_I=&lt;I&gt; CHAP_C=&lt;C&gt;     target: CHAP_N=&lt;N&gt; CHAP_R=&lt;R&gt;
/// </code>
/// Every failure is the same Authentication Failure: a peer does not learn whether the user or the secret was wrong.
/// </summary>
public sealed class ChapExchange
{
    private enum State
    {
        AwaitingAlgorithm,
        AwaitingResponse,
        Authenticated,
    }

    private readonly ChapSettings _settings;
    private readonly Action<Span<byte>> _fillRandom;
    private readonly ChapChallengeLedger _ledger;
    private State _state;
    private ChapAlgorithm _algorithm;
    private byte _identifier;
    private byte[] _challenge = [];

    public ChapExchange(ChapSettings settings, Action<Span<byte>> fillRandom, ChapChallengeLedger ledger)
    {
        _settings = settings;
        _fillRandom = fillRandom;
        _ledger = ledger;
    }

    public bool Authenticated => _state == State.Authenticated;

    /// <summary>The account that has proved itself.</summary>
    public string? UserName { get; private set; }

    /// <summary>Takes the CHAP keys of one step, which may be none, and adds what we answer.</summary>
    public LoginFault? Receive(IReadOnlyDictionary<string, string> keys, List<TextPair> answers)
    {
        if (keys.Count == 0) return null;
        return _state switch
        {
            State.AwaitingAlgorithm => ReceiveAlgorithms(keys, answers),
            State.AwaitingResponse => ReceiveResponse(keys, answers),
            _ => LoginFault.Authentication("CHAP keys after the authentication"),
        };
    }

    private LoginFault? ReceiveAlgorithms(IReadOnlyDictionary<string, string> keys, List<TextPair> answers)
    {
        if (keys.Count != 1 || !keys.TryGetValue("CHAP_A", out var list))
            return LoginFault.Authentication("CHAP does not begin with CHAP_A alone");
        if (!TextValue.TryList(list, out var elements)) return LoginFault.Authentication("CHAP_A is not a list");
        foreach (var element in elements)
        {
            if (!TextValue.TryNumber(element, out var number) || number > byte.MaxValue) continue;
            if (!ChapResponse.IsSupported((ChapAlgorithm)number)) continue;
            Challenge((ChapAlgorithm)number, answers);
            return null;
        }
        return LoginFault.Authentication("no CHAP algorithm in common");
    }

    private void Challenge(ChapAlgorithm algorithm, List<TextPair> answers)
    {
        _algorithm = algorithm;
        Span<byte> identifier = stackalloc byte[1];
        _fillRandom(identifier);
        _identifier = identifier[0];
        _challenge = new byte[ChapResponse.Length(algorithm)];
        do
        {
            _fillRandom(_challenge);
        }
        while (!_ledger.TryAdd(_challenge));
        _state = State.AwaitingResponse;
        answers.Add(new TextPair("CHAP_A", TextValue.Number((long)algorithm)));
        answers.Add(new TextPair("CHAP_I", TextValue.Number(_identifier)));
        answers.Add(new TextPair("CHAP_C", TextValue.Binary(_challenge)));
    }

    private LoginFault? ReceiveResponse(IReadOnlyDictionary<string, string> keys, List<TextPair> answers)
    {
        if (!keys.TryGetValue("CHAP_N", out var name) || !keys.TryGetValue("CHAP_R", out var encoded))
            return LoginFault.Authentication("CHAP_N or CHAP_R missing");
        if (keys.ContainsKey("CHAP_A")) return LoginFault.Authentication("CHAP_A after the challenge");
        if (!TextValue.TryBinary(encoded, out var response))
            return LoginFault.Authentication("CHAP_R is not a binary value");
        if (!Proves(name, response)) return LoginFault.Authentication("wrong user or wrong secret");

        var hasIdentifier = keys.TryGetValue("CHAP_I", out var identifier);
        var hasChallenge = keys.TryGetValue("CHAP_C", out var challenge);
        if (hasIdentifier != hasChallenge) return LoginFault.Authentication("one of CHAP_I and CHAP_C is missing");
        if (hasIdentifier && ProveOurselves(identifier!, challenge!, answers) is { } fault) return fault;
        UserName = name;
        _state = State.Authenticated;
        return null;
    }

    /// <summary>
    /// Tries every account and compares in constant time, so that the answer takes as long for an unknown user as for
    /// a wrong secret.
    /// </summary>
    private bool Proves(string name, byte[] response)
    {
        var proved = false;
        foreach (var account in _settings.Accounts)
        {
            var expected = ChapResponse.Compute(_algorithm, _identifier, account.Secret, _challenge);
            var right = CryptographicOperations.FixedTimeEquals(expected, response);
            proved |= right & string.Equals(account.UserName, name, StringComparison.Ordinal);
        }
        return proved;
    }

    private LoginFault? ProveOurselves(string identifierText, string challengeText, List<TextPair> answers)
    {
        if (_settings.Mutual is not { } mutual)
            return LoginFault.Authentication("the initiator asks for mutual CHAP, which is not configured");
        if (!TextValue.TryNumber(identifierText, out var identifier) || identifier > byte.MaxValue)
            return LoginFault.Authentication("CHAP_I is not a byte");
        if (!TextValue.TryBinary(challengeText, out var challenge))
            return LoginFault.Authentication("CHAP_C is not a binary value");

        // §9.2.1: "Responders MUST check for this condition and close the iSCSI TCP connection if it occurs."
        if (_ledger.Contains(challenge) || challenge.AsSpan().SequenceEqual(_challenge))
            return LoginFault.Authentication("CHAP_C is one of our own challenges");
        answers.Add(new TextPair("CHAP_N", mutual.UserName));
        answers.Add(new TextPair("CHAP_R", TextValue.Binary(
            ChapResponse.Compute(_algorithm, (byte)identifier, mutual.Secret, challenge))));
        return null;
    }
}
