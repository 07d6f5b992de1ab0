using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// The reference model of one logical unit: written from the standards, it sees what initiators send and get, and when
/// the device server begins a command, and says whether that is allowed.
/// </summary>
internal sealed class UnitModel
{
    private readonly World _world;
    private readonly BlockModel[] _blocks;

    /// <summary>It takes effect when it has been saved.</summary>
    private SimulatedCommand? _saving;

    private AttentionGroup? _resize;

    public UnitModel(World world, string name, int blockCount, byte[] controlPage, byte[] changeable)
    {
        _world = world;
        Name = name;
        Capacity = new CapacityModel(world, blockCount);
        Reservation = new ReservationModel(world);
        Persistent = new PersistentModel(world);
        Mode = new ModeModel(world, controlPage, changeable);
        Aca = new AcaModel(world, this);
        QueueErrors = new QueueErrorModel(world, this);
        Promises = new Promises(world);
        _blocks = new BlockModel[blockCount];
        for (int i = 0; i < blockCount; i++)
            _blocks[i] = new BlockModel(world);
    }

    public string Name { get; }

    public CapacityModel Capacity { get; }

    /// <summary>An administrator has been told that it is, and has not thawed it.</summary>
    public bool IsFrozen { get; set; }

    public ReservationModel Reservation { get; }

    public PersistentModel Persistent { get; }

    public ModeModel Mode { get; }

    public AcaModel Aca { get; }

    public QueueErrorModel QueueErrors { get; }

    /// <summary>What was seen and is still to be explained.</summary>
    public Promises Promises { get; }

    /// <summary>Commands that have come and not ended, oldest first.</summary>
    public List<SimulatedCommand> Pending { get; } = [];

    public List<NexusModel> Nexuses { get; } = [];

    /// <summary>Functions that have come and are not answered.</summary>
    public List<SimulatedFunction> Functions { get; } = [];

    /// <summary>What the device server has at this moment.</summary>
    public required Func<SimulatedCommand, bool> IsInside { get; init; }

    public required Func<int> InsideCount { get; init; }

    /// <summary>Reservations and modes being made known.</summary>
    public List<AttentionGroup> Telling { get; } = [];

    /// <summary>The whole target has ended and begun again, SAM-5 §6.3.1 (power on): the medium is as it was left,
    /// what was saved is in effect, and nothing else.</summary>
    /// <param name="before">The model of the same unit until then.</param>
    /// <param name="hasLanded">What was being saved is on stable storage, though nobody was told.</param>
    public void BeginsAfter(UnitModel before, bool hasLanded)
    {
        foreach (SimulatedCommand command in before.Pending)
        {
            for (int i = 0; command.Writes && i < command.Blocks; i++)
                before._blocks[(int)command.Lba + i].WriteEnded(command.ValueOf(i), tookEffect: false, _world.Now);
        }
        before._blocks.CopyTo(_blocks, 0);
        Capacity.Set(before.Capacity.Blocks);
        SimulatedCommand? saving = hasLanded ? before._saving : null;
        Mode.BeginsAfter(before.Mode, saving?.Kind == CommandKind.ModeSelect
            ? saving.Parameters.AsSpan(ModeParameters.PageOffset) : default);
        Persistent.BeginsWith(saving?.Persistent is { } request
            ? PersistentActions.CarryOut(before.Persistent.State, request).State : before.Persistent.State);
    }

    public void Received(SimulatedCommand command)
    {
        command.ReceivedAt = _world.Now;
        command.IsRefusedAtOnce = command.Kind == CommandKind.Faulty || !Capacity.Has(command);
        command.IsInOwnTaskSet = Mode.HasTaskSetPerNexus;
        command.MayBeInEither = Mode.IsOpen(_world.Now, ModeModel.IsPerNexus);
        Aca.Received(command);
        if (command.Writes)
        {
            for (int i = 0; i < command.Blocks; i++)
                _blocks[(int)command.Lba + i].WriteComes(command.ValueOf(i));
        }
        foreach (SimulatedCommand other in Pending)
        {
            // Whether an ACA condition lets it pass is not always known.
            command.IsBehindOrdered |= other.Attribute == TaskAttribute.Ordered && !other.IsRefusedAtOnce &&
                ReferenceEquals(other.Session.Executor, command.Session.Executor);
        }
        Pending.Add(command);
        command.To.PendingCount++;
    }

