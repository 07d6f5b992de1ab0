using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>How a command must be received while an ACA condition is in effect.</summary>
internal enum AcaVerdict : byte
{
    /// <summary>Nothing is known to be in effect for it.</summary>
    Free,
    MustBeRefused,
    MustPass,
    MayPass,
}

/// <summary>
/// ACA conditions of one unit, SAM-5 §5.9. From its CHECK CONDITION until something begins to clear it a condition is
/// in effect for certain: nothing of its task set begins, acts or ends but what it lets pass. Until what clears it is
/// answered, and before its own status is sent, others may be told of it or not.
/// </summary>
internal sealed class AcaModel(World world, UnitModel unit)
{
    /// <summary>How a command goes on that is answered.</summary>
    public const string Ends = "ended";

    private readonly List<AcaCondition> _conditions = [];
    private readonly List<Clearing> _clearings = [];

    /// <summary>The nexus may be the faulted one of a condition in effect: its initiator thinks so.</summary>
    public bool MayBeFaulted(NexusModel nexus) =>
        _conditions.Exists(c => c.EndedAt == long.MaxValue && ReferenceEquals(c.Faulted, nexus));

    /// <summary>It is the faulted one for certain.</summary>
    public bool IsFaulted(NexusModel nexus) => ReferenceEquals(CertainFor(nexus)?.Faulted, nexus);

    // ---- New commands ------------------------------------------------------------------------------------------

    public void Received(SimulatedCommand command)
    {
        NexusModel to = command.To;
        bool isAca = command.Attribute == TaskAttribute.Aca;
        if (CertainFor(to) is { } condition)
        {
            if (ReferenceEquals(condition.Faulted, to))
                command.Aca = isAca ? JudgeAca(command) : AcaVerdict.MustBeRefused;
            else
                command.Aca = !isAca && IsPreemptAndAbort(command) ? AcaVerdict.MustPass : AcaVerdict.MustBeRefused;
            command.IsRefusedAtOnce |= command.Aca == AcaVerdict.MustBeRefused;
            command.MayBeRefusedAtOnce = command.Aca == AcaVerdict.MayPass;
            command.GoesFirst = command.Aca == AcaVerdict.MustPass;
            return;
        }
        bool may = MayConcern(to);
        if (isAca && !may && command.Kind != CommandKind.Faulty)
            command.Refused = AdditionalSense.InvalidMessageError;
        command.MayLackCondition = isAca;
        command.IsRefusedAtOnce |= isAca && !may;
        command.MayBeRefusedAtOnce = may;
        command.GoesFirst = may && IsPreemptAndAbort(command);
    }

    /// <summary>SAM-5 §5.9.4 on the faulted nexus: one command with the ACA attribute, with TMF_ONLY none.</summary>
    private AcaVerdict JudgeAca(SimulatedCommand command)
    {
        if (unit.Mode.Must(world.Now, ModeModel.AllowsTaskManagementOnly))
            return AcaVerdict.MustBeRefused;
        bool mayBeFull = false;
        foreach (SimulatedCommand other in unit.Pending)
        {
            if (!ReferenceEquals(other.To, command.To) || other.Attribute != TaskAttribute.Aca ||
                other.Aca == AcaVerdict.MustBeRefused)
                continue;
            if (other.Aca == AcaVerdict.MustPass)
                return AcaVerdict.MustBeRefused;
            mayBeFull = true;
        }
        return mayBeFull || unit.Mode.May(world.Now, ModeModel.AllowsTaskManagementOnly)
            ? AcaVerdict.MayPass : AcaVerdict.MustPass;
    }

    // ---- What happens to commands ------------------------------------------------------------------------------

    /// <summary>It begins, acts on the medium, or ends with a status of its own: what a condition blocks does none of
    /// it.</summary>
    public void GoesOn(SimulatedCommand command, string how)
    {
        world.Law(command.Aca != AcaVerdict.MustBeRefused, "{0} {1} though an ACA condition was in effect when it came",
            command, how);
        if (CertainFor(command.To) is not { } condition)
            return;
        bool passes = ReferenceEquals(condition.Faulted, command.To)
            ? command.Attribute == TaskAttribute.Aca
            : command.Attribute != TaskAttribute.Aca && IsPreemptAndAbort(command);
        // What it did was done before the condition: it has waited only for what it aborted. Had the faulted command
        // to wait for that, too, which may be one of those, neither would end.
        passes |= how == Ends && IsPreemptAndAbort(command) && command.BeganAt < condition.EstablishedAt;
        world.Law(passes, "{0} {1} in the ACA condition of {2}", command, how, condition.Faulted.Name);
    }

