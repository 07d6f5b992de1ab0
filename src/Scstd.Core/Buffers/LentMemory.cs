namespace Scstd.Core;

/// <summary>How many buffers of one executor show a store's own memory.</summary>
public sealed class LentMemory
{
    private readonly List<Action> _whenNone = [];

    public int Out { get; private set; }

    /// <summary>Calls back when everything has come back, now or later.</summary>
    public void WhenNone(Action none)
    {
        if (Out == 0)
            none();
        else
            _whenNone.Add(none);
    }

    internal void Lend() => Out++;

    internal void Return()
    {
        Out--;
        if (Out > 0 || _whenNone.Count == 0)
            return;
        Action[] waiting = [.. _whenNone];
        _whenNone.Clear();
        foreach (Action none in waiting)
            none();
    }
}