    /// <summary>The device server begins it: nothing may stand against that.</summary>
    public void Begins(SimulatedCommand command)
    {
        _world.Trace?.Invoke($"    begins {command}");
        _world.Law(!command.HasBegun, "{0} began twice", command);
        _world.Law(command.IsPending, "{0} began after its end", command);
        _world.Law(!command.IsAborted, "{0} began after its abort", command);
        _world.Law(command.Refused is null, "{0} began although it is to be refused", command);
        OrderModel.WasNotRefused(_world, command);
        Aca.GoesOn(command, "began");
        command.BeganAt = _world.Now;
        bool needsNoDeviceServer =
            command.Kind is CommandKind.Inquiry or CommandKind.ReportLuns or CommandKind.RequestSense;
        if (!needsNoDeviceServer && command.To.Attentions.Certain is { } attention)
            _world.Law(false, "{0} began although {1} is pending", command, attention);
        _world.Law(!IsFrozen || needsNoDeviceServer, "{0} began on a frozen unit", command);
        _world.Law(Capacity.Has(command), "{0} began beyond the end", command);
        Reservation.Begins(command);
        Persistent.Begins(command);
        OrderModel.Begins(_world, command);
        _world.Law(!(command.Writes && Mode.IsWriteProtected), "{0} began on a write protected unit", command);
        if (command.RunsAlone)
            _world.Law(InsideCount() == 0, "{0} was not alone on the unit", command);
        Expect(command);
    }

    /// <summary>A logical unit reset is carried out.</summary>
    public void WasReset()
    {
        _world.Law(InsideCount() == 0, "{0} was reset beside a command", Name);
        Mode.Reset(this);
        Reservation.Released(this);
        bool wasAsked = false;
        foreach (SimulatedFunction function in Functions)
        {
            if (!function.IsReset)
                continue;
            wasAsked = true;
            if (function.Reset.Contains(this))
                continue;
            function.Reset.Add(this);
            Aca.ClearingBegins(null, function);
            function.Consequences ??= new AttentionGroup(_world);
            // Of two functions with different conditions nobody can tell whose reset this is.
            bool isAlone = Functions.TrueForAll(f => !f.IsReset || f.ResetCondition == function.ResetCondition);
            foreach (NexusModel nexus in Nexuses)
                function.Consequences.Open(nexus, function.ResetCondition, isAlone);
        }
        _world.Law(wasAsked, "{0} was reset and nobody had asked", Name);
    }

    /// <summary>An administrator gives it another size, alone. False if it is the same.</summary>
    public bool Resized(int blocks)
    {
        _world.Law(InsideCount() == 0, "{0} was resized beside a command", Name);
        if (!Capacity.Set(blocks))
            return false;
        Tell(_resize = new AttentionGroup(_world) { OfNewcomer = _ => AdditionalSense.CapacityDataHasChanged });
        return true;
    }

    public void ResizeTold()
    {
        if (_resize is not { } told)
            return;
        _resize = null;
        told.Close();
        Telling.Remove(told);
    }

    /// <summary>A block that a READ brings, or that COMPARE AND WRITE found.</summary>
    public void Read(int block, ulong value, long receivedAt) => _blocks[block].ReadEnded(value, receivedAt);

    /// <summary>SPC-4 §7.5.8, QUEUE ALGORITHM MODIFIER 0h: SIMPLE commands of one nexus leave on the medium what they
    /// would had they been ORDERED. COMPARE AND WRITE acts with its first half.</summary>
    public void Touches(SimulatedCommand command)
    {
        if (command.HasTouched || command.Attribute != TaskAttribute.Simple)
            return;
        command.HasTouched = true;
        _world.Law(command.OvertakenBy is null || !Mode.Must(command.ReceivedAt, ModeModel.RestrictsReordering),
            "{0} acted on the medium after its younger {1}", command, command.OvertakenBy);
        foreach (SimulatedCommand older in Pending)
        {
            if (ReferenceEquals(older.To, command.To) && older.Writes && older.Attribute == TaskAttribute.Simple &&
                !older.HasTouched && older.ReceivedAt < command.ReceivedAt && older.Overlaps(command))
                older.OvertakenBy ??= command;
        }
    }

