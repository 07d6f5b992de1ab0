using Scstd.Core.Tests.LogicalUnits;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Observation;

/// <summary>Where every command is, how long it was where, and what it waits for.</summary>
public sealed class CommandViewTests : IDisposable
{
    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _a;

    public CommandViewTests() => _a = _unit.Target.Login();

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void The_time_in_each_state_so_far_is_told_and_sums_up_to_its_age()
    {
        _a.Port.HoldsDataOut = true;
        _unit.Target.Unit.Freeze("backup", static _ => { });
        _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        Wait(30);
        _a.Port.GiveDataOut();
        Wait(200);
        _unit.Target.Unit.Thaw("backup", static _ => { });
        Wait(0);
        Wait(7);
        CommandView view = Only();
        Assert.Equal(
            [
                (CommandState.AwaitingDataOut, 30_000L), (CommandState.Dormant, 200_000L),
                (CommandState.Enabled, 7_000L),
            ],
            view.Stays);
        Assert.Equal((237_000L, 7_000L), (view.AgeUs, view.InStateUs));
        Assert.Equal([HeldUnit.MoveOut, 0, 0, 0, 0, 0], view.Cdb);
    }

    [Fact]
    public void A_command_that_comes_from_the_pool_begins_with_no_time_behind_it()
    {
        TestCommand command = _unit.Send(_a, HeldUnit.Move);
        Wait(50);
        _unit.End(command);
        _a.Port.Forget(command);
        _a.Nexus.CommandReceived(command);
        Wait(3);
        Assert.Equal([(CommandState.Enabled, 3_000L)], Only().Stays);
    }

    [Fact]
    public void Every_wait_has_its_words()
    {
        TestInitiator b = _unit.Target.Login();
        _unit.Send(_a, HeldUnit.Move);
        Assert.Equal("the store", Last());
        _unit.Send(_a, HeldUnit.Move, TaskAttribute.Ordered);
        Assert.Equal("older commands: it is ORDERED", Last());
        _unit.Send(_a, HeldUnit.Move);
        Assert.Equal("an older ORDERED command", Last());
        _unit.EndAll();
        TestCommand change = _unit.Send(_a, HeldUnit.Change);
        Assert.Equal("the store", Last());
        TestCommand next = _unit.Send(b, HeldUnit.Change);
        Assert.Equal("a change of the unit to be done", Last());
        _unit.End(change);
        change = _unit.Send(_a, HeldUnit.Move);
        Assert.Equal("a change of the unit to be done", _unit.Target.Unit.ViewOn(_unit.Target.Executor).Commands
            .First(command => command.Initiator == _a.Nexus.InitiatorPort).WaitsFor);
        _unit.End(next);
        _a.Port.HoldsDataOut = true;
        _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        Assert.Equal("its data from the initiator",
            _unit.Target.Unit.ViewOn(_unit.Target.Executor).Commands[^1].WaitsFor);
        _a.Port.GiveDataOut();
    }

    [Fact]
    public void A_change_that_waits_for_those_inside_wants_the_unit_for_itself()
    {
        _unit.Send(_a, HeldUnit.Move);
        _unit.Send(_a, HeldUnit.Change);
        Assert.Equal("the unit for itself: it changes it", Last());
    }

    private void Wait(int ms)
    {
        _unit.Target.Executor.Advance(ms);
        _unit.Target.Executor.Run();
    }

    private CommandView Only() => Assert.Single(_unit.Target.Unit.ViewOn(_unit.Target.Executor).Commands);

    private string? Last() => _unit.Target.Unit.ViewOn(_unit.Target.Executor).Commands[^1].WaitsFor;
}
