using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi;

/// <summary>A session as it was at one moment on its reactor.</summary>
public sealed record SessionSnapshot
{
    /// <summary>Target session identifying handle.</summary>
    public required ushort Tsih { get; init; }

    public required string InitiatorName { get; init; }

    public required string? InitiatorAlias { get; init; }

    /// <summary>Twelve hexadecimal digits.</summary>
    public required string Isid { get; init; }

    /// <summary>Null in a discovery session.</summary>
    public required string? TargetName { get; init; }

    public required ushort PortalGroupTag { get; init; }

    /// <summary>The portal that it came in at, as bound.</summary>
    public required IPEndPoint Portal { get; init; }

    public required IPEndPoint Peer { get; init; }

    public required int ReactorIndex { get; init; }

    /// <summary>Admitting, Open, Ending or Ended.</summary>
    public required string State { get; init; }

    /// <summary>Since it was opened; zero while it is admitted.</summary>
    public required long AgeMs { get; init; }

    /// <summary>The group of the target that decides what it sees; null: none, the target's own LUNs.</summary>
    public required string? Group { get; init; }

    public required NegotiatedParameters Parameters { get; init; }

    public required ulong Commands { get; init; }

    public required ulong DataInBytes { get; init; }

    public required ulong DataOutBytes { get; init; }

    /// <summary>SCSI commands between their arrival and the moment when nothing of them is needed any more.</summary>
    public required int CommandsInFlight { get; init; }

    /// <summary>The command window that it may have at most.</summary>
    public required int QueueDepth { get; init; }

    public required IReadOnlyList<LunSnapshot> Luns { get; init; }

    /// <summary>How long its commands were with device servers; as <see cref="LatencyHistogram.Counts"/>.</summary>
    public required IReadOnlyList<ulong> TimesEnabled { get; init; }
}

/// <summary>How long the commands of a session stayed in each state.</summary>
public sealed record SessionTimes(ushort Tsih, string InitiatorName, IReadOnlyList<LatencyHistogram> Histograms);

/// <summary>One LUN as a session sees it.</summary>
/// <param name="Number">As configured.</param>
/// <param name="UnitName">The device.</param>
/// <param name="IsReadOnly">By the map.</param>
/// <param name="CommandsInFlight">In the unit's task set, from this session.</param>
/// <param name="UnitAttentions">Pending, first to be told first; "3Fh/0Eh".</param>
public sealed record LunSnapshot(
    int Number, string UnitName, bool IsReadOnly, int CommandsInFlight, IReadOnlyList<string> UnitAttentions);
