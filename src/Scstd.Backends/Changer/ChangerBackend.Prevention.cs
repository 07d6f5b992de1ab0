using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Changer;

/// <summary>What the changer keeps for a nexus, and ends with it: that it prevents removal, and what it looked for.
/// </summary>
public sealed partial class ChangerBackend
{
    // Replaced whole: a nexus that ends asks from its own reactor.
    private volatile ItNexus[] _preventing = [];
    private volatile VolumeTagSearch[] _searches = [];

    /// <summary>Some nexus wants operators to be kept out (SPC-4 §6.15): the import/export elements are locked. The
    /// robot goes on moving cartridges there and away.</summary>
    public bool IsRemovalPrevented => _preventing.Length > 0;

    public bool HoldsStateOf(ItNexus nexus) =>
        Array.IndexOf(_preventing, nexus) >= 0 || SearchOf(nexus) is not null;

    public void NexusEnded(ItNexus nexus)
    {
        Allow(nexus);
        _searches = [.. _searches.Where(search => !ReferenceEquals(search.Nexus, nexus))];
    }

    private VolumeTagSearch? SearchOf(ItNexus nexus) =>
        Array.Find(_searches, search => ReferenceEquals(search.Nexus, nexus));

    private void Allow(ItNexus nexus) =>
        _preventing = [.. _preventing.Where(other => !ReferenceEquals(other, nexus))];

    private void PreventAllow(ScsiCommand command)
    {
        bool prevents = (command.Cdb[4] & 0x03) == 0x01;
        if (!prevents)
            Allow(command.Nexus);
        else if (Array.IndexOf(_preventing, command.Nexus) < 0)
            _preventing = [.. _preventing, command.Nexus];
        command.Complete();
    }

    /// <summary>The values 10b and 11b are obsolete.</summary>
    private static SenseData? ValidatePreventAllow(ScsiCommand command) =>
        (command.Cdb[4] & 0x02) != 0 ? SenseData.InvalidFieldInCdb(4, 1) : null;

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
