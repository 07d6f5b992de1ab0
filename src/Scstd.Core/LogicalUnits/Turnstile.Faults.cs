using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>CHECK CONDITION and its effect on a task set: ACA conditions (SAM-5 §5.9), QERR, and the unit attention
/// conditions that tell of an earlier status (UA_INTLCK_CTRL).</summary>
internal sealed partial class Turnstile
{
    private CommandQueue _acaBlocked = new();

    public ErrorCounts Errors { get; } = new();

    /// <summary>Whose unit attention condition is on its way to be reported: nothing of it may begin before that.
    /// </summary>
    private ItlNexus? _reporting;

    /// <summary>Whose ACA condition stops all nexuses (TST 000b).</summary>
    private ItlNexus? _acaOfAll;

    // ---- While an ACA condition is in effect -------------------------------------------------------------------

    /// <summary>
    /// A new command during an ACA condition, SAM-5 §5.9: from the faulted nexus one with the ACA attribute at a time,
    /// and none with TMF_ONLY; from another nexus only what may end the condition for it. All others are told so
    /// without having come into the task set.
    /// </summary>
    private void JudgeDuringAca(ScsiCommand command, ItlNexus itl)
    {
        bool isAca = command.Attribute == TaskAttribute.Aca;
        if (itl.IsFaulted)
        {
            if (isAca && itl.AcaCommand is null && !ControlModePage.AllowsTaskManagementOnly(Unit.Control))
            {
                itl.AcaCommand = command;
                command.PassesAca = true;
                return;
            }
            Refuse(command, ScsiStatus.AcaActive);
        }
        else if (!isAca && PreemptsAndAborts(command))
        {
            command.PassesAca = true;
        }
        else
        {
            Refuse(command, command.HasNaca ? ScsiStatus.AcaActive : ScsiStatus.Busy);
        }
    }

    private static bool PreemptsAndAborts(ScsiCommand command) =>
        ReferenceEquals(command.Binding.Row, Spc.PersistentReserveOutPreemptAndAbort);

    private static void Refuse(ScsiCommand command, ScsiStatus status)
    {
        command.RefusalStatus = status;
        command.Refusal = default(SenseData);
        command.PassesAca = true;
    }

    /// <summary>A command that was in the task set before the condition is blocked until its end, whatever it could
    /// have passed before that.</summary>
    private static bool IsBlockedByAca(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        if ((itl.Conditions & NexusConditions.Aca) == 0)
            return false;
        return itl.IsFaulted
            ? !ReferenceEquals(itl.AcaCommand, command)
            : !command.PassesAca || command.Attribute == TaskAttribute.Aca;
    }

    /// <summary>Told by the gate, while no command is with the device server.</summary>
    public void AcaEstablished(ItlNexus faulted, bool isForAll)
    {
        if (ReferenceEquals(faulted.Turnstile, this))
        {
            faulted.IsFaulted = true;
            faulted.Set(NexusConditions.Aca, true);
        }
        if (!isForAll)
            return;
        _acaOfAll = faulted;
        foreach (ItlNexus itl in _nexuses)
            itl.Set(NexusConditions.Aca, true);
    }

    /// <summary>Told by the gate: what was blocked goes on.</summary>
    public void AcaEnded(ItlNexus faulted, bool isForAll)
    {
        if (ReferenceEquals(faulted.Turnstile, this))
        {
            faulted.IsFaulted = false;
            // From here on it is a command like any other, unless its status is what ends the condition.
            if (faulted.AcaCommand is { IsFaultGranted: false } command)
            {
                command.PassesAca = false;
                faulted.AcaCommand = null;
            }
        }
        if (isForAll)
            _acaOfAll = null;
        foreach (ItlNexus itl in _nexuses)
            itl.Set(NexusConditions.Aca, _acaOfAll is not null || itl.IsFaulted);
        CommandQueue blocked = _acaBlocked;
        _acaBlocked = new CommandQueue();
        while (!blocked.IsEmpty)
        {
            ScsiCommand next = blocked.Dequeue();
            JudgeAgain(next);
            Enable(next);
        }
    }

    // ---- A command ends, and not with GOOD -----------------------------------------------------------------------

    /// <summary>Out of the task set, unless its status concerns others: then they are dealt with first.</summary>
    private void EndUnusual(ScsiCommand command)
    {
        Errors.Count(command);
        if (command.IsAborted)
        {
            Leave(command);
        }
        else if (command.Status == ScsiStatus.CheckCondition && ConcernsOthers(command))
        {
            command.State = CommandState.Publishing;
            if (command.AbortWaits is not null)
                GiveBlocksBack(command);
            var request = new FaultRequest(command);
            command.Fault = request;
            Unit.Home.Post(() => Unit.Faults.Request(request));
        }
        else
        {
            RememberStatus(command);
            Leave(command);
        }
    }

