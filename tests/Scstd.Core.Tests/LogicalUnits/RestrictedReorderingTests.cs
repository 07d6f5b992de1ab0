using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>QUEUE ALGORITHM MODIFIER 0h (SPC-4 §7.5.8), as the data of the commands comes in any order.</summary>
public sealed class RestrictedReorderingTests : IDisposable
{
    private readonly HeldUnit _unit = new();
    private readonly TestInitiator _a;

    public RestrictedReorderingTests()
    {
        _a = _unit.Target.Login();
        _a.Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x00, 0x00, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).MustBeGood();
    }

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void A_write_whose_data_comes_late_is_not_stuck_behind_the_read_that_waits_for_it()
    {
        TestCommand first = _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        _a.Port.HoldsDataOut = true;
        TestCommand second = _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand read = _unit.Send(_a, HeldUnit.Read);
        _a.Port.GiveDataOut();
        _unit.Target.Executor.Run();
        Assert.Equal([first], _unit.Held);
        _unit.End(first);
        Assert.Equal([second], _unit.Held);
        _unit.End(second);
        Assert.Equal([read], _unit.Held);
    }

    [Fact]
    public void Reads_go_together_and_the_write_behind_them_waits_for_the_last()
    {
        TestCommand write = _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand[] reads = [_unit.Send(_a, HeldUnit.Read), _unit.Send(_a, HeldUnit.Read)];
        TestCommand next = _unit.Send(_a, HeldUnit.MoveOut, dataOut: new byte[512]);
        TestCommand last = _unit.Send(_a, HeldUnit.Read);
        Assert.Equal([write], _unit.Held);
        _unit.End(write);
        Assert.Equal(reads, _unit.Held);
        _unit.End(reads[1]);
        Assert.Equal([reads[0]], _unit.Held);
        _unit.End(reads[0]);
        Assert.Equal([next], _unit.Held);
        _unit.End(next);
        Assert.Equal([last], _unit.Held);
    }
}
