using System.Runtime.CompilerServices;
using Scstd.Scsi;

namespace Scstd.Core;

/// <summary>
/// One executor's side of a unit's gate, touched by that executor alone: how many commands are inside, whether the way
/// is open, and the nexuses that come through here. A command that only moves data passes by plain memory reads.
/// </summary>
/// <remarks>
/// Two ways are counted. <em>Admitted</em>: in the task set, from arrival to the end, also while the Data-Out comes in,
/// so that an ORDERED successor never slips ahead of a WRITE that waits for its data. <em>Executing</em>: with the
/// device server.
/// </remarks>
internal sealed partial class Turnstile
{
    private readonly List<ItlNexus> _nexuses = [];
    private readonly List<ItlNexus> _active = [];
    private readonly CommandQueue _dormant = new();
    private CommandQueue _blocked = new();
    private int _orderShut;
    private int _executionShut;
    private int _admitted;
    private int _executing;
    private Action? _orderDrained;
    private readonly List<Action> _whenIdle = [];

    public Turnstile(LogicalUnit unit, IExecutor executor)
    {
        Unit = unit;
        Executor = executor;
        Regulator = new BackendRegulator(this, unit.AbortTimeoutMs * 1000);
        Watch = new CommandWatch(executor) { Regulator = Regulator };
    }

    public LogicalUnit Unit { get; }

    public IExecutor Executor { get; }

    public IReadOnlyList<ItlNexus> Nexuses => _nexuses;

    /// <summary>Those with commands in the task set, and some that had any a moment ago: who looks at what is under way
    /// does not go through the idle, however many there are.</summary>
    public IReadOnlyList<ItlNexus> Active => _active;

    /// <summary>Who holds the SPC-2 reservation, as told by the gate.</summary>
    public ItNexus? ReservationHolder { get; private set; }

    public int Admitted => _admitted;

    public int Executing => _executing;

    public ItlNexus AddNexus(ItNexus nexus, LunMapEntry entry)
    {
        var itl = new ItlNexus(nexus, Lun.FromNumber(entry.Number), Unit, this, entry.IsReadOnly);
        Add(itl);
        return itl;
    }

    /// <summary>What the gate has told so far holds for it, and what it will tell.</summary>
    private void Add(ItlNexus itl)
    {
        ItNexus nexus = itl.Nexus;
        itl.Set(NexusConditions.ReservedByOther, ReservationHolder is { } holder && !ReferenceEquals(holder, nexus));
        itl.IndexInTurnstile = _nexuses.Count;
        itl.Set(NexusConditions.Aca, _acaOfAll is not null || itl.IsFaulted);
        itl.Set(NexusConditions.Counted, Share is not null || nexus.Share is not null);
        ApplyControl(itl);
        ApplyPersistentReservation(itl);
        ApplyPortGroups(itl);
        CountLimited(itl, nexus.Limiter is not null);
        _nexuses.Add(itl);
    }

    public void RemoveNexus(ItlNexus itl)
    {
        Invariant.That(itl.CommandCount == 0, "a nexus leaves a unit after its commands");
        // The last takes its place: their order means nothing.
        ItlNexus last = _nexuses[^1];
        last.IndexInTurnstile = itl.IndexInTurnstile;
        _nexuses[itl.IndexInTurnstile] = last;
        _nexuses.RemoveAt(_nexuses.Count - 1);
        CountLimited(itl, false);
        ForgetActive(itl);
    }

    public bool Has(ItlNexus itl) =>
        itl.IndexInTurnstile < _nexuses.Count && ReferenceEquals(_nexuses[itl.IndexInTurnstile], itl);

    /// <summary>Now and then, by who looks at <see cref="Active"/>.</summary>
    public void ForgetIdle()
    {
        for (int i = _active.Count - 1; i >= 0; i--)
        {
            if (_active[i].CommandCount == 0)
                ForgetActive(_active[i]);
        }
    }

    private void ForgetActive(ItlNexus itl)
    {
        if (itl.IndexInActive < 0)
            return;
        ItlNexus last = _active[^1];
        last.IndexInActive = itl.IndexInActive;
        _active[itl.IndexInActive] = last;
        _active.RemoveAt(_active.Count - 1);
        itl.IndexInActive = -1;
    }

