using System.Globalization;
using System.Net;
using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Login;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Sessions;
using Scstd.Linux;

namespace Scstd.Frontends.Iscsi;

/// <summary>A listening network portal: every reactor takes its share of the connections in, and what a login has to
/// know is answered here.</summary>
public sealed class IscsiPortal
{
    private readonly IscsiTargetRegistry _registry;
    private readonly PortalListener _listener;
    private readonly PortalCounters _counters;
    private readonly (string Host, int? Port)? _advertised;

    /// <param name="registry">What is served there.</param>
    /// <param name="options">As configured.</param>
    /// <param name="listener">Where it listens.</param>
    /// <param name="inPlaceOf">Portals that go when this one comes: its address may overlap theirs.</param>
    internal IscsiPortal(
        IscsiTargetRegistry registry,
        PortalOptions options,
        IscsiReactor listener,
        IReadOnlyList<IscsiPortal>? inPlaceOf = null)
    {
        _registry = registry;
        Options = options;
        Listener = listener;
        if (options.AdvertisedAddress is { } advertised)
            _advertised = Parse(advertised);
        _counters = new PortalCounters();
        _listener = new PortalListener(
            this, listener, registry.Reactors, [.. (inPlaceOf ?? []).Select(other => other._listener)]);
        EndPoint = _listener.EndPoint;
    }

    /// <summary>In the place of another at the same address, whose listener it takes over; connections that came in at
    /// that one stay with it, and with what it said.</summary>
    internal IscsiPortal(PortalOptions options, IscsiPortal predecessor)
    {
        _registry = predecessor._registry;
        Options = options;
        Listener = predecessor.Listener;
        if (options.AdvertisedAddress is { } advertised)
            _advertised = Parse(advertised);
        _counters = predecessor._counters;
        _listener = predecessor._listener;
        EndPoint = predecessor.EndPoint;
    }

    public PortalOptions Options { get; }

    /// <summary>As bound, with the port that the kernel chose if 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Connections now.</summary>
    public int ConnectionCount => Volatile.Read(ref _counters.Connections);

    /// <summary>Connections since it was opened.</summary>
    public long AcceptedCount => Interlocked.Read(ref _counters.Accepted);

    /// <summary>Connections that were closed at once because there were too many.</summary>
    public long TurnedAwayCount => Interlocked.Read(ref _counters.TurnedAway);

    /// <summary>Logins that ended without a session: refused, given up or too slow.</summary>
    public long LoginFailureCount => Interlocked.Read(ref _counters.LoginFailures);

    /// <summary>It opened the portal, and closes it.</summary>
    internal IscsiReactor Listener { get; }

    /// <summary>Lets nobody in any more; connections that are there go on.</summary>
    /// <param name="closed">Called on the thread of <see cref="Listener"/>, which this is for, when the address is
    /// free.</param>
    internal void StopListening(Action? closed = null) => _listener.Close(closed);

    internal void GiveUpAddress() => _listener.GiveUpAddress();

    internal bool IsAtListenerOf(IscsiPortal other) => ReferenceEquals(_listener, other._listener);

    /// <summary>From now on who connects connects to this one.</summary>
    internal void TakeOver() => _listener.Portal = this;

    internal PortalPolicy CreatePolicy() => new(this, _registry);

    internal LoginExchange BeginLogin(PortalPolicy policy) =>
        new(policy, _registry.FillRandom, _registry.Challenges);

    internal void SessionIsBusy(IscsiReactor home) => _registry.LookAtBalance(home);

    internal void LoginBegins(IscsiReactor home) => _registry.PlacementOf(home).Look();

    /// <summary>Where the session of a login that has succeeded shall live; it is counted there.</summary>
    internal IscsiReactor Place(IscsiReactor home) => _registry.PlacementOf(home).Choose();

    internal void LoginFailed() => Interlocked.Increment(ref _counters.LoginFailures);

    internal void ConnectionEnded() => Interlocked.Decrement(ref _counters.Connections);

    /// <summary>The session for a login that has succeeded; null, and why not.</summary>
    internal LoginStatus CreateSession(
        IscsiConnection connection,
        PortalPolicy policy,
        LoginIdentity identity,
        NegotiatedParameters agreed,
        out IscsiSession? session)
    {
        session = null;
        if (_registry.IsDraining)
            return LoginStatus.ServiceUnavailable;
        SessionAccess? access = null;
        if (identity.TargetName is { } name)
        {
            // Between the first request and the last the configuration may have changed: who has proved by the old
            // rules who it is gets nothing by the new ones.
            if (_registry.Find(name) is not { } target || !target.IsVisibleTo(identity.InitiatorName))
                return LoginStatus.TargetRemoved;
            if (!ReferenceEquals(target, policy.AdmittedTo))
                return LoginStatus.ServiceUnavailable;
            if (!_registry.HasPortalGroup(Options.Tag))
                return LoginStatus.ServiceUnavailable;
            access = target.AccessFor(identity.InitiatorName, Options.Tag);
        }
        session = new IscsiSession(connection, _registry.Sessions, identity, agreed, access);
        return LoginStatus.Success;
    }

    /// <summary>Whether a session that had to wait for its predecessor may still begin.</summary>
    internal LoginStatus Confirm(IscsiSession session)
    {
        if (_registry.IsDraining)
            return LoginStatus.ServiceUnavailable;
        if (session.Target is not { } target)
            return LoginStatus.Success;
        if (_registry.Find(target.Name) is not { } now)
            return LoginStatus.TargetRemoved;
        return ReferenceEquals(now, target) && _registry.HasPortalGroup(Options.Tag)
            ? LoginStatus.Success : LoginStatus.ServiceUnavailable;
    }

