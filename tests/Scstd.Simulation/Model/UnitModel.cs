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

    public UnitModel(World world, string name, int blockCount, byte[] controlPage, byte[] changeable)
    {
        _world = world;
        Name = name;
        Reservation = new ReservationModel(world);
        Mode = new ModeModel(world, controlPage, changeable);
        _blocks = new BlockModel[blockCount];
        for (int i = 0; i < blockCount; i++)
            _blocks[i] = new BlockModel(world);
    }

    public string Name { get; }

    public ReservationModel Reservation { get; }

    public ModeModel Mode { get; }

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

    public void Received(SimulatedCommand command)
    {
        command.ReceivedAt = _world.Now;
        if (command.Writes)
        {
            for (int i = 0; i < command.Blocks; i++)
                _blocks[(int)command.Lba + i].WriteComes(command.ValueOf(i));
        }
        foreach (SimulatedCommand other in Pending)
        {
            command.IsBehindOrdered |= OrderModel.IsOrdered(other) &&
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
        command.BeganAt = _world.Now;
        if (command.Kind is not (CommandKind.Inquiry or CommandKind.ReportLuns or CommandKind.RequestSense) &&
            command.To.Attentions.Certain is { } attention)
            _world.Law(false, "{0} began although {1} is pending", command, attention);
        Reservation.Begins(command);
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
        Mode.Reset();
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
            function.Consequences ??= new AttentionGroup(_world);
            // Of two functions with different conditions nobody can tell whose reset this is.
            bool isAlone = Functions.TrueForAll(f => !f.IsReset || f.ResetCondition == function.ResetCondition);
            foreach (NexusModel nexus in Nexuses)
                function.Consequences.Open(nexus, function.ResetCondition, isAlone);
        }
        _world.Law(wasAsked, "{0} was reset and nobody had asked", Name);
    }

    /// <summary>A block that a READ brings, or that COMPARE AND WRITE found.</summary>
    public void Read(int block, ulong value, long receivedAt) => _blocks[block].ReadEnded(value, receivedAt);

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
            Reservation.Told(command);
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
            group.OpenForNewcomer(nexus, AdditionalSense.ModeParametersChanged);
    }

    public void Left(NexusModel nexus)
    {
        nexus.IsGone = true;
        Nexuses.Remove(nexus);
        Reservation.IsEnding(nexus.Session);
        Reservation.HasEnded(nexus.Session);
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
            case CommandKind.Reserve:
                Reservation.Reserved(command.Session, command);
                // A reset of the nexus that is under way ends it again, before or after its answer.
                foreach (SimulatedFunction function in Functions)
                {
                    if (function.Function == TaskManagementFunction.ItNexusReset)
                        Reservation.IsEnding(function.Session);
                }
                break;
            case CommandKind.Release:
                if (ReferenceEquals(Reservation.Holder, command.Session))
                    Reservation.Released(command);
                break;
            case CommandKind.ModeSelect:
                command.Expected = Mode.Select(command.Parameters.AsSpan(ModeParameters.PageOffset), out bool changed);
                if (changed)
                    Tell(command, AdditionalSense.ModeParametersChanged);
                break;
            case CommandKind.ModeSense:
                command.ExpectedData = Mode.Current;
                break;
        }
    }

    private void Tell(SimulatedCommand command, AdditionalSense condition)
    {
        command.Consequences = new AttentionGroup(_world);
        Telling.Add(command.Consequences);
        foreach (NexusModel nexus in Nexuses)
        {
            if (!ReferenceEquals(nexus, command.To))
                command.Consequences.Open(nexus, condition);
        }
    }
}
