namespace Scstd.Core;

/// <summary>A change of a unit that has been asked for and begins when the unit is alone. That may take as long as the
/// slowest command: whoever asked may give up as long as it has not begun.</summary>
public sealed class PendingChange
{
    private readonly LogicalUnit _unit;
    private readonly Action<bool> _ended;
    private bool _isSettled;

    internal PendingChange(LogicalUnit unit, Action<bool> ended) => (_unit, _ended) = (unit, ended);

    /// <summary>If it has not begun, it never will, and the unit goes on as if nobody had asked. From any thread, at
    /// any time.</summary>
    public void GiveUp() => _unit.Home.Post(() => _unit.Gate.GiveUp(this));

    /// <summary>It begins, or was given up: whichever is first. On the home executor.</summary>
    internal bool TrySettle()
    {
        bool isFirst = !_isSettled;
        _isSettled = true;
        return isFirst;
    }

    internal void End(bool isMade) => _ended(isMade);
}
