namespace Scstd.Configuration;

internal sealed partial class ConfigurationChecks
{
    private void Target(TargetSection target)
    {
        string[] portals = [.. _daemon.Portals.Select(portal => portal.Name.Text)];
        References(target.Portals, portals, "portal");
        PortalGroups(target);
        if (target.Authentication is { } authentication)
            Authentication(authentication);
        NegotiationSection negotiation = target.Negotiation;
        // RFC 7143 §13.14: FirstBurstLength MUST NOT exceed MaxBurstLength. A default gives way.
        if (negotiation.Has("FirstBurstLength") && negotiation.FirstBurstLength > negotiation.MaxBurstLength)
        {
            _problems.Add(negotiation.PositionOf("FirstBurstLength"),
                $"FirstBurstLength ({Units.FormatSize(negotiation.FirstBurstLength)}) is more than MaxBurstLength "
                + $"({Units.FormatSize(negotiation.MaxBurstLength)})");
        }
        if (target.Redirect?.To is { } to && _daemon.Portals.Any(portal => to.Equals(portal.Address)))
            _problems.Add(target.Redirect.PositionOf("to"), $"{to} is our own portal: nobody would ever arrive");
        Luns(target.Luns);
        Unique(target.Groups.Where(group => group.Name.Text is not null).Select(group => group.Name), "group name",
            StringComparer.Ordinal);
        foreach (GroupSection group in target.Groups)
        {
            if (group.Initiators.Count > 0 && group.Initiators.All(pattern => pattern.StartsWith('!')))
            {
                _problems.Add(group.PositionOf("initiators"),
                    "these patterns only exclude: nobody belongs to the group; end the list with \"*\"");
            }
            if (group.Authentication is { } own)
                Authentication(own);
            Luns(group.Luns);
        }
        bool showsNothing = !target.Has("luns") && !target.Has("groups") && !target.Has("redirect");
        if (showsNothing)
            _warnings.Add(new Problem(target.Name.Position, $"target '{target.Name}' has no LUN"));
    }

    /// <summary>RFC 7143 §4.2.4: a session reaches a target through a portal group: all portals of a tag.</summary>
    private void PortalGroups(TargetSection target)
    {
        foreach (Word name in target.Portals)
        {
            int? tag = _daemon.Portals.FirstOrDefault(portal => portal.Name.Text == name.Text)?.Tag;
            PortalSection? alsoSeen = _daemon.Portals.FirstOrDefault(portal =>
                portal.Tag == tag && target.Portals.All(named => named.Text != portal.Name.Text));
            if (alsoSeen is not null)
            {
                _problems.Add(name.Position, $"portal '{name}' has the tag {tag}, as has portal '{alsoSeen.Name}', "
                    + "which is not in this list: a target is seen through all portals of a tag; give one of them "
                    + "another");
            }
        }
    }

    private void Luns(IReadOnlyList<LunSection> luns)
    {
        // A missing device is noted when the section is read.
        LunSection[] named = [.. luns.Where(lun => lun.Device.Text is not null)];
        IReadOnlyList<string> devices = _daemon.UnitNames;
        foreach (LunSection lun in named.Where(lun => !devices.Contains(lun.Device.Text)))
            Undeclared(lun.Device, devices, "device");
        var first = new Dictionary<string, LunSection>();
        foreach (LunSection lun in named)
        {
            if (!first.TryAdd(lun.Device.Text, lun))
            {
                _problems.Add(lun.Device.Position, $"LUN {lun.Number} shows device '{lun.Device}', which is LUN "
                    + $"{first[lun.Device.Text].Number} here already");
            }
        }
    }
}
