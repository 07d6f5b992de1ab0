namespace Scstd.Frontends.Iscsi;

/// <summary>
/// Where the next session shall live, as one reactor sees the others: plain reads of what each counts anyway, and of
/// how many sessions it has. Two reactors that decide at the same moment may choose the same; the next ones make up
/// for it.
/// </summary>
/// <param name="home">Whose view it is; for its thread alone.</param>
/// <param name="reactors">All.</param>
internal sealed class Placement(IscsiReactor home, IReadOnlyList<IscsiReactor> reactors)
{
    /// <summary>Our choice: what was done longer ago says nothing of now. There is no timer: logins look, and one looks
    /// when it begins and when it has succeeded.</summary>
    private const long RecentMs = 2_000;

    /// <summary>Our choice: a reactor that has not taken in who was sent to it for so long hangs (a store that never
    /// answers a call), which looks like having nothing to do.</summary>
    public const long DeafMs = 1_000;

    /// <summary>Our choice: to move so many bytes costs about as much as a command without any.</summary>
    private const int BytesLikeCommand = 32 * 1024;

    /// <summary>Our choice: a command a millisecond is a third of a percent of a core, and no reason to go anywhere.
    /// </summary>
    private const ulong IdleCommandsPerMs = 1;

    /// <summary>Our choice: loads that differ by less than this part of a fair share are alike.</summary>
    private const ulong AlikePart = 4;

    private readonly Sample[] _samples =
        [new Sample(long.MinValue, reactors.Count), new Sample(long.MinValue, reactors.Count)];

    private readonly ulong[] _work = new ulong[reactors.Count];

    /// <summary>Remembers how much has been done, for the decisions of the next moments.</summary>
    public void Look()
    {
        Sample newest = _samples[0];
        if (newest.IsWithin(RecentMs / 2, home.Reactor.NowMs))
            return;
        (_samples[0], _samples[1]) = (_samples[1], newest);
        _samples[0].Take(reactors, home.Reactor.NowMs);
    }

    /// <summary>The reactor with the least to do; of those alike the one with the fewest sessions, and rather this one
    /// than another. It counts the session from now on.</summary>
    public IscsiReactor Choose()
    {
        long now = home.Reactor.NowMs;
        Sample sample = _samples[1].IsWithin(RecentMs, now) ? _samples[1] : _samples[0];
        ulong total = MeasureSince(sample, now);
        Expect(sample, total);
        ulong least = _work.Min();
        ulong alike = total / ((ulong)reactors.Count * AlikePart);
        IscsiReactor chosen = reactors.Where((_, i) => _work[i] <= least + alike)
            .Where(one => !one.IsDeafSince(now - DeafMs))
            .MinBy(one => (one.SessionCount, ReferenceEquals(one, home) ? 0 : 1)) ?? home;
        chosen.SessionComes(now);
        Look();
        return chosen;
    }

    /// <summary>What each has done; nothing if it was as good as nothing. The sum.</summary>
    private ulong MeasureSince(Sample sample, long now)
    {
        ulong total = 0;
        bool isKnown = sample.IsWithin(RecentMs, now);
        ulong idle = isKnown ? (ulong)(now - sample.AtMs) * IdleCommandsPerMs : 0;
        for (int i = 0; i < _work.Length; i++)
        {
            ulong done = isKnown ? WorkOf(reactors[i]) - sample.Work[i] : 0;
            _work[i] = done <= idle ? 0 : done;
            total += _work[i];
        }
        return total;
    }

    /// <summary>Sessions that came since then have hardly begun: each will do what the others do on average. So those
    /// that come together are spread, although all reactors look as they did before.</summary>
    private void Expect(Sample sample, ulong total)
    {
        int all = reactors.Sum(static one => one.SessionCount);
        int old = all - Enumerable.Range(0, _work.Length).Sum(Young);
        ulong average = total / (ulong)Math.Max(1, old > 0 ? old : all);
        for (int i = 0; i < _work.Length; i++)
            _work[i] += average * (ulong)Young(i);

        int Young(int i)
        {
            int sessions = reactors[i].SessionCount;
            return Math.Clamp(reactors[i].PlacedCount - sample.Placed[i], 0, Math.Max(0, sessions));
        }
    }

    /// <summary>What a reactor has done, in commands; from any thread.</summary>
    public static ulong WorkOf(IscsiReactor reactor)
    {
        IscsiCounters counters = reactor.Counters;
        return WorkOf(Volatile.Read(ref counters.Commands),
            Volatile.Read(ref counters.DataInBytes) + Volatile.Read(ref counters.DataOutBytes));
    }

    public static ulong WorkOf(ulong commands, ulong bytes) => commands + (bytes / BytesLikeCommand);

    /// <summary>How much each reactor had done, and how many sessions it had been given, at one moment.</summary>
    private sealed class Sample(long atMs, int reactors)
    {
        public long AtMs { get; private set; } = atMs;

        public ulong[] Work { get; } = new ulong[reactors];

        public int[] Placed { get; } = new int[reactors];

        public bool IsWithin(long milliseconds, long nowMs) =>
            AtMs != long.MinValue && nowMs - AtMs <= milliseconds;

        public void Take(IReadOnlyList<IscsiReactor> reactors, long nowMs)
        {
            AtMs = nowMs;
            for (int i = 0; i < reactors.Count; i++)
                (Work[i], Placed[i]) = (WorkOf(reactors[i]), reactors[i].PlacedCount);
        }
    }
}
