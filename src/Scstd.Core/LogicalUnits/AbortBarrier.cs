namespace Scstd.Core;

/// <summary>Calls back once when every command it was put on is gone. On one executor.</summary>
internal sealed class AbortBarrier(Action passed)
{
    private int _remaining = 1;

    public int Remaining => _remaining;

    public void Add() => _remaining++;

    /// <summary>All commands were added; with none left it passes at once.</summary>
    public void Arm() => Left();

    public void Left()
    {
        if (--_remaining == 0)
            passed();
    }
}

/// <summary>A command may be covered by more than one function.</summary>
/// <param name="Barrier">Passed when the command has left.</param>
/// <param name="Next">The next that waits for the same command.</param>
/// <param name="ForDeviceServer">Or, for this one, when the device server is done with it.</param>
internal sealed record AbortWait(AbortBarrier Barrier, AbortWait? Next, bool ForDeviceServer = false);
