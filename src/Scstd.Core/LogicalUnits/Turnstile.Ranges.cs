using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Blocks that are held, see <see cref="BlockRanges"/>. While none are, nobody looks at any of this.</summary>
internal sealed partial class Turnstile
{
    private readonly List<RangeRequest> _ranges = [];
    private CommandQueue _rangeBlocked = new();

    private void BeginRange(ScsiCommand command)
    {
        if (command.ItlNexus!.Conditions != 0 && HoldsBack(command))
            return;
        command.State = CommandState.Dormant;
        var request = new RangeRequest(this, command);
        command.Range = request;
        Unit.Home.Post(() => Unit.Ranges.Request(request));
    }

    /// <summary>Told by the gate's home: from now on nothing that overlaps begins here; calls back when the device
    /// server is done with what had begun.</summary>
    public void HoldRange(RangeRequest request, Action drained)
    {
        _ranges.Add(request);
        RegulationChanged();
        var barrier = new AbortBarrier(drained);
        if (_executing > 0)
            AwaitOverlapping(request, barrier);
        barrier.Arm();
    }

    private void AwaitOverlapping(RangeRequest request, AbortBarrier barrier)
    {
        foreach (ItlNexus itl in _nexuses)
        {
            for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
            {
                if (command.State != CommandState.Enabled || !BlockExtent.Of(command).Overlaps(request.Extent))
                    continue;
                barrier.Add();
                command.AbortWaits = new AbortWait(barrier, command.AbortWaits, ForDeviceServer: true);
            }
        }
    }

    /// <summary>The device server is done with a command whose status has to wait, maybe for an initiator that clears
    /// an ACA condition by a command to the same blocks. It touches them no more: they are free.</summary>
    private static void GiveBlocksBack(ScsiCommand command)
    {
        AbortWait? waits = command.AbortWaits;
        command.AbortWaits = null;
        for (; waits is not null; waits = waits.Next)
        {
            if (waits.ForDeviceServer)
                waits.Barrier.Left();
            else
                command.AbortWaits = new AbortWait(waits.Barrier, command.AbortWaits);
        }
        command.Range = null;
        command.HoldsRange = false;
    }

    public void RangeGranted(RangeRequest request)
    {
        if (request.Command is not { } command)
        {
            Release(request);
            return;
        }
        // However it ends, the range is given back when it leaves or its status must wait.
        command.AbortWaits = new AbortWait(
            new AbortBarrier(() => Release(request)), command.AbortWaits, ForDeviceServer: true);
        command.HoldsRange = true;
        JudgeAgain(command);
        Enable(command);
    }

    private void Release(RangeRequest request)
    {
        if (request.IsReleased)
            return;
        request.IsReleased = true;
        Unit.Home.Post(() => Unit.Ranges.Release(request));
    }

    /// <summary>A holder must wait for something else first: it asks again afterwards.</summary>
    private void GiveRangeUp(ScsiCommand command)
    {
        Release(command.Range!);
        command.Range = null;
        command.HoldsRange = false;
    }

    /// <summary>Told by the gate's home: what waited goes on.</summary>
    public void RangeReleased(RangeRequest request)
    {
        _ranges.Remove(request);
        RegulationChanged();
        if (_rangeBlocked.IsEmpty)
            return;
        CommandQueue blocked = _rangeBlocked;
        _rangeBlocked = new CommandQueue();
        while (!blocked.IsEmpty)
        {
            ScsiCommand command = blocked.Dequeue();
            JudgeAgain(command);
            Enable(command);
        }
    }

    /// <summary>True if the command waits now until a range is released. A holder of another range does not overlap.
    /// </summary>
    private bool IsKeptByRange(ScsiCommand command)
    {
        if (command.Binding.Row.Has(CommandTraits.HoldsRange))
            return false;
        BlockExtent extent = BlockExtent.Of(command);
        foreach (RangeRequest held in _ranges)
        {
            if (!held.Extent.Overlaps(extent))
                continue;
            command.State = CommandState.Dormant;
            _rangeBlocked.Enqueue(command);
            return true;
        }
        return false;
    }
}
