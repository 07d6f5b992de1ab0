namespace Scstd.Simulation;

/// <summary>
/// Something was seen that only the end of another command explains, which is still to come: one of the candidates must
/// end so. Nobody can say beforehand which.
/// </summary>
internal sealed class Promises(World world)
{
    private readonly List<Promise> _open = [];

    public void Add(Promise promise)
    {
        world.Law(promise.Candidates.Count > 0, "{0}", promise.Law);
        _open.Add(promise);
    }

    /// <summary>A command has ended, in whatever way.</summary>
    public void Ended(SimulatedCommand command)
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            Promise promise = _open[i];
            if (!promise.Candidates.Remove(command))
                continue;
            promise.IsKept |= promise.IsKeptBy(command);
            if (promise.Candidates.Count > 0 && (!promise.IsKept || promise.Settled is not null))
                continue;
            world.Law(promise.IsKept, "{0}", promise.Law);
            _open.RemoveAt(i);
            promise.Settled?.Invoke();
        }
    }

    /// <summary>A world is over: nothing is open.</summary>
    public bool AreKept => !_open.Exists(promise => !promise.IsKept);
}

/// <summary>What must still come.</summary>
internal sealed class Promise
{
    /// <summary>What is broken if nobody keeps it.</summary>
    public required string Law { get; init; }

    public required List<SimulatedCommand> Candidates { get; init; }

    public required Func<SimulatedCommand, bool> IsKeptBy { get; init; }

    /// <summary>All candidates have ended.</summary>
    public Action? Settled { get; init; }

    public bool IsKept { get; set; }

    /// <summary>CHECK CONDITION, or with its nexus gone nobody is left who could be told.</summary>
    public static bool IsCheckCondition(SimulatedCommand command) => command.Outcome == Outcome.Answered
        ? command.Status == Scsi.ScsiStatus.CheckCondition : command.Session.IsEnding;

    public static bool IsAborted(SimulatedCommand command) =>
        command.Outcome == Outcome.Aborted || command.Status == Scsi.ScsiStatus.TaskAborted;
}