    /// <summary>What an initiator may take for the value of a block.</summary>
    public ulong LastKnown(int block) => _blocks[block].LastKnown;

    /// <summary>The command has ended, in whatever way.</summary>
    public void Ended(SimulatedCommand command, Outcome outcome)
    {
        _world.Law(command.IsPending, "{0} ended twice", command);
        command.Outcome = outcome;
        command.EndedAt = _world.Now;
        Pending.Remove(command);
        command.To.PendingCount--;
        command.Consequences?.Close();
        if (command.RunsAlone)
        {
            Mode.Told(command);
            Reservation.Told(command);
            Persistent.Told(command);
            Aca.Cleared(command, coversCauses: true);
            if (command.Persistent is { } request)
                Aca.Cleared(request, coversCauses: false);
        }
        Promises.Ended(command);
        if (outcome == Outcome.Aborted)
            Aca.Lost(command);
        if (ReferenceEquals(_saving, command))
        {
            _world.Law(outcome != Outcome.Answered || command.Status != ScsiStatus.Good,
                "{0} was answered before it was saved", command);
            _saving = null;
        }
        if (command.Preempts is { } preempted)
            _world.Functions.Answered(preempted);
        if (command.Consequences is { } told)
            Telling.Remove(told);
        if (!command.Writes)
            return;
        bool tookEffect = outcome == Outcome.Answered && command.Status == ScsiStatus.Good;
        long oldestRead = OldestRead();
        for (int i = 0; i < command.Blocks; i++)
        {
            BlockModel block = _blocks[(int)command.Lba + i];
            if (tookEffect && command.Kind == CommandKind.CompareAndWrite)
                block.Swapped(command.Compared[i], command.ReceivedAt);
            block.WriteEnded(command.ValueOf(i), tookEffect, oldestRead);
        }
    }

    public void Joined(NexusModel nexus)
    {
        Nexuses.Add(nexus);
        foreach (SimulatedFunction function in Functions)
            _world.Functions.Joined(function, nexus);
        foreach (AttentionGroup group in Telling)
        {
            if (group.OfNewcomer?.Invoke(nexus) is { } condition)
                group.OpenForNewcomer(nexus, condition);
        }
    }

    public void Left(NexusModel nexus)
    {
        nexus.IsGone = true;
        Nexuses.Remove(nexus);
        Aca.Left(nexus);
        _world.Law(!ReferenceEquals(Reservation.Holder, nexus.Session), "a reservation outlives its nexus {0}",
            nexus.Session.Name);
        Reservation.Told(nexus.Session);
    }

    private long OldestRead()
    {
        foreach (SimulatedCommand command in Pending)
        {
            if (command.Kind is CommandKind.Read or CommandKind.CompareAndWrite)
                return command.ReceivedAt;
        }
        return _world.Now;
    }

    /// <summary>What a command that begins now must answer, and what it changes.</summary>
    private void Expect(SimulatedCommand command)
    {
        switch (command.Kind)
        {
            case CommandKind.Reserve or CommandKind.Release:
                ExpectReservation(command);
                break;
            case CommandKind.PersistentReserveOut:
                ExpectPersistent(command);
                break;
            case CommandKind.PersistentReserveIn:
                command.Expected = UnderReservation();
                command.ExpectedData = Persistent.Describe(command.Action);
                break;
            case CommandKind.ModeSelect:
                command.Expected = Mode.Judge(command.Parameters.AsSpan(ModeParameters.PageOffset));
                if (command.Expected.Status == ScsiStatus.Good && command.Saves)
                    _saving = command;
                else if (command.Expected.Status == ScsiStatus.Good)
                    SelectMode(command);
                break;
            case CommandKind.ReadCapacity:
                command.ExpectedData = Capacity.Describe();
                break;
            case CommandKind.ModeSense:
                command.ExpectedData = Mode.Current;
                break;
        }
    }

    /// <summary>What was asked to be saved is on stable storage, or cannot be: only then it takes effect.</summary>
    public void Saved(bool isSaved)
    {
        _world.Law(_saving is not null, "{0} saves what nobody asked for", Name);
        SimulatedCommand command = _saving!;
        _saving = null;
        if (!isSaved)
            command.Expected = new(ScsiStatus.CheckCondition, AdditionalSense.InternalTargetFailure);
        else if (command.Kind == CommandKind.ModeSelect)
            SelectMode(command);
        else
            Take(command, PersistentActions.CarryOut(Persistent.State, command.Persistent!));
    }

