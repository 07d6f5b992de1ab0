using Scstd.Core;
using Scstd.Frontends.Iscsi;

namespace Scstd.Composition;

/// <summary>Tells units through which target ports they can be reached, which persistent reservations must know
/// (ALL_TG_PT, REGISTER AND MOVE).</summary>
internal static class TargetPorts
{
    public static void Assign(IscsiConfiguration configuration, IEnumerable<LogicalUnit> units) =>
        Assign(configuration.Targets, configuration.Portals.Select(portal => portal.Tag), units);

    /// <param name="targets">All of them.</param>
    /// <param name="portalTags">The portal group tags of all portals: each is a port of every target that does not
    /// restrict itself to some.</param>
    /// <param name="units">All of them.</param>
    public static void Assign(
        IReadOnlyList<TargetOptions> targets, IEnumerable<ushort> portalTags, IEnumerable<LogicalUnit> units)
    {
        ushort[] allTags = [.. portalTags.Distinct().Order()];
        foreach (LogicalUnit unit in units)
        {
            unit.TargetPorts =
            [
                .. targets.Where(target => LeadsTo(target, unit)).SelectMany(target =>
                    (target.PortalGroupTags.Count > 0 ? target.PortalGroupTags : allTags)
                        .Select(tag => new TargetPortName(target.Name, tag))),
            ];
        }
    }

    private static bool LeadsTo(TargetOptions target, LogicalUnit unit) =>
        target.Luns.LeadsTo(unit) || target.Groups.Any(group => group.Luns.LeadsTo(unit));
}
