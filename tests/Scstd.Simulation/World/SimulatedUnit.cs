using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>A logical unit, its disk, and the model of it.</summary>
internal sealed class SimulatedUnit
{
    /// <summary>Few, so that commands meet.</summary>
    public const int MostBlocks = 6;

    /// <param name="world">Its world.</param>
    /// <param name="name">Its name.</param>
    /// <param name="executors">All of the target that it is part of.</param>
    /// <param name="homeIndex">Which of them keeps the gate.</param>
    /// <param name="before">The same before the target ended, whose medium and saved state it finds.</param>
    public SimulatedUnit(World world, string name, IExecutor[] executors, int homeIndex, SimulatedUnit? before = null)
    {
        bool hasLanded = before?.States.EndAbruptly() == true;
        Disk = before is null ? new SimulatedDisk(world, MostBlocks) : new SimulatedDisk(world, before.Disk);
        States = before?.States ?? new SimulatedStateStore(world);
        Unit = new LogicalUnit(name, Disk, executors, homeIndex, States)
        {
            TargetPorts = [new TargetPortName("t", 1), new TargetPortName("t", 2)],
        };
        Model = new UnitModel(world, name, MostBlocks, Unit.Control.Default, Unit.Control.Changeable)
        {
            IsInside = Disk.Store.Has,
            InsideCount = () => Disk.Store.Count + States.Count,
        };
        if (before is not null)
            Model.BeginsAfter(before.Model, hasLanded);
        Disk.Reservation = Model.Reservation;
        Disk.WasReset = Model.WasReset;
        States.Saved = Model.Saved;
    }

    public SimulatedDisk Disk { get; }

    /// <summary>An administrator wants it frozen.</summary>
    public bool IsFreezing { get; set; }

    /// <summary>How often that was so.</summary>
    public long FreezeRound { get; set; }

    public bool IsResizing { get; set; }

    public SimulatedStateStore States { get; }

    public LogicalUnit Unit { get; }

    public UnitModel Model { get; }
}
