using Scstd.Configuration;

namespace Scstd.Composition;

/// <summary>
/// What lies between the configuration that is served and another: in words for the administrator, and sorted by what
/// it takes. Which sessions it concerns the frontend finds out by itself.
/// </summary>
internal sealed class ConfigurationDifference
{
    /// <summary>What the process was started with.</summary>
    private static readonly string[] KeysOfTheNextStart = ["reactors", "memory", "control", "state_directory"];

    /// <summary>They are told entry by entry.</summary>
    private static readonly string[] KeysWithNames = ["devices", "libraries", "portals", "targets", "port_groups"];

    /// <summary>What a device may become while it serves.</summary>
    private static readonly string[] LiveKeysOfDevice =
        ["size", "blocks", "limits", "abort_timeout", "queue_depth", "thin_threshold"];

    private readonly List<DeviceSection> _resized = [];
    private readonly List<DeviceSection> _limited = [];
    private readonly List<DeviceSection> _otherPatience = [];
    private readonly List<DeviceSection> _ofOtherDepth = [];
    private readonly List<DeviceSection> _thresholds = [];
    private readonly List<string> _changes = [];
    private readonly List<string> _refusals = [];
    private readonly List<string> _atNextStart = [];

    public ConfigurationDifference(DaemonSection now, DaemonSection next)
    {
        foreach (string key in SectionComparison.Differences(now, next).Except(KeysWithNames))
        {
            if (KeysOfTheNextStart.Contains(key))
                _atNextStart.Add($"{key}: takes effect at the next start");
            else
                _changes.Add($"{key}: changed");
        }
        (AddedDevices, RemovedDevices) = Compare(
            "device", now.Devices, next.Devices, one => one.Name.Text, (before, after) => Device(next, before, after));
        Libraries(now, next);
        Compare("portal", now.Portals, next.Portals, one => one.Name.Text, Portal);
        Compare("target", now.Targets, next.Targets, one => one.Name.Text, Target);
        Compare("port group", now.PortGroups, next.PortGroups, one => one.Name.Text, PortGroup);
    }

    /// <summary>What is done now; empty: nothing is to do.</summary>
    public IReadOnlyList<string> Changes => _changes;

    /// <summary>What cannot be done while it serves; then nothing is.</summary>
    public IReadOnlyList<string> Refusals => _refusals;

    public IReadOnlyList<string> AtNextStart => _atNextStart;

    public IReadOnlyList<DeviceSection> AddedDevices { get; }

    public IReadOnlyList<DeviceSection> RemovedDevices { get; }

    public IReadOnlyList<DeviceSection> ResizedDevices => _resized;

    public IReadOnlyList<DeviceSection> LimitedDevices => _limited;

    /// <summary>Those whose initiators wait longer or shorter.</summary>
    public IReadOnlyList<DeviceSection> DevicesOfOtherPatience => _otherPatience;

    public IReadOnlyList<DeviceSection> DevicesOfOtherDepth => _ofOtherDepth;

    /// <summary>Thin devices with another threshold.</summary>
    public IReadOnlyList<DeviceSection> ThresholdDevices => _thresholds;

    private (List<T> Added, List<T> Removed) Compare<T>(
        string what, IReadOnlyList<T> now, IReadOnlyList<T> next, Func<T, string> name, Action<T, T> changed)
        where T : Section
    {
        Dictionary<string, T> before = now.ToDictionary(name);
        var added = new List<T>();
        foreach (T one in next)
        {
            if (!before.Remove(name(one), out T? was))
                added.Add(one);
            else if (!SectionComparison.AreSame(was, one))
                changed(was, one);
        }
        _changes.AddRange(added.Select(one => $"{what} {name(one)}: added"));
        _changes.AddRange(before.Keys.Select(gone => $"{what} {gone}: removed"));
        return (added, [.. before.Values]);
    }

