using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>
/// Blocks with real data behind a queue: what is asked takes effect when the dice say, in any order, and may fail. Here
/// is where it shows whether something still acts that should not.
/// </summary>
internal sealed class SimulatedStore(World world, SimulatedDisk disk, SimulatedStore? before = null)
{
    private readonly List<StoreOperation> _operations = [];
    private readonly ulong[] _values = before?._values ?? new ulong[disk.BlockCount];

    /// <summary>Operations that have not ended.</summary>
    public int Count => _operations.Count;

    public bool IsStalled { get; set; }

    public bool Has(SimulatedCommand command)
    {
        foreach (StoreOperation operation in _operations)
        {
            if (ReferenceEquals(operation.Command, command))
                return true;
        }
        return false;
    }

    public void Begin(SimulatedCommand command) =>
        _operations.Add(new StoreOperation(command) { Fails = world.Dice(40) == 0 });

    /// <summary>Some stores can drop what has not begun, others only wait for it.</summary>
    public void Abort(SimulatedCommand command)
    {
        if (world.Dice(2) == 0)
            return;
        foreach (StoreOperation operation in _operations)
        {
            if (ReferenceEquals(operation.Command, command) && operation.Phase == StorePhase.Queued)
                operation.IsDropped = true;
        }
    }

    /// <summary>One operation goes one step on. False if none can.</summary>
    public bool Step()
    {
        if (_operations.Count == 0 || IsStalled)
            return false;
        StoreOperation operation = _operations[world.Dice(_operations.Count)];
        SimulatedCommand command = operation.Command;
        if (operation.Phase == StorePhase.Ending)
            return false;
        world.Progress++;
        if (operation.IsDropped || operation.Fails)
        {
            command.StoreOutcome = StoreOutcome.Failed;
            End(operation);
        }
        else if (command.Kind == CommandKind.CompareAndWrite && operation.Phase == StorePhase.Queued)
        {
            Compare(operation);
        }
        else if (operation.Phase is StorePhase.Queued or StorePhase.Compared)
        {
            Land(operation);
        }
        else
        {
            End(operation);
        }
        return true;
    }

    private void Compare(StoreOperation operation)
    {
        SimulatedCommand command = operation.Command;
        operation.Phase = StorePhase.Compared;
        command.Model.Touches(command);
        for (int i = 0; i < command.Blocks; i++)
        {
            if (_values[(int)command.Lba + i] == SimulatedDisk.ValueIn(command.Data, i, out _))
                continue;
            command.StoreOutcome = StoreOutcome.Different;
            operation.Phase = StorePhase.Landed;
        }
    }

    private void Land(StoreOperation operation)
    {
        SimulatedCommand command = operation.Command;
        world.Trace?.Invoke($"    lands {command}");
        world.Law(command.IsPending, "{0} touched the store after its end", command);
        world.Law(command.GoneWith is null, "{0} touched the store after the answer to {1}", command, command.GoneWith);
        command.Model.Reservation.Lands(command);
        command.Model.Persistent.Lands(command);
        command.Model.Aca.GoesOn(command, "touched the medium");
        if (command.Writes)
            command.Model.Touches(command);
        operation.Phase = StorePhase.Landed;
        command.StoreOutcome = StoreOutcome.Done;
        bool writes = command.Writes;
        int firstInData = command.Kind == CommandKind.CompareAndWrite ? command.Blocks : 0;
        for (int i = 0; i < command.Blocks; i++)
        {
            int block = (int)command.Lba + i;
            if (!writes)
            {
                SimulatedDisk.SetValue(command.Data, i, _values[block]);
                continue;
            }
            LawOfExclusion(command, block);
            ulong value = SimulatedDisk.ValueIn(command.Data, firstInData + i, out bool isWhole);
            world.Law(isWhole && value == command.ValueOf(i), "{0} writes what its initiator did not send", command);
            _values[block] = value;
        }
        if (writes)
            world.Counts.WritesLanded++;
    }

    /// <summary>SBC-4 §5.3: COMPARE AND WRITE is uninterrupted; nothing lands between its two halves.</summary>
    private void LawOfExclusion(SimulatedCommand command, int block)
    {
        foreach (StoreOperation other in _operations)
        {
            if (other.Phase == StorePhase.Compared && !ReferenceEquals(other.Command, command))
            {
                int first = (int)other.Command.Lba;
                world.Law(block < first || block >= first + other.Command.Blocks,
                    "{0} landed within {1}", command, other.Command);
            }
        }
    }

    private void End(StoreOperation operation)
    {
        operation.Phase = StorePhase.Ending;
        operation.Command.Nexus.Executor.Post(() =>
        {
            _operations.Remove(operation);
            Complete(operation.Command);
        });
    }

    private static void Complete(SimulatedCommand command)
    {
        switch (command.StoreOutcome)
        {
            case StoreOutcome.Done:
                if (command.Kind == CommandKind.Read)
                    command.DataInLengthBytes = command.Blocks * SimulatedDisk.BlockBytes;
                command.Complete();
                break;
            case StoreOutcome.Different:
                command.CheckCondition(new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify));
                break;
            default:
                command.CheckCondition(new SenseData(SenseKey.MediumError,
                    command.Writes ? AdditionalSense.WriteError : AdditionalSense.UnrecoveredReadError));
                break;
        }
    }

    private enum StorePhase : byte
    {
        Queued,

        /// <summary>COMPARE AND WRITE between its halves.</summary>
        Compared,
        Landed,
        Ending,
    }

    private sealed class StoreOperation(SimulatedCommand command)
    {
        public SimulatedCommand Command => command;

        public StorePhase Phase { get; set; }

        public bool Fails { get; init; }

        public bool IsDropped { get; set; }
    }
}
