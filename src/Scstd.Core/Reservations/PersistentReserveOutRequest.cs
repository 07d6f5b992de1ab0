using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>All that decides what a PERSISTENT RESERVE OUT does.</summary>
internal sealed record PersistentReserveOutRequest
{
    public required PersistentReservation State { get; init; }

    /// <summary>The I_T nexus that it came on.</summary>
    public required RegistrantName Requester { get; init; }

    public required PersistentReserveOutAction Action { get; init; }

    /// <summary>SCOPE and TYPE, byte 2 of the CDB.</summary>
    public byte ScopeAndType { get; init; }

    public required PersistentReserveOutParameters Parameters { get; init; }

    /// <summary>Relative identifiers of the ports that the requester's target device has.</summary>
    public IReadOnlyCollection<ushort> TargetPorts { get; init; } = [];

    public int MaxRegistrations { get; init; } = int.MaxValue;

    /// <summary>There is a place where APTPL can be kept.</summary>
    public bool CanPersist { get; init; }
}

/// <summary>What becomes of it. A refused one leaves the state as it was.</summary>
/// <param name="State">The state from now on.</param>
internal sealed record PersistentReserveOutOutcome(PersistentReservation State)
{
    public static readonly IReadOnlySet<RegistrantName> Nobody = new HashSet<RegistrantName>();

    public ScsiStatus Status { get; init; } = ScsiStatus.Good;

    /// <summary>With CHECK CONDITION.</summary>
    public SenseData Sense { get; init; }

    /// <summary>Those that lost their registration to another, the requester never among them.</summary>
    public IReadOnlySet<RegistrantName> Deprived { get; init; } = Nobody;

    /// <summary>The unit attention condition that they get.</summary>
    public AdditionalSense DeprivedCondition { get; init; }

    /// <summary>The unit attention condition that every remaining registrant but the requester gets.</summary>
    public AdditionalSense? RemainingCondition { get; init; }

    /// <summary>Whose commands go too, and whose ACA conditions: those deprived, and the requester if it took its own
    /// registration away (SPC-4 §5.13.11.5: all but the command that does it).</summary>
    public IReadOnlySet<RegistrantName> Aborted { get; init; } = Nobody;

    /// <summary>With that, the ACA conditions of all others as well (SPC-4 §5.13.11.2.6: all registrants are
    /// preempted).</summary>
    public bool ClearsEveryAca { get; init; }
}
