using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>What is unusual about a nexus: a command on it may not take the fast path.</summary>
[Flags]
public enum NexusConditions : ushort
{
    None = 0,
    UnitAttention = 1,

    /// <summary>Another I_T nexus holds an SPC-2 reservation of the unit.</summary>
    ReservedByOther = 2,

    /// <summary>The LUN map gives this initiator the unit read-only.</summary>
    ReadOnlyMapping = 4,

    /// <summary>A loss or a removal is being carried out: nothing new begins.</summary>
    Ending = 8,

    /// <summary>Another I_T nexus' persistent reservation leaves only reading to this one.</summary>
    WriteExclusiveOfOther = 1 << 4,

    /// <summary>And this one not even that.</summary>
    ExclusiveAccessOfOther = 1 << 5,

    /// <summary>Its target port is in standby, unavailable, offline or in transition.</summary>
    NotActive = 1 << 6,

    /// <summary>An ACA condition is in effect in the task set.</summary>
    Aca = 1 << 8,

    /// <summary>The nexus has a task set of its own (TST 001b).</summary>
    OwnTaskSet = 1 << 9,

    /// <summary>QUEUE ALGORITHM MODIFIER 0h: SIMPLE commands are reordered only where no data shows it.</summary>
    RestrictedReordering = 1 << 10,

    /// <summary>Its unit or its target lets only so many commands in at a time.</summary>
    Counted = 1 << 11,
}

/// <summary>I_T_L nexus, SAM-5 §4.6: one initiator port, one target port, one logical unit. Lives on its nexus'
/// executor.</summary>
public sealed class ItlNexus
{
    private ScsiCommand? _first;
    private ScsiCommand? _last;

    internal ItlNexus(ItNexus nexus, Lun lun, LogicalUnit unit, Turnstile turnstile, bool isReadOnly)
    {
        Nexus = nexus;
        Lun = lun;
        Unit = unit;
        Turnstile = turnstile;
        Conditions = isReadOnly ? NexusConditions.ReadOnlyMapping : NexusConditions.None;
        UnitAttentions = new UnitAttentions(this);
        TaskSet = new NexusTaskSet(this);
    }

    public ItNexus Nexus { get; }

    public Lun Lun { get; }

    public LogicalUnit Unit { get; }

    /// <summary>Commands in the task set from this nexus.</summary>
    public int CommandCount { get; private set; }

    public NexusConditions Conditions { get; internal set; }

    public bool IsReadOnly => (Conditions & NexusConditions.ReadOnlyMapping) != 0;

    public UnitAttentions UnitAttentions { get; }

    /// <summary>Of the group that its target port is in.</summary>
    public AsymmetricAccessState AccessState { get; internal set; }

    /// <summary>Commands that the frontend has not released: also those that have ended and are being sent.</summary>
    internal int CommandsOut { get; set; }

    /// <summary>Its LUN was taken away, and who waits for the last of <see cref="CommandsOut"/>.</summary>
    internal Action? Released { get; set; }

    /// <summary>Its LUN was taken away: what was received is carried to its end, and nothing new comes.</summary>
    internal bool IsDeparting { get; set; }

    internal Turnstile Turnstile { get; }

    /// <summary>Its place in <see cref="Turnstile.Nexuses"/>, so that a session of thousands of LUNs ends quickly.
    /// </summary>
    internal int IndexInTurnstile { get; set; }

    /// <summary>Its place in <see cref="Turnstile.Active"/>; −1: it is not there.</summary>
    internal int IndexInActive { get; set; } = -1;

    /// <summary>Its turnstile counts it among those with a limit of their own.</summary>
    internal bool IsCountedAsLimited { get; set; }

    /// <summary>The ACA condition that is in effect is this nexus' (SAM-5: the faulted I_T nexus).</summary>
    internal bool IsFaulted { get; set; }

    /// <summary>The one command with the ACA attribute that is let in at a time.</summary>
    internal ScsiCommand? AcaCommand { get; set; }

    /// <summary>Order among this nexus' commands alone, with TST 001b.</summary>
    internal NexusTaskSet TaskSet { get; }

    /// <summary>Oldest first, of those that are in the task set; see <see cref="ScsiCommand.NextInNexus"/>.</summary>
    internal ScsiCommand? First => _first;

    /// <summary>Commands that wait for older ones of the nexus (QUEUE ALGORITHM MODIFIER 0h).</summary>
    internal CommandQueue Restricted { get; } = new();

    /// <summary>They are being enabled; see <see cref="NexusTaskSet.IsEnabling"/>.</summary>
    internal bool IsEnablingRestricted { get; set; }

    internal void Add(ScsiCommand command)
    {
        command.PreviousInNexus = _last;
        command.NextInNexus = null;
        if (_last is null)
            _first = command;
        else
            _last.NextInNexus = command;
        _last = command;
        CommandCount++;
    }

    internal void Remove(ScsiCommand command)
    {
        if (command.PreviousInNexus is null)
            _first = command.NextInNexus;
        else
            command.PreviousInNexus.NextInNexus = command.NextInNexus;
        if (command.NextInNexus is null)
            _last = command.PreviousInNexus;
        else
            command.NextInNexus.PreviousInNexus = command.PreviousInNexus;
        command.NextInNexus = command.PreviousInNexus = null;
        CommandCount--;
    }

    /// <summary>The commands at this moment, oldest first; safe while they leave.</summary>
    internal List<ScsiCommand> Snapshot()
    {
        var commands = new List<ScsiCommand>(CommandCount);
        for (ScsiCommand? command = _first; command is not null; command = command.NextInNexus)
            commands.Add(command);
        return commands;
    }

    /// <summary>Whether another command of this nexus is in the task set than one that cannot come in.</summary>
    internal bool HasInTaskSetBeside(ScsiCommand command)
    {
        for (ScsiCommand? other = _first; other is not null; other = other.NextInNexus)
        {
            if (!ReferenceEquals(other, command) && other.Keeper is not CommandShare && !other.IsOverloaded &&
                other.RefusalStatus == ScsiStatus.Good)
                return true;
        }
        return false;
    }

    /// <summary>Establishes a unit attention condition and lets the port tell of it at once, if it can and the kind is
    /// one that initiators act on when they hear of it. Told or not, the condition stays pending.</summary>
    internal void Announce(AdditionalSense condition)
    {
        UnitAttentions.Establish(condition);
        if (!AsynchronousEvents.Include(condition))
            return;
        if (_untold is { } untold)
            untold.Add(condition);
        else
            Nexus.Port.AsynchronousEventOccurred(this, condition);
    }

    // ---- It takes the place of one on another executor ---------------------------------------------------------

    private List<AdditionalSense>? _untold;

    /// <summary>The port is still on the other executor, and what there would be to tell it waits.</summary>
    internal void BeginArriving() => _untold = [];

    /// <summary>What was pending where it came from was established before what is pending here.</summary>
    internal void Inherit(ItlNexus before) => UnitAttentions.PutBefore(before.UnitAttentions.Pending);

    /// <summary>The port is here, too.</summary>
    internal void EndArriving()
    {
        List<AdditionalSense> untold = _untold!;
        _untold = null;
        foreach (AdditionalSense condition in untold)
            Nexus.Port.AsynchronousEventOccurred(this, condition);
    }

    internal void Set(NexusConditions condition, bool on) =>
        Conditions = on ? Conditions | condition : Conditions & ~condition;
}
