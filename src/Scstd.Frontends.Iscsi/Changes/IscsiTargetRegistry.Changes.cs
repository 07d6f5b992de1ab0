using System.Collections.Frozen;
using System.Collections.Immutable;
using Scstd.Core;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi;

/// <summary>What an administrator does to a frontend that serves. All of it from any thread.</summary>
public sealed partial class IscsiTargetRegistry
{
    /// <summary>
    /// Puts another configuration in force, all or nothing: the task fails, and nothing has changed, if it cannot be.
    /// Sessions go on as they are and see what they may see now; where nothing changed for them they notice nothing.
    /// Those end whose target is gone or hidden from their initiator, and those whose portal group is gone. How a
    /// session authenticated and what it negotiated stay as they were: new rules for these are for new sessions. Its
    /// command window grows at once, and becomes smaller as commands end. Portals that are gone let nobody in;
    /// connections that came in there go on.
    /// </summary>
    public Task<ConfigurationOutcome> ApplyAsync(IscsiConfiguration next)
    {
        var change = new ConfigurationChange(this, next);
        _reactors[0].Reactor.Post(change.Carry);
        return change.Applied;
    }

    /// <summary>Puts <paramref name="successor"/> in the place of <paramref name="unit"/> wherever any initiator sees
    /// it. Commands under way on the old one end there.</summary>
    public Task<ConfigurationOutcome> ReplaceUnitAsync(LogicalUnit unit, LogicalUnit successor) =>
        ApplyAsync(Describe(options => options with
        {
            Luns = options.Luns.Replacing(unit, successor),
            Groups = [.. options.Groups.Select(g => g with { Luns = g.Luns.Replacing(unit, successor) })],
        }));

    /// <summary>What is in force.</summary>
    public IscsiConfiguration Configuration => Describe(static options => options);

    /// <summary>Every session as it is, in the order of their handles.</summary>
    public async Task<IReadOnlyList<SessionSnapshot>> DescribeSessionsAsync()
    {
        SessionSnapshot[] all = await OnEach(Sessions.Snapshot(), static session => session.Describe());
        return [.. all.OrderBy(session => session.Tsih)];
    }

    /// <summary>The last moves of sessions that are open.</summary>
    /// <param name="isMeant">By handle and name of the initiator.</param>
    public async Task<IReadOnlyList<SessionMoves>> DescribeMovesAsync(Func<ushort, string, bool> isMeant) =>
        await OnEach(
            [.. Sessions.Snapshot().Where(session => isMeant(session.Tsih, session.Identity.InitiatorName))],
            static session => session.DescribeMoves());

    /// <summary>How long the commands of sessions stayed in each state.</summary>
    /// <param name="isMeant">By handle and name of the initiator.</param>
    public async Task<IReadOnlyList<SessionTimes>> DescribeTimesAsync(Func<ushort, string, bool> isMeant) =>
        await OnEach(
            [.. Sessions.Snapshot().Where(session => isMeant(session.Tsih, session.Identity.InitiatorName))],
            static session => session.DescribeTimes());

    /// <summary>The last sessions that have ended, the newest first.</summary>
    public IReadOnlyList<EndedSession> EndedSessions => Sessions.LastEnded();

    /// <summary>Ends a session; how many there were: none or one.</summary>
    /// <param name="tsih">Its handle.</param>
    /// <param name="patienceSeconds">It is asked to log out and gets so long; zero: it is told, and ended at
    /// once.</param>
    public Task<int> KickAsync(ushort tsih, int patienceSeconds) =>
        KickAsync(session => session.Tsih == tsih, patienceSeconds);

    /// <summary>Ends all sessions of an initiator, of one target if it is named; how many there were.</summary>
    public Task<int> KickAsync(string initiatorName, string? targetName, int patienceSeconds) => KickAsync(
        session => string.Equals(session.Identity.InitiatorName, initiatorName, StringComparison.OrdinalIgnoreCase)
            && (targetName is null
                || string.Equals(session.Identity.TargetName, targetName, StringComparison.OrdinalIgnoreCase)),
        patienceSeconds);

    /// <summary>Sends a session to another reactor, where it goes as soon as nothing of it is under way. False: it is
    /// not there, does not see any units, is there already, is to end, or is on its way.</summary>
    /// <param name="tsih">Its handle.</param>
    /// <param name="reactor">Index of one of <see cref="Reactors"/>.</param>
    public async Task<bool> MoveAsync(ushort tsih, int reactor)
    {
        bool[] begun = await OnEach(
            Sessions.Find(tsih) is { } session ? [session] : [], one => one.BeginMove(_reactors[reactor]));
        return begun is [true];
    }

    /// <summary>Sessions are between two reactors.</summary>
    public bool HasMovingSessions => Sessions.Snapshot().Any(session => session.IsMoving);

    /// <summary>A portal of the group is there; sessions begin only then.</summary>
    internal bool HasPortalGroup(ushort tag) => Portals.Any(portal => portal.Options.Tag == tag);

    /// <summary>The targets come last: who finds them finds the rest as well.</summary>
    internal void Adopt(
        IReadOnlyList<IscsiTarget> targets, ImmutableList<IscsiPortal> portals, DiscoveryOptions discovery)
    {
        _discovery = discovery;
        Volatile.Write(ref _portals, portals);
        _targets = targets.ToFrozenDictionary(target => target.Name, StringComparer.Ordinal);
    }

    private IscsiConfiguration Describe(Func<TargetOptions, TargetOptions> change) => new(
        [.. Targets.Select(target => change(target.Options))],
        [.. Portals.Select(portal => portal.Options)],
        Discovery);

    private async Task<int> KickAsync(Func<IscsiSession, bool> isMeant, int patienceSeconds)
    {
        bool[] told = await OnEach(
            [.. Sessions.Snapshot().Where(isMeant)], session => session.Kick(patienceSeconds));
        return told.Count(one => one);
    }

    private static Task<T[]> OnEach<T>(IReadOnlyList<IscsiSession> sessions, Func<IscsiSession, T> work)
    {
        var results = new T[sessions.Count];
        var done = new TaskCompletionSource<T[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        int left = sessions.Count;
        if (left == 0)
            done.SetResult(results);
        for (int i = 0; i < sessions.Count; i++)
        {
            int index = i;
            sessions[index].Post(() =>
            {
                results[index] = work(sessions[index]);
                if (Interlocked.Decrement(ref left) == 0)
                    done.SetResult(results);
            });
        }
        return done.Task;
    }
}
