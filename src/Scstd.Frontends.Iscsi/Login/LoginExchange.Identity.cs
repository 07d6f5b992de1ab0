using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// The first step of a login: who is it, what does it want, may it come in (RFC 7143 §6.3, §13.4, §13.5).
/// </summary>
public sealed partial class LoginExchange
{
    private const string InitiatorNameKey = "InitiatorName";
    private const string InitiatorAliasKey = "InitiatorAlias";
    private const string TargetNameKey = "TargetName";
    private const string SessionTypeKey = "SessionType";

    private readonly Dictionary<string, string> _identityKeys = new(StringComparer.Ordinal);

    /// <summary>As it was sent, whether it is a name or not; null: none was.</summary>
    public string? GivenInitiatorName => _identityKeys.GetValueOrDefault(InitiatorNameKey);

    /// <inheritdoc cref="GivenInitiatorName"/>
    public string? GivenTargetName => _identityKeys.GetValueOrDefault(TargetNameKey);

    private LoginFault? Identify(LoginRequestPdu request, List<TextPair> pairs)
    {
        foreach (var (key, value) in pairs)
        {
            if (IsIdentityKey(key) && !_identityKeys.TryAdd(key, value))
                return LoginFault.Initiator("key negotiated twice in one login");
        }
        if (!_identityKeys.TryGetValue(InitiatorNameKey, out var givenName))
            return new LoginFault(LoginStatus.MissingParameter, "no InitiatorName in the first Login Request");
        if (!IscsiName.TryNormalize(givenName, out var initiatorName))
            return LoginFault.Initiator("InitiatorName is not an iSCSI name");
        if (ReadSessionType(out var sessionType) is { } unsupported) return unsupported;
        string? targetName = null;
        if (sessionType == SessionType.Normal && ReadTargetName(out targetName) is { } missing) return missing;

        _identity = new LoginIdentity(initiatorName, _identityKeys.GetValueOrDefault(InitiatorAliasKey), request.Isid,
            request.Tsih, request.Cid, sessionType, targetName, request.CmdSn);
        return Admit(_identity);
    }

    private LoginFault? ReadSessionType(out SessionType sessionType)
    {
        var value = _identityKeys.GetValueOrDefault(SessionTypeKey, nameof(SessionType.Normal));
        sessionType = value == nameof(SessionType.Discovery) ? SessionType.Discovery : SessionType.Normal;
        return value is nameof(SessionType.Discovery) or nameof(SessionType.Normal)
            ? null
            : new LoginFault(LoginStatus.SessionTypeNotSupported, "unknown SessionType");
    }

    private LoginFault? ReadTargetName(out string? targetName)
    {
        targetName = null;
        if (!_identityKeys.TryGetValue(TargetNameKey, out var given))
            return new LoginFault(LoginStatus.MissingParameter, "no TargetName in the first Login Request");
        if (!IscsiName.TryNormalize(given, out var normalized))
            return new LoginFault(LoginStatus.NotFound, "TargetName is not an iSCSI name");
        targetName = normalized;
        return null;
    }

    private LoginFault? Admit(LoginIdentity identity)
    {
        _admission = identity.TargetName is { } targetName
            ? _policy.AdmitNormal(identity.InitiatorName, targetName)
            : _policy.AdmitDiscovery(identity.InitiatorName);
        if (_admission.Status != LoginStatus.Success)
            return new LoginFault(_admission.Status, _admission.Why);
        _negotiator = new Negotiator(_admission.Limits, identity.SessionType, leading: identity.Tsih == 0);

        // §13.9: in the first Login Response of a normal session the initiator learns the portal group it reached.
        if (identity.TargetName is not null)
            _answers.Add(new TextPair("TargetPortalGroupTag", TextValue.Number(_admission.TargetPortalGroupTag)));
        if (_stage == LoginStage.SecurityNegotiation)
        {
            _state = State.SecurityNegotiation;
            return null;
        }
        // §6.3: security may be skipped, and §11.13.5 has 0201 for the one who must not skip it.
        if (_admission.Authentication.Required)
            return LoginFault.Authentication("security negotiation skipped although CHAP is required");
        _state = State.LoginOperationalNegotiation;
        return AdmitConnection();
    }

    /// <summary>
    /// The names may come again with the same value and are then dropped: initiators are known to repeat them in the
    /// operational stage. Another value is an attempt to renegotiate (§6.2.3).
    /// </summary>
    private LoginFault? RepeatIdentity(List<TextPair> pairs)
    {
        foreach (var (key, value) in pairs)
        {
            if (!IsIdentityKey(key)) continue;
            if (_identityKeys.TryAdd(key, value))
            {
                if (key != InitiatorAliasKey)
                    return LoginFault.Initiator("a key that names the session comes after the first step");
                _identity = _identity! with { InitiatorAlias = value };
            }
            else if (_identityKeys[key] != value)
            {
                return LoginFault.Initiator("a key that names the session comes again with another value");
            }
        }
        pairs.RemoveAll(pair => IsIdentityKey(pair.Key));
        return null;
    }

    private static bool IsIdentityKey(string key) =>
        key is InitiatorNameKey or InitiatorAliasKey or TargetNameKey or SessionTypeKey;
}
