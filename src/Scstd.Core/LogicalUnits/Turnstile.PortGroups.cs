using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Target port groups, as the gate has told of them.</summary>
internal sealed partial class Turnstile
{
    private PortGroups? _portGroups;

    /// <summary>Before anything of the unit is in use.</summary>
    public void BeginWith(PortGroups? groups) => _portGroups = groups;

    public void SetPortGroups(PortGroups? next, ItNexus? except)
    {
        PortGroups? before = _portGroups;
        _portGroups = next;
        bool asksOtherwise =
            before is null != next is null || before?.AllowsExplicit != next?.AllowsExplicit;
        foreach (ItlNexus itl in _nexuses)
        {
            ApplyPortGroups(itl);
            TargetPortGroup was = GroupOf(itl, before), now = GroupOf(itl, next);
            if (asksOtherwise || was.Id != now.Id)
                itl.Announce(AdditionalSense.InquiryDataHasChanged);
            if (!ReferenceEquals(itl.Nexus, except) && before is not null && next is not null && IsNews(was, now))
                itl.Announce(AdditionalSense.AsymmetricAccessStateChanged);
        }
    }

    /// <summary>SPC-4 §5.15.2.5: the end of a transition is told, its beginning is not; nor would the initiator learn
    /// of anything but it.</summary>
    private static bool IsNews(TargetPortGroup was, TargetPortGroup now) => was.IsPreferred != now.IsPreferred ||
        (was.State != now.State && now.State != AsymmetricAccessState.Transitioning);

    private static TargetPortGroup GroupOf(ItlNexus itl, PortGroups? groups) =>
        groups?.Of(itl.Nexus.Target.Port) ?? PortGroups.Rest;

    private void ApplyPortGroups(ItlNexus itl)
    {
        itl.AccessState = GroupOf(itl, _portGroups).State;
        itl.Set(NexusConditions.NotActive, !AsymmetricAccess.IsActive(itl.AccessState));
    }
}
