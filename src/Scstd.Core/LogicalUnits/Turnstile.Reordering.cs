using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What the Control mode page asks of the order of commands: task sets per nexus, restricted reordering.
/// </summary>
internal sealed partial class Turnstile
{
    /// <summary>The page has changed; told by the gate. Commands that came before keep the task set they are in.
    /// </summary>
    public void ControlChanged()
    {
        foreach (ItlNexus itl in _nexuses)
        {
            ApplyControl(itl);
            EnableRestricted(itl);
        }
    }

    private void ApplyControl(ItlNexus itl)
    {
        itl.Set(NexusConditions.OwnTaskSet, ControlModePage.HasTaskSetPerNexus(Unit.Control));
        itl.Set(NexusConditions.RestrictedReordering, ControlModePage.RestrictsReordering(Unit.Control));
    }

    // ---- A task set for each nexus (TST 001b) --------------------------------------------------------------------

    private void AdmitToOwnTaskSet(ScsiCommand command, bool goesFirst)
    {
        if (!command.ItlNexus!.TaskSet.TryAdmit(command, goesFirst))
            return;
        command.IsAdmitted = true;
        _admitted++;
    }

    /// <summary>A command has left. One that is enabled here may end at once: the loop goes on for it, or the stack
    /// would be as deep as the queue.</summary>
    private void EnableNext(NexusTaskSet own)
    {
        if (own.IsEnabling)
            return;
        own.IsEnabling = true;
        while (own.TakeNext() is { } next)
            AdmitDormant(next);
        own.IsEnabling = false;
    }

    // ---- Restricted reordering (QUEUE ALGORITHM MODIFIER 0h) -----------------------------------------------------

    /// <summary>
    /// SPC-4 §7.5.8: whatever is on the medium at any time could have come about had the commands been ORDERED. So a
    /// SIMPLE command that writes, or moves the medium, waits for all older ones of its nexus, and any for those that
    /// do. What waits for a place is not in the task set, and will be younger there.
    /// </summary>
    private static bool MustNotOvertake(ScsiCommand command)
    {
        if (command.Attribute != TaskAttribute.Simple || command.Refusal is not null || !TouchesMedium(command))
            return false;
        bool writes = WritesOrMoves(command);
        for (ScsiCommand? older = command.PreviousInNexus; older is not null; older = older.PreviousInNexus)
        {
            if (TouchesMedium(older) && older.Refusal is null && older.Keeper is not CommandShare &&
                (writes || WritesOrMoves(older)))
                return true;
        }
        return false;
    }

    /// <summary>What is read depends on where a command before has left the medium.</summary>
    private static bool WritesOrMoves(ScsiCommand command)
    {
        const CommandTraits Moves = CommandTraits.NeedsMedium | CommandTraits.ChangesUnit;
        CommandRow row = command.Binding.Row;
        return row.Has(CommandTraits.WritesMedium) || (row.Traits & Moves) == Moves;
    }

    private static bool TouchesMedium(ScsiCommand command) =>
        command.Binding.Row.Has(CommandTraits.WritesMedium | CommandTraits.NeedsMedium) &&
        !command.Binding.Row.Has(CommandTraits.ImplicitHeadOfQueue);

    /// <summary>An older command has left: those that waited for it, in the order of their coming.</summary>
    /// <remarks>One that may go may stand behind one that may not: they wait here in the order in which they were ready
    /// to run, and the data of an older command may have come late.</remarks>
    private void EnableRestricted(ItlNexus itl)
    {
        if (itl.IsEnablingRestricted)
            return;
        itl.IsEnablingRestricted = true;
        while (FirstThatMayGo(itl) is { } next)
        {
            itl.Restricted.Remove(next);
            JudgeAgain(next);
            Enable(next);
        }
        itl.IsEnablingRestricted = false;
    }

    /// <summary>Behind the oldest that writes nothing may go, so the search ends there.</summary>
    private static ScsiCommand? FirstThatMayGo(ItlNexus itl)
    {
        if ((itl.Conditions & NexusConditions.RestrictedReordering) == 0 || itl.Restricted.IsEmpty)
            return itl.Restricted.First;
        bool touches = false;
        for (ScsiCommand? command = itl.First; command is not null; command = command.NextInNexus)
        {
            bool writes = WritesOrMoves(command);
            if (ReferenceEquals(command.WaitsIn, itl.Restricted) && !(writes && touches))
                return command;
            if (command.Refusal is not null || command.Keeper is CommandShare || !TouchesMedium(command))
                continue;
            if (writes)
                return null;
            touches = true;
        }
        return null;
    }

    /// <summary>The command may not run now, for a reason that stands outside the gate: it is put where that reason
    /// will find it.</summary>
    private bool HoldsBack(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        if (IsBlockedByAca(command))
            _acaBlocked.Enqueue(command);
        else if ((itl.Conditions & NexusConditions.RestrictedReordering) != 0 && MustNotOvertake(command))
            itl.Restricted.Enqueue(command);
        else
            return false;
        command.State = CommandState.Dormant;
        if (command.HoldsRange)
            GiveRangeUp(command);
        return true;
    }
}
