using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// What a frozen unit does all the same: INQUIRY, REPORT LUNS and REQUEST SENSE need no medium and are answered by the
/// mid-layer itself, and an initiator asks by them whether the unit is still there. They pass while freezing is all
/// that the way is shut for: a change that is under way holds them like any other command.
/// </summary>
internal sealed partial class Turnstile
{
    private bool _isFrozen;
    private int _sweeps;

    /// <summary>Told by the gate's home: the unit freezes and nothing changes it, or it thaws. A command that asked for
    /// exclusion gets it only after the thaw, so of changes only sweeps can come meanwhile.</summary>
    public void SetFrozen(bool isFrozen)
    {
        _isFrozen = isFrozen;
        EnableWhatPassesFreezing();
    }

    public void BeginSweep()
    {
        _sweeps++;
        ShutExecution();
    }

    /// <summary>The change is done; <see cref="OpenExecution"/> follows.</summary>
    public void EndSweep() => _sweeps--;

    private bool PassesFreezing(ScsiCommand command) =>
        _isFrozen && _sweeps == 0 && command.Binding.Row.Has(CommandTraits.BypassesUnitAttention);

    /// <summary>They came while something else had the way shut, too.</summary>
    private void EnableWhatPassesFreezing()
    {
        if (!_isFrozen || _sweeps != 0 || _blocked.IsEmpty)
            return;
        CommandQueue all = _blocked;
        var passing = new CommandQueue();
        _blocked = new CommandQueue();
        while (!all.IsEmpty)
        {
            ScsiCommand command = all.Dequeue();
            (PassesFreezing(command) ? passing : _blocked).Append(command);
        }
        while (!passing.IsEmpty)
        {
            ScsiCommand command = passing.Dequeue();
            JudgeAgain(command);
            Enable(command);
        }
    }
}
