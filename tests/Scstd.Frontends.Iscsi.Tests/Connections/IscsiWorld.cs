using System.Net;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Linux;
using Scstd.Testing;

namespace Scstd.Frontends.Iscsi.Tests.Connections;

/// <summary>A manual reactor as the mid-layer sees it.</summary>
internal sealed class ReactorExecutor(Reactor reactor, BufferPool buffers) : IExecutor
{
    public int Index => reactor.Index;

    public long NowMs => reactor.NowMs;

    public BufferPool Buffers => buffers;

    public void Post(Action work) => reactor.Post(work);

    public void PostAfter(long delayMs, Action work) => reactor.CreateTimer(work).Arm(delayMs);
}

/// <summary>What the frontend had to say to an administrator.</summary>
internal sealed class RecordedEvents : IscsiEvents
{
    public List<string> Failures { get; } = [];

    public List<string> Refusals { get; } = [];

    public override void ConnectionFailed(IPEndPoint peer, string session, string why) => Failures.Add(why);

    public override void LoginRefused(
        IPEndPoint peer, string? initiatorName, string? targetName, LoginStatus status, string why) =>
        Refusals.Add($"{status}: {why}");
}

/// <summary>
/// A whole iSCSI target with the real mid-layer, on manual reactors and streams in memory. At the end all connections
/// are cut, and every lease, slot, socket and session must have come back.
/// </summary>
internal sealed class IscsiWorld : IDisposable
{
    public const string TargetName = "iqn.2026-11.test:disk";

    private readonly NativeSlabs _slabs;
    private readonly BufferPool[] _pools;
    private readonly List<Initiator> _initiators = [];

    public IscsiWorld(
        Func<TargetOptions, TargetOptions>? target = null,
        Func<PortalOptions, PortalOptions>? portal = null,
        DiscoveryOptions? discovery = null,
        int reactors = 1,
        int slabs = 64,
        bool movesSessions = false)
    {
        _slabs = new NativeSlabs(slabs);
        Reactors = [.. Enumerable.Range(0, reactors).Select(index => new ManualReactor(index))];
        _pools = [.. Reactors.Select(_ => new BufferPool(_slabs))];
        Homes = [.. Reactors.Select((r, i) => new IscsiReactor(r, new ReactorExecutor(r, _pools[i]), Events))];
        Unit = new LogicalUnit("disk", Disk.Backend, [.. Homes.Select(home => home.Executor)]);
        Luns = new LunMap([new LunMapEntry(0, Unit)]);
        Registry = new IscsiTargetRegistry(Homes, discovery) { MovesSessions = movesSessions };
        Options = new TargetOptions { Name = TargetName, Luns = Luns, Timers = new TimerOptions { NopIntervalMs = 0 } };
        if (target is not null)
            Options = target(Options);
        Registry.SetTargets([Options]);
        var options = new PortalOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 3260) };
        Portal = Registry.OpenPortal(portal is null ? options : portal(options), Homes[0]);
        Run();
    }

    public IReadOnlyList<ManualReactor> Reactors { get; }

    public ManualReactor Reactor => Reactors[0];

    public IReadOnlyList<IscsiReactor> Homes { get; }

    public IscsiReactor Home => Homes[0];

    public BufferPool Buffers => _pools[0];

    public RecordedEvents Events { get; } = new();

    public TestDisk Disk { get; } = new();

    public LogicalUnit Unit { get; }

    public LunMap Luns { get; }

    public IscsiTargetRegistry Registry { get; }

    public TargetOptions Options { get; }

    public IscsiPortal Portal { get; }

    /// <summary>The kernel spreads connections over the reactors; here they are dealt in turn.</summary>
    public Initiator Connect(InMemoryStreamOptions? stream = null, string? name = null) =>
        ConnectAt(_initiators.Count % Reactors.Count, stream, name);

    public Initiator ConnectAt(int reactor, InMemoryStreamOptions? stream = null, string? name = null)
    {
        var initiator = new Initiator(this, Reactors[reactor].Connect(Portal.EndPoint, stream), name);
        _initiators.Add(initiator);
        Run();
        return initiator;
    }

    /// <summary>An initiator in full feature phase, without the unit attention of its birth.</summary>
    public Initiator LogIn(string[]? keys = null, InMemoryStreamOptions? stream = null, string? name = null)
    {
        Initiator initiator = Connect(stream, name);
        initiator.LogIn(keys ?? []);
        initiator.TakeUnitAttention();
        return initiator;
    }

    /// <summary>This one does not come out of a call.</summary>
    public int? HungReactor { get; set; }

    public void Run() => ManualReactor.RunUntilIdle([.. Reactors.Where((_, index) => index != HungReactor)]);

    public void Advance(long milliseconds)
    {
        for (long left = milliseconds; left > 0; left -= 100)
        {
            foreach (ManualReactor reactor in Reactors.Where((_, index) => index != HungReactor))
                reactor.Advance(Math.Min(left, 100));
            Run();
        }
    }

    public void Dispose()
    {
        Disk.Holds = false;
        HungReactor = null;
        foreach (Initiator initiator in _initiators)
            initiator.Peer.Reset();
        Run();
        Disk.LetGo();
        Run();
        // Who watches a unit looks once more and goes to sleep.
        foreach (ManualReactor reactor in Reactors)
            reactor.Advance(60_000);
        Run();
        Assert.All(Reactors, reactor => Assert.Equal(0, reactor.OpenStreams));
        Assert.All(Homes, home => Assert.Equal((0, 0), (home.ConnectionCount, home.HeaderSlotsOut)));
        Assert.All(_pools, pool => Assert.Equal(0, pool.LeasesOut));
        Assert.Equal(0, Registry.SessionCount);
        Assert.Equal(0, Portal.ConnectionCount);
        Assert.All(Reactors, reactor => Assert.Equal(0, reactor.ArmedTimers));
        foreach (IscsiReactor home in Homes)
            home.Dispose();
        foreach (BufferPool pool in _pools)
            pool.Dispose();
        Disk.Dispose();
    }
}