    /// <summary>Another medium, other blocks or another identity make it another device to its initiators.</summary>
    private void Device(DaemonSection next, DeviceSection before, DeviceSection after)
    {
        IReadOnlyList<string> keys = SectionComparison.Differences(before, after);
        string[] lasting = [.. keys.Except(LiveKeysOfDevice)];
        if (lasting.Length > 0)
        {
            _refusals.Add($"{next.At(after.PositionOf(lasting[0]))}device {after.Name}: {string.Join(", ", lasting)} "
                + "cannot change while it is served; needs a restart, or describe it under another name and lead the "
                + "LUNs there");
            return;
        }
        if (keys.Contains("size") || keys.Contains("blocks"))
            _resized.Add(after);
        if (keys.Contains("thin_threshold"))
            _thresholds.Add(after);
        if (keys.Contains("limits"))
            _limited.Add(after);
        if (keys.Contains("abort_timeout"))
            _otherPatience.Add(after);
        if (keys.Contains("queue_depth"))
            _ofOtherDepth.Add(after);
        _changes.Add($"device {after.Name}: {string.Join(", ", keys)} changed");
    }

    /// <summary>What a library consists of, its initiators and its inventory know by place and number.</summary>
    private void Libraries(DaemonSection now, DaemonSection next)
    {
        foreach (LibrarySection library in next.Libraries)
        {
            LibrarySection? before = now.Libraries.FirstOrDefault(one => one.Name.Text == library.Name.Text);
            if (before is not null && SectionComparison.AreSame(before, library))
                continue;
            string what = before is null
                ? "cannot be added"
                : $"{string.Join(", ", SectionComparison.Differences(before, library))} cannot change";
            _refusals.Add($"{next.At(library.Name.Position)}library {library.Name}: {what} while scstd serves; needs a "
                + "restart");
        }
        foreach (LibrarySection gone in now.Libraries.Where(
            one => next.Libraries.All(other => other.Name.Text != one.Name.Text)))
        {
            _refusals.Add($"{next.At(next.PositionOf("libraries"))}library {gone.Name}: cannot be taken away while "
                + "scstd serves; needs a restart");
        }
    }

    private void Portal(PortalSection before, PortalSection after) =>
        _changes.Add($"portal {after.Name}: {Keys(before, after)} changed");

    private void PortGroup(PortGroupSection before, PortGroupSection after)
    {
        if (before.State != after.State)
        {
            _changes.Add($"port group {after.Name}: {PortGroupSection.WordOf(after.State)} instead of "
                + PortGroupSection.WordOf(before.State));
        }
        string[] others = [.. SectionComparison.Differences(before, after).Where(key => key is not "state")];
        if (others.Length > 0)
            _changes.Add($"port group {after.Name}: {string.Join(", ", others)} changed");
    }

    private void Target(TargetSection before, TargetSection after)
    {
        string[] others = [.. SectionComparison.Differences(before, after).Where(key => key is not "luns")];
        if (others.Length > 0)
            _changes.Add($"target {after.Name}: {string.Join(", ", others)} changed");
        if (others.Contains("redirect") && after.Redirect is { } elsewhere)
        {
            _changes.Add($"target {after.Name}: sessions that are open stay here; logins from now on are sent to "
                + $"{elsewhere.To}");
        }
        Luns($"target {after.Name}", before.Luns, after.Luns);
        foreach (GroupSection group in after.Groups)
        {
            if (before.Groups.FirstOrDefault(one => one.Name.Text == group.Name.Text) is { } was)
                Luns($"target {after.Name}, group {group.Name}", was.Luns, group.Luns);
        }
    }

    private void Luns(string where, IReadOnlyList<LunSection> now, IReadOnlyList<LunSection> next)
    {
        Dictionary<int, LunSection> before = now.ToDictionary(lun => lun.Number);
        foreach (LunSection lun in next)
        {
            if (!before.Remove(lun.Number, out LunSection? was))
                _changes.Add($"{where}: LUN {lun.Number} added, {lun.Device}");
            else if (was.Device.Text != lun.Device.Text)
                _changes.Add($"{where}: LUN {lun.Number} leads to {lun.Device} instead of {was.Device}");
            else if (!SectionComparison.AreSame(was, lun))
                _changes.Add($"{where}: LUN {lun.Number}: {Keys(was, lun)} changed");
        }
        _changes.AddRange(before.Values.Select(gone => $"{where}: LUN {gone.Number} removed, {gone.Device}"));
    }

    private static string Keys<T>(T before, T after) where T : Section =>
        string.Join(", ", SectionComparison.Differences(before, after));
}
