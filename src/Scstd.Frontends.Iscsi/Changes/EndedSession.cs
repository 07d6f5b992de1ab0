using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi;

/// <summary>What is remembered of a session that has ended.</summary>
public sealed record EndedSession
{
    private readonly SessionHistory _history;

    internal EndedSession(SessionHistory history) => _history = history;

    /// <summary>Target session identifying handle; may be another session's by now.</summary>
    public required ushort Tsih { get; init; }

    public required string InitiatorName { get; init; }

    /// <summary>Twelve hexadecimal digits.</summary>
    public required string Isid { get; init; }

    public required string TargetName { get; init; }

    public required IPEndPoint Peer { get; init; }

    public required int ReactorIndex { get; init; }

    /// <summary>How long it was open.</summary>
    public required long AgeMs { get; init; }

    /// <summary>When it ended, by the reactors' clock.</summary>
    public required long EndedUs { get; init; }

    /// <summary>Why it ended.</summary>
    public required string Why { get; init; }

    public required SessionCounters Counters { get; init; }

    /// <summary>Its last moves, the newest first.</summary>
    public IReadOnlyList<HistoryEntry> Moves => _history.Newest();
}

/// <summary>A session's last moves, as they were when somebody looked.</summary>
/// <param name="Tsih">Which session.</param>
/// <param name="NowUs">When that was, by the reactors' clock.</param>
/// <param name="Moves">The newest first.</param>
public sealed record SessionMoves(ushort Tsih, long NowUs, IReadOnlyList<HistoryEntry> Moves);
