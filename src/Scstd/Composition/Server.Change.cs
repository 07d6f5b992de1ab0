using System.Collections.Immutable;
using System.Net.Sockets;
using Scstd.Backends.Disk;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Frontends.Iscsi;

namespace Scstd.Composition;

/// <summary>What a change did.</summary>
/// <param name="Changes">In words, one for each thing.</param>
/// <param name="AtNextStart">What is configured and waits for a start.</param>
/// <param name="SessionsChanged">Sessions that see other LUNs now.</param>
/// <param name="SessionsEnded">Sessions whose target or portal group is gone.</param>
/// <param name="Leaving">Devices that are given up when the commands on them have ended.</param>
internal sealed record ChangeOutcome(
    IReadOnlyList<string> Changes, IReadOnlyList<string> AtNextStart, int SessionsChanged, int SessionsEnded,
    IReadOnlyList<string> Leaving);

/// <summary>A change cannot be made, and nothing was changed; each reason is a sentence for the administrator.
/// </summary>
internal sealed class ChangeRefusedException(IReadOnlyList<string> reasons, Exception? inner = null)
    : Exception(string.Join("; ", reasons), inner)
{
    public IReadOnlyList<string> Reasons { get; } = reasons;
}

/// <summary>From one configuration to another while it serves.</summary>
internal sealed partial class Server
{
    // Our choice: what has no command under way goes within a pass; what takes longer is told to be on its way.
    private static readonly TimeSpan PatienceWithLeaving = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _changing = new(1);
    private readonly Dictionary<string, ServedDevice> _leaving = [];

