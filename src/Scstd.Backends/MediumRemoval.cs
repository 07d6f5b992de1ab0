using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends;

/// <summary>PREVENT ALLOW MEDIUM REMOVAL (SPC-4 §6.15): prevented until every nexus that prevented it allows it, or is
/// gone. Changed alone on the unit.</summary>
internal sealed class MediumRemoval
{
    /// <summary>Replaced whole: a nexus that ends asks from its own reactor.</summary>
    private volatile ItNexus[] _preventing = [];

    public bool IsPrevented => _preventing.Length > 0;

    /// <summary>The values 10b and 11b of PREVENT are obsolete.</summary>
    public static SenseData? Validate(ScsiCommand command) =>
        (command.Cdb[4] & 0x02) != 0 ? SenseData.InvalidFieldInCdb(4, 1) : null;

    public bool IsPreventedBy(ItNexus nexus) => Array.IndexOf(_preventing, nexus) >= 0;

    public void Allow(ItNexus nexus) => _preventing = [.. _preventing.Where(one => !ReferenceEquals(one, nexus))];

    public void AllowAll() => _preventing = [];

    /// <summary>The command.</summary>
    public void PreventAllow(ScsiCommand command)
    {
        bool prevents = (command.Cdb[4] & 0x03) == 0x01;
        if (!prevents)
            Allow(command.Nexus);
        else if (!IsPreventedBy(command.Nexus))
            _preventing = [.. _preventing, command.Nexus];
        command.Complete();
    }
}
