using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi;

/// <summary>An iSCSI target node: who may reach it where, and what of it each initiator gets. Immutable; a change is a
/// new target of the same name, for the sessions that come.</summary>
public sealed class IscsiTarget
{
    private readonly IReadOnlyList<(AccessGroup Group, InitiatorPatterns Patterns)> _groups;
    private readonly SessionTable _sessions;

    internal IscsiTarget(TargetOptions options, SessionTable sessions, CommandLimit? commands)
    {
        if (!IscsiName.TryNormalize(options.Name, out string name))
            throw new ArgumentException($"'{options.Name}' is not an iSCSI name", nameof(options));
        Options = options;
        Name = name;
        Commands = commands;
        _sessions = sessions;
        _groups = [.. options.Groups.Select(group => (group, new InitiatorPatterns(group.Initiators)))];
        Negotiation = options.Negotiation with
        {
            MaxRecvDataSegmentLength =
                Math.Min(options.Negotiation.MaxRecvDataSegmentLength, IscsiLimits.DataSegmentLengthMax),
        };
    }

    public TargetOptions Options { get; }

    /// <summary>Normalised.</summary>
    public string Name { get; }

    /// <summary>For all sessions together; null: there is no limit. It outlives the target if a change leaves it as it
    /// is.</summary>
    public CommandLimit? Commands { get; }

    internal TimerOptions Timers => Options.Timers;

    internal int QueueDepth => Math.Clamp(Options.QueueDepth, 1, IscsiLimits.QueueDepthMax);

    internal int MaxSessions => Options.MaxSessions;

    internal ParameterLimits Negotiation { get; }

    internal bool IsReachableAt(ushort portalGroupTag) =>
        Options.PortalGroupTags.Count == 0 || Options.PortalGroupTags.Contains(portalGroupTag);

    /// <summary>The group that decides for an initiator, or null for none: the target's own set.</summary>
    internal AccessGroup? GroupOf(string initiatorName)
    {
        foreach ((AccessGroup group, InitiatorPatterns patterns) in _groups)
        {
            if (patterns.Contains(initiatorName))
                return group;
        }
        return null;
    }

    internal LunMap LunsFor(string initiatorName) => GroupOf(initiatorName)?.Luns ?? Options.Luns;

    /// <summary>A target that shows nothing to an initiator does not exist for it; one that has moved is told all the
    /// same.</summary>
    internal bool IsVisibleTo(string initiatorName) =>
        Options.Redirect is not null || LunsFor(initiatorName).Entries.Count > 0;

    internal ChapSettings AuthenticationFor(string initiatorName) =>
        GroupOf(initiatorName)?.Authentication ?? Options.Authentication;

    /// <summary>The name of one of a target's ports (RFC 7143 §4.4.2).</summary>
    public static string PortName(string targetName, ushort portalGroupTag) => $"{targetName},t,0x{portalGroupTag:x4}";

    internal SessionAccess AccessFor(string initiatorName, ushort portalGroupTag) => new(
        this,
        LunsFor(initiatorName),
        new TargetPortIdentity(Name, PortName(Name, portalGroupTag), portalGroupTag, portalGroupTag)
        {
            NameOfPort = PortName,
        })
    {
        Limit = GroupOf(initiatorName)?.Limit,
    };

    /// <summary>TARGET COLD RESET, RFC 7143 §11.5.1: all sessions of the target end; the one that asked for it hears of
    /// it first.</summary>
    internal void EndSessionsAfterReset(IscsiSession requester)
    {
        foreach (IscsiSession session in _sessions.Snapshot())
        {
            if (session.Key.TargetName == Name && !ReferenceEquals(session, requester))
                session.Post(() => session.Drop(
                    LoginStatus.ServiceUnavailable, "TARGET COLD RESET of another initiator"));
        }
        requester.Drop(LoginStatus.ServiceUnavailable, "its TARGET COLD RESET");
    }
}

/// <summary>What an initiator gets of a target.</summary>
internal sealed record SessionAccess(IscsiTarget Target, LunMap Luns, TargetPortIdentity PortIdentity)
{
    /// <summary>Of its group; null: none.</summary>
    public RateLimit? Limit { get; init; }
}

/// <summary>Initiator name patterns: '*', '?', and '!' for exclusion; the first that matches decides.</summary>
public sealed class InitiatorPatterns(IReadOnlyList<string> patterns)
{
    /// <summary>Whether the patterns let an initiator in.</summary>
    public bool Contains(string initiatorName)
    {
        foreach (string pattern in patterns)
        {
            bool excludes = pattern.StartsWith('!');
            if (Matches(pattern.AsSpan(excludes ? 1 : 0), initiatorName))
                return !excludes;
        }
        return false;
    }

    /// <summary>Names are compared without case (RFC 3722); linear in both lengths but for the stars.</summary>
    private static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int at = 0, star = -1, retry = 0, i = 0;
        while (at < name.Length)
        {
            if (i < pattern.Length && pattern[i] == '*')
            {
                star = i++;
                retry = at;
            }
            else if (i < pattern.Length && (pattern[i] == '?' || SameLetter(pattern[i], name[at])))
            {
                i++;
                at++;
            }
            else if (star >= 0)
            {
                i = star + 1;
                at = ++retry;
            }
            else
            {
                return false;
            }
        }
        while (i < pattern.Length && pattern[i] == '*')
            i++;
        return i == pattern.Length;
    }

    private static bool SameLetter(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