    private void NoteActive(ItlNexus itl)
    {
        itl.IndexInActive = _active.Count;
        _active.Add(itl);
    }

    public void SetReservationHolder(ItNexus? holder)
    {
        ReservationHolder = holder;
        foreach (ItlNexus itl in _nexuses)
            itl.Set(NexusConditions.ReservedByOther, holder is not null && !ReferenceEquals(holder, itl.Nexus));
    }

    // ---- Arrival -----------------------------------------------------------------------------------------------

    public void Receive(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        itl.Add(command);
        if (itl.IndexInActive < 0)
            NoteActive(itl);
        Watch.Received(command);
        command.Refusal = Judge(command);
        CommandRow row = command.Binding.Row;
        if (itl.CommandCount > Unit.NexusQueueDepth)
            Overload(command);
        if ((itl.Conditions & (NexusConditions.Aca | NexusConditions.Counted)) != 0)
            JudgeUnusualArrival(command, itl);
        bool waitsForData = false;
        if (command.Refusal is null && (row.Direction & DataDirection.Out) != 0 && command.RequestedBytes > 0)
            waitsForData = PrepareDataOut(command);
        command.HasData = !waitsForData && command.Refusal is null;

        Admit(command);
        if (waitsForData)
        {
            command.State = CommandState.AwaitingDataOut;
            itl.Nexus.Port.ReceiveDataOut(command);
        }
        else if (command.IsAdmitted)
        {
            Enable(command);
        }
        else
        {
            command.State = CommandState.Dormant;
        }
    }

    public void DataOutReceived(ScsiCommand command)
    {
        Invariant.That(command.State == CommandState.AwaitingDataOut, "Data-Out comes once, when it was asked for");
        command.HasData = true;
        JudgeAgain(command);
        if (command.IsAdmitted)
            Enable(command);
        else
            command.State = CommandState.Dormant;
    }

    /// <summary>The transport has lost its data: it is refused when its turn comes.</summary>
    public void DataOutFailed(ScsiCommand command, in SenseData sense)
    {
        Invariant.That(command.State == CommandState.AwaitingDataOut, "Data-Out fails while it is awaited");
        command.Refusal = sense;
        if (command.IsAdmitted)
            Enable(command);
        else
            command.State = CommandState.Dormant;
    }

    /// <summary>It waits for no other.</summary>
    private static bool GoesFirst(ScsiCommand command) => command.Attribute == TaskAttribute.HeadOfQueue ||
        command.Refusal is not null || command.PassesAca || (command.Attribute == TaskAttribute.Simple &&
        command.Binding.Row.Has(CommandTraits.ImplicitHeadOfQueue));

    private void Admit(ScsiCommand command)
    {
        NexusConditions conditions = command.ItlNexus!.Conditions;
        if ((conditions & NexusConditions.Counted) != 0 && StaysAtTheDoor(command))
            return;
        bool goesFirst = GoesFirst(command);
        if (_newcomers.Count != 0 && !goesFirst)
            _newcomers[^1].Waiting.Enqueue(command);
        else
            AdmitTo(command, (conditions & NexusConditions.OwnTaskSet) != 0, goesFirst);
        if (command.Attribute == TaskAttribute.HeadOfQueue)
            CountHead(command);
    }

    /// <summary>Task attributes, SAM-5 §8.6.</summary>
    private void AdmitTo(ScsiCommand command, bool ownTaskSet, bool goesFirst)
    {
        bool simple = command.Attribute == TaskAttribute.Simple;
        if (ownTaskSet)
        {
            AdmitToOwnTaskSet(command, goesFirst);
            return;
        }
        if (goesFirst || (simple && _orderShut == 0))
        {
            command.IsAdmitted = true;
            _admitted++;
            return;
        }
        _dormant.Enqueue(command);
        if (_orderShut == 0)
            BeginOrder(command);
    }

    // ---- The way to the device server ----------------------------------------------------------------------------

