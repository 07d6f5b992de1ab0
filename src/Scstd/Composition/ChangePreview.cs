using Scstd.Configuration;
using Scstd.Frontends.Iscsi;

namespace Scstd.Composition;

/// <summary>What a change would do, found out without doing any of it.</summary>
/// <param name="Difference">Changes, refusals and what waits for a start.</param>
/// <param name="SessionsChanged">Sessions that would see other LUNs, each in words.</param>
/// <param name="SessionsEnded">Sessions that would end, each with the reason.</param>
internal sealed record ChangePreview(
    ConfigurationDifference Difference, IReadOnlyList<string> SessionsChanged, IReadOnlyList<string> SessionsEnded)
{
    public static ChangePreview Of(DaemonSection now, DaemonSection next, IReadOnlyList<SessionInfo> sessions)
    {
        var changed = new List<string>();
        var ended = new List<string>();
        foreach (SessionInfo session in sessions.Where(one => one.TargetName is not null).OrderBy(one => one.Tsih))
        {
            string words = $"session {session.Tsih} of {session.InitiatorName} to {session.TargetName}";
            if (WhyEnded(next, session) is { } why)
                ended.Add($"{words}: {why}");
            else if (!LunsOf(now, session).SequenceEqual(LunsOf(next, session)))
                changed.Add(words);
        }
        return new ChangePreview(new ConfigurationDifference(now, next), changed, ended);
    }

    private static string? WhyEnded(DaemonSection next, SessionInfo session)
    {
        if (!next.Portals.Any(portal => portal.Tag == session.PortalGroupTag))
            return $"no portal has the tag {session.PortalGroupTag} any more";
        if (TargetOf(next, session) is not { } target)
            return "the target is gone";
        bool isReachable = target.Portals.Count == 0 || target.Portals.Any(
            name => next.Portals.Any(one => one.Name.Text == name.Text && one.Tag == session.PortalGroupTag));
        if (!isReachable)
            return "the target is not to be reached through its portal any more";
        return LunsOf(next, session).Any() ? null : "it would see no LUN any more";
    }

    /// <summary>What the session sees, and how REPORT LUNS writes it.</summary>
    private static IEnumerable<(int Number, string Device, bool IsReadOnly, LunAddressingChoice Addressing)> LunsOf(
        DaemonSection daemon, SessionInfo session)
    {
        if (TargetOf(daemon, session) is not { } target)
            return [];
        GroupSection? group = target.Groups.FirstOrDefault(
            one => new InitiatorPatterns(one.Initiators).Contains(session.InitiatorName));
        LunAddressingChoice addressing = group?.LunAddressing ?? target.LunAddressing;
        return (group?.Luns ?? target.Luns).OrderBy(lun => lun.Number)
            .Select(lun => (lun.Number, lun.Device.Text, lun.IsReadOnly, addressing));
    }

    private static TargetSection? TargetOf(DaemonSection daemon, SessionInfo session) => daemon.Targets.FirstOrDefault(
        one => string.Equals(one.Name.Text, session.TargetName, StringComparison.OrdinalIgnoreCase));
}
