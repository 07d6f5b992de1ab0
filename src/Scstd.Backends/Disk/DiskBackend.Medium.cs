using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Backends.Disk;

/// <summary>The medium: started or stopped, in or out, and who wants it to stay. Changed only alone on the unit.
/// </summary>
public sealed partial class DiskBackend
{
    private const int PowerConditionMask = 0xF0;
    private const int NoFlush = 0x04;
    private const int LoadEject = 0x02;
    private const int StartUnit = 0x01;

    private static readonly SenseData Stopped =
        new(SenseKey.NotReady, AdditionalSense.InitializingCommandRequired);

    private static readonly SenseData NoMedium = new(SenseKey.NotReady, AdditionalSense.MediumNotPresent);

    private volatile MediumState _medium = MediumState.Ready;

    private readonly MediumRemoval _removal = new();

    private enum MediumState
    {
        Ready,
        Stopped,
        Ejected,
    }

    public SenseData? NotReady => _medium switch
    {
        MediumState.Stopped => Stopped,
        MediumState.Ejected => NoMedium,
        _ => null,
    };

    public bool HoldsStateOf(ItNexus nexus) => _removal.IsPreventedBy(nexus);

    public void NexusEnded(ItNexus nexus) => _removal.Allow(nexus);

    /// <summary>LOEJ without a medium that can be moved.</summary>
    private SenseData? ValidateStartStop(ScsiCommand command)
    {
        int flags = command.Cdb[4];
        bool moves = (flags & PowerConditionMask) == 0 && (flags & LoadEject) != 0;
        return moves && !_options.Removable ? SenseData.InvalidFieldInCdb(4, 1) : null;
    }

    /// <summary>
    /// SBC-4 §5.35. With a POWER CONDITION the other bits are ignored; there are no power conditions to go to, so the
    /// unit just stays active, from which every access would bring it back at once anyway. IMMED is no promise to be
    /// early: the status tells how it ended.
    /// </summary>
    private void StartStop(ScsiCommand command)
    {
        int flags = command.Cdb[4];
        if ((flags & PowerConditionMask) != 0)
        {
            command.Complete();
            return;
        }
        bool start = (flags & StartUnit) != 0;
        bool moves = (flags & LoadEject) != 0;
        if (moves && _removal.IsPrevented)
        {
            // Our choice: a locked drive moves no medium, neither out nor in.
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.MediumRemovalPrevented));
        }
        else if (_medium == MediumState.Ejected && !moves)
        {
            command.CheckCondition(NoMedium);
        }
        else if (start)
        {
            StartMedium(command);
        }
        else if (_medium == MediumState.Ready && (flags & NoFlush) == 0 && Store.HasVolatileCache && !IsReadOnly)
        {
            LaneOf(command).Flushes.Start(command);
        }
        else
        {
            StopMedium(command);
            command.Complete();
        }
    }

    private void StartMedium(ScsiCommand command)
    {
        if (_medium == MediumState.Ejected)
            command.Unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, command.ItlNexus);
        _medium = MediumState.Ready;
        command.Complete();
    }

    private void StopMedium(ScsiCommand command) =>
        _medium = (command.Cdb[4] & LoadEject) != 0 || _medium == MediumState.Ejected
            ? MediumState.Ejected : MediumState.Stopped;

    /// <summary>What a command flushed for is done.</summary>
    internal void Flushed(ScsiCommand command)
    {
        if (command.Binding.Row.OperationCode == Sbc.StartStopUnit.OperationCode)
            StopMedium(command);
    }
}
