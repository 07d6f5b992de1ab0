using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;

namespace Scstd.Frontends.Iscsi;

/// <summary>A network portal (RFC 7143 §4.2.4): an address that is listened at, member of a portal group.</summary>
public sealed record PortalOptions
{
    /// <summary>An unspecified address (0.0.0.0, ::) listens at all of the machine's.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Target portal group tag. A session's target port is the target together with this tag.</summary>
    public ushort Tag { get; init; } = 1;

    /// <summary>What SendTargets tells instead of <see cref="EndPoint"/>, when initiators reach the portal by another
    /// address (a name, a translated address); "host" or "host:port", an IPv6 address in brackets.</summary>
    public string? AdvertisedAddress { get; init; }

    /// <summary>Connections of this portal, those that are logging in included; more are closed at once.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>From acceptance to full feature phase.</summary>
    public int LoginTimeoutMs { get; init; } = 15_000;

    /// <summary>For discovery sessions, which belong to no target.</summary>
    public TimerOptions DiscoveryTimers { get; init; } = new();
}

/// <summary>How long a session's peer may keep silent.</summary>
public sealed record TimerOptions
{
    /// <summary>After so much silence the initiator is asked by a NOP-In; 0: never.</summary>
    public int NopIntervalMs { get; init; } = 15_000;

    /// <summary>How long the answer to a NOP-In may take.</summary>
    public int NopTimeoutMs { get; init; } = 30_000;

    /// <summary>How long a peer may take none of the bytes that wait for it.</summary>
    public int StallTimeoutMs { get; init; } = 60_000;

    /// <summary>How long one sequence of Data-Out that was announced or asked for may take, and how long a missing
    /// CmdSN may hold up those behind it: buffers are others' too.</summary>
    public int DataOutTimeoutMs { get; init; } = 60_000;

    /// <summary>How often the deadlines are looked at while something is under way.</summary>
    internal int LookMs => Math.Clamp(ShortestMs / 2, 10, 5_000);

    /// <summary>And while nothing is, besides for the NOP-In: what begins meanwhile is looked at by then.</summary>
    internal int IdleLookMs => Math.Max(LookMs, Math.Min(StallTimeoutMs, DataOutTimeoutMs) / 4);

    /// <summary>Looks are put off to a multiple of this, so that those of all sessions come together: the reactor wakes
    /// up once for them. A deadline is late by a sixteenth at most.</summary>
    internal int GrainMs => Math.Clamp(ShortestMs / 16, 1, 1_000);

    private int ShortestMs => Math.Min(
        Math.Min(NopIntervalMs == 0 ? int.MaxValue : NopIntervalMs, NopTimeoutMs),
        Math.Min(StallTimeoutMs, DataOutTimeoutMs));
}

/// <summary>Initiators that get something of their own of a target.</summary>
public sealed record AccessGroup
{
    public required string Name { get; init; }

    /// <summary>
    /// Names with '*' for any characters and '?' for one; a pattern that begins with '!' excludes what it matches. The
    /// first pattern that matches decides; none: not a member.
    /// </summary>
    public required IReadOnlyList<string> Initiators { get; init; }

    /// <summary>What its members see. Without any LUN the target does not exist for them.</summary>
    public required LunMap Luns { get; init; }

    /// <summary>Instead of the target's own authentication; null: the target's.</summary>
    public ChapSettings? Authentication { get; init; }

    /// <summary>What its members may do a second, together; null: anything.</summary>
    public Core.RateLimit? Limit { get; init; }
}

/// <summary>A target that is served elsewhere now (RFC 7143 §11.13.5, status 0101 and 0102).</summary>
/// <param name="Address">"host:port", an IPv6 address in brackets.</param>
/// <param name="IsPermanent">0102: the initiator may forget the old address.</param>
public sealed record RedirectOptions(string Address, bool IsPermanent = false);

/// <summary>An iSCSI target node.</summary>
public sealed record TargetOptions
{
    /// <summary>iqn., eui. or naa. name.</summary>
    public required string Name { get; init; }

    public string? Alias { get; init; }

    /// <summary>Tags of the portal groups it can be reached through; empty: all.</summary>
    public IReadOnlyList<ushort> PortalGroupTags { get; init; } = [];

    /// <summary>In order: the first group with the initiator as a member decides what it sees.</summary>
    public IReadOnlyList<AccessGroup> Groups { get; init; } = [];

    /// <summary>What an initiator outside of all groups sees. Without any LUN the target does not exist for
    /// it.</summary>
    public LunMap Luns { get; init; } = LunMap.Empty;

    public ChapSettings Authentication { get; init; } = ChapSettings.None;

    public ParameterLimits Negotiation { get; init; } = new();

    public TimerOptions Timers { get; init; } = new();

    /// <summary>Sessions over all portals.</summary>
    public int MaxSessions { get; init; } = 256;

    /// <summary>Commands that an initiator may have under way: the command window.</summary>
    public int QueueDepth { get; init; } = 128;

    /// <summary>Commands that all sessions together may have under way; null: any number.</summary>
    public int? MaxCommands { get; init; }

    public RedirectOptions? Redirect { get; init; }

    /// <summary>Changes of what there is are told at once (RFC 7143 §11.9.1, SCSI asynchronous event), besides by unit
    /// attention conditions.</summary>
    public bool AsynchronousEvents { get; init; } = true;
}

/// <summary>What all portals share.</summary>
public sealed record DiscoveryOptions
{
    public ChapSettings Authentication { get; init; } = ChapSettings.None;

    /// <summary>False: initiators have to know their targets.</summary>
    public bool IsEnabled { get; init; } = true;
}
