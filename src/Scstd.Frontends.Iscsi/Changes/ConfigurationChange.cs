using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi;

/// <summary>Nobody can listen there.</summary>
public sealed class PortalUnavailableException(IPEndPoint endPoint, SocketException inner)
    : Exception($"{endPoint}: {inner.Message}", inner)
{
    public IPEndPoint EndPoint { get; } = endPoint;
}

/// <summary>
/// One change from the configuration that is in force to another, all or nothing: what can fail is done first and
/// changes nothing that anybody sees. Runs on the first reactor, so two changes never interleave.
/// </summary>
internal sealed class ConfigurationChange(IscsiTargetRegistry registry, IscsiConfiguration next)
{
    private readonly TaskCompletionSource<ConfigurationOutcome> _applied =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IscsiPortal> _opened = [];
    private IReadOnlyList<CommandLimit> _newLimits = [];
    private int _sessionsChanged;
    private int _sessionsEnded;
    private int _unanswered = 1;
    private int _unsettled = 1;

    public Task<ConfigurationOutcome> Applied => _applied.Task;

    public void Carry()
    {
        IReadOnlyList<IscsiTarget> targets;
        IReadOnlyList<IscsiPortal> portals;
        try
        {
            if (registry.IsDraining)
                throw new InvalidOperationException("the target stops");
            targets = Targets();
            portals = Portals();
        }
        catch (Exception exception)
        {
            foreach (IscsiPortal portal in _opened)
                portal.StopListening();
            _applied.SetException(exception);
            return;
        }
        IReadOnlyList<IscsiPortal> before = registry.Portals;
        _newLimits = [.. LimitsOf(targets).Except(LimitsOf(registry.Targets))];
        registry.Adopt(targets, [.. portals], next.Discovery);
        ExchangePortals(before, portals);
        ReconsiderSessions(portals);
    }

    /// <summary>A target that did not change stays the same object, so that logins to it go on.</summary>
    private List<IscsiTarget> Targets()
    {
        var targets = new Dictionary<string, IscsiTarget>(StringComparer.Ordinal);
        foreach (TargetOptions options in next.Targets)
        {
            IscsiTarget target = registry.Create(options);
            if (registry.Find(target.Name) is { } present && TargetComparison.AreSame(present.Options, options))
                target = present;
            if (!targets.TryAdd(target.Name, target))
                throw new ArgumentException($"two targets are called {target.Name}");
        }
        return [.. targets.Values];
    }

    /// <summary>A new address is opened; one that stays is kept, or gets a new portal behind it. A new one may overlap
    /// those that go (0.0.0.0:3260 becomes 192.0.2.1:3260), which are there until all else is in order.</summary>
    private List<IscsiPortal> Portals()
    {
        var present = registry.Portals.ToList();
        IscsiPortal[] leaving =
        [
            .. present.Where(portal => !next.Portals.Any(one => one.EndPoint.Equals(portal.Options.EndPoint))
                && ReferenceEquals(portal.Listener, registry.Reactors[0])),
        ];
        var portals = new List<IscsiPortal>();
        foreach (PortalOptions options in next.Portals)
        {
            int index = present.FindIndex(portal => portal.Options.EndPoint.Equals(options.EndPoint));
            if (index < 0)
            {
                IscsiPortal opened = Open(options, leaving);
                _opened.Add(opened);
                portals.Add(opened);
                continue;
            }
            portals.Add(present[index].Options == options ? present[index] : new IscsiPortal(options, present[index]));
            present.RemoveAt(index);
        }
        return portals;
    }

    private IscsiPortal Open(PortalOptions options, IReadOnlyList<IscsiPortal> leaving)
    {
        try
        {
            return new IscsiPortal(registry, options, registry.Reactors[0], leaving);
        }
        catch (SocketException exception)
        {
            throw new PortalUnavailableException(options.EndPoint, exception);
        }
    }

    /// <summary>Who made the change may take the addresses of portals that are gone as soon as he is told.</summary>
    private void ExchangePortals(IReadOnlyList<IscsiPortal> before, IReadOnlyList<IscsiPortal> after)
    {
        foreach (IscsiPortal portal in after)
            portal.Listener.Reactor.Post(portal.TakeOver);
        foreach (IscsiPortal portal in before.Where(one => !after.Any(other => other.IsAtListenerOf(one))))
        {
            _unanswered++;
            portal.Listener.Reactor.Post(() => portal.StopListening(() => Home(Answered)));
        }
    }

    /// <summary>A session that is not in the table yet will find the new targets when it asks whether it may begin
    /// (<see cref="IscsiPortal.Confirm"/>): it enters the table before that, and they were put in place before the
    /// table is read here.</summary>
    private void ReconsiderSessions(IReadOnlyList<IscsiPortal> portals)
    {
        HashSet<ushort> tags = [.. portals.Select(portal => portal.Options.Tag)];
        IReadOnlyList<IscsiSession> sessions = registry.Sessions.Snapshot();
        _unanswered += sessions.Count;
        _unsettled += sessions.Count;
        foreach (IscsiSession session in sessions)
        {
            session.Post(() =>
            {
                SessionFate fate = session.Reconsider(
                    session.Target is { } target ? registry.Find(target.Name) : null, tags, () => Home(Settle));
                Home(() => Count(fate));
            });
        }
        Settle();
        Answered();

        void Count(SessionFate fate)
        {
            _sessionsChanged += fate == SessionFate.Changed ? 1 : 0;
            _sessionsEnded += fate == SessionFate.Ended ? 1 : 0;
            Answered();
        }
    }

    private static IEnumerable<CommandLimit> LimitsOf(IEnumerable<IscsiTarget> targets) =>
        targets.Select(target => target.Commands).OfType<CommandLimit>();

    private void Answered()
    {
        if (--_unanswered == 0)
            Report();
    }

    /// <summary>Every session has been told, and what was to be closed is.</summary>
    private void Report()
    {
        foreach (CommandLimit limit in _newLimits)
            limit.Open();
        _applied.SetResult(new ConfigurationOutcome(_sessionsChanged, _sessionsEnded, _settled.Task));
    }

    private void Settle()
    {
        if (--_unsettled == 0)
            _settled.SetResult();
    }

    private void Home(Action work) => registry.Reactors[0].Reactor.Post(work);
}
