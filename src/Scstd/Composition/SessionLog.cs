using System.Net;
using Scstd.Frontends.Iscsi;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Scsi;
using Serilog;
using Serilog.Events;

namespace Scstd.Composition;

/// <summary>
/// What happens to sessions of one reactor, for the log. Strangers cause these events, so there is a bound on how many
/// are written in a second; the rest is counted. Nothing here is on the path of a command.
/// </summary>
internal sealed class SessionLog(ILogger log, Func<long>? clockMs = null) : IscsiEvents
{
    /// <summary>Our choice: more than a person can read, less than fills a disk.</summary>
    public const int MostEventsPerSecond = 50;

    /// <summary>RFC 7143 §4.2.7.1: a name has no more; what is longer is none.</summary>
    private const int MostNameCharacters = 223;

    private readonly Func<long> _clockMs = clockMs ?? (() => Environment.TickCount64);
    private long _second = long.MinValue;
    private int _written;
    private long _leftOut;

    public override void SessionOpened(IPEndPoint peer, string session) =>
        Write(LogEventLevel.Information, "{Peer:l}: {Session:l} opened", peer, session);

    public override void LoginRefused(
        IPEndPoint peer, string? initiatorName, string? targetName, LoginStatus status, string why) =>
        Write(
            status is LoginStatus.TargetMovedTemporarily or LoginStatus.TargetMovedPermanently
                ? LogEventLevel.Information : LogEventLevel.Warning,
            "{Peer:l}: login of {Initiator:l} to {Target:l} refused, {Status:l}: {Why:l}",
            peer, Printable(initiatorName) ?? "(no name)", Printable(targetName) ?? "(discovery)", status.ToString(),
            why);

    /// <summary>What a stranger sent must not forge a line of the log.</summary>
    private static string? Printable(string? text) => text is null ? null
        : string.Concat(text.Take(MostNameCharacters).Select(one => char.IsControl(one) ? '?' : one));

    public override void ConnectionFailed(IPEndPoint peer, string session, string why) =>
        Write(LogEventLevel.Warning, "{Peer:l}: {Session:l} failed: {Why:l}", peer, session, why);

    public override void ConnectionClosed(IPEndPoint peer, string session, string why) =>
        Write(LogEventLevel.Information, "{Peer:l}: {Session:l} closed: {Why:l}", peer, session, why);

    public override void SessionEnded(
        IPEndPoint peer, string session, string why, long ageMs, SessionCounters counters) =>
        Write(LogEventLevel.Information, "{Peer:l}: {Session:l} ended after {Seconds} s and {Commands} commands: "
            + "{Why:l}", peer, session, ageMs / 1000, counters.Commands, why);

    public override void ConnectionTurnedAway(IPEndPoint portal, string why) =>
        Write(LogEventLevel.Warning, "{Portal:l}: a connection was turned away: {Why:l}", portal, why);

    public override void TaskManagementDelayed(
        IPEndPoint peer, string session, TaskManagementFunction function, string waitsFor, long waitedMs) =>
        Write(LogEventLevel.Warning, "{Peer:l}: {Session:l}: {Function:l} waits since {Seconds} s for {What:l}",
            peer, session, function.ToString(), waitedMs / 1000, waitsFor);

    private void Write(LogEventLevel level, string template, params object[] values)
    {
        if (!log.IsEnabled(level))
            return;
        long second = _clockMs() / 1000;
        if (second != _second)
        {
            if (_leftOut > 0)
                log.Warning("{Count} events of sessions were not logged: too many in a second", _leftOut);
            (_second, _written, _leftOut) = (second, 0, 0);
        }
        if (_written == MostEventsPerSecond)
        {
            _leftOut++;
            return;
        }
        _written++;
        log.Write(level, template, values);
    }
}
