using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi;

/// <summary>
/// The iSCSI side of the daemon: targets, portals, sessions. What logins ask is an immutable snapshot that is replaced
/// whole, so that any reactor may read it.
/// </summary>
public sealed partial class IscsiTargetRegistry
{
    private readonly IReadOnlyList<IscsiReactor> _reactors;
    private readonly Placement[] _placements;
    private readonly Balance[] _balances;
    private ImmutableList<IscsiPortal> _portals = [];
    private volatile FrozenDictionary<string, IscsiTarget> _targets = FrozenDictionary<string, IscsiTarget>.Empty;
    private volatile DiscoveryOptions _discovery;
    private volatile bool _isDraining;

    /// <param name="reactors">Each takes its share of the connections in, and sessions are spread over them.</param>
    /// <param name="discovery">Who may discover.</param>
    /// <param name="fillRandom">For CHAP challenges; by default the system's cryptographic generator.</param>
    public IscsiTargetRegistry(
        IReadOnlyList<IscsiReactor> reactors, DiscoveryOptions? discovery = null, Action<Span<byte>>? fillRandom = null)
    {
        _reactors = reactors;
        _placements = [.. reactors.Select(home => new Placement(home, reactors))];
        _balances = [.. reactors.Select(home => new Balance(home, reactors))];
        _discovery = discovery ?? new DiscoveryOptions();
        FillRandom = fillRandom ?? RandomNumberGenerator.Fill;
    }

    public DiscoveryOptions Discovery => _discovery;

    public IReadOnlyList<IscsiReactor> Reactors => _reactors;

    public IReadOnlyList<IscsiPortal> Portals => Volatile.Read(ref _portals);

    public IEnumerable<IscsiTarget> Targets => _targets.Values;

    /// <summary>Sessions of all targets, discovery included.</summary>
    public int SessionCount => Sessions.Count;

    /// <summary>All sessions at this moment.</summary>
    public IReadOnlyList<SessionInfo> DescribeSessions() => [.. Sessions.Snapshot().Select(session => session.Info)];

    /// <summary>The I_T nexuses that were here in this life of the daemon or in one before, one a line, and by which
    /// version of the program each was served last.</summary>
    public IReadOnlyList<string> KnownNexuses => Sessions.Known();

    /// <summary>What <see cref="KnownNexuses"/> was at the end of the last life: who comes back is told of the power
    /// on, and of new microcode if another version served it. Before a portal is opened.</summary>
    /// <param name="nexuses">Its lines.</param>
    /// <param name="version">Of the program now: a word.</param>
    public void RememberBeforePowerOn(IEnumerable<string> nexuses, string version) =>
        Sessions.RememberBeforePowerOn(nexuses, version);

    /// <summary>Sessions go by themselves to where less is done.</summary>
    public bool MovesSessions { get; init; }

    internal SessionTable Sessions { get; } = new();

    internal ChapChallengeLedger Challenges { get; } = new();

    internal Action<Span<byte>> FillRandom { get; }

    internal bool IsDraining => _isDraining;

    /// <summary>Adds targets, or replaces those of the same names; sessions that are open go on as they are.</summary>
    public void SetTargets(IEnumerable<TargetOptions> targets)
    {
        var all = new Dictionary<string, IscsiTarget>(_targets, StringComparer.Ordinal);
        foreach (TargetOptions options in targets)
        {
            IscsiTarget target = Create(options);
            if (target.Commands is { } limit && !ReferenceEquals(limit, Find(target.Name)?.Commands))
                limit.Open();
            all[target.Name] = target;
        }
        _targets = all.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>No session begins any more; those that are open are dropped.</summary>
    public void RemoveTarget(string name)
    {
        _targets = _targets.Where(pair => pair.Key != name).ToFrozenDictionary(StringComparer.Ordinal);
        foreach (IscsiSession session in Sessions.Snapshot())
        {
            if (session.Key.TargetName == name)
            {
                session.Post(() => session.Drop(LoginStatus.TargetRemoved, "the target was removed"));
            }
        }
    }

    /// <summary>Begins to listen on all reactors; on the thread of <paramref name="listener"/>; throws SocketException.
    /// </summary>
    public IscsiPortal OpenPortal(PortalOptions options, IscsiReactor listener)
    {
        var portal = new IscsiPortal(this, options, listener);
        ImmutableInterlocked.Update(ref _portals, static (all, one) => all.Add(one), portal);
        return portal;
    }

    /// <summary>Asks every initiator to log out and lets nobody in any more.</summary>
    public void BeginDrain(int timeoutSeconds)
    {
        _isDraining = true;
        foreach (IscsiPortal portal in Portals)
            portal.Listener.Reactor.Post(() => portal.StopListening());
        foreach (IscsiSession session in Sessions.Snapshot())
            session.Post(() => session.RequestLogout(timeoutSeconds));
    }

    /// <summary>No reactor runs any more: nobody else closes what holds the addresses.</summary>
    public void GiveUpAddresses()
    {
        foreach (IscsiPortal portal in Portals)
            portal.GiveUpAddress();
    }

    /// <summary>Ends all that is left, at once; <see cref="SessionCount"/> tells when it is done.</summary>
    public void EndDrain()
    {
        foreach (IscsiReactor reactor in _reactors)
        {
            reactor.Reactor.Post(() =>
            {
                foreach (Connections.IscsiConnection connection in reactor.Connections.ToArray())
                    connection.Shut();
            });
        }
        // Who is between two reactors is on none of them.
        foreach (IscsiSession session in Sessions.Snapshot())
            session.Post(() => session.Connection.Shut());
    }

    /// <summary>A limit of as many commands as before goes on with what it has counted; another is for whoever puts
    /// the target in force to open.</summary>
    internal IscsiTarget Create(TargetOptions options)
    {
        _ = IscsiName.TryNormalize(options.Name, out string name);
        CommandLimit? limit = Find(name)?.Commands;
        if (limit?.Most != options.MaxCommands)
        {
            limit = options.MaxCommands is { } most
                ? CommandLimit.OfTarget([.. _reactors.Select(reactor => reactor.Executor)], most) : null;
        }
        return new IscsiTarget(options, Sessions, limit);
    }

    internal Placement PlacementOf(IscsiReactor home) => _placements[home.Reactor.Index];

    /// <summary>A session of this reactor is busy.</summary>
    internal void LookAtBalance(IscsiReactor home)
    {
        if (MovesSessions && _reactors.Count > 1 && !_isDraining)
            _balances[home.Reactor.Index].Look();
    }

    internal IscsiTarget? Find(string name) => _targets.GetValueOrDefault(name);

    /// <summary>Where initiators find the portals of a group: as advertised, or as bound; a portal bound to all
    /// addresses of the machine is known by the one that the asking connection came in at.</summary>
    internal IReadOnlyList<TargetPortal> AddressesOf(IscsiTarget target, IPEndPoint askedAt)
    {
        var addresses = new List<TargetPortal>();
        foreach (IscsiPortal portal in Portals)
        {
            if (!target.IsReachableAt(portal.Options.Tag))
                continue;
            TargetPortal address = portal.AddressFor(askedAt);
            if (!addresses.Contains(address))
                addresses.Add(address);
        }
        return addresses;
    }
}
