using System.Collections.Immutable;
using System.Net;
using Scstd.Backends.Disk;
using Scstd.Configuration;
using Scstd.Core;
using Scstd.Frontends.Iscsi;
using Scstd.Hosting;
using Scstd.Linux;
using Serilog;

namespace Scstd.Composition;

/// <summary>
/// All rooms put together: reactors, memory, devices, targets, portals. Started once, stopped once; what was begun
/// before a failure is undone.
/// </summary>
internal sealed partial class Server
{
    // Our choice: connections that were told to end are gone at once; what is not is left to the end of the process.
    private static readonly TimeSpan LastMoments = TimeSpan.FromSeconds(5);
    // A pool keeps one slab that is free, and the largest transfer of a disk (8 MiB) takes four: with that each reactor
    // can finish what it has begun, one command after the other if need be.
    private const long LeastBytesOfReactor = 5L * BufferPool.SlabBytes;

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);

    private readonly List<Lane> _lanes = [];
    private readonly string _folder;
    private readonly ILogger _log;
    private volatile Serving _serving;
    private SlabArena? _arena;
    private int _opened;
    private UnitStates? _states;
    private IscsiTargetRegistry? _registry;
    private ThinWatch? _thinWatch;
    private string _version = "";

    private Server(DaemonSection daemon, string folder, ILogger log) => (_serving, _folder, _log) =
        (new Serving(daemon, ImmutableDictionary<string, ServedDevice>.Empty), folder, log);

    /// <summary>Where it listens, with the ports that the kernel chose.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints =>
        _registry is { } registry ? [.. registry.Portals.Select(portal => portal.EndPoint)] : [];

    public int TargetCount => Daemon.Targets.Count;

    internal IReadOnlyList<Lane> Lanes => _lanes;

    internal SlabArena Arena => _arena!;

    internal int SessionCount => _registry?.SessionCount ?? 0;

    internal IscsiTargetRegistry Registry => _registry!;

    /// <summary>What is served now, as the configuration says it.</summary>
    internal DaemonSection Daemon => _serving.Daemon;

    /// <summary>The devices, in the order of the configuration.</summary>
    internal IReadOnlyList<ServedDevice> Devices => _serving.InOrder;

    internal ThinWatch ThinWatch => _thinWatch ??= new ThinWatch(() => Devices, _log);

    internal bool HasEnded { get; private set; }

    /// <summary>Serves when it returns. Throws <see cref="ServerStartException"/>, whose message is for the
    /// administrator.</summary>
    /// <param name="daemon">A configuration without problems.</param>
    /// <param name="folder">Where relative paths begin.</param>
    /// <param name="log">Must not block: reactors write to it.</param>
    /// <param name="faulted">A reactor broke; called on its thread.</param>
    /// <param name="version">Of the program, which initiators take for microcode; null: what it is.</param>
    public static async Task<Server> StartAsync(
        DaemonSection daemon, string folder, ILogger log, Action<Exception> faulted, string? version = null)
    {
        var server = new Server(daemon, folder, log) { _version = version ?? ProgramVersion.Text };
        try
        {
            var plan = new Plan(daemon, folder) { Executors = server.Executors };
            server.StartReactors(daemon, plan, faulted);
            server._states = OpenStates(daemon, folder, log);
            server.OpenDevices(daemon, plan);
            server.OpenLibraries(daemon, plan);
            await server.Listen(daemon, plan);
            server.StartLibraries();
            server.Advise(daemon, plan);
            server.ThinWatch.Start();
            return server;
        }
        catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
        {
            await server.StopAsync(TimeSpan.Zero);
            throw new ServerStartException(why, exception);
        }
    }

    /// <summary>Lets nobody in, asks all to log out, waits for them no longer than <paramref name="patience"/>, ends
    /// those that are left, writes back what caches hold, and gives everything up.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (HasEnded)
            return;
        HasEnded = true;
        if (_thinWatch is { } watch)
            await watch.DisposeAsync();
        await _stopping.CancelAsync();
        // A change that is being made is made; none begins after it.
        if (await _changing.WaitAsync(LastMoments))
            _changing.Release();
        if (_registry is { } registry)
        {
            registry.BeginDrain((int)Math.Ceiling(patience.TotalSeconds));
            if (registry.SessionCount > 0 && patience > TimeSpan.Zero)
            {
                _log.Information("Waits up to {Seconds} s for {Sessions} session(s) to log out: {Who:l}",
                    patience.TotalSeconds, registry.SessionCount, Who(registry));
            }
            if (!await Until(() => registry.SessionCount == 0, patience) && patience > TimeSpan.Zero)
            {
                _log.Warning("{Sessions} session(s) did not log out in time and are ended: {Who:l}",
                    registry.SessionCount, Who(registry));
            }
            registry.EndDrain();
            await Until(
                () => _lanes.All(lane => lane.Iscsi.ConnectionCount == 0) && !registry.HasMovingSessions, LastMoments);
            await Task.WhenAll(_libraries.Select(library => library.EmptyDrivesAsync(LastMoments)));
            if (_states is { } states)
                await states.SaveNexusesAsync(registry.KnownNexuses, LastMoments);
        }
        bool isQuiet = true;
        foreach (Lane lane in _lanes)
            isQuiet &= await Close(lane);
        foreach (DiskBackend disk in _serving.Devices.Values.Concat(TakeLeaving()).Select(device => device.Disk))
        {
            FlushAtEnd(disk);
            // What a reactor or the kernel may still write to must not be unmapped under them.
            if (isQuiet)
                disk.Dispose();
        }
        if (isQuiet)
        {
            _libraries.ForEach(library => library.Dispose());
            _arena?.Dispose();
        }
        // Their listeners closed with the reactors, which may have had no time to say so.
        _registry?.GiveUpAddresses();
        _states?.Dispose();
    }

    private static string Who(IscsiTargetRegistry registry)
    {
        // Our choice: the first few show who it is.
        const int MostNames = 8;
        IReadOnlyList<SessionInfo> sessions = registry.DescribeSessions();
        string more = sessions.Count > MostNames ? $" and {sessions.Count - MostNames} more" : "";
        return string.Join(", ", sessions.Take(MostNames).Select(
            one => $"{one.InitiatorName} ({one.Peer}) at {one.TargetName ?? "discovery"}")) + more;
    }

    private static UnitStates? OpenStates(DaemonSection daemon, string folder, ILogger log)
    {
        try
        {
            return UnitStates.Open(
                daemon.StateDirectory, folder, Environment.GetEnvironmentVariable("STATE_DIRECTORY"), log);
        }
        catch (Exception exception) when (
            daemon.StateDirectory is { } wanted && ServerStartException.Explains(exception) is { } why)
        {
            throw new ServerStartException($"{daemon.At(wanted.Position)}state_directory: {why}", exception);
        }
    }

    private void StartReactors(DaemonSection daemon, Plan plan, Action<Exception> faulted)
    {
        IReadOnlyList<ReactorOptions> reactors = plan.Reactors(ProcessorSet.OfThisProcess(), faulted);
        long machineBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        long boundBytes = daemon.Memory.ToBytes(machineBytes);
        if (boundBytes < reactors.Count * LeastBytesOfReactor)
        {
            throw new ServerStartException($"{daemon.At(daemon.PositionOf("memory"))}memory: "
                + $"{Units.FormatSize(boundBytes)} is too little for {reactors.Count} "
                + $"reactor(s), which need {Units.FormatSize(LeastBytesOfReactor)} each");
        }
        var layout = new MachineLayout();
        int[] nodes = [.. reactors.Select(options => layout.NodeOf(options.Cpu) ?? 0)];
        _arena = new SlabArena(boundBytes, nodes.Max() + 1);
        foreach (ReactorOptions options in reactors)
        {
            Reactor reactor = ReactorFactory.Start(options with { Slabs = _arena.Region },
                message => _log.Information("{Message:l}", message));
            var executor = new ReactorExecutor(reactor, _arena.OfNode(nodes[options.Index]));
            _lanes.Add(new Lane(reactor, executor, new IscsiReactor(reactor, executor, new SessionLog(_log))));
            _log.Information("Reactor {Index}: {Kind:l}{Cpu:l}", reactor.Index, reactor.Kind,
                options.Cpu is { } cpu ? $" on CPU {cpu}" : "");
        }
    }

    private void OpenDevices(DaemonSection daemon, Plan plan)
    {
        // One that is slow (a disk that spins up, a file system far away) holds up no other.
        Task<DiskBackend>[] disks = Opening.All(daemon.Devices, section => OpenDisk(section, plan));
        int taken = 0;
        try
        {
            foreach (DeviceSection device in daemon.Devices)
            {
                ServedDevice served = OpenPlaced(device, plan, disks[taken++].GetAwaiter().GetResult);
                _serving = _serving with { Devices = _serving.Devices.Add(device.Name.Text, served) };
            }
        }
        catch
        {
            foreach (Task<DiskBackend> disk in disks.Skip(taken).Where(one => one.IsCompletedSuccessfully))
                disk.Result.Discard();
            throw;
        }
    }

    private Dictionary<string, LogicalUnit> UnitsByName(IEnumerable<ServedUnit> others) =>
        _serving.Devices.Values.Concat(_libraries.SelectMany(library => library.Units)).Concat(others)
            .ToDictionary(unit => unit.Name, unit => unit.Unit);

    private DiskBackend OpenDisk(DeviceSection section, Plan plan) =>
        DiskBackend.Open(plan.Disk(section), [.. _lanes.Select(lane => lane.Reactor)]);

    /// <summary>What is wrong is told with the device and the place where the configuration says what cannot be.
    /// </summary>
    private ServedDevice OpenPlaced(DeviceSection section, Plan plan, Func<DiskBackend>? open = null)
    {
        try
        {
            return Open(section, plan, open?.Invoke() ?? OpenDisk(section, plan));
        }
        catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
        {
            string own = $"device {section.Name}: ";
            string words = why.StartsWith(own, StringComparison.Ordinal) ? why : own + why;
            throw new ServerStartException(
                $"{Daemon.At(section.Path?.Position ?? section.Name.Position)}{words}", exception);
        }
    }

    private IReadOnlyList<IExecutor> Executors() => [.. _lanes.Select(lane => lane.Executor)];

    private ServedDevice Open(DeviceSection section, Plan plan, DiskBackend disk)
    {
        IReadOnlyList<IExecutor> executors = Executors();
        try
        {
            UnitState? state = _states?.Of(disk.Identity);
            // The homes, which keep the gates, are spread over the reactors.
            var told = new UnitLog(section.Name.Text, _log);
            disk.Failed = told.Failed;
            var unit = new LogicalUnit(
                section.Name.Text, disk, executors, homeIndex: _opened++ % executors.Count, state,
                (long)section.AbortTimeout.TotalMilliseconds)
            {
                MaxRegistrations = section.Registrations,
                SpeedChanged = told.SpeedChanged,
            };
            state?.TellWhatCameBack(unit);
            if (plan.Limit(section.Limits) is { } limit)
                unit.SetRateLimit(limit);
            if (section.QueueDepth is { } commands)
                unit.SetCommandLimit(commands);
            unit.BeginWith(plan.PortGroups(unit.Name));
            unit.PortGroupStatesSet = states => FollowPortGroups(unit, states);
            _log.Information("Device {Device:l}: {Store:l}, {Blocks} blocks of {BlockBytes} bytes", unit.Name,
                disk.Store.Description, disk.BlockCount, disk.BlockLengthBytes);
            return new ServedDevice(section, disk, unit);
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    private async Task Listen(DaemonSection daemon, Plan plan)
    {
        Dictionary<string, LogicalUnit> units = UnitsByName([]);
        _registry = new IscsiTargetRegistry([.. _lanes.Select(lane => lane.Iscsi)], plan.Discovery())
        {
            MovesSessions = daemon.Reactors.MovesSessions,
        };
        _registry.RememberBeforePowerOn(_states?.LoadNexuses() ?? [], _version);
        TargetOptions[] targets = [.. daemon.Targets.Select(target => plan.Target(target, units))];
        TargetPorts.Assign(targets, daemon.Portals.Select(portal => (ushort)portal.Tag), units.Values);
        _registry.SetTargets(targets);
        // All in one go on the reactor that accepts: the first connection comes when all portals are there.
        IscsiReactor listener = _lanes[0].Iscsi;
        await listener.Reactor.InvokeAsync(() =>
        {
            foreach (PortalSection portal in daemon.Portals)
            {
                try
                {
                    _registry.OpenPortal(plan.Portal(portal), listener);
                }
                catch (Exception exception) when (ServerStartException.Explains(exception) is { } why)
                {
                    throw new ServerStartException(
                        $"{daemon.At(portal.PositionOf("address"))}portal {portal.Name}, {portal.Address}: {why}",
                        exception);
                }
            }
        });
    }

    private void Advise(DaemonSection daemon, Plan plan)
    {
        var layout = new MachineLayout();
        int[] cpus = [.. plan.Reactors(ProcessorSet.OfThisProcess(), static _ => { }).Select(o => o.Cpu).OfType<int>()];
        foreach (PortalSection portal in daemon.Portals)
        {
            IPAddress address = plan.Portal(portal).EndPoint.Address;
            if (PortalAdvice.Describe(layout, layout.InterfacesOf(address), cpus) is { } advice)
                _log.Information("Portal {Portal:l}: {Advice:l}", portal.Name.Text, advice);
        }
    }

    /// <summary>Gives up what a reactor owns, on its thread, and ends it. False if something of it is still in use.
    /// </summary>
    private async Task<bool> Close(Lane lane)
    {
        bool isEmpty = await lane.Reactor.InvokeAsync(() =>
        {
            if (lane.Iscsi.ConnectionCount > 0 || lane.Executor.Buffers.LeasesOut > 0)
                return false;
            lane.Executor.GiveMemoryBack();
            lane.Iscsi.Dispose();
            return true;
        });
        if (!isEmpty)
            _log.Error("Reactor {Index} still has connections or buffers in use at its end", lane.Reactor.Index);
        bool isStopped = await Task.Run(() => lane.Reactor.Stop());
        if (isStopped)
            lane.Reactor.Dispose();
        return isEmpty && isStopped;
    }

    private void FlushAtEnd(DiskBackend disk)
    {
        try
        {
            disk.Store.FlushAndWait();
        }
        catch (IOException exception)
        {
            _log.Error("{Store:l} could not be written back: {Why:l}", disk.Store.Description, exception.Message);
        }
    }

    private static async Task<bool> Until(Func<bool> condition, TimeSpan patience)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            if (Environment.TickCount64 - start >= patience.TotalMilliseconds)
                return false;
            await Task.Delay(PollInterval);
        }
        return true;
    }
}

/// <summary>A reactor with all that it owns.</summary>
internal sealed record Lane(Reactor Reactor, ReactorExecutor Executor, IscsiReactor Iscsi);

/// <summary>A configuration and the devices that are open for it; replaced whole.</summary>
internal sealed record Serving(DaemonSection Daemon, ImmutableDictionary<string, ServedDevice> Devices)
{
    public IReadOnlyList<ServedDevice> InOrder => [.. Daemon.Devices.Select(device => Devices[device.Name.Text])];
}
