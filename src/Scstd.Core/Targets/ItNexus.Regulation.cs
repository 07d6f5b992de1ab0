using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What stands before a nexus' commands and functions that is not SCSI's.</summary>
public sealed partial class ItNexus
{
    /// <summary>Our choice: what units that are quick may have under way beside a slow one without being asked first;
    /// what they use beyond that doubles with each look.</summary>
    private const int RoomForOthers = 1;

    private readonly List<(ItlNexus Itl, int Share)> _slow = [];

    /// <summary>Commands that all of its units together should be sent at a time.</summary>
    public int CommandsAllowed { get; private set; } = int.MaxValue;

    internal RateLimiter? Limiter { get; private set; }

    /// <summary>What this nexus and those of its group may do a second together; null: anything. On its executor.
    /// </summary>
    public void SetRateLimit(RateLimit? limit)
    {
        Limiter = limit?.On(Executor);
        // All that could wait for it is aborted, and a turnstile may have forgotten the nexus already.
        if (IsEnding)
            return;
        foreach (ItlNexus itl in ItlNexuses.Concat(_departing))
            itl.Turnstile.CountLimited(itl, limit is not null);
    }

    /// <summary>Of its target's limit of commands; null: there is none.</summary>
    internal CommandShare? Share { get; private set; }

    /// <summary>The target of this nexus has no more commands at a time, of all its nexuses together; null: any number.
    /// The limit is opened when all of them have been told. On the nexus' executor.</summary>
    public void SetCommandLimit(CommandLimit? limit)
    {
        CommandShare? before = Share;
        Share = limit?.On(Executor);
        if (!ReferenceEquals(before, Share))
            CommandShare.Exchange(Holding.TargetPermit, before, Share, [.. ItlNexuses, .. _departing]);
    }

    /// <summary>A slow unit's share for this nexus; null: it is quick again. The bound is the session's, so a unit that
    /// is quick must not suffer for one that is slow: it keeps twice what it uses.</summary>
    internal void AllowCommands(ItlNexus itl, int? share)
    {
        _slow.RemoveAll(entry => ReferenceEquals(entry.Itl, itl));
        if (share is { } commands)
            _slow.Add((itl, commands));
        int allowed = int.MaxValue;
        if (_slow.Count > 0)
        {
            long others = _commandsOut - _slow.Sum(entry => (long)entry.Itl.CommandCount);
            long sum = _slow.Sum(entry => (long)entry.Share) + RoomForOthers + (2 * Math.Max(0, others));
            allowed = (int)Math.Min(int.MaxValue, sum);
        }
        if (allowed == CommandsAllowed)
            return;
        CommandsAllowed = allowed;
        if (!IsEnding)
            Port.AllowCommands(allowed);
    }

    /// <summary>Whoever finds its unit slow where the nexus is now will say so again.</summary>
    private void ForgetSlowness()
    {
        _slow.Clear();
        CommandsAllowed = int.MaxValue;
    }

    /// <summary>True: an injected fault swallows the function.</summary>
    private bool MeetsInjectedFault(TaskManagementRequest request)
    {
        bool concernsAll = request.Function is TaskManagementFunction.TargetWarmReset or
            TaskManagementFunction.TargetColdReset or TaskManagementFunction.ItNexusReset;
        foreach (ItlNexus itl in concernsAll ? ItlNexuses : Find(request.Lun) is { } one ? [one] : [])
        {
            if (itl.Turnstile.Injector?.Meet(request) == true)
                return true;
        }
        return false;
    }
}
