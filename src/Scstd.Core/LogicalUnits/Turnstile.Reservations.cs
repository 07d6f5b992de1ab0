using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>Persistent reservations, as the gate has told of them.</summary>
internal sealed partial class Turnstile
{
    private const NexusConditions PersistentConditions =
        NexusConditions.WriteExclusiveOfOther | NexusConditions.ExclusiveAccessOfOther;

    public PersistentReservation PersistentReservation { get; private set; } = PersistentReservation.None;

    /// <summary>Before anything of the unit is in use.</summary>
    public void BeginWith(PersistentReservation state) => PersistentReservation = state;

    public void SetPersistentReservation(PersistentReserveOutOutcome outcome, in RegistrantName requester)
    {
        bool isOrWasReserved = PersistentReservation.Type is not null || outcome.State.Type is not null;
        PersistentReservation = outcome.State;
        if (!isOrWasReserved && outcome.Deprived.Count == 0 && outcome.RemainingCondition is null)
            return;
        foreach (ItlNexus itl in _nexuses)
        {
            ApplyPersistentReservation(itl);
            RegistrantName name = itl.Nexus.Registrant;
            if (name == requester)
                continue;
            if (outcome.Deprived.Contains(name))
                itl.Announce(outcome.DeprivedCondition);
            else if (outcome.RemainingCondition is { } condition && outcome.State.Find(name) is not null)
                itl.Announce(condition);
        }
    }

    /// <summary>PREEMPT AND ABORT, SPC-4 §5.13.11.5: every command of the preempted nexuses goes, also those whose data
    /// is still to come. TAS decides how the other initiators learn of it (SAM-5 §5.6). Where every ACA condition is
    /// cleared, the commands with the ACA attribute go too.</summary>
    /// <param name="outcome">Who is preempted.</param>
    /// <param name="by">The command that does it; not covered.</param>
    /// <param name="barrier">Passed when all that is covered has gone.</param>
    public void AbortPreempted(PersistentReserveOutOutcome outcome, ScsiCommand? by, AbortBarrier barrier)
    {
        bool tas = ControlModePage.ReportsTaskAborted(Unit.Control);
        foreach (ItlNexus itl in _nexuses.ToArray())
        {
            bool own = ReferenceEquals(itl.Nexus, by?.Nexus);
            int covered = 0;
            if (outcome.Aborted.Contains(itl.Nexus.Registrant))
            {
                // What the requester has sent since is not meant.
                ulong before = own ? by!.Sequence : ulong.MaxValue;
                covered = AbortAll(itl, barrier, before, reportTaskAborted: tas && !own, except: by);
            }
            else if (outcome.ClearsEveryAca && itl.AcaCommand is { } command && !ReferenceEquals(command, by))
            {
                covered = Abort(command, barrier, reportTaskAborted: tas && !own) ? 1 : 0;
            }
            if (covered > 0 && !own && !tas)
                itl.UnitAttentions.Establish(AdditionalSense.CommandsClearedByAnotherInitiator);
        }
    }

    private void ApplyPersistentReservation(ItlNexus itl)
    {
        NexusConditions now = PersistentReservation.Type is null
            ? NexusConditions.None : PersistentReservation.ConditionsOf(itl.Nexus.Registrant);
        itl.Set(PersistentConditions, false);
        itl.Set(now, true);
    }

    /// <summary>Another nexus' persistent reservation forbids it (SPC-4 §5.13.1).</summary>
    private static bool IsForbiddenByPersistentReservation(ScsiCommand command, NexusConditions conditions)
    {
        CommandTraits needed = (conditions & NexusConditions.ExclusiveAccessOfOther) != 0
            ? CommandTraits.AllowedUnderExclusiveAccess : CommandTraits.AllowedUnderWriteExclusive;
        return (conditions & PersistentConditions) != 0 && !command.Binding.Row.Has(needed, command.Cdb);
    }
}
