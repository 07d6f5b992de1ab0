using System.Net;
using Scstd.Frontends.Iscsi;
using Scstd.Frontends.Iscsi.Pdus;
using Serilog;

namespace Scstd.Composition;

/// <summary>What happens to sessions, for the log. On the reactors; nothing here is on the path of a command.</summary>
internal sealed class SessionLog(ILogger log) : IscsiEvents
{
    public override void SessionOpened(IPEndPoint peer, string session) =>
        log.Information("{Peer}: {Session:l} opened", peer, session);

    public override void LoginRefused(
        IPEndPoint peer, string? initiatorName, string? targetName, LoginStatus status, string why) =>
        log.Warning("{Peer}: login of {Initiator:l} to {Target:l} refused, {Status}: {Why:l}",
            peer, initiatorName ?? "(no name)", targetName ?? "(discovery)", status, why);

    public override void ConnectionFailed(IPEndPoint peer, string session, string why) =>
        log.Warning("{Peer}: {Session:l} failed: {Why:l}", peer, session, why);

    public override void ConnectionClosed(IPEndPoint peer, string session, string why) =>
        log.Information("{Peer}: {Session:l} closed: {Why:l}", peer, session, why);

    public override void ConnectionTurnedAway(IPEndPoint portal, string why) =>
        log.Warning("{Portal}: a connection was turned away: {Why:l}", portal, why);
}
