using Scstd.Frontends.Iscsi.Pdus;

namespace Scstd.Frontends.Iscsi.Login;

/// <summary>Why a login ends without a session: the status for the peer and a sentence for the log.</summary>
public sealed record LoginFault(LoginStatus Status, string Why)
{
    internal static LoginFault Initiator(string why) => new(LoginStatus.InitiatorError, why);

    internal static LoginFault Authentication(string why) => new(LoginStatus.AuthenticationFailure, why);
}
