using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>What an initiator meant by a command, whatever its CDB.</summary>
internal enum CommandKind : byte
{
    Read,
    Write,
    CompareAndWrite,
    TestUnitReady,
    Inquiry,
    RequestSense,
    ReportLuns,
    ReadCapacity,
    Reserve,
    Release,
    ModeSelect,
    ModeSense,
    PersistentReserveIn,
    PersistentReserveOut,

    /// <summary>A CDB that must be refused with ILLEGAL REQUEST.</summary>
    Faulty,
}

/// <summary>What became of a command, as its initiator sees it.</summary>
internal enum Outcome : byte
{
    Pending,
    Answered,
    Aborted,
}

/// <summary>What the store did with a command.</summary>
internal enum StoreOutcome : byte
{
    Nothing,
    Done,
    Failed,

    /// <summary>COMPARE AND WRITE found other data.</summary>
    Different,
}

/// <summary>A command, and what the model knows and expects of it.</summary>
internal sealed class SimulatedCommand : ScsiCommand
{
    public required int Id { get; init; }

    public required CommandKind Kind { get; init; }

    /// <summary>The model's side of the I_T_L nexus.</summary>
    public required NexusModel To { get; init; }

    public UnitModel Model => To.Unit;

    public SimulatedSession Session => To.Session;

    public ulong Lba { get; init; }

    public int Blocks { get; init; }

    /// <summary>What COMPARE AND WRITE compares with.</summary>
    public ulong[] Compared { get; init; } = [];

    /// <summary>What a PERSISTENT RESERVE OUT asks for.</summary>
    public PersistentRequest? Persistent { get; init; }

    /// <summary>SERVICE ACTION of a PERSISTENT RESERVE IN.</summary>
    public byte Action { get; init; }

    /// <summary>SP of MODE SELECT.</summary>
    public bool Saves { get; init; }

    /// <summary>What PREEMPT AND ABORT takes with it.</summary>
    public SimulatedFunction? Preempts { get; set; }

    /// <summary>The answered function that covers it.</summary>
    public SimulatedFunction? GoneWith { get; set; }

    /// <summary>Data-Out that is no blocks.</summary>
    public byte[] Parameters { get; init; } = [];

    public long ReceivedAt { get; set; }

    public long BeganAt { get; set; } = long.MaxValue;

    public long EndedAt { get; set; } = long.MaxValue;

    public Outcome Outcome { get; set; }

    /// <summary>When it came an ORDERED one was waiting on the same executor.</summary>
    public bool IsBehindOrdered { get; set; }

    /// <summary>It came into a task set of its nexus alone (TST 001b), and stays there.</summary>
    public bool IsInOwnTaskSet { get; set; }

    /// <summary>When it came its CDB was wrong: it is refused, and its attribute orders nothing.</summary>
    public bool IsRefusedAtOnce { get; set; }

    /// <summary>Not certainly so, because of an ACA condition that may have been in effect when it came.</summary>
    public bool MayBeRefusedAtOnce { get; set; }

    /// <summary>An ACA condition lets it pass, and so the others that are in the task set.</summary>
    public bool GoesFirst { get; set; }

    /// <summary>What would be wrong were it not refused at once.</summary>
    public string? Suspicion { get; set; }

    /// <summary>How it must be received by reason of an ACA condition.</summary>
    public AcaVerdict Aca { get; set; }

    /// <summary>It has the ACA attribute and there may have been no condition.</summary>
    public bool MayLackCondition { get; set; }

    /// <summary>NACA of the CONTROL byte.</summary>
    public bool HasNaca { get; init; }

    /// <summary>It has written, or compared.</summary>
    public bool HasTouched { get; set; }

    /// <summary>A younger command of its nexus that has acted on the same block before it.</summary>
    public SimulatedCommand? OvertakenBy { get; set; }

    /// <summary>It came while a change of TST was being told.</summary>
    public bool MayBeInEither { get; set; }

    public bool HasBegun => BeganAt != long.MaxValue;

    public bool IsPending => Outcome == Outcome.Pending;

    /// <summary>What the model expects of a command that has begun; null: GOOD.</summary>
    public Expectation Expected { get; set; }

    /// <summary>The refusal that the CDB of a <see cref="CommandKind.Faulty"/> earns, or that a lost Data-Out does.
    /// </summary>
    public AdditionalSense? Refused { get; set; }

    /// <summary>Unit attention conditions that it makes known.</summary>
    public AttentionGroup? Consequences { get; set; }

    /// <summary>The Data-In that it must bring, byte for byte; null: nothing is known of it.</summary>
    public byte[]? ExpectedData { get; set; }

    /// <summary>Pieces of Data-Out that have come.</summary>
    public int PiecesGiven { get; set; }

    /// <summary>What the first block of its Data-In was when it began to be sent.</summary>
    public ulong? SentValue { get; set; }

    public StoreOutcome StoreOutcome { get; set; }

    /// <summary>Nothing else may be with the device server while it is there (RESERVE and its like, MODE SELECT).
    /// </summary>
    public bool RunsAlone => Kind is CommandKind.Reserve or CommandKind.Release or CommandKind.ModeSelect or
        CommandKind.PersistentReserveOut;

    public bool Writes => Kind is CommandKind.Write or CommandKind.CompareAndWrite;

    public bool Overlaps(SimulatedCommand other) =>
        Lba < other.Lba + (ulong)other.Blocks && other.Lba < Lba + (ulong)Blocks;

    /// <summary>The value that its block <paramref name="index"/> brings: no two writes bring the same.</summary>
    public ulong ValueOf(int index) => ((ulong)Id << 8) | (uint)index;

    /// <summary>A younger one of its nexus has begun, which must not be if this one ever does.</summary>
    public bool IsPassed { get; set; }

    public override string ToString() =>
        $"#{Id} {Kind} {Attribute}{(HasNaca ? " NACA" : "")} of {To.Name} to {Model.Name} {Persistent}";
}

/// <summary>The status that a begun command must end with, unless it is aborted or memory runs out.</summary>
internal readonly record struct Expectation(ScsiStatus Status, AdditionalSense Sense);
