using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What of a unit is reserved, and by whom, as it was when somebody looked.</summary>
public sealed record ReservationView
{
    /// <summary>Who holds an SPC-2 reservation: the initiator port; null: nobody.</summary>
    public string? ReservedBy { get; init; }

    /// <summary>Of the persistent reservation; null: there is none.</summary>
    public PersistentReservationType? Type { get; init; }

    /// <summary>PRGENERATION.</summary>
    public uint Generation { get; init; }

    /// <summary>It outlives a loss of power (APTPL).</summary>
    public bool PersistsThroughPowerLoss { get; init; }

    /// <summary>In the order in which they came.</summary>
    public IReadOnlyList<RegistrantView> Registrants { get; init; } = [];
}

/// <param name="Initiator">The initiator port.</param>
/// <param name="Target">The target.</param>
/// <param name="TargetPort">Relative identifier of its port.</param>
/// <param name="Key">The reservation key.</param>
/// <param name="IsHolder">It holds the persistent reservation.</param>
/// <param name="IsForAllTargetPorts">It was made for all ports of its target at once.</param>
public sealed record RegistrantView(
    string Initiator, string Target, ushort TargetPort, ulong Key, bool IsHolder, bool IsForAllTargetPorts);

public sealed partial class LogicalUnit
{
    /// <summary>Who has it reserved; to be called on the home executor.</summary>
    public ReservationView DescribeReservation()
    {
        PersistentReservation state = PersistentReservation;
        return new ReservationView
        {
            ReservedBy = ReservationHolder?.InitiatorPort,
            Type = state.Type,
            Generation = state.Generation,
            PersistsThroughPowerLoss = state.PersistsThroughPowerLoss,
            Registrants =
            [
                .. state.Registrations.Values.Select(one => new RegistrantView(
                    one.Name.Initiator.ToString(), one.Name.TargetName, one.Name.TargetPort, one.Key,
                    state.IsHolder(one.Name), one.IsForAllTargetPorts)),
            ],
        };
    }
}
