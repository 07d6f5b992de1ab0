using Scstd.Scsi;

namespace Scstd.Core;

internal sealed partial class Turnstile
{
    public void EstablishUnitAttention(AdditionalSense condition, ItNexus? except)
    {
        foreach (ItlNexus itl in _nexuses)
        {
            if (except is null || !ReferenceEquals(itl.Nexus, except))
                itl.Announce(condition);
        }
    }

    public void EstablishUnitAttention(AdditionalSense condition, IReadOnlyCollection<ItNexus> concerned)
    {
        foreach (ItlNexus itl in _nexuses)
        {
            if (concerned.Contains(itl.Nexus))
                itl.Announce(condition);
        }
    }

    public void EstablishUnitAttention(AdditionalSense condition, ItlNexus? except)
    {
        foreach (ItlNexus itl in _nexuses)
        {
            if (!ReferenceEquals(itl, except))
                itl.Announce(condition);
        }
    }
}
