using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// The task set of one I_T nexus (TST 001b): ORDERED waits for the older commands of this nexus, and the younger ones
/// for it, whatever the others do. Kept by the nexus' executor alone, without the gate.
/// </summary>
internal sealed class NexusTaskSet(ItlNexus itl)
{
    private readonly CommandQueue _dormant = new();
    private ScsiCommand? _ordered;

    public HeadsOfQueue Heads { get; } = new();

    /// <summary>Commands that waited are being enabled.</summary>
    public bool IsEnabling { get; set; }

    /// <summary>A command waits for its turn.</summary>
    public bool IsWaiting => !_dormant.IsEmpty;

    /// <summary>False: the command waits for its turn.</summary>
    public bool TryAdmit(ScsiCommand command, bool goesFirst)
    {
        command.OwnTaskSet = this;
        bool simple = command.Attribute != TaskAttribute.Ordered;
        if (goesFirst || (simple && _ordered is null && _dormant.IsEmpty))
            return true;
        if (!simple && _ordered is null && _dormant.IsEmpty && IsOldest(command))
        {
            _ordered = command;
            return true;
        }
        _dormant.Enqueue(command);
        return false;
    }

    /// <summary>The command has left, or waits no more.</summary>
    public void Leave(ScsiCommand command)
    {
        if (ReferenceEquals(_ordered, command))
            _ordered = null;
    }

    /// <summary>The next one whose turn has come; null: none.</summary>
    public ScsiCommand? TakeNext()
    {
        if (_ordered is not null || _dormant.First is not { } next)
            return null;
        if (next.Attribute == TaskAttribute.Ordered)
        {
            if (!IsOldest(next))
                return null;
            _ordered = next;
        }
        return _dormant.Dequeue();
    }

    /// <summary>What waits for a place is not in the task set.</summary>
    private bool IsOldest(ScsiCommand command)
    {
        ScsiCommand? oldest = itl.First;
        while (oldest?.Keeper is CommandShare)
            oldest = oldest.NextInNexus;
        return ReferenceEquals(oldest, command);
    }
}