    /// <summary>BUSY or ACA ACTIVE is answered: by reason of a condition, that was or will be?</summary>
    public bool Explains(SimulatedCommand command)
    {
        if (command.Aca == AcaVerdict.MustPass || command.HasBegun)
            return false;
        bool isBusy = command.Status == ScsiStatus.Busy;
        foreach (AcaCondition condition in _conditions)
        {
            if (condition.EndedAt >= command.ReceivedAt && condition.MayConcern(command.To) &&
                Fits(isBusy, command, condition.Faulted))
                return true;
        }
        List<SimulatedCommand> causes = unit.Pending.FindAll(other =>
            other.HasNaca && !ReferenceEquals(other, command) && Fits(isBusy, command, other.To));
        if (causes.Count == 0)
            return false;
        // A limit is another reason for BUSY, and which it was nobody can tell.
        if (isBusy && world.Options.LimitsCommands)
            return true;
        unit.Promises.Add(new Promise
        {
            Law = $"{command} was answered {command.Status} and no ACA condition came of it",
            Candidates = causes,
            IsKeptBy = Promise.IsCheckCondition,
        });
        return true;
    }

    /// <summary>SAM-5 §5.9.4: ACA ACTIVE on the faulted nexus and where NACA is set, else BUSY.</summary>
    private static bool Fits(bool isBusy, SimulatedCommand command, NexusModel faulted) => isBusy
        ? !command.HasNaca && !ReferenceEquals(faulted, command.To)
        : command.HasNaca || ReferenceEquals(faulted, command.To);

    /// <summary>CHECK CONDITION is answered. SAM-5 §5.9.5: one of the command with the ACA attribute clears the
    /// condition; with NACA it establishes the next.</summary>
    public void Faulted(SimulatedCommand command)
    {
        NexusModel to = command.To;
        bool wasInside = command.Attribute == TaskAttribute.Aca && MayBeFaulted(to) &&
            command.Sense.Additional != AdditionalSense.InvalidMessageError;
        if (wasInside && !command.HasNaca)
        {
            bool isCertain = command.Aca == AcaVerdict.MustPass;
            foreach (AcaCondition condition in _conditions)
            {
                if (ReferenceEquals(condition.Faulted, to))
                    condition.End(
                        isCertain && condition.EndsFrom == long.MaxValue ? world.Now : long.MaxValue, world.Now);
            }
        }
        if (!command.HasNaca)
            return;
        // A command of another nexus that is let through a condition may add its own or not.
        bool isOpen = IsPreemptAndAbort(command) && _conditions.Exists(
            c => c.EndedAt >= command.ReceivedAt && c.MayConcern(to) && !ReferenceEquals(c.Faulted, to));
        bool? isForAll = unit.Mode.IsOpen(command.ReceivedAt, ModeModel.IsPerNexus) ? null
            : !unit.Mode.HasTaskSetPerNexus;
        if (wasInside)
        {
            foreach (AcaCondition condition in _conditions)
            {
                if (ReferenceEquals(condition.Faulted, to) && condition.EndedAt == long.MaxValue)
                    isForAll = condition.IsForAll == isForAll ? isForAll : null;
            }
            EndOf(to);
        }
        bool mayBeCleared = _clearings.Exists(c => c.Concerns(to) && c.Until >= command.ReceivedAt);
        _conditions.Add(new AcaCondition(to, world.Now, command)
        {
            IsForAll = isForAll,
            EndsFrom = isOpen || mayBeCleared || to.Session.IsEnding ? world.Now : long.MaxValue,
        });
    }

    /// <summary>The nexus is being lost: the command may have established a condition that lasts until then.</summary>
    public void Lost(SimulatedCommand command)
    {
        if (command.HasNaca && command.Session.IsEnding)
            _conditions.Add(new AcaCondition(command.To, world.Now, command) { IsForAll = null, EndsFrom = world.Now });
    }

    private void EndOf(NexusModel nexus)
    {
        foreach (AcaCondition condition in _conditions)
        {
            if (ReferenceEquals(condition.Faulted, nexus))
                condition.End(world.Now, world.Now);
        }
    }

    /// <summary>TST has changed: which nexuses share the task set of a condition nobody can tell.</summary>
    public void TaskSetsChanged()
    {
        foreach (AcaCondition condition in _conditions)
            condition.IsForAll = null;
    }

    // ---- What clears a condition -------------------------------------------------------------------------------

