using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>A task management function, and what its answer promises.</summary>
internal sealed class SimulatedFunction : TaskManagementRequest
{
    public required int Id { get; init; }

    public required SimulatedSession Session { get; init; }

    /// <summary>The nexuses that it is asked on: one, or all of the session's.</summary>
    public required List<NexusModel> Scope { get; init; }

    public long RequestedAt { get; init; }

    public bool IsAnswered { get; set; }

    /// <summary>What was in the task set when it came, and must be gone when it is answered.</summary>
    public List<SimulatedCommand> Covered { get; } = [];

    /// <summary>The units whose reset it has brought about.</summary>
    public List<UnitModel> Reset { get; } = [];

    public AttentionGroup? Consequences { get; set; }

    /// <summary>Nexuses of which a command went without a word.</summary>
    public List<NexusModel> Silenced { get; } = [];

    /// <summary>Nexuses of which a command went, in whatever way.</summary>
    public List<NexusModel> Cleared { get; } = [];

    /// <summary>Another function was under way on the unit at the same time: which of them took a command nobody can
    /// tell.</summary>
    public bool WasOverlapped { get; set; }

    /// <summary>The nexuses that PREEMPT AND ABORT deprives; null: a function like any other.</summary>
    public IReadOnlyList<string>? Preempted { get; init; }

    /// <summary>With <see cref="Preempted"/>: the command that does.</summary>
    public SimulatedCommand? PreemptedBy { get; init; }

    /// <summary>With <see cref="Preempted"/>: the commands with the ACA attribute of all others may go too.</summary>
    public bool ClearsEveryAca { get; init; }

    public bool IsReset => Function is TaskManagementFunction.LogicalUnitReset or
        TaskManagementFunction.TargetWarmReset or TaskManagementFunction.TargetColdReset;

    /// <summary>What a reset tells every nexus (SAM-5 §5.14, table of unit attention conditions): the function of a
    /// logical unit, or a reset of the target.</summary>
    public AdditionalSense ResetCondition => Function == TaskManagementFunction.LogicalUnitReset
        ? AdditionalSense.BusDeviceResetFunctionOccurred : AdditionalSense.PowerOnResetOrBusDeviceReset;

    /// <summary>With a task set for each nexus CLEAR TASK SET covers the requester's own alone (SAM-5 §7.5).</summary>
    public bool IsForOwnTaskSet { get; init; }

    public bool CoversOthers => IsReset || (Function == TaskManagementFunction.ClearTaskSet && !IsForOwnTaskSet);

    public bool IsOn(UnitModel unit)
    {
        foreach (NexusModel nexus in Scope)
        {
            if (ReferenceEquals(nexus.Unit, unit))
                return true;
        }
        return false;
    }

    /// <summary>It may abort the command.</summary>
    public bool MayCover(SimulatedCommand command)
    {
        if (IsAnswered || !IsOn(command.Model))
            return false;
        if (Preempted is { } names)
        {
            return (names.Contains(command.To.Name) && !IsYoungerSister(command)) ||
                (ClearsEveryAca && IsOfAca(command));
        }
        return Function switch
        {
            TaskManagementFunction.AbortTask => ReferenceEquals(Referenced, command),
            TaskManagementFunction.AbortTaskSet or TaskManagementFunction.ItNexusReset =>
                ReferenceEquals(command.Session, Session) && command.Sequence < Sequence,
            TaskManagementFunction.ClearTaskSet => MayClear(command),
            TaskManagementFunction.ClearAca => ReferenceEquals(command.Session, Session) && IsOfAca(command),
            _ => IsReset && MayClear(command),
        };
    }

    /// <summary>It must abort the command. Of those with the ACA attribute nobody can tell which are let in.</summary>
    public bool MustCover(SimulatedCommand command) => MayCover(command) && (Preempted is { } names
        ? names.Contains(command.To.Name) && !IsYoungerSister(command)
        : Function != TaskManagementFunction.ClearAca ||
        (command.Aca == AcaVerdict.MustPass && command.Model.Aca.IsFaulted(command.To)));

    /// <summary>Of the nexus that preempts: its command itself, or one that it sent later.</summary>
    private bool IsYoungerSister(SimulatedCommand command) => ReferenceEquals(command.Session, Session) &&
        command.Sequence >= PreemptedBy!.Sequence;

    private bool IsOfAca(SimulatedCommand command) => command.Attribute == TaskAttribute.Aca &&
        command.Aca != AcaVerdict.MustBeRefused && !ReferenceEquals(command, PreemptedBy);

    public override string ToString() => $"F{Id} {Function} of {Session}";

    private bool MayClear(SimulatedCommand command) => ReferenceEquals(command.Session, Session)
        ? command.Sequence < Sequence
        : CoversOthers;
}