    /// <summary>Applies the difference to <paramref name="next"/>, all or nothing, one change after the other. Throws
    /// <see cref="ChangeRefusedException"/>.</summary>
    /// <param name="next">From the configuration that is in force to one without problems.</param>
    public async Task<ChangeOutcome> ChangeAsync(Func<DaemonSection, DaemonSection> next)
    {
        await _changing.WaitAsync();
        try
        {
            if (HasEnded)
                throw new ChangeRefusedException(["the daemon stops"]);
            DaemonSection daemon = next(Daemon);
            return await MakeChangeAsync(daemon, new Plan(daemon, _folder) { Executors = Executors });
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task<ChangeOutcome> MakeChangeAsync(DaemonSection next, Plan plan)
    {
        var difference = new ConfigurationDifference(Daemon, next);
        string[] refusals =
            [.. difference.Refusals, .. StillLeaving(difference.AddedDevices), .. StillOpen(difference.AddedDevices)];
        if (refusals.Length > 0)
            throw new ChangeRefusedException(refusals);
        List<ServedDevice> opened = await OpenAddedAsync(difference.AddedDevices, plan);
        List<(ServedDevice Device, ulong BytesBefore)> resized = await ResizeAsync(difference, opened);
        // Before anybody can come in at a port that is new and not to be used.
        await RegroupAsync(plan);
        ConfigurationOutcome outcome;
        try
        {
            outcome = await ApplyAsync(next, plan, opened);
        }
        catch
        {
            await RegroupAsync(new Plan(Daemon, _folder));
            await UndoAsync(resized);
            throw;
        }
        foreach (DeviceSection device in difference.LimitedDevices)
            _serving.Devices[device.Name.Text].Unit.SetRateLimit(plan.Limit(device.Limits));
        foreach (DeviceSection device in difference.DevicesOfOtherPatience)
        {
            _serving.Devices[device.Name.Text].Unit.SetAbortTimeout(
                (long)device.AbortTimeout.TotalMilliseconds);
        }
        foreach (DeviceSection device in difference.DevicesOfOtherDepth)
            _serving.Devices[device.Name.Text].Unit.SetCommandLimit(device.QueueDepth);
        foreach (DeviceSection device in difference.ThresholdDevices)
            await SetThresholdAsync(_serving.Devices[device.Name.Text], device);
        ServedDevice[] removed = [.. difference.RemovedDevices.Select(device => _serving.Devices[device.Name.Text])];
        Dictionary<string, ServedDevice> open =
            _serving.Devices.Values.Concat(opened).ToDictionary(device => device.Name);
        _serving = new Serving(next, next.Devices.ToImmutableDictionary(
            device => device.Name.Text, device => open[device.Name.Text] with { Section = device }));
        Task gone = GiveUpAsync(removed, outcome.Settled);
        await Task.WhenAny(gone, Task.Delay(PatienceWithLeaving));
        return new ChangeOutcome(
            difference.Changes, difference.AtNextStart, outcome.SessionsChanged, outcome.SessionsEnded, Leaving());
    }

    /// <summary>What may fail and is seen by nobody comes first.</summary>
    private async Task<List<ServedDevice>> OpenAddedAsync(IReadOnlyList<DeviceSection> added, Plan plan)
    {
        var opened = new List<ServedDevice>();
        foreach (DeviceSection device in added)
        {
            try
            {
                // A file or a device may make the thread wait.
                opened.Add(await Task.Run(() => Open(device, plan)));
            }
            catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
            {
                CloseAll(opened);
                throw new ChangeRefusedException([why], exception);
            }
        }
        return opened;
    }

    /// <summary>Sizes come before the rest, because a store may refuse one.</summary>
    private async Task<List<(ServedDevice Device, ulong BytesBefore)>> ResizeAsync(
        ConfigurationDifference difference, List<ServedDevice> opened)
    {
        var resized = new List<(ServedDevice Device, ulong BytesBefore)>();
        foreach (DeviceSection section in difference.ResizedDevices)
        {
            ServedDevice device = _serving.Devices[section.Name.Text];
            ulong before = device.Disk.BlockCount * (uint)device.Disk.BlockLengthBytes;
            try
            {
                await device.Disk.ResizeAsync(device.Unit, BytesOf(section));
                resized.Add((device, before));
            }
            catch (StoreUnavailableException exception)
            {
                CloseAll(opened);
                await UndoAsync(resized);
                throw new ChangeRefusedException([exception.Message], exception);
            }
        }
        return resized;
    }

    private static async Task SetThresholdAsync(ServedDevice device, DeviceSection next)
    {
        if (device.Disk.Thin is not { } thin)
            return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        thin.SetDefault(device.Unit, Plan.Threshold(next), done.SetResult);
        await done.Task;
    }

    private static ulong? BytesOf(DeviceSection section) => section.Blocks is { } blocks
        ? (ulong)UInt128.Min((UInt128)blocks * (uint)section.BlockBytes, ulong.MaxValue)
        : (ulong?)section.SizeBytes;

    private async Task UndoAsync(List<(ServedDevice Device, ulong BytesBefore)> resized)
    {
        foreach ((ServedDevice device, ulong bytes) in resized)
        {
            try
            {
                await device.Disk.ResizeAsync(device.Unit, bytes);
            }
            catch (StoreUnavailableException exception)
            {
                _log.Error("Device {Device:l} keeps its new size: {Why:l}", device.Name, exception.Message);
            }
        }
    }

    private async Task<ConfigurationOutcome> ApplyAsync(DaemonSection next, Plan plan, List<ServedDevice> opened)
    {
        Dictionary<string, LogicalUnit> units =
            _serving.Devices.Values.Concat(opened).ToDictionary(device => device.Name, device => device.Unit);
        var configuration = new IscsiConfiguration(
            [.. next.Targets.Select(target => plan.Target(target, units))],
            [.. next.Portals.Select(plan.Portal)],
            plan.Discovery());
        // Before anybody can register through a port that is new.
        IscsiConfiguration before = Registry.Configuration;
        TargetPorts.Assign(configuration, units.Values);
        try
        {
            return await Registry.ApplyAsync(configuration);
        }
        catch (SocketException exception)
        {
            TargetPorts.Assign(before, units.Values);
            CloseAll(opened);
            throw new ChangeRefusedException([$"{NewPortals(next)}: {ServerStartException.Explains(exception)}"],
                exception);
        }
        catch (Exception exception)
        {
            TargetPorts.Assign(before, units.Values);
            CloseAll(opened);
            if (HasEnded)
                throw new ChangeRefusedException(["the daemon stops"], exception);
            throw;
        }
    }

    /// <summary>Nobody has seen them yet.</summary>
    private static void CloseAll(List<ServedDevice> opened)
    {
        foreach (ServedDevice device in opened)
            device.Disk.Dispose();
    }

    /// <summary>A unit that no map leads to any more is flushed and closed when the last command has left it. That may
    /// take as long as its store takes: its name and its file are free again only then.</summary>
    private async Task GiveUpAsync(IReadOnlyList<ServedDevice> leaving, Task settled)
    {
        lock (_leaving)
        {
            foreach (ServedDevice device in leaving)
                _leaving.Add(device.Name, device);
        }
        await settled;
        foreach (ServedDevice device in leaving)
        {
            await Task.Run(() => FlushAtEnd(device.Disk));
            lock (_leaving)
            {
                // Or the server ends, and does it.
                if (!_leaving.Remove(device.Name))
                    continue;
            }
            device.Disk.Dispose();
            _log.Information("Device {Device:l} is closed", device.Name);
        }
    }

    private string[] Leaving()
    {
        lock (_leaving)
            return [.. _leaving.Keys];
    }

    private ServedDevice[] TakeLeaving()
    {
        lock (_leaving)
        {
            ServedDevice[] all = [.. _leaving.Values];
            _leaving.Clear();
            return all;
        }
    }

    private IEnumerable<string> StillLeaving(IReadOnlyList<DeviceSection> added) =>
        Leaving().Intersect(added.Select(device => device.Name.Text))
            .Select(name => $"device {name}: the one that was removed still has commands under way; try again later");

    private IEnumerable<string> StillOpen(IReadOnlyList<DeviceSection> added) =>
        from device in added
        from served in _serving.Devices.Values
        where device.Path is { } path && served.Section.Path is { } taken && path.Text == taken.Text
        select $"device {device.Name}: {device.Path} is served as device {served.Name}; take that away first";

    private string NewPortals(DaemonSection next) => string.Join(", ", next.Portals
        .Where(portal => !Daemon.Portals.Any(known => portal.Address!.Equals(known.Address)))
        .Select(portal => $"portal {portal.Name}, {portal.Address}"));
}