    private void SelectMode(SimulatedCommand command)
    {
        if (!Mode.Select(command.Parameters.AsSpan(ModeParameters.PageOffset), command.Saves, command))
            return;
        if (Mode.IsOpen(_world.Now, ModeModel.IsPerNexus))
            Aca.TaskSetsChanged();
        Tell(command, nexus => ReferenceEquals(nexus, command.To) ? null : AdditionalSense.ModeParametersChanged);
    }

    /// <summary>SPC-2 §5.5.1 with SPC-4 §5.13.3: beside registrations RESERVE and RELEASE do nothing, and are a
    /// conflict for those that the persistent reservation gives nothing.</summary>
    private void ExpectReservation(SimulatedCommand command)
    {
        PersistentState persistent = Persistent.State;
        if (persistent.Keys.Count > 0)
        {
            bool isPrivileged = persistent.Type != 0 && persistent.IsPrivileged(command.To.Name);
            command.Expected = isPrivileged ? default : new(ScsiStatus.ReservationConflict, default);
        }
        else if (command.Kind == CommandKind.Reserve)
        {
            Reservation.Reserved(command.Session, command);
        }
        else if (ReferenceEquals(Reservation.Holder, command.Session))
        {
            Reservation.Released(command);
        }
    }

    /// <summary>PERSISTENT RESERVE IN and OUT conflict with an SPC-2 reservation, whoever holds it (SPC-2 §5.5.1).
    /// </summary>
    private Expectation UnderReservation() =>
        Reservation.Holder is null ? default : new(ScsiStatus.ReservationConflict, default);

    private void ExpectPersistent(SimulatedCommand command)
    {
        command.Expected = UnderReservation();
        if (command.Expected.Status != ScsiStatus.Good)
            return;
        PersistentOutcome outcome = PersistentActions.CarryOut(Persistent.State, command.Persistent!);
        command.Expected = new(outcome.Status, outcome.Sense);
        if (ReferenceEquals(outcome.State, Persistent.State))
            return;
        if (outcome.State.Persists || Persistent.State.Persists)
            _saving = command;
        else
            Take(command, outcome);
    }

    private void Take(SimulatedCommand command, PersistentOutcome outcome)
    {
        Persistent.Take(outcome.State, command);
        string requester = command.To.Name;
        Tell(command, nexus => nexus.Name == requester ? null
            : outcome.Deprived.Contains(nexus.Name) ? outcome.DeprivedCondition
            : outcome.State.IsRegistered(nexus.Name) ? outcome.RemainingCondition : null);
        if (outcome.Aborted is not { } aborted)
            return;
        ClearAca(command, outcome);
        if (aborted.Count == 0 && !outcome.ClearsEveryAca)
            return;
        command.Preempts = new SimulatedFunction
        {
            Id = _world.NextId(),
            Session = command.Session,
            Function = TaskManagementFunction.ClearTaskSet,
            Scope = [command.To],
            Preempted = aborted,
            PreemptedBy = command,
            ClearsEveryAca = outcome.ClearsEveryAca,
            RequestedAt = _world.Now,
        };
        _world.Functions.Requested(command.Preempts);
    }

    /// <summary>SPC-4 §5.13.11.2.6: the ACA conditions of those preempted are cleared, and those of all where all
    /// registrants are preempted.</summary>
    private void ClearAca(SimulatedCommand command, PersistentOutcome outcome)
    {
        foreach (NexusModel nexus in Nexuses)
        {
            if (outcome.Aborted!.Contains(nexus.Name))
                Aca.ClearingBegins(nexus, command);
        }
        if (outcome.ClearsEveryAca)
            Aca.ClearingBegins(null, command.Persistent!);
    }

    private void Tell(SimulatedCommand command, Func<NexusModel, AdditionalSense?> conditionOf)
    {
        command.Consequences = new AttentionGroup(_world) { OfNewcomer = conditionOf };
        Tell(command.Consequences);
    }

    private void Tell(AttentionGroup group)
    {
        Telling.Add(group);
        foreach (NexusModel nexus in Nexuses)
        {
            if (group.OfNewcomer!(nexus) is { } condition)
                group.Open(nexus, condition);
        }
    }
}
