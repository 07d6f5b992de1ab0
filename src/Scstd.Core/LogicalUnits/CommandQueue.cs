using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// First in, first out, linked through the commands themselves; but HEAD OF QUEUE goes before all that wait. SAM-5
/// §8.6.3 has such a command enabled as soon as it is accepted, so where it must wait all the same it is the next to be
/// enabled. Among several of them SAM-5 asks for no order; the newest is first, which is what the name says.
/// </summary>
internal struct CommandQueue
{
    private ScsiCommand? _first;
    private ScsiCommand? _last;

    public readonly ScsiCommand? First => _first;

    public readonly bool IsEmpty => _first is null;

    public void Enqueue(ScsiCommand command)
    {
        if (command.Attribute == TaskAttribute.HeadOfQueue)
        {
            command.NextWaiting = _first;
            _first = command;
            _last ??= command;
            return;
        }
        Append(command);
    }

    /// <summary>Behind all others, whatever it is: to move a queue as it stands.</summary>
    public void Append(ScsiCommand command)
    {
        command.NextWaiting = null;
        if (_last is null)
            _first = command;
        else
            _last.NextWaiting = command;
        _last = command;
    }

    /// <summary>Of one nexus: before those that came later.</summary>
    public void EnqueueByAge(ScsiCommand command)
    {
        ScsiCommand? older = null;
        for (ScsiCommand? at = _first; at is not null && at.Sequence < command.Sequence; at = at.NextWaiting)
            older = at;
        command.NextWaiting = older is null ? _first : older.NextWaiting;
        if (older is null)
            _first = command;
        else
            older.NextWaiting = command;
        if (command.NextWaiting is null)
            _last = command;
    }

    public ScsiCommand Dequeue()
    {
        ScsiCommand command = _first!;
        _first = command.NextWaiting;
        if (_first is null)
            _last = null;
        command.NextWaiting = null;
        return command;
    }

    /// <summary>False if it is not in this queue.</summary>
    public bool Remove(ScsiCommand command)
    {
        ScsiCommand? previous = null;
        for (ScsiCommand? at = _first; at is not null; previous = at, at = at.NextWaiting)
        {
            if (!ReferenceEquals(at, command))
                continue;
            if (previous is null)
                _first = at.NextWaiting;
            else
                previous.NextWaiting = at.NextWaiting;
            if (ReferenceEquals(_last, at))
                _last = previous;
            at.NextWaiting = null;
            return true;
        }
        return false;
    }
}
