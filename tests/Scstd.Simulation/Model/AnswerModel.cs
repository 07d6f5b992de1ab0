using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>Which statuses a command may be answered with, and which come before others (SAM-5 §5.3.3).</summary>
internal sealed class AnswerModel(World world)
{
    public void Answered(SimulatedCommand command)
    {
        SenseData sense = command.Sense;
        UnitModel unit = command.Model;
        bool mayRefuse = command.Status is ScsiStatus.Busy or ScsiStatus.AcaActive;
        if (command.Status is not (ScsiStatus.TaskAborted or ScsiStatus.Busy or ScsiStatus.TaskSetFull or
            ScsiStatus.AcaActive))
        {
            unit.Aca.GoesOn(command, AcaModel.Ends);
            if (!(command.MayLackCondition && sense.Additional == AdditionalSense.InvalidMessageError))
                OrderModel.WasNotRefused(world, command);
        }
        switch (command.Status)
        {
            case ScsiStatus.TaskAborted:
                world.Functions.Aborted(command, isSilent: false);
                break;
            case var _ when mayRefuse && unit.Aca.Explains(command):
                break;
            case ScsiStatus.AcaActive:
                world.Law(false, "{0} was answered ACA ACTIVE without a condition", command);
                break;
            case ScsiStatus.Busy or ScsiStatus.TaskSetFull:
                Overloaded(command);
                break;
            case ScsiStatus.ReservationConflict:
                Conflict(command);
                break;
            case ScsiStatus.CheckCondition when sense.Key == SenseKey.UnitAttention:
                world.Law(!command.HasBegun, "{0} began and was then refused for a unit attention", command);
                MustConflictFirst(command, exceptResets: sense.Additional.Code == 0x29);
                Attention(command, sense.Additional);
                break;
            case ScsiStatus.CheckCondition when !command.HasBegun:
                Refused(command, sense);
                break;
            default:
                Done(command, sense);
                break;
        }
    }

    /// <summary>The command has ended with this answer, and what that means for the others is there.</summary>
    public static void Told(SimulatedCommand command)
    {
        UnitModel unit = command.Model;
        if (command.Status == ScsiStatus.CheckCondition)
        {
            unit.QueueErrors.Answered(command);
            unit.Aca.Faulted(command);
        }
        AdditionalSense? previous = command.Status switch
        {
            ScsiStatus.Busy => AdditionalSense.PreviousBusyStatus,
            ScsiStatus.TaskSetFull => AdditionalSense.PreviousTaskSetFullStatus,
            ScsiStatus.ReservationConflict => AdditionalSense.PreviousReservationConflictStatus,
            _ => null,
        };
        if (previous is { } condition && unit.Mode.May(command.ReceivedAt, ModeModel.RemembersStatus))
            command.To.Attentions.Establish(condition, unit.Mode.Must(command.ReceivedAt, ModeModel.RemembersStatus));
    }

    /// <summary>UA_INTLCK_CTRL (SPC-4 §7.5.8): only without an interlock its report ends it.</summary>
    private void Attention(SimulatedCommand command, AdditionalSense code)
    {
        ModeModel mode = command.Model.Mode;
        if (code == AdditionalSense.CommandsClearedByAnotherInitiator)
            command.Model.QueueErrors.ClearedEarly(command);
        command.To.Attentions.Reported(code, JudgedFrom(command),
            stays: mode.IsOpen(command.ReceivedAt, ModeModel.KeepsAttentions) ? null
                : ModeModel.KeepsAttentions(mode.Current),
            takenFrom: JudgedFrom(command));
    }

    private void Done(SimulatedCommand command, in SenseData sense)
    {
        world.Law(command.HasBegun, "{0} was answered {1} without having begun", command, command.Status);
        if (command.Kind is CommandKind.Read or CommandKind.Write or CommandKind.CompareAndWrite)
        {
            DoneByStore(command, sense);
            return;
        }
        world.Law(command.Status == command.Expected.Status, "{0} was answered {1}, not {2}", command,
            command.Status, command.Expected.Status);
        world.Law(command.Status != ScsiStatus.CheckCondition || sense.Additional == command.Expected.Sense,
            "{0} was answered {1}, not {2}", command, sense.Additional, command.Expected.Sense);
        if (command.ExpectedData is { } expected && command.Status == ScsiStatus.Good)
            world.Law(EndsWith(command, expected), "{0} brought other parameters than are set", command);
        if (command.Kind == CommandKind.RequestSense)
            Sensed(command);
        if (command.Kind == CommandKind.ReportLuns)
        {
            foreach (NexusModel nexus in command.Session.Nexuses)
                nexus.Attentions.Ended(AdditionalSense.ReportedLunsDataHasChanged);
        }
    }

