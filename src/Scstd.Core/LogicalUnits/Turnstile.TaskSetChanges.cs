namespace Scstd.Core;

/// <summary>
/// Changes of TST while commands are under way. Each keeps the kind of task set that was in effect when it came, and
/// the two kinds know nothing of each other's order. So after a change nobody comes in but who waits for no other,
/// until all have left, on every executor, that came before the change. They are never held up by who came after it, so
/// no two wait for each other in a circle.
/// </summary>
internal sealed partial class Turnstile
{
    /// <summary>Those who came after a change, for each that is not over, in the order of the changes.</summary>
    private readonly List<Newcomers> _newcomers = [];

    /// <summary>Told by the gate: TST has changed. Calls back when those have left that are here now.</summary>
    public void HoldNewcomers(bool ownTaskSets, Action left)
    {
        var barrier = new AbortBarrier(left);
        foreach (ItlNexus itl in _nexuses)
            Await(itl, barrier, inTaskSet: true);
        barrier.Arm();
        _newcomers.Add(new Newcomers(ownTaskSets));
    }

    /// <summary>Told by the gate, in the order of the changes.</summary>
    public void LetNewcomersIn()
    {
        Newcomers oldest = _newcomers[0];
        // What comes while they are let in comes behind them.
        while (!oldest.Waiting.IsEmpty)
        {
            ScsiCommand command = oldest.Waiting.Dequeue();
            AdmitTo(command, oldest.OwnTaskSets, GoesFirst(command));
            if (!command.IsAdmitted || command.State == CommandState.AwaitingDataOut)
                continue;
            JudgeAgain(command);
            Enable(command);
        }
        _newcomers.RemoveAt(0);
    }

    /// <param name="OwnTaskSets">The kind of task set that the change has made: one for each nexus.</param>
    private sealed record Newcomers(bool OwnTaskSets)
    {
        public CommandQueue Waiting { get; } = new();
    }
}
