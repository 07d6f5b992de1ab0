using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// PERSISTENT RESERVE OUT, SPC-4 §6.16. Runs alone on the unit. What is to outlive a loss of power is on stable
/// storage before it is in effect and before the status is sent; where that fails the state stays as it was.
/// </summary>
internal static class PersistentReserveOut
{
    /// <summary>The name of this part of a unit's state.</summary>
    public const string StatePart = "reservations";

    public static IReadOnlyList<CommandBinding> Bindings { get; } =
    [
        .. new[]
        {
            Spc.PersistentReserveOutRegister,
            Spc.PersistentReserveOutReserve,
            Spc.PersistentReserveOutRelease,
            Spc.PersistentReserveOutClear,
            Spc.PersistentReserveOutPreempt,
            Spc.PersistentReserveOutPreemptAndAbort,
            Spc.PersistentReserveOutRegisterAndIgnoreExistingKey,
            Spc.PersistentReserveOutRegisterAndMove,
        }.Select(row => new CommandBinding(row, Execute, Validate)),
    ];

    /// <summary>The list is never cut: a length that no service action has is told before it is fetched.</summary>
    private static SenseData? Validate(ScsiCommand command) =>
        command.RequestedBytes < PersistentReserveOutParameters.LengthBytes
            ? SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError)
            : null;

    private static void Execute(ScsiCommand command)
    {
        LogicalUnit unit = command.Unit;
        // SPC-2 §5.5.1: whoever holds an SPC-2 reservation, the requester itself included.
        if (unit.ReservationHolder is not null)
        {
            command.Complete(ScsiStatus.ReservationConflict);
            return;
        }
        var action = (PersistentReserveOutAction)(command.Cdb[1] & 0x1F);
        byte[] list = command.Data.ToArray((int)command.RequestedBytes);
        if (!PersistentReserveOutParameters.TryRead(action, list, out PersistentReserveOutParameters parameters))
        {
            command.CheckCondition(SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
            return;
        }
        RegistrantName requester = command.Nexus.Registrant;
        PersistentReserveOutOutcome outcome = PersistentReserveOutActions.CarryOut(new PersistentReserveOutRequest
        {
            State = unit.PersistentReservation,
            Requester = requester,
            Action = action,
            ScopeAndType = command.Cdb[2],
            Parameters = parameters,
            TargetPorts = unit.PortsOf(requester.TargetName),
            MaxRegistrations = unit.MaxRegistrations,
            CanPersist = unit.StateStore is not null,
        });
        switch (outcome.Status)
        {
            case ScsiStatus.CheckCondition:
                command.CheckCondition(outcome.Sense);
                break;
            case not ScsiStatus.Good:
                command.Complete(outcome.Status);
                break;
            default:
                Save(command, outcome);
                break;
        }
    }

    private static void Save(ScsiCommand command, PersistentReserveOutOutcome outcome)
    {
        LogicalUnit unit = command.Unit;
        PersistentReservation before = unit.PersistentReservation;
        bool isKept = before.PersistsThroughPowerLoss || outcome.State.PersistsThroughPowerLoss;
        if (ReferenceEquals(before, outcome.State))
            command.Complete();
        else if (!isKept)
            Take(command, outcome);
        else
        {
            byte[]? content = outcome.State.PersistsThroughPowerLoss
                ? PersistentReservationText.Write(outcome.State) : null;
            unit.StateStore!.Save(unit.Name, StatePart, content, command.Nexus.Executor, saved =>
            {
                if (saved)
                    Take(command, outcome);
                else
                    command.CheckCondition(
                        new SenseData(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure));
            });
        }
    }

    private static void Take(ScsiCommand command, PersistentReserveOutOutcome outcome)
    {
        command.Unit.Take(outcome, command.Nexus.Registrant, command);
        command.Complete();
    }
}
