using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// HEAD OF QUEUE, SAM-5 §8.6: while such a command is in the task set no other is enabled that waits for its turn. What
/// this turnstile does not know of, the commands of other executors, comes neither before nor after.
/// </summary>
internal sealed partial class Turnstile
{
    /// <summary>In the task set of all nexuses (TST 000b).</summary>
    private readonly HeadsOfQueue _heads = new();

    /// <summary>In whichever task set; while there are none nobody looks at any of this.</summary>
    private int _headCount;

    private void CountHead(ScsiCommand command)
    {
        if (command.Refusal is not null || command.PassesAca)
            return;
        HeadsOfQueue heads = command.OwnTaskSet?.Heads ?? _heads;
        heads.Count++;
        _headCount++;
        command.CountedAmong = heads;
    }

    /// <summary>The command leaves: the others may go when the last has been sent.</summary>
    private HeadsOfQueue? UncountHead(ScsiCommand command)
    {
        HeadsOfQueue? heads = command.CountedAmong;
        if (heads is null)
            return null;
        command.CountedAmong = null;
        heads.Count--;
        _headCount--;
        return heads;
    }

    /// <summary>True: it waits until the last HEAD OF QUEUE command has left. Not one that holds blocks for which such
    /// a command may wait, nor one that an ACA condition lets pass, which may be there to end it for them.</summary>
    private bool WaitsForHeads(ScsiCommand command)
    {
        HeadsOfQueue heads = command.OwnTaskSet?.Heads ?? _heads;
        if (heads.Count == 0 || command.HoldsRange || GoesFirst(command))
            return false;
        command.State = CommandState.Dormant;
        heads.Waiting.Enqueue(command);
        return true;
    }

    private void EnableBehind(HeadsOfQueue heads)
    {
        while (heads.Count == 0 && !heads.Waiting.IsEmpty)
        {
            ScsiCommand command = heads.Waiting.Dequeue();
            JudgeAgain(command);
            Enable(command);
        }
    }
}

/// <summary>The HEAD OF QUEUE commands of one task set, and those that wait for them to leave.</summary>
internal sealed class HeadsOfQueue
{
    public int Count { get; set; }

    public CommandQueue Waiting { get; } = new();
}