    /// <summary>Its CHECK CONDITION establishes an ACA condition or ends one, or takes other commands with it.
    /// </summary>
    private bool ConcernsOthers(ScsiCommand command) => command.HasNaca || EndsAca(command) ||
        ControlModePage.QueueError(Unit.Control) != QueueErrorManagement.Continue;

    private static bool EndsAca(ScsiCommand command) =>
        command.ItlNexus!.IsFaulted && ReferenceEquals(command.ItlNexus.AcaCommand, command);

    /// <summary>UA_INTLCK_CTRL 11b (SPC-4 §7.5.8): the nexus learns later, too, that a command of it was not done.
    /// </summary>
    private void RememberStatus(ScsiCommand command)
    {
        AdditionalSense? previous = command.Status switch
        {
            ScsiStatus.Busy => AdditionalSense.PreviousBusyStatus,
            ScsiStatus.TaskSetFull => AdditionalSense.PreviousTaskSetFullStatus,
            ScsiStatus.ReservationConflict => AdditionalSense.PreviousReservationConflictStatus,
            _ => null,
        };
        if (previous is { } condition &&
            ControlModePage.Interlock(Unit.Control) == UnitAttentionInterlock.KeptWithPreviousStatus)
            command.ItlNexus!.UnitAttentions.Establish(condition);
    }

    /// <summary>The turn of a fault. From here on the command has ended for good, though its status is not sent yet.
    /// </summary>
    public void FaultGranted(FaultRequest request)
    {
        if (request.Command is not { } command)
        {
            Unit.Home.Post(Unit.Faults.Skip);
            return;
        }
        command.Fault = null;
        if (command.AwaitsReport && !TakeAwaited(command))
        {
            command.AwaitsReport = false;
            command.State = CommandState.Dormant;
            Unit.Home.Post(Unit.Faults.Skip);
            JudgeAgain(command);
            Enable(command);
            return;
        }
        command.IsFaultGranted = true;
        if (command.AwaitsReport)
        {
            ShutExecution();
            _reporting = command.ItlNexus;
        }
        Unit.Home.Post(() => Unit.Faults.CarryOut(request));
    }

    /// <summary>Nothing may begin from here on until the condition has been reported. False if that was done meanwhile,
    /// or one has come that goes first.</summary>
    private bool TakeAwaited(ScsiCommand command)
    {
        UnitAttentions attentions = command.ItlNexus!.UnitAttentions;
        if (attentions.Count == 0 || attentions.Pending[0] != command.Sense.Additional)
            return false;
        if (ControlModePage.Interlock(Unit.Control) == UnitAttentionInterlock.None)
            command.ReportsUnitAttention = attentions.TryTake(out _);
        return true;
    }

    /// <summary>Everything that goes with the faulted command has gone, and every executor knows: its status is sent.
    /// On a LUN that was taken away nobody could clear the condition, so that ends first.</summary>
    public void FaultCarriedOut(FaultRequest request)
    {
        ScsiCommand command = request.Command!;
        if (request.EstablishesAca && command.ItlNexus!.IsDeparting)
            Unit.EndAca(command.Nexus, () => Executor.Post(() => EndFaulted(command)));
        else
            EndFaulted(command);
    }

    private void EndFaulted(ScsiCommand command)
    {
        bool opens = command.AwaitsReport;
        Leave(command);
        if (!opens)
            return;
        _reporting = null;
        OpenExecution();
    }

    /// <summary>Its status is fixed and is sent when every executor knows of what it did. A PREEMPT AND ABORT waits for
    /// what it preempts, and that may be the faulted command: they must not wait for each other.</summary>
    private static bool IsDone(ScsiCommand command) =>
        command.State == CommandState.Publishing && command.Fault is null;

    /// <summary>QERR: what is in the task set beside the faulted command goes; the other nexuses learn of it
    /// (SPC-4 §7.5.8).</summary>
    public void AbortBeside(FaultRequest request, bool ofAllNexuses, bool reportTaskAborted, AbortBarrier barrier)
    {
        foreach (ItlNexus itl in _nexuses.ToArray())
        {
            bool own = ReferenceEquals(itl, request.ItlNexus);
            if (!own && !ofAllNexuses)
                continue;
            int covered = AbortAll(
                itl,
                barrier,
                ulong.MaxValue,
                reportTaskAborted && !own,
                except: own ? request.Command : null,
                sparesDone: true);
            if (covered > 0 && !own && !reportTaskAborted)
                itl.UnitAttentions.Establish(AdditionalSense.CommandsClearedByAnotherInitiator);
        }
    }
}
