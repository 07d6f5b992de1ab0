using Scstd.Configuration;
using Scstd.Scsi;

namespace Scstd.Composition;

/// <summary>What an administrator changes at run time is a change of one value of the configuration that is in force,
/// and goes the same way as any other. Null: what is to be changed is not there.</summary>
internal static class ConfigurationEdit
{
    public static DaemonSection? WithLun(
        this DaemonSection daemon, string target, string? group, int number, string device)
    {
        if (daemon.FindLun(target, group, number) is not { } lun)
            return null;
        var changed = (LunSection)lun.Copy();
        changed.Device = new Word(device, lun.Device.Position);
        TargetSection was = daemon.Targets.First(one => one.Name.Text == target);
        var next = (TargetSection)was.Copy();
        if (group is null)
        {
            next.Luns = Replaced(was.Luns, lun, changed);
        }
        else
        {
            GroupSection old = was.Groups.First(one => one.Name.Text == group);
            var grown = (GroupSection)old.Copy();
            grown.Luns = Replaced(old.Luns, lun, changed);
            next.Groups = Replaced(was.Groups, old, grown);
        }
        var edited = (DaemonSection)daemon.Copy();
        edited.Targets = Replaced(daemon.Targets, was, next);
        return edited;
    }

    /// <summary>In blocks where the configuration counts in blocks.</summary>
    public static DaemonSection? WithSize(this DaemonSection daemon, string device, long bytes)
    {
        if (daemon.FindDevice(device) is not { } was)
            return null;
        var next = (DeviceSection)was.Copy();
        if (was.Blocks is null)
            next.SizeBytes = bytes;
        else
            next.Blocks = (ulong)bytes / (uint)was.BlockBytes;
        var edited = (DaemonSection)daemon.Copy();
        edited.Devices = Replaced(daemon.Devices, was, next);
        return edited;
    }

    /// <summary>Groups that are not there, or are in the state already, are left as they are.</summary>
    public static DaemonSection WithPortGroups(
        this DaemonSection daemon, Func<PortGroupSection, AsymmetricAccessState?> stateOf)
    {
        var edited = (DaemonSection)daemon.Copy();
        edited.PortGroups =
        [
            .. daemon.PortGroups.Select(group =>
            {
                if (stateOf(group) is not { } state || state == group.State)
                    return group;
                var changed = (PortGroupSection)group.Copy();
                changed.State = state;
                return changed;
            }),
        ];
        return edited;
    }

    public static PortGroupSection? FindPortGroup(this DaemonSection daemon, string name) =>
        daemon.PortGroups.FirstOrDefault(group => group.Name.Text == name);

    public static DeviceSection? FindDevice(this DaemonSection daemon, string name) =>
        daemon.Devices.FirstOrDefault(device => device.Name.Text == name);

    public static LunSection? FindLun(this DaemonSection daemon, string target, string? group, int number)
    {
        TargetSection? found = daemon.Targets.FirstOrDefault(one => one.Name.Text == target);
        IReadOnlyList<LunSection>? luns = group is null ? found?.Luns
            : found?.Groups.FirstOrDefault(one => one.Name.Text == group)?.Luns;
        return luns?.FirstOrDefault(lun => lun.Number == number);
    }

    private static IReadOnlyList<T> Replaced<T>(IReadOnlyList<T> list, T old, T by) where T : class =>
        [.. list.Select(one => ReferenceEquals(one, old) ? by : one)];
}
