using Scstd.Frontends.Iscsi.Connections;
using Scstd.Frontends.Iscsi.Sessions;

namespace Scstd.Frontends.Iscsi;

/// <summary>
/// Whether a session of one reactor had better live on another. Placement at login knows nothing of what will be done;
/// this looks at what was. Sessions that are busy are looked at every few seconds anyway, and bring this with them: an
/// idle target has no timer for it.
/// </summary>
/// <param name="home">Whose sessions it may send away; for its thread alone.</param>
/// <param name="reactors">All.</param>
internal sealed class Balance(IscsiReactor home, IReadOnlyList<IscsiReactor> reactors)
{
    /// <summary>Our choice: shorter bursts say nothing.</summary>
    private const long ShortestMs = 2_000;

    /// <summary>Our choice: what was done before is not worth comparing with.</summary>
    private const long LongestMs = 20_000;

    /// <summary>Our choice: about a twentieth of a core; below that nobody has to go anywhere.</summary>
    private const ulong BusyCommandsPerMs = 20;

    /// <summary>Our choice: where a session goes no more is done with it than this part of what is done here now.
    /// Who goes that way does not come back by the same rule. What is saved here cannot be the measure: a reactor that
    /// has all it can do does as much with a session less.</summary>
    private const double WorthIt = 0.8;

    private readonly ulong[] _before = new ulong[reactors.Count];
    private readonly int[] _placed = new int[reactors.Count];
    private readonly bool[] _isNew = new bool[reactors.Count];
    private readonly ulong[] _lately = new ulong[reactors.Count];
    private long _lookedAtMs = long.MinValue / 2;

    /// <summary>Compares the reactors, and sends one session away if that is worth it.</summary>
    public void Look()
    {
        long now = home.Reactor.NowMs;
        long elapsedMs = now - _lookedAtMs;
        if (elapsedMs < ShortestMs)
            return;
        _lookedAtMs = now;
        for (int i = 0; i < reactors.Count; i++)
        {
            ulong work = Placement.WorkOf(reactors[i]);
            (_lately[i], _before[i]) = (work - _before[i], work);
            int placed = reactors[i].PlacedCount;
            (_isNew[i], _placed[i]) = (placed != _placed[i], placed);
        }
        foreach (IscsiConnection connection in home.Connections)
            connection.Session?.Work.Look(connection.Session.Counters);
        if (elapsedMs > LongestMs || _lately[home.Reactor.Index] < BusyCommandsPerMs * (ulong)elapsedMs)
            return;
        if (Quietest(now) is { } goal && Choose(_lately[goal.Reactor.Index]) is { } session)
            session.BeginMove(goal);
    }

    /// <summary>Where somebody has just come what was done says nothing of what will be.</summary>
    private IscsiReactor? Quietest(long nowMs) => reactors
        .Where(one => !ReferenceEquals(one, home) && !_isNew[one.Reactor.Index]
            && !one.IsDeafSince(nowMs - Placement.DeafMs))
        .MinBy(one => _lately[one.Reactor.Index]);

    /// <summary>The one that makes the two most alike; null: none is worth it.</summary>
    /// <param name="there">What is done where it would go.</param>
    private IscsiSession? Choose(ulong there)
    {
        ulong here = _lately[home.Reactor.Index];
        IscsiSession? best = null;
        ulong least = ulong.MaxValue;
        foreach (IscsiConnection connection in home.Connections)
        {
            if (connection.Session is not { IsOpen: true, IsDiscovery: false, IsSettled: true } session)
                continue;
            ulong work = Math.Min(session.Work.Lately, here);
            ulong busier = Math.Max(here - work, there + work);
            if (work == 0 || there + work > here * WorthIt || busier >= least)
                continue;
            (best, least) = (session, busier);
        }
        return best;
    }
}
