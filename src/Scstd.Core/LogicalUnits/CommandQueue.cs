namespace Scstd.Core;

/// <summary>First in, first out, linked through the commands themselves.</summary>
internal struct CommandQueue
{
    private ScsiCommand? _first;
    private ScsiCommand? _last;

    public readonly ScsiCommand? First => _first;

    public readonly bool IsEmpty => _first is null;

    public void Enqueue(ScsiCommand command)
    {
        command.NextWaiting = null;
        if (_last is null)
            _first = command;
        else
            _last.NextWaiting = command;
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
