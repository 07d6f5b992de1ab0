using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// First in, first out, linked through the commands themselves, which know the one queue they are in: one leaves it
/// from anywhere in the same time. But HEAD OF QUEUE goes before all that wait. SAM-5 §8.6.3 has such a command enabled
/// as soon as it is accepted, so where it must wait all the same it is the next to be enabled. Among several of them
/// SAM-5 asks for no order; the newest is first, which is what the name says.
/// </summary>
internal sealed class CommandQueue
{
    private ScsiCommand? _first;
    private ScsiCommand? _last;

    public ScsiCommand? First => _first;

    public bool IsEmpty => _first is null;

    public void Enqueue(ScsiCommand command)
    {
        if (command.Attribute == TaskAttribute.HeadOfQueue)
            Link(command, null, _first);
        else
            Append(command);
    }

    /// <summary>Behind all others, whatever it is: to move a queue as it stands.</summary>
    public void Append(ScsiCommand command) => Link(command, _last, null);

    public ScsiCommand Dequeue()
    {
        ScsiCommand command = _first!;
        Unlink(command);
        return command;
    }

    /// <summary>False if it is not in this queue.</summary>
    public bool Remove(ScsiCommand command)
    {
        if (!ReferenceEquals(command.WaitsIn, this))
            return false;
        Unlink(command);
        return true;
    }

    private void Link(ScsiCommand command, ScsiCommand? previous, ScsiCommand? next)
    {
        Invariant.That(command.WaitsIn is null, "a command waits in one queue at a time");
        command.WaitsIn = this;
        command.PreviousWaiting = previous;
        command.NextWaiting = next;
        if (previous is null)
            _first = command;
        else
            previous.NextWaiting = command;
        if (next is null)
            _last = command;
        else
            next.PreviousWaiting = command;
    }

    private void Unlink(ScsiCommand command)
    {
        if (command.PreviousWaiting is { } previous)
            previous.NextWaiting = command.NextWaiting;
        else
            _first = command.NextWaiting;
        if (command.NextWaiting is { } next)
            next.PreviousWaiting = command.PreviousWaiting;
        else
            _last = command.PreviousWaiting;
        command.WaitsIn = null;
        command.PreviousWaiting = command.NextWaiting = null;
    }
}
