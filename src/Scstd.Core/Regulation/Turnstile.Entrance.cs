using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>The way into the task set where the number of commands of the target or of the unit is limited. Where it is
/// not, nobody comes here: the nexus' conditions say so.</summary>
internal sealed partial class Turnstile
{
    /// <summary>Of the unit's limit of commands; null: there is none.</summary>
    public CommandShare? Share { get; private set; }

    /// <summary>What is in stays, and counts.</summary>
    public void SetCommandLimit(CommandLimit? limit)
    {
        CommandShare? before = Share;
        Share = limit?.On(Executor);
        CommandShare.Exchange(Holding.UnitPermit, before, Share, _nexuses);
    }

    /// <summary>
    /// INQUIRY, REPORT LUNS and REQUEST SENSE are how an initiator finds out what is there and what is wrong, and are
    /// done at once; what is refused takes no place; and what passes an ACA condition is what ends it.
    /// </summary>
    public static bool Counts(ScsiCommand command) => command.Refusal is null && !command.PassesAca &&
        !command.Binding.Row.Has(CommandTraits.BypassesUnitAttention);

    /// <summary>Something stands between the arrival and the task set.</summary>
    private void JudgeUnusualArrival(ScsiCommand command, ItlNexus itl)
    {
        if ((itl.Conditions & NexusConditions.Aca) != 0)
            JudgeDuringAca(command, itl);
        if ((itl.Conditions & NexusConditions.Counted) != 0 && Counts(command))
            TakePermits(command);
    }

    /// <summary>Of the target first, then of the unit, so that the commands of a nexus keep their order. Now the
    /// command has all, or waits, or is refused.</summary>
    private void TakePermits(ScsiCommand command)
    {
        if (TakePermit(command, command.Nexus.Share, Holding.TargetPermit))
            TakePermit(command, Share, Holding.UnitPermit);
    }

    private static bool TakePermit(ScsiCommand command, CommandShare? share, Holding permit)
    {
        if (share is null || (command.Holds & permit) != 0 || share.TryTake(command))
            return true;
        if (command.Keeper is null)
            Overload(command);
        return false;
    }

    /// <summary>A limit that the command waited for lets it in, or is there no more.</summary>
    public void Enter(ScsiCommand command)
    {
        TakePermits(command);
        if (command.Keeper is null)
            AdmitLate(command);
    }

    /// <summary>There is no place for the command.</summary>
    public void TurnBack(ScsiCommand command)
    {
        Overload(command);
        AdmitLate(command);
    }

    /// <summary>In the task set it is younger than what has come in since it came.</summary>
    private void AdmitLate(ScsiCommand command)
    {
        command.ItlNexus!.Remove(command);
        command.ItlNexus.Add(command);
        Admit(command);
        // Its data has not come yet, or an older ORDERED command has not left.
        if (command.State == CommandState.AwaitingDataOut || !command.IsAdmitted)
            return;
        JudgeAgain(command);
        Enable(command);
    }

    /// <summary>It waits for a place and is not in the task set.</summary>
    private static bool StaysAtTheDoor(ScsiCommand command)
    {
        if (command.Keeper is not { } keeper)
            return false;
        if (command.Refusal is null)
            return true;
        // While it waited for a place, there was no memory for its data.
        keeper.Forget(command);
        command.Keeper = null;
        return false;
    }

    private void GiveBack(ScsiCommand command)
    {
        if ((command.Holds & Holding.Order) != 0)
            Unit.Home.Post(Unit.Gate.ReleaseOrder);
        if ((command.Holds & Holding.TargetPermit) != 0)
            command.Nexus.Share!.GiveBack(command);
        if ((command.Holds & Holding.UnitPermit) != 0)
            Share!.GiveBack(command);
        command.Holds = Holding.None;
    }
}
