namespace Scstd.Frontends.Iscsi.Login;

/// <summary>SecurityNegotiation: AuthMethod (RFC 7143 §12) and, where it is required, CHAP.</summary>
public sealed partial class LoginExchange
{
    private const string AuthMethodKey = "AuthMethod";
    private const string Chap = "CHAP";
    private const string None = "None";

    private readonly Dictionary<string, string> _chapKeys = new(StringComparer.Ordinal);
    private string? _authMethod;
    private ChapExchange? _chap;

    private LoginFault? ReceiveSecurity(List<TextPair> pairs)
    {
        _chapKeys.Clear();
        foreach (var (key, value) in pairs)
        {
            if (ReceiveSecurityKey(key, value) is { } fault) return fault;
        }
        if (_chapKeys.Count == 0) return null;
        return _chap is null
            ? LoginFault.Authentication("CHAP keys although CHAP was not agreed")
            : _chap.Receive(_chapKeys, _answers);
    }

    private LoginFault? ReceiveSecurityKey(string key, string value)
    {
        if (key == AuthMethodKey) return ReceiveAuthMethod(value);
        if (key.StartsWith("CHAP_", StringComparison.Ordinal) && KeyTable.Find(key) is not null)
            return _chapKeys.TryAdd(key, value) ? null : LoginFault.Initiator("key sent twice in one step");
        if (KeyTable.Find(key) is { } row)
        {
            if ((row.Use & KeyUse.Security) == 0)
                return LoginFault.Initiator("an operational key in SecurityNegotiation");
            return Negotiator.Receive([new TextPair(key, value)], _answers);
        }
        return Negotiator.Receive([new TextPair(key, value)], _answers);
    }

    // §6.2.1: the first value of the proposer's list that the responder supports and is allowed to use. Where accounts
    // are configured only CHAP is allowed, otherwise only None: a CHAP without accounts would prove nothing.
    private LoginFault? ReceiveAuthMethod(string value)
    {
        if (_authMethod is not null) return LoginFault.Initiator("key negotiated twice in one login");
        var required = _admission!.Authentication.Required;
        var acceptable = required ? Chap : None;
        if (!TextValue.TryList(value, out var methods) || !methods.Contains(acceptable))
            return LoginFault.Authentication("no authentication method in common");
        _authMethod = acceptable;
        _answers.Add(new TextPair(AuthMethodKey, acceptable));
        if (required) _chap = new ChapExchange(_admission.Authentication, _fillRandom, _ledger);
        return null;
    }

    /// <summary>True when the stage cannot end yet: with a fault when it never will.</summary>
    private bool SecurityPending(out LoginFault? fault)
    {
        fault = null;
        if (!_admission!.Authentication.Required || _chap is { Authenticated: true }) return false;
        if (_authMethod is null)
            fault = LoginFault.Authentication("the initiator offers no AuthMethod although CHAP is required");
        return true;
    }
}
