using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>What the changer keeps for a nexus, and ends with it: that it prevents removal, and what it looked for.
/// </summary>
public sealed partial class ChangerBackend
{
    private readonly MediumRemoval _removal = new();

    /// <summary>Replaced whole: a nexus that ends asks from its own reactor.</summary>
    private volatile VolumeTagSearch[] _searches = [];

    /// <summary>Some nexus wants operators to be kept out (SPC-4 §6.15): the import/export elements are locked. The
    /// robot goes on moving cartridges there and away.</summary>
    public bool IsRemovalPrevented => _removal.IsPrevented;

    public bool HoldsStateOf(ItNexus nexus) => _removal.IsPreventedBy(nexus) || SearchOf(nexus) is not null;

    public void NexusEnded(ItNexus nexus)
    {
        _removal.Allow(nexus);
        _searches = [.. _searches.Where(search => !ReferenceEquals(search.Nexus, nexus))];
    }

    private VolumeTagSearch? SearchOf(ItNexus nexus) =>
        Array.Find(_searches, search => ReferenceEquals(search.Nexus, nexus));

    private void SendVolumeTag(ScsiCommand command)
    {
        // An empty list is no error and changes nothing.
        if (command.RequestedBytes != 0)
        {
            byte[] list = command.Data.ToArray(VolumeTagSearch.ParameterListBytes);
            VolumeTagSearch search = VolumeTagSearch.Read(command.Nexus, command.Cdb, list);
            _searches = [.. _searches.Where(other => !ReferenceEquals(other.Nexus, command.Nexus)), search];
        }
        command.Complete();
    }

    private static SenseData? ValidateSendVolumeTag(ScsiCommand command)
    {
        if (!VolumeTagSearch.Does(command.Cdb[5] & 0x1F))
            return SenseData.InvalidFieldInCdb(5, 4);
        if (ValidateType(command.Cdb) is { } wrong)
            return wrong;
        return command.RequestedBytes is not (0 or VolumeTagSearch.ParameterListBytes)
            ? SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError) : null;
    }
}
