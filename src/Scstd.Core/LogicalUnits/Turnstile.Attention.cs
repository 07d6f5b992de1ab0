using Scstd.Scsi;

namespace Scstd.Core;

internal sealed partial class Turnstile
{
    public void EstablishUnitAttention(AdditionalSense condition, ItlNexus? except)
    {
        foreach (ItlNexus itl in _nexuses)
        {
            if (!ReferenceEquals(itl, except))
                itl.Announce(condition);
        }
    }
}
