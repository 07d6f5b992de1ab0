using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Judging a CDB before its data is fetched, and a command before it is executed.</summary>
internal sealed partial class Turnstile
{
    private const byte ResetCode = 0x29;

    private static readonly CommandBinding Unknown = new(
        new CommandRow { Name = "unknown", OperationCode = 0xFF, Usage = [0xFF], Traits = CommandTraits.None },
        static _ => throw new System.Diagnostics.UnreachableException("an unknown command is never executed"));

    /// <summary>It has a row.</summary>
    public static bool IsKnown(ScsiCommand command) => !ReferenceEquals(command.Binding, Unknown);

    /// <summary>Finds the command's row and holds the CDB against it. Null, or why it is refused.</summary>
    private SenseData? Judge(ScsiCommand command)
    {
        ReadOnlySpan<byte> cdb = command.Cdb;
        CommandBinding? binding = Unit.Commands.Find(cdb);
        command.Binding = binding ?? Unknown;
        if (binding is null)
            return UnknownCommand(cdb);
        CommandRow row = binding.Row;
        // Without an ACA condition the attribute is an error (SAM-5 §8.6.5).
        if (command.Attribute == TaskAttribute.Aca &&
            (command.ItlNexus!.Conditions & NexusConditions.Aca) == 0)
            return SenseData.IllegalRequest(AdditionalSense.InvalidMessageError);
        if (cdb.Length < row.CdbLengthBytes)
            return SenseData.InvalidFieldInCdb(0);
        // SPC-4 §4.3.3: a variable length CDB tells its length itself, in byte 7.
        if (row.OperationCode == 0x7F && cdb[7] != row.CdbLengthBytes - 8)
            return SenseData.InvalidFieldInCdb(7);
        if (binding.FindReservedBit(cdb) is { } reserved)
            return reserved;
        command.RequestedBytes = row.TransferLength is { } length ? length(cdb, Unit.Backend.BlockLengthBytes) : 0;
        if (binding.Validate?.Invoke(command) is { } refused)
            return refused;
        if (command.RequestedBytes > Unit.Backend.MaxTransferLengthBytes)
        {
            // An allocation length may be anything: the answer is short. A parameter list or blocks may not.
            if ((row.Direction & DataDirection.Out) != 0)
                return SenseData.InvalidFieldInCdb(row.LengthFieldOffset);
            command.RequestedBytes = Math.Min(command.RequestedBytes, int.MaxValue);
        }
        return null;
    }

    /// <summary>An operation code that nobody knows, or one of ours with a service action that nobody knows
    /// (SPC-4 §4.3.2: then the service action is the invalid field).</summary>
    private SenseData UnknownCommand(ReadOnlySpan<byte> cdb)
    {
        if (!Unit.Commands.HasServiceActions(cdb[0]))
        {
            return SenseData.IllegalRequest(AdditionalSense.InvalidCommandOperationCode) with
            {
                FieldPointer = 0,
                FieldIsInCdb = true,
            };
        }
        return cdb[0] == 0x7F ? SenseData.InvalidFieldInCdb(8) : SenseData.InvalidFieldInCdb(1, 4);
    }

    /// <summary>Leases the buffer. False if no data is to be waited for.</summary>
    private bool PrepareDataOut(ScsiCommand command)
    {
        long comingBytes = command.RequestedBytes;
        if (command.ExpectedDataOutBytes < comingBytes)
        {
            comingBytes = command.ExpectedDataOutBytes;
            if (!command.Binding.Row.Has(CommandTraits.MayBeCutShort) ||
                comingBytes % Unit.Backend.BlockLengthBytes != 0)
            {
                command.Refusal = SenseData.IllegalRequest(AdditionalSense.InvalidFieldInCommandInformationUnit);
                return false;
            }
            if (comingBytes == 0)
                return false;
        }
        if (command.Data.TryLease(Executor.Buffers, (int)comingBytes))
            return true;
        Overload(command);
        return false;
    }

    private static void Overload(ScsiCommand command)
    {
        command.IsOverloaded = true;
        command.Refusal = default(SenseData);
    }

    /// <summary>What was true when the command came may have changed while it waited.</summary>
    private static void JudgeAgain(ScsiCommand command) =>
        command.Refusal ??= command.Binding.Validate?.Invoke(command);

    /// <summary>
    /// Something is unusual. The order is SAM-5's (§5.3.3, status precedence): the unit attention conditions of a reset
    /// or a nexus loss (29h), then a reservation conflict, then any other unit attention, and then the CDB's own
    /// faults. BUSY and TASK SET FULL may come anywhere: first, because who is told so sends the command again, and a
    /// unit attention condition is for one that could have been done. True if the command has been ended.
    /// </summary>
    private bool Intercept(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        CommandRow row = command.Binding.Row;
        if (command.RefusalStatus != ScsiStatus.Good)
        {
            command.Complete(command.RefusalStatus);
            return true;
        }
        if (command.IsOverloaded)
        {
            command.CompleteOverloaded();
            return true;
        }
        const NexusConditions HoldingBack = NexusConditions.Aca | NexusConditions.RestrictedReordering;
        if ((itl.Conditions & HoldingBack) != 0 && !command.HoldsExclusion && HoldsBack(command))
        {
            _executing--;
            return true;
        }
        bool attends = (itl.Conditions & NexusConditions.UnitAttention) != 0 &&
            !row.Has(CommandTraits.BypassesUnitAttention);
        if (attends && itl.UnitAttentions.Pending[0].Code == ResetCode)
        {
            ReportUnitAttention(command, itl);
            return true;
        }
        if (((itl.Conditions & NexusConditions.ReservedByOther) != 0 &&
            !row.Has(CommandTraits.AllowedUnderReserve, command.Cdb)) ||
            IsForbiddenByPersistentReservation(command, itl.Conditions))
        {
            command.Complete(ScsiStatus.ReservationConflict);
            return true;
        }
        if (attends)
        {
            ReportUnitAttention(command, itl);
            return true;
        }
        // A medium that is not there or may not be written is reported before what else is wrong with the CDB.
        SenseData? refusal = Unit.Refuse(command, itl) ?? command.Refusal;
        if (refusal is not { } sense)
            return false;
        command.CheckCondition(sense);
        return true;
    }

    /// <summary>With an interlock (UA_INTLCK_CTRL) only REQUEST SENSE ends the condition. A command whose status must
    /// wait takes it when its turn comes: what begins meanwhile is still told.</summary>
    private void ReportUnitAttention(ScsiCommand command, ItlNexus itl)
    {
        command.AwaitsReport = ConcernsOthers(command);
        if (command.AwaitsReport || ControlModePage.Interlock(Unit.Control) != UnitAttentionInterlock.None)
        {
            command.CheckCondition(SenseData.UnitAttention(itl.UnitAttentions.Pending[0]));
            return;
        }
        bool taken = itl.UnitAttentions.TryTake(out AdditionalSense attention);
        Invariant.That(taken, "the condition says that a unit attention is pending");
        command.ReportsUnitAttention = true;
        command.CheckCondition(SenseData.UnitAttention(attention));
    }
}