    /// <summary>SendTargets: what this initiator may see, coming in here; a null name asks for all. A target is told
    /// with all its addresses (RFC 7143 Appendix C), or not at all.</summary>
    internal IReadOnlyList<TargetRecord> LookUp(LoginIdentity identity, IPEndPoint askedAt, string? name)
    {
        IEnumerable<IscsiTarget> targets = name is null
            ? _registry.Targets.OrderBy(target => target.Name, StringComparer.Ordinal)
            : _registry.Find(name) is { } one ? [one] : [];
        return
        [
            .. targets.Where(target => target.IsReachableAt(Options.Tag) && target.IsVisibleTo(identity.InitiatorName))
                .Select(target => new TargetRecord(target.Name, _registry.AddressesOf(target, askedAt)))
                .Where(record => record.Portals.Count > 0),
        ];
    }

    /// <summary>By which address the peer of a connection to <paramref name="askedAt"/> finds this portal.</summary>
    internal TargetPortal AddressFor(IPEndPoint askedAt)
    {
        if (_advertised is var (host, port))
            return new TargetPortal(host, port ?? EndPoint.Port, Options.Tag);
        bool any = EndPoint.Address.Equals(IPAddress.Any) || EndPoint.Address.Equals(IPAddress.IPv6Any);
        return new TargetPortal(any ? new IPEndPoint(askedAt.Address, EndPoint.Port) : EndPoint, Options.Tag);
    }

    /// <summary>When the portal is opened, not when the first initiator asks: a fault is the administrator's to hear
    /// of.</summary>
    private static (string Host, int? Port) Parse(string address)
    {
        int colon = address.LastIndexOf(':');
        bool hasPort = colon > address.LastIndexOf(']') && address.IndexOf(':') is var first
            && (first == colon || address[0] == '[');
        if (!hasPort)
            return address.Length > 0 ? (address, null) : throw Malformed(address);
        return colon > 0 && ushort.TryParse(
            address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? (address[..colon], port) : throw Malformed(address);
    }

    private static ArgumentException Malformed(string address) =>
        new($"'{address}' is not an address that initiators could be told");

    internal void Accepted(IscsiReactor home, SocketHandle socket)
    {
        // The listeners close a moment later than what is connected is shut.
        if (_registry.IsDraining)
        {
            socket.Dispose();
            return;
        }
        if (Interlocked.Increment(ref _counters.Connections) > Options.MaxConnections)
        {
            ConnectionEnded();
            Interlocked.Increment(ref _counters.TurnedAway);
            home.Events.ConnectionTurnedAway(EndPoint, "the portal has its most connections");
            socket.Dispose();
            return;
        }
        Interlocked.Increment(ref _counters.Accepted);
        _ = new IscsiConnection(home, this, socket);
    }
}

/// <summary>What was counted at one address, whoever was the portal there.</summary>
internal sealed class PortalCounters
{
    public int Connections;
    public long Accepted;
    public long TurnedAway;
    public long LoginFailures;
}

/// <summary>What one login asks of the portal that it came in at.</summary>
internal sealed class PortalPolicy(IscsiPortal portal, IscsiTargetRegistry registry)
    : ILoginPolicy
{
    private static readonly ParameterLimits DiscoveryLimits = new();

    /// <summary>The target as it was when it let the initiator in.</summary>
    public IscsiTarget? AdmittedTo { get; private set; }

    public LoginAdmission AdmitDiscovery(string initiatorName)
    {
        if (registry.IsDraining)
            return LoginAdmission.Refused(LoginStatus.ServiceUnavailable, "the daemon stops");
        return registry.Discovery.IsEnabled
            ? LoginAdmission.Granted(registry.Discovery.Authentication, DiscoveryLimits, portal.Options.Tag)
            : LoginAdmission.Refused(LoginStatus.SessionTypeNotSupported, "discovery is switched off");
    }

    public LoginAdmission AdmitNormal(string initiatorName, string targetName)
    {
        if (registry.IsDraining)
            return LoginAdmission.Refused(LoginStatus.ServiceUnavailable, "the daemon stops");
        // A target that an initiator may not see is not to be told from one that does not exist.
        if (registry.Find(targetName) is not { } target)
            return LoginAdmission.Refused(LoginStatus.NotFound, "there is no such target");
        if (!target.IsReachableAt(portal.Options.Tag))
            return LoginAdmission.Refused(LoginStatus.NotFound, $"not through this portal (tag {portal.Options.Tag})");
        if (!target.IsVisibleTo(initiatorName))
            return LoginAdmission.Refused(LoginStatus.NotFound, "hidden: this initiator has no LUN there");
        if (target.Options.Redirect is { } redirect)
            return LoginAdmission.Moved(redirect.IsPermanent, redirect.Address);
        AdmittedTo = target;
        return LoginAdmission.Granted(
            target.AuthenticationFor(initiatorName), target.Negotiation, portal.Options.Tag, target.Options.Alias);
    }

    /// <summary>
    /// MaxConnections is 1, and a session ends with its connection (ErrorRecoveryLevel 0). So nobody joins a session;
    /// who asks in the place of its connection says that this one is dead, and the session goes with it (§6.3.4,
    /// §7.1.5).
    /// </summary>
    public LoginStatus AdmitConnection(LoginIdentity identity)
    {
        var key = new SessionKey(identity.TargetName ?? "", identity.InitiatorName, identity.Isid, portal.Options.Tag);
        if (registry.Sessions.Find(identity.Tsih) is not { } session || session.Key != key)
            return LoginStatus.SessionDoesNotExist;
        if (session.Connection.Cid != identity.Cid)
            return LoginStatus.TooManyConnections;
        session.Post(() => session.Evict("its connection was to be reinstated"));
        return LoginStatus.SessionDoesNotExist;
    }
}
