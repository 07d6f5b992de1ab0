using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What an injected fault does to what it meets.</summary>
public enum FaultEffect : byte
{
    /// <summary>The command is received and never answered. It stays in the task set until a task management function
    /// or the end of its nexus takes it.</summary>
    DropCommand,

    /// <summary>The command waits before it goes on to the device server.</summary>
    DelayCommand,

    /// <summary>The command is answered with <see cref="InjectedFault.Status"/> and not executed.</summary>
    AnswerCommand,

    /// <summary>The device server has the command and takes longer over it; nothing can call it back from there.
    /// </summary>
    SlowStore,

    /// <summary>The task management function is received, not carried out and never answered.</summary>
    DropFunction,

    /// <summary>The function is carried out at once and answered late.</summary>
    DelayFunction,
}

/// <summary>A fault that an administrator puts into a unit to see what his hosts make of it. Immutable; what it has
/// done is told by <see cref="FaultView"/>.</summary>
public sealed record InjectedFault
{
    /// <summary>The administrator's handle.</summary>
    public required int Id { get; init; }

    public required FaultEffect Effect { get; init; }

    /// <summary>For whom, in the administrator's words; see <see cref="AppliesTo"/>.</summary>
    public string? Initiators { get; init; }

    /// <summary>Whether a nexus is concerned; null: all are. Called on the nexus' executor.</summary>
    public Func<ItNexus, bool>? AppliesTo { get; init; }

    /// <summary>Only commands that transfer data to or from the medium.</summary>
    public bool DataOnly { get; init; }

    /// <summary>Only commands that transfer data in this direction; null: in any, or none.</summary>
    public DataDirection? Direction { get; init; }

    /// <summary>Only commands that came by this LUN of their initiator; null: by any.</summary>
    public int? Lun { get; init; }

    /// <summary>Only commands whose CDB names any of these blocks, the first to the last; null: all.</summary>
    public (ulong First, ulong Last)? Blocks { get; init; }

    /// <summary>For the effects that take time.</summary>
    public long DelayMs { get; init; }

    /// <summary>For a slow store: how many commands it works on at a time, on each executor; 0: any number.</summary>
    public int Parallel { get; init; }

    /// <summary>For an answer; not GOOD.</summary>
    public ScsiStatus Status { get; init; } = ScsiStatus.Busy;

    /// <summary>For an answer with CHECK CONDITION.</summary>
    public SenseData Sense { get; init; }

    /// <summary>It is spent after it has met this many commands or functions on the unit; null: never. Functions do
    /// not wait to be counted: of those that come in on several executors at one moment it may meet more.</summary>
    public int? Count { get; init; }

    /// <summary>Of what it could meet it meets this part, by chance.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Where the chance begins, so that it can be had again.</summary>
    public ulong Seed { get; init; } = 0x9E37_79B9_7F4A_7C15;

    public bool ConcernsFunctions => Effect is FaultEffect.DropFunction or FaultEffect.DelayFunction;
}

/// <summary>What a fault has done, on one executor.</summary>
/// <param name="Fault">The fault.</param>
/// <param name="Met">Commands or functions that it met here.</param>
/// <param name="Holding">Commands that it keeps here now.</param>
/// <param name="Remaining">On the unit's home executor: how many more it will meet; null: no number.</param>
public readonly record struct FaultView(InjectedFault Fault, ulong Met, int Holding, int? Remaining);
