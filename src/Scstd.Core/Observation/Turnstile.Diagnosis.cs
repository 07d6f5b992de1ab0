using Scstd.Scsi;

namespace Scstd.Core;

internal sealed partial class Turnstile
{
    /// <summary>What a command in the task set waits for, in words.</summary>
    public string? WaitsFor(ScsiCommand command) => command.State switch
    {
        CommandState.AwaitingDataOut => "its data from the initiator",
        CommandState.Dormant => WaitsWhileDormant(command),
        CommandState.Enabled when command.IsPostponed => "a store that an injected fault makes slow",
        CommandState.Enabled => "the store",
        CommandState.Publishing when command.Fault is not null => "what its CHECK CONDITION does to other commands",
        CommandState.Publishing => "every reactor to take in what it changed",
        _ => null,
    };

    /// <summary>From what it has passed already; where it lies in which queue would take a search.</summary>
    private string WaitsWhileDormant(ScsiCommand command)
    {
        if (command.Keeper is { } keeper)
            return keeper.WaitsFor(command);
        if (!command.IsAdmitted)
        {
            return command.Attribute == TaskAttribute.Ordered
                ? "older commands: it is ORDERED" : "an older ORDERED command";
        }
        if (_isFrozen)
            return "the unit to be thawed";
        if (IsBlockedByAca(command))
            return "the end of an ACA condition";
        if (command.GateRequest is not null)
            return "the unit for itself: it changes it";
        if (command.Range is not null && !command.HoldsRange)
            return "its blocks for itself";
        if (_executionShut != 0)
            return "a change of the unit to be done";
        return (command.ItlNexus!.Conditions & NexusConditions.RestrictedReordering) != 0 && MustNotOvertake(command)
            ? "older commands of its initiator: QUEUE ALGORITHM MODIFIER is 0" : "blocks that another command holds";
    }
}
