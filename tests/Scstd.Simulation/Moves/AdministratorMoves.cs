using Scstd.Scsi;

namespace Scstd.Simulation;

/// <summary>What an administrator does to units that serve: freezes and thaws one, gives its disk another size,
/// limits its commands.</summary>
internal sealed class AdministratorMoves(World world)
{
    private const string Reason = "administrator";

    public void Act()
    {
        SimulatedUnit unit = world.All[world.Dice(world.All.Length)];
        if (world.Options.LimitsCommands && world.Dice(3) > 0)
            Limit(unit);
        else if (unit.IsFreezing)
            Thaw(unit);
        else if (world.Dice(2) == 0)
            Freeze(unit);
        else if (!unit.IsResizing)
            Resize(unit);
    }

    public void Thaw(SimulatedUnit unit)
    {
        if (!unit.IsFreezing)
            return;
        world.Trace?.Invoke($"thaws {unit.Model.Name}");
        unit.IsFreezing = false;
        unit.Model.IsFrozen = false;
        unit.Unit.Thaw(Reason, known => world.Law(known, "{0} does not know that it was frozen", unit.Model.Name));
    }

    private void Freeze(SimulatedUnit unit)
    {
        world.Trace?.Invoke($"freezes {unit.Model.Name}");
        unit.IsFreezing = true;
        long round = ++unit.FreezeRound;
        unit.Unit.Freeze(Reason, frozen =>
        {
            world.Tick();
            if (!frozen || !unit.IsFreezing || round != unit.FreezeRound)
                return;
            world.Trace?.Invoke($"    {unit.Model.Name} is frozen");
            world.Law(unit.Model.InsideCount() == 0, "{0} is frozen and has commands inside", unit.Model.Name);
            unit.Model.IsFrozen = true;
        });
    }

    private void Limit(SimulatedUnit unit)
    {
        int? most = world.Dice(5) == 0 ? null : 1 + world.Dice(5);
        world.Trace?.Invoke($"limits {unit.Model.Name} to {most?.ToString() ?? "any number of"} commands");
        unit.Unit.SetCommandLimit(most);
    }

    private void Resize(SimulatedUnit unit)
    {
        int size = SimulatedUnit.MostBlocks - (2 * world.Dice(2));
        world.Trace?.Invoke($"gives {unit.Model.Name} {size} blocks");
        unit.IsResizing = true;
        unit.Unit.ChangeAlone(
            () =>
            {
                world.Tick();
                if (unit.Model.Resized(size))
                    unit.Unit.EstablishUnitAttention(AdditionalSense.CapacityDataHasChanged, except: null);
                unit.Disk.BlockCount = size;
            },
            () =>
            {
                world.Tick();
                unit.IsResizing = false;
                unit.Model.ResizeTold();
            });
    }
}
