using System.Collections.Immutable;
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

/// <summary>What was done, and what goes on.</summary>
/// <param name="Outcome">Without the devices that leave.</param>
/// <param name="Gone">Completes when no device leaves any more.</param>
internal sealed record MadeChange(ChangeOutcome Outcome, Task Gone);

/// <summary>From one configuration to another while it serves.</summary>
internal sealed partial class Server
{
    // Our choice: what has no command under way goes within a pass; what takes longer is told to be on its way.
    private static readonly TimeSpan PatienceWithLeaving = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _changing = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<string, ServedDevice> _leaving = [];

    /// <summary>How long a change may wait when nobody says otherwise. Our choice: a store that works answers long
    /// before, and hosts whose commands are held meanwhile wait longer than this.</summary>
    public static TimeSpan UsualPatience { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Applies the difference to <paramref name="next"/>, all or nothing. What may wait for a store is done
    /// first, device by device; the exchange then is one change after the other. Throws
    /// <see cref="ChangeRefusedException"/>.</summary>
    /// <param name="next">From the configuration that is in force to one without problems; asked again when another
    /// change was made meanwhile.</param>
    /// <param name="patience">How long stores may be waited for; null: <see cref="UsualPatience"/>.</param>
    /// <param name="cancellation">Whoever asked is gone: what has not begun is left.</param>
    /// <param name="mayShrink">Devices in use may become smaller.</param>
    public async Task<ChangeOutcome> ChangeAsync(
        Func<DaemonSection, DaemonSection> next, TimeSpan? patience = null, CancellationToken cancellation = default,
        bool mayShrink = false)
    {
        long start = Environment.TickCount64;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        limit.CancelAfter(patience ?? UsualPatience);
        await using var preparation = new Preparation(
            section => OpenPlaced(section, new Plan(Daemon, _folder) { Executors = Executors }),
            mayShrink ? static _ => Task.FromResult<string?>(null) : UsersOfAsync, _log);
        PreparationStep? step = null;
        try
        {
            while (true)
            {
                step = null;
                (MadeChange? made, step) = await TryMakeAsync(next, preparation, limit.Token);
                if (made is not null)
                {
                    await Task.WhenAny(made.Gone, Task.Delay(PatienceWithLeaving, CancellationToken.None));
                    return made.Outcome with { Leaving = Leaving() };
                }
                await step!.DoAsync(limit.Token);
            }
        }
        catch (OperationCanceledException exception)
        {
            if (HasEnded)
                throw new ChangeRefusedException(["the daemon stops"], exception);
            string why = step is null ? "waits for another change" : await WaitsForAsync(step);
            string end = cancellation.IsCancellationRequested ? "who asked for it is gone"
                : $"gave up after {(Environment.TickCount64 - start) / 1000.0:0.#} s";
            throw new ChangeRefusedException([$"{why}; {end}"], exception);
        }
    }

    /// <summary>What <see cref="ChangeAsync"/> would do, as far as it is known without trying.</summary>
    public ChangePreview Preview(DaemonSection next) => ChangePreview.Of(Daemon, next, Registry.DescribeSessions());

    /// <summary>Makes the change, or tells what is to be done before.</summary>
    private async Task<(MadeChange? Made, PreparationStep? Step)> TryMakeAsync(
        Func<DaemonSection, DaemonSection> next, Preparation preparation, CancellationToken cancellation)
    {
        await _changing.WaitAsync(cancellation);
        try
        {
            if (HasEnded)
                throw new ChangeRefusedException(["the daemon stops"]);
            DaemonSection daemon = next(Daemon);
            var difference = new ConfigurationDifference(Daemon, daemon);
            string[] refusals =
            [
                .. difference.Refusals, .. StillLeaving(daemon, difference.AddedDevices),
                .. StillOpen(daemon, difference.AddedDevices),
            ];
            if (refusals.Length > 0)
                throw new ChangeRefusedException(refusals);
            var plan = new Plan(daemon, _folder) { Executors = Executors };
            if (preparation.Next(difference, _serving, plan) is { } step)
                return (null, step);
            MadeChange made = await MakeAsync(daemon, difference, plan, preparation.Opened);
            preparation.Keep();
            ThinWatch.DevicesChanged();
            return (made, null);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task<MadeChange> MakeAsync(
        DaemonSection next, ConfigurationDifference difference, Plan plan, IReadOnlyList<ServedDevice> opened)
    {
        ConfigurationOutcome outcome = await ApplyAsync(next, plan, opened);
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
        return new MadeChange(
            new ChangeOutcome(
                difference.Changes, difference.AtNextStart, outcome.SessionsChanged, outcome.SessionsEnded, []),
            gone);
    }

    /// <summary>Who would lose the end of a device that became smaller; null: nobody.</summary>
    private async Task<string?> UsersOfAsync(ServedDevice device)
    {
        IReadOnlyList<SessionSnapshot> sessions = await Registry.DescribeSessionsAsync();
        int seeing = sessions.Count(session => session.Luns.Any(lun => lun.UnitName == device.Name));
        Lane home = _lanes.First(lane => ReferenceEquals(lane.Executor, device.Unit.Home));
        int registered = await home.Reactor.InvokeAsync(() => device.Unit.DescribeReservation().Registrants.Count);
        return seeing + registered == 0 ? null : $"{seeing} session(s) and {registered} registration(s)";
    }

    /// <summary>What holds a step up, as far as it is a command of an initiator: the oldest that the store has.
    /// </summary>
    private async Task<string> WaitsForAsync(PreparationStep step)
    {
        string usual = $"waits for {step.WaitsFor}";
        if (step.Device is not { } device)
            return usual;
        var views = new List<UnitView>();
        foreach (Lane lane in _lanes)
        {
            try
            {
                views.Add(await lane.Reactor.InvokeAsync(() => device.Unit.ViewOn(lane.Executor))
                    .WaitAsync(PatienceWithLeaving));
            }
            catch (TimeoutException)
            {
                return $"{usual}; reactor {lane.Reactor.Index} does not answer";
            }
        }
        CommandView[] inside =
        [
            .. views.SelectMany(view => view.Commands).Where(command => command.State == CommandState.Enabled)
                .OrderByDescending(command => command.InStateUs),
        ];
        if (inside.Length == 0)
            return usual;
        string others = inside.Length > 1 ? $" and {inside.Length - 1} more" : "";
        return $"unit {device.Name} waits for {inside[0].Name} of {inside[0].Initiator}, which its store has had for "
            + $"{inside[0].InStateUs / 1e6:0.#} s{others}";
    }

    private static async Task SetThresholdAsync(ServedDevice device, DeviceSection next)
    {
        if (device.Disk.Thin is not { } thin)
            return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        thin.SetDefault(device.Unit, Plan.Threshold(next), done.SetResult);
        await done.Task;
    }

    private async Task<ConfigurationOutcome> ApplyAsync(
        DaemonSection next, Plan plan, IReadOnlyList<ServedDevice> opened)
    {
        Dictionary<string, LogicalUnit> units = UnitsByName(opened);
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
        catch (PortalUnavailableException exception)
        {
            TargetPorts.Assign(before, units.Values);
            throw new ChangeRefusedException([WhyNoPortal(next, exception)], exception);
        }
        catch (Exception exception)
        {
            TargetPorts.Assign(before, units.Values);
            if (HasEnded)
                throw new ChangeRefusedException(["the daemon stops"], exception);
            throw;
        }
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

    /// <summary>Devices that were taken away and have commands under way.</summary>
    internal IReadOnlyList<ServedDevice> LeavingDevices
    {
        get
        {
            lock (_leaving)
                return [.. _leaving.Values];
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

    private IEnumerable<string> StillLeaving(DaemonSection next, IReadOnlyList<DeviceSection> added) =>
        from name in Leaving()
        from device in added
        where device.Name.Text == name
        select $"{next.At(device.Name.Position)}device {name}: the one that was removed still has commands under way; "
            + "try again later";

    private IEnumerable<string> StillOpen(DaemonSection next, IReadOnlyList<DeviceSection> added) =>
        from device in added
        from served in _serving.Devices.Values
        where device.Path is { } path && served.Section.Path is { } taken
            && Path.GetFullPath(path.Text, _folder) == Path.GetFullPath(taken.Text, _folder)
        select $"{next.At(device.Path!.Value.Position)}device {device.Name}: {device.Path} is served as device "
            + $"{served.Name}; take that away first";

    /// <summary>In the words of the configuration, which knows the address.</summary>
    private static string WhyNoPortal(DaemonSection daemon, PortalUnavailableException exception)
    {
        string why = ServerStartException.Explains(exception.InnerException!) ?? exception.Message;
        return daemon.Portals.FirstOrDefault(one => exception.EndPoint.Equals(one.Address)) is { } portal
            ? $"{daemon.At(portal.PositionOf("address"))}portal {portal.Name}, {portal.Address}: {why}"
            : $"portal {exception.EndPoint}: {why}";
    }
}
