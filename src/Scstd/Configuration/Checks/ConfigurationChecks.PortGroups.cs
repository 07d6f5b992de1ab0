namespace Scstd.Configuration;

internal sealed partial class ConfigurationChecks
{
    private void PortGroups()
    {
        string[] targets = [.. _daemon.Targets.Select(target => target.Name.Text)];
        string[] portals = [.. _daemon.Portals.Select(portal => portal.Name.Text)];
        IReadOnlyList<string> devices = _daemon.UnitNames;
        var seen = new List<PortGroupSection>();
        foreach (PortGroupSection group in _daemon.PortGroups)
        {
            References(group.Targets, targets, "target");
            References(group.Portals, portals, "portal");
            References(group.Devices, devices, "device");
            if (!group.Has("targets") && !group.Has("portals"))
            {
                _problems.AddMissing(group.Position,
                    $"port group '{group.Name}' lacks the key 'portals' or 'targets', which say what belongs to it");
                continue;
            }
            if (seen.FirstOrDefault(other => other.Id == group.Id && group.Id > 0) is { } same)
            {
                _problems.Add(group.PositionOf("id"),
                    $"port group '{group.Name}' has the id {group.Id} of port group '{same.Name}'");
            }
            else
            {
                Overlap(group, seen);
            }
            seen.Add(group);
        }
    }

    /// <summary>SPC-4 §5.15.1: a target port is in one primary target port group of a unit.</summary>
    private void Overlap(PortGroupSection group, IEnumerable<PortGroupSection> others)
    {
        foreach (PortGroupSection other in others)
        {
            if (!_daemon.UnitNames.Any(one => group.Concerns(one) && other.Concerns(one)))
                continue;
            (string Target, ushort Tag)[] shared =
                [.. group.PortsIn(_daemon).Intersect(other.PortsIn(_daemon)).Take(1)];
            if (shared is not [(var target, var tag)])
                continue;
            _problems.Add(group.PositionOf(group.Has("portals") ? "portals" : "targets"),
                $"the port of {target} with the tag {tag} is in port group '{other.Name}' already: a port is in one");
            return;
        }
    }
}