    /// <summary>From now until its answer something clears the conditions of a nexus, or of all (null).</summary>
    /// <param name="by">CLEAR ACA, PREEMPT AND ABORT, I_T NEXUS RESET, or the unit itself, which is reset.</param>
    public void ClearingBegins(NexusModel? nexus, object by)
    {
        var clearing = new Clearing(nexus, by, world.Now);
        _clearings.Add(clearing);
        foreach (AcaCondition condition in _conditions)
        {
            if (clearing.Concerns(condition.Faulted))
                condition.End(long.MaxValue, world.Now);
        }
    }

    /// <summary>It has been answered.</summary>
    /// <param name="by">As it began.</param>
    /// <param name="coversCauses">What had come before it began cannot establish a condition any more.</param>
    public void Cleared(object by, bool coversCauses)
    {
        foreach (Clearing clearing in _clearings)
        {
            if (!ReferenceEquals(clearing.By, by) || clearing.Until != long.MaxValue)
                continue;
            clearing.Until = world.Now;
            foreach (AcaCondition condition in _conditions)
            {
                long since = coversCauses ? condition.Cause.ReceivedAt : condition.EstablishedAt;
                if (clearing.Concerns(condition.Faulted) && since < clearing.From)
                    condition.End(world.Now, world.Now);
            }
        }
    }

    /// <summary>It has been answered, and has cleared the conditions or not.</summary>
    public void PerhapsCleared(object by)
    {
        foreach (Clearing clearing in _clearings)
        {
            if (ReferenceEquals(clearing.By, by))
                clearing.Until = Math.Min(clearing.Until, world.Now);
        }
    }

    /// <summary>I_T nexus loss.</summary>
    public void Left(NexusModel nexus)
    {
        EndOf(nexus);
        foreach (Clearing clearing in _clearings)
        {
            if (ReferenceEquals(clearing.Nexus, nexus))
                clearing.Until = Math.Min(clearing.Until, world.Now);
        }
    }

    private static bool IsPreemptAndAbort(SimulatedCommand command) =>
        command.Persistent?.Action == PersistentActions.PreemptAndAbort;

    private bool MayConcern(NexusModel nexus)
    {
        if (_conditions.Exists(c => c.EndedAt == long.MaxValue && c.MayConcern(nexus)))
            return true;
        return unit.Pending.Exists(static c => c.HasNaca);
    }

    private AcaCondition? CertainFor(NexusModel nexus)
    {
        foreach (AcaCondition condition in _conditions)
        {
            if (condition.EndsFrom == long.MaxValue && condition.MustConcern(nexus) && !IsBeingReplaced(condition))
                return condition;
        }
        return null;
    }

    /// <summary>A command with the ACA attribute is under way whose failure would end the condition.</summary>
    private bool IsBeingReplaced(AcaCondition condition)
    {
        if (condition.Faulted.Session.IsEnding)
            return true;
        foreach (SimulatedCommand command in unit.Pending)
        {
            if (ReferenceEquals(command.To, condition.Faulted) && command.Attribute == TaskAttribute.Aca &&
                !command.HasNaca && command.Aca != AcaVerdict.MustBeRefused)
                return true;
        }
        return false;
    }

    private sealed class AcaCondition(NexusModel faulted, long establishedAt, SimulatedCommand cause)
    {
        public NexusModel Faulted => faulted;

        public long EstablishedAt => establishedAt;

        public SimulatedCommand Cause => cause;

        /// <summary>The task set is that of all nexuses (TST 000b); null: nobody can tell.</summary>
        public bool? IsForAll { get; set; }

        /// <summary>From then on it may be over.</summary>
        public long EndsFrom { get; set; } = long.MaxValue;

        public long EndedAt { get; private set; } = long.MaxValue;

        public bool MayConcern(NexusModel nexus) => ReferenceEquals(faulted, nexus) || IsForAll != false;

        public bool MustConcern(NexusModel nexus) => ReferenceEquals(faulted, nexus) || IsForAll == true;

        public void End(long at, long from)
        {
            EndsFrom = Math.Min(EndsFrom, from);
            EndedAt = Math.Min(EndedAt, at);
        }
    }

    private sealed class Clearing(NexusModel? nexus, object by, long from)
    {
        public NexusModel? Nexus => nexus;

        public object By => by;

        public long From => from;

        public long Until { get; set; } = long.MaxValue;

        public bool Concerns(NexusModel other) => nexus is null || ReferenceEquals(nexus, other);
    }
}
