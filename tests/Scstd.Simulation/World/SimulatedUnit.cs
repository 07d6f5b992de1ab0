using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>A logical unit, its disk, and the model of it.</summary>
internal sealed class SimulatedUnit
{
    /// <summary>Few, so that commands meet.</summary>
    private const int Blocks = 6;

    public SimulatedUnit(World world, string name, IExecutor[] executors, int homeIndex)
    {
        Disk = new SimulatedDisk(world, Blocks);
        States = new SimulatedStateStore(world);
        Unit = new LogicalUnit(name, Disk, executors, homeIndex, States)
        {
            TargetPorts = [new TargetPortName("t", 1), new TargetPortName("t", 2)],
        };
        Model = new UnitModel(world, name, Blocks, Unit.Control.Current, Unit.Control.Changeable)
        {
            IsInside = Disk.Store.Has,
            InsideCount = () => Disk.Store.Count + States.Count,
        };
        Disk.Reservation = Model.Reservation;
        Disk.WasReset = Model.WasReset;
        States.Saved = Model.Saved;
    }

    public SimulatedDisk Disk { get; }

    public SimulatedStateStore States { get; }

    public LogicalUnit Unit { get; }

    public UnitModel Model { get; }
}
