namespace Scstd.Linux;

/// <summary>Who wants to run at the end of this pass, each once, in the order of their asking.</summary>
internal sealed class PassEndList
{
    private readonly HashSet<IPassEnd> _known = new(ReferenceEqualityComparer.Instance);
    private List<IPassEnd> _asked = [];
    private List<IPassEnd> _running = [];

    internal int Count => _asked.Count;

    internal void Add(IPassEnd subscriber)
    {
        if (_known.Add(subscriber))
            _asked.Add(subscriber);
    }

    /// <summary>Runs those who have asked; who asks meanwhile is asked the next time.</summary>
    internal void Run()
    {
        if (_asked.Count == 0)
            return;
        (_asked, _running) = (_running, _asked);
        _known.Clear();
        foreach (IPassEnd subscriber in _running)
            subscriber.PassEnded();
        _running.Clear();
    }
}

/// <summary>File operations in a row, linked by themselves.</summary>
internal struct FileList
{
    private FileOperation? _first;
    private FileOperation? _last;

    internal readonly bool IsEmpty => _first is null;

    internal void Append(FileOperation operation)
    {
        operation.Next = null;
        if (_last is null)
            _first = operation;
        else
            _last.Next = operation;
        _last = operation;
    }

    internal bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FileOperation? operation)
    {
        operation = _first;
        if (operation is null)
            return false;
        _first = operation.Next;
        if (_first is null)
            _last = null;
        operation.Next = null;
        return true;
    }
}
