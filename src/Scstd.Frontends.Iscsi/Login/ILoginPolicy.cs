using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>
/// What a login has to ask of the portal it came in at. The portal is the implementer; the tests have their own. The
/// calls are made on the reactor of the connection and must not block.
/// </summary>
public interface ILoginPolicy
{
    /// <summary>May this initiator discover here, and how must it prove itself?</summary>
    LoginAdmission AdmitDiscovery(string initiatorName);

    /// <summary>May this initiator reach this target at this portal, and how must it prove itself?</summary>
    LoginAdmission AdmitNormal(string initiatorName, string targetName);

    /// <summary>
    /// Asked after authentication when the login names an existing session (TSIH not zero): Success to let the
    /// connection join or be reinstated, else SessionDoesNotExist, TooManyConnections, CannotIncludeInSession.
    /// </summary>
    LoginStatus AdmitConnection(LoginIdentity identity);
}

/// <summary>Who logs in to what: complete once the first step of a login is.</summary>
/// <param name="InitiatorName">Normalised.</param>
/// <param name="InitiatorAlias">As declared, if it was.</param>
/// <param name="Isid">With the name: the initiator port.</param>
/// <param name="Tsih">Zero for a new session.</param>
/// <param name="Cid">The connection within the session.</param>
/// <param name="SessionType">Normal or discovery.</param>
/// <param name="TargetName">Normalised; null in a discovery session.</param>
/// <param name="CmdSn">First CmdSN of the session (§11.12.8): the target's first ExpCmdSN.</param>
/// <param name="UserName">The CHAP account, when there was an authentication.</param>
public sealed record LoginIdentity(
    string InitiatorName, string? InitiatorAlias, Isid Isid, ushort Tsih, ushort Cid, SessionType SessionType,
    string? TargetName, uint CmdSn, string? UserName = null);

/// <summary>The portal's answer: go on under these conditions, or end with this status.</summary>
public sealed record LoginAdmission
{
    private LoginAdmission(LoginStatus status) => Status = status;

    public LoginStatus Status { get; }

    /// <summary>For the administrator: what the initiator is told does not say which it was.</summary>
    public string Why { get; private init; } = "";

    /// <summary>TargetAddress without portal group tag, for a target that has moved.</summary>
    public string? TargetAddress { get; private init; }

    public ChapSettings Authentication { get; private init; } = ChapSettings.None;

    public ParameterLimits Limits { get; private init; } = new();

    /// <summary>Told to the initiator of a normal session (§13.9).</summary>
    public ushort TargetPortalGroupTag { get; private init; }

    public string? TargetAlias { get; private init; }

    public static LoginAdmission Granted(
        ChapSettings authentication, ParameterLimits limits, ushort targetPortalGroupTag = 1,
        string? targetAlias = null) => new(LoginStatus.Success)
        {
            Authentication = authentication,
            Limits = limits,
            TargetPortalGroupTag = targetPortalGroupTag,
            TargetAlias = targetAlias,
        };

    /// <summary>NotFound, TargetRemoved, AuthorizationFailure, ServiceUnavailable and the like.</summary>
    public static LoginAdmission Refused(LoginStatus status, string why) => status == LoginStatus.Success
        ? throw new ArgumentOutOfRangeException(nameof(status))
        : new LoginAdmission(status) { Why = why };

    /// <summary>Redirection (§11.13.5): the initiator is to log in at the address instead.</summary>
    public static LoginAdmission Moved(bool permanently, string targetAddress) =>
        new(permanently ? LoginStatus.TargetMovedPermanently : LoginStatus.TargetMovedTemporarily)
        {
            TargetAddress = targetAddress,
            Why = $"redirected to {targetAddress}",
        };
}
