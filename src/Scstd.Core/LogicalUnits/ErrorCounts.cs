using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What went wrong with a unit's commands on one executor, for LOG SENSE: written there alone, read by all.
/// </summary>
internal sealed class ErrorCounts
{
    private long _writes;
    private long _reads;
    private long _others;

    /// <summary>MEDIUM ERROR of a command that writes.</summary>
    public long Writes => Volatile.Read(ref _writes);

    /// <summary>MEDIUM ERROR of any other.</summary>
    public long Reads => Volatile.Read(ref _reads);

    /// <summary>HARDWARE ERROR and ABORTED COMMAND: not the medium's fault.</summary>
    public long Others => Volatile.Read(ref _others);

    public void Count(ScsiCommand command)
    {
        if (command.Status != ScsiStatus.CheckCondition)
            return;
        if (command.Sense.Key is SenseKey.HardwareError or SenseKey.AbortedCommand)
            Volatile.Write(ref _others, _others + 1);
        else if (command.Sense.Key != SenseKey.MediumError)
            return;
        else if (command.Binding.Row.Has(CommandTraits.WritesMedium))
            Volatile.Write(ref _writes, _writes + 1);
        else
            Volatile.Write(ref _reads, _reads + 1);
    }

    public void ClearWrites() => Volatile.Write(ref _writes, 0);

    public void ClearReads() => Volatile.Write(ref _reads, 0);

    public void ClearOthers() => Volatile.Write(ref _others, 0);
}