    private void DoneByStore(SimulatedCommand command, in SenseData sense)
    {
        StoreOutcome did = command.StoreOutcome;
        bool agrees = command.Status == ScsiStatus.Good ? did == StoreOutcome.Done : did switch
        {
            StoreOutcome.Failed => sense.Key == SenseKey.MediumError,
            StoreOutcome.Different => sense.Key == SenseKey.Miscompare,
            _ => false,
        };
        world.Law(agrees, "{0} was answered {1} {2}, but the store had {3} it", command, command.Status, sense.Key,
            did);
        if (command.Kind != CommandKind.Read || command.Status != ScsiStatus.Good)
            return;
        world.Law(command.DataInLengthBytes == command.Blocks * SimulatedDisk.BlockBytes,
            "{0} brought {1} bytes", command, command.DataInLengthBytes);
        for (int i = 0; i < command.Blocks; i++)
        {
            ulong value = SimulatedDisk.ValueIn(command.Data, i, out bool isWhole);
            world.Law(isWhole, "{0} brought a torn block", command);
            command.Model.Read((int)command.Lba + i, value, command.ReceivedAt);
        }
    }

    /// <summary>Whatever else would be to be told: §5.3.3 gives these statuses any precedence.</summary>
    private void Overloaded(SimulatedCommand command)
    {
        bool isLimited = world.Options.LimitsCommands;
        world.Law(world.IsShortOfMemory || isLimited, "{0} was answered {1} though there is memory", command,
            command.Status);
        // SAM-5 §5.3.1: TASK SET FULL only to who has other commands whose end tells it to go on. Some may be refused
        // themselves or not be in the task set yet, which nobody can see until they begin.
        bool hasOthers = command.To.PendingCount > 1;
        bool isRight = command.Status == ScsiStatus.TaskSetFull ? hasOthers
            : !command.Model.Pending.Any(o => ReferenceEquals(o.To, command.To) && o != command && o.HasBegun);
        world.Law(isRight, "{0} was answered {1}", command, command.Status);
    }

    private void Conflict(SimulatedCommand command)
    {
        if (command.HasBegun)
        {
            world.Law(command.Expected.Status == ScsiStatus.ReservationConflict, "{0} met no reservation of others",
                command);
            return;
        }
        UnitModel unit = command.Model;
        world.Law(unit.Reservation.MayConflict(command) || unit.Persistent.MayConflict(command),
            "{0} met a reservation that nobody else holds", command);
        if (command.To.Attentions.CertainSince(world.Now, resetsOnly: true) is { } reset)
            world.Law(false, "{0} met a reservation before {1} was reported", command, reset);
    }

    private void Refused(SimulatedCommand command, in SenseData sense)
    {
        ModeModel mode = command.Model.Mode;
        bool mayBeProtected = command.Writes && mode.May(command.ReceivedAt, ModeModel.IsProtected);
        CapacityModel capacity = command.Model.Capacity;
        bool mayBeBeyond = command.Blocks > 0 && (!capacity.Has(command) || capacity.ChangedAt >= command.ReceivedAt);
        bool agrees = sense.Key == SenseKey.DataProtect ? mayBeProtected
            : sense.Additional == AdditionalSense.LogicalBlockAddressOutOfRange && mayBeBeyond ? true
            : (command.Refused is { } refused && sense.Additional == refused) ||
            (command.MayLackCondition && sense.Additional == AdditionalSense.InvalidMessageError);
        world.Law(agrees, "{0} was refused: {1} {2}", command, sense.Key, sense.Additional);
        NothingComesFirst(command);
    }

    private void NothingComesFirst(SimulatedCommand command)
    {
        MustConflictFirst(command, exceptResets: false);
        if (command.Kind is not (CommandKind.Inquiry or CommandKind.ReportLuns or CommandKind.RequestSense) &&
            command.To.Attentions.CertainSince(JudgedFrom(command), resetsOnly: false) is { } attention)
            world.Law(false, "{0} was refused before {1} was reported", command, attention);
    }

    /// <summary>A status that does something to others (NACA, QERR) may have been fixed long before it was sent.
    /// </summary>
    private long JudgedFrom(SimulatedCommand command) =>
        command.HasNaca || command.Attribute == TaskAttribute.Aca ||
        command.Model.QueueErrors.MayBeOn(command.ReceivedAt) ? command.ReceivedAt : world.Now;

    private void MustConflictFirst(SimulatedCommand command, bool exceptResets) =>
        world.Law(exceptResets || command.Kind == CommandKind.Faulty || (
            !command.Model.Reservation.MustConflict(command) && !command.Model.Persistent.MustConflict(command)),
            "{0} was not told of the reservation first", command);

    /// <summary>REQUEST SENSE brings a unit attention condition as data, and ends it.</summary>
    private void Sensed(SimulatedCommand command)
    {
        Span<byte> sense = stackalloc byte[14];
        command.Data.CopyTo(sense, 0);
        var code = new AdditionalSense(sense[12], sense[13]);
        if (code == AdditionalSense.CommandsClearedByAnotherInitiator)
            command.Model.QueueErrors.ClearedEarly(command);
        if ((SenseKey)(sense[2] & 0x0F) == SenseKey.UnitAttention)
            command.To.Attentions.Reported(code, world.Now);
        else if (command.To.Attentions.Certain is { } pending)
            world.Law(false, "{0} brought {1} although {2} is pending", command, code, pending);
    }

    private static bool EndsWith(SimulatedCommand command, byte[] expected)
    {
        byte[] all = command.Data.ToArray(command.DataInLengthBytes);
        if (command.Kind == CommandKind.PersistentReserveIn)
            return PersistentModel.InOrder(command.Action, all).AsSpan().SequenceEqual(expected);
        return all.AsSpan().EndsWith(expected);
    }
}
