using System.Globalization;
using Scstd.Composition;
using Scstd.Control;
using Scstd.Core;
using Scstd.Frontends.Iscsi;

namespace Scstd.Administration;

/// <summary>What is known of sessions beyond what they are: what happened to them, and to those that are gone.
/// </summary>
internal sealed class SessionCommands(Server server)
{
    /// <param name="session">Its number, or the name of an initiator; null: all.</param>
    /// <param name="ended">Of those that have ended alone. Without it they are told if none is open.</param>
    public async Task<ControlAnswer> HistoryAsync(string? session, bool ended)
    {
        // A reactor that hangs is found by the survey; its sessions could not be asked.
        Survey<long> clocks = await Survey<long>.OfAsync(server, static lane => lane.Reactor.NowUs);
        var histories = new List<SessionHistoryRecord>();
        if (!ended && clocks.Silent is null)
            histories.AddRange(await OpenAsync(session));
        if (histories.Count == 0 && clocks.Told.Count > 0)
            histories.AddRange(Ended(session, clocks.Told.Max()));
        if (histories.Count == 0 && session is not null && clocks.Silent is null)
            throw NotFound(session);
        return new HistoryAnswer([], histories) { SilentReactors = clocks.Silent };
    }

    public async Task<ControlAnswer> HistogramsAsync(string session)
    {
        Survey<int> survey = await Survey<int>.OfAsync(server, static lane => lane.Reactor.Index);
        if (survey.Silent is not null)
            return new HistogramsAnswer([]) { SilentReactors = survey.Silent };
        Func<int, string, bool> meant = Meant(session);
        IReadOnlyList<SessionTimes> times =
            await server.Registry.DescribeTimesAsync((tsih, initiator) => meant(tsih, initiator));
        if (times.Count == 0)
            throw NotFound(session);
        return new HistogramsAnswer(
        [
            .. times.SelectMany(one => one.Histograms.Select(histogram => new HistogramRecord(
                null, histogram.State.ToString(), histogram.Direction.ToString(), histogram.MaxBytes,
                [.. histogram.Counts.Select(count => (ulong)count)], one.Tsih, one.InitiatorName))),
        ]);
    }

    private ControlRefusal NotFound(string session) => ControlRefusal.NotFound(
        "session", session, server.Registry.DescribeSessions().Select(one => one.InitiatorName).Distinct());

    /// <summary>By number or name.</summary>
    public static Func<int, string, bool> Meant(string? session) =>
        session is null ? static (_, _) => true
        : ushort.TryParse(session, NumberStyles.None, CultureInfo.InvariantCulture, out ushort id)
            ? (tsih, _) => tsih == id
            : (_, initiator) => string.Equals(initiator, session, StringComparison.OrdinalIgnoreCase);

    private async Task<IEnumerable<SessionHistoryRecord>> OpenAsync(string? session)
    {
        Func<int, string, bool> meant = Meant(session);
        Dictionary<int, SessionInfo> infos =
            server.Registry.DescribeSessions().ToDictionary(one => (int)one.Tsih);
        IReadOnlyList<SessionMoves> moves =
            await server.Registry.DescribeMovesAsync((tsih, initiator) => meant(tsih, initiator));
        return moves.Where(one => infos.ContainsKey(one.Tsih)).Select(one => Describe(infos[one.Tsih], one));
    }

    private IEnumerable<SessionHistoryRecord> Ended(string? session, long nowUs)
    {
        Func<int, string, bool> meant = Meant(session);
        return server.Registry.EndedSessions.Where(one => meant(one.Tsih, one.InitiatorName))
            .Select(one => new SessionHistoryRecord(
                one.Tsih, one.TargetName, one.InitiatorName, one.Isid, one.Peer.ToString(), one.ReactorIndex,
                one.Counters.Commands, one.Counters.DataInBytes, one.Counters.DataOutBytes,
                Moves(one.Moves, nowUs),
                new SessionEndRecord(Ago(nowUs, one.EndedUs), one.AgeMs / 1000.0, one.Why)));
    }

    private static SessionHistoryRecord Describe(SessionInfo session, SessionMoves moves) => new(
        session.Tsih, session.TargetName, session.InitiatorName, session.Isid, session.Peer.ToString(),
        session.ReactorIndex, session.Counters.Commands, session.Counters.DataInBytes,
        session.Counters.DataOutBytes, Moves(moves.Moves, moves.NowUs));

    private static HistoryRecord[] Moves(IReadOnlyList<HistoryEntry> moves, long nowUs) =>
        [.. moves.Select(one => new HistoryRecord(Ago(nowUs, one.AtUs), one.What))];

    private static double Ago(long nowUs, long atUs) => Math.Max(0, nowUs - atUs) / 1000.0;
}
