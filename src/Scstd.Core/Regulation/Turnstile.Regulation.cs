namespace Scstd.Core;

/// <summary>What may stand between a command and the device server besides the gate: an injected fault, a limit that
/// an administrator set, and the window of a slow device server, in this order. One test on the fast path.</summary>
internal sealed partial class Turnstile
{
    private bool _isRegulated = true;

    public CommandWatch Watch { get; }

    public BackendRegulator Regulator { get; }

    public bool IsExecutionShut => _executionShut != 0;

    /// <summary>Works out what the fast path looks at.</summary>
    public void RegulationChanged() => _isRegulated = Regulator.IsAwake;

    /// <summary>True if the command was kept or ended.</summary>
    private bool Keep(ScsiCommand command)
    {
        if (command.Refusal is not null)
            return false;
        return Regulator.Keep(command);
    }

    /// <summary>A keeper has taken the command.</summary>
    public void KeepFor(ScsiCommand command, IKeeper keeper)
    {
        command.State = CommandState.Dormant;
        command.Keeper = keeper;
    }

    /// <summary>A keeper lets the command go on.</summary>
    public void Resume(ScsiCommand command)
    {
        command.Keeper = null;
        JudgeAgain(command);
        Enable(command);
    }

    /// <summary>It cannot be done in time and has not begun: the initiator may try again.</summary>
    public void TurnAway(ScsiCommand command)
    {
        command.Keeper = null;
        Overload(command);
        Enable(command);
    }
}