    private void Enable(ScsiCommand command)
    {
        // What is over the limit is told so at once, or a shut way would be a way around the limit.
        if (_executionShut != 0 && (ReferenceEquals(_reporting, command.ItlNexus) ||
            (!command.IsOverloaded && !PassesFreezing(command))))
        {
            command.State = CommandState.Dormant;
            _blocked.Enqueue(command);
            return;
        }
        if (_headCount != 0 && WaitsForHeads(command))
            return;
        if (_isRegulated && Keep(command))
            return;
        if (command.Binding.Row.Has(CommandTraits.ChangesUnit | CommandTraits.HoldsRange) &&
            command.Refusal is null && !command.HoldsRange)
        {
            if (command.Binding.Row.Has(CommandTraits.ChangesUnit))
                BeginExclusion(command);
            else
                BeginRange(command);
            return;
        }
        Execute(command);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Execute(ScsiCommand command)
    {
        _executing++;
        command.State = CommandState.Enabled;
        if ((command.ItlNexus!.Conditions != 0 || command.Refusal is not null || Unit.IsUnusual || _isRegulated) &&
            (Intercept(command) || Injector?.Postpone(command) == true))
            return;
        command.Binding.Execute(command);
    }

    /// <summary>The device server is done with the command.</summary>
    public void Completed(ScsiCommand command)
    {
        _executing--;
        if (command.HoldsExclusion)
            Publish(command);
        else if (command.Status == ScsiStatus.Good)
            Leave(command);
        else
            EndUnusual(command);
        if (_executing == 0 && _whenIdle.Count > 0)
            Idle();
        if (_isRegulated)
            Regulator.HandOver();
    }

    /// <summary>What the command changed is told to every executor before its status is sent.</summary>
    private void Publish(ScsiCommand command)
    {
        GateRequest request = command.GateRequest!;
        command.State = CommandState.Publishing;
        command.HoldsExclusion = false;
        command.GateRequest = null;
        IReadOnlyList<Action<Turnstile>> consequences = Unit.TakeConsequences();
        AbortOfChange? abort = Unit.TakeAbort();
        if (consequences.Count == 0 && abort is null)
        {
            // Nobody has to hear of it first. And a unit attention condition that it reports is pending no more, so
            // nothing behind it may begin before its status is out.
            EndPublished(command);
            Unit.Home.Post(() => Unit.Gate.ReleaseExclusion(request, [], null));
            return;
        }
        Unit.Home.Post(() => Unit.Gate.ReleaseExclusion(request, consequences, () => EndPublished(command), abort));
    }

    private void EndPublished(ScsiCommand command)
    {
        if (command.Status == ScsiStatus.Good)
            Leave(command);
        else
            EndUnusual(command);
    }

    /// <summary>The command ends: out of the task set, and to the frontend for the last time.</summary>
    private void Leave(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        itl.Remove(command);
        if (ReferenceEquals(itl.AcaCommand, command))
            itl.AcaCommand = null;
        LeaveOrder(command);
        command.OwnTaskSet?.Leave(command);
        HeadsOfQueue? heads = UncountHead(command);
        AbortWait? waits = command.AbortWaits;
        command.AbortWaits = null;
        if (command.IsAborted)
            command.KeepConditions();
        if (command.ReportsTaskAborted)
            command.SetOutcome(ScsiStatus.TaskAborted, default);
        Residual.Compute(command);
        command.State = CommandState.Ended;
        if (command.IsAborted && !command.ReportsTaskAborted)
            itl.Nexus.Port.CommandAborted(command);
        else
            itl.Nexus.Port.SendCommandComplete(command);
        for (; waits is not null; waits = waits.Next)
            waits.Barrier.Left();
        if (heads is not null)
            EnableBehind(heads);
        // Whichever task set this one was in: TST may have changed since, and an ORDERED command waits for all older
        // ones of its nexus.
        if (itl.TaskSet.IsWaiting)
            EnableNext(itl.TaskSet);
        if ((itl.Conditions & NexusConditions.RestrictedReordering) != 0)
            EnableRestricted(itl);
    }

    private void LeaveOrder(ScsiCommand command)
    {
        if (command.Holds != Holding.None)
            GiveBack(command);
        if (!command.IsAdmitted)
            return;
        command.IsAdmitted = false;
        _admitted--;
        if (_admitted == 0 && _orderDrained is { } drained)
        {
            _orderDrained = null;
            drained();
        }
    }
}
