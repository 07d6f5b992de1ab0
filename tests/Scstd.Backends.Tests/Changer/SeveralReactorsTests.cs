using Scstd.Backends.Changer;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>Initiators on different reactors, and one robot.</summary>
public sealed class SeveralReactorsTests : IDisposable
{
    private readonly TestExecutor[] _executors = [new(0), new(1)];
    private readonly ManualReactor[] _reactors = [new(0), new(1)];
    private readonly FakeBay[] _bays = [new(1), new(2)];
    private readonly ChangerBackend _changer;
    private readonly LogicalUnit _unit;
    private readonly TestInitiator[] _initiators;

    public SeveralReactorsTests()
    {
        var options = new ChangerOptions { Name = "tapes", Slots = 4, ImportExports = 2 };
        _changer = ChangerBackend.Open(options, ShelfOf("A1", "A2"), _bays, _reactors, null);
        _unit = new LogicalUnit("tapes", _changer, _executors);
        var map = new LunMap([new LunMapEntry(0, _unit)]);
        _initiators =
            [.. _executors.Select((executor, i) => new TestInitiator(executor, $"iqn.2026-11.test:{i}", map))];
        Run();
        foreach (TestInitiator initiator in _initiators)
            initiator.TakeUnitAttentions();
    }

    [Fact]
    public void A_move_runs_on_its_own_reactor_and_the_others_wait_for_it()
    {
        _bays[0].Holds = true;
        TestCommand move = Send(1, MoveCdb(Slot1, Drive1));
        Run();
        TestCommand status = Send(0, StatusCdb(flags: 0x10)), second = Send(0, MoveCdb(Slot2, Slot1));
        Run();
        Assert.False(move.IsAnswered || status.IsAnswered || second.IsAnswered);
        _bays[0].Settle();
        Run();
        AssertGood(move);
        AssertGood(second);
        // Sent before the second move, told before it or after it, but whole.
        IReadOnlyList<ReportedElement> full =
            [.. ReportedElement.ReadAll(status.DataIn).Where(element => element.IsFull)];
        Assert.Contains((Drive1, "A1"), full.Select(element => (element.Address, element.Barcode)));
        Assert.Equal(["A1", "A2"], full.Select(element => element.Barcode).Order());
    }

    [Fact]
    public void What_an_administrator_does_is_told_on_every_reactor()
    {
        Task<LibraryOutcome> move = _changer.MoveAsync(_unit, Slot2, Drive2);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Run();
                return move.IsCompleted;
            },
            TimeSpan.FromSeconds(30)));
        for (int i = 0; i < 2; i++)
        {
            TestCommand told = Send(i, [0, 0, 0, 0, 0, 0]);
            Run();
            AssertSense(SenseKey.UnitAttention, AdditionalSense.MediumMayHaveChanged, told);
        }
    }

    [Fact]
    public void What_a_nexus_holds_ends_with_it_wherever_it_lives()
    {
        TestCommand prevent = Send(1, [0x1E, 0, 0, 0, 1, 0]);
        Run();
        AssertGood(prevent);
        Assert.True(_changer.IsRemovalPrevented);
        _initiators[1].Nexus.End(static () => { });
        Run();
        Assert.False(_changer.IsRemovalPrevented);
    }

    public void Dispose()
    {
        foreach (TestInitiator initiator in _initiators.Where(one => !one.Nexus.IsEnding))
            initiator.Nexus.End(static () => { });
        Run();
        foreach (TestExecutor executor in _executors)
            executor.Dispose();
    }

    private TestCommand Send(int initiator, byte[] cdb) => _initiators[initiator].Send(Lun.FromNumber(0), cdb);

    private void Run()
    {
        bool moved = true;
        while (moved)
        {
            moved = false;
            foreach (TestExecutor executor in _executors)
                moved |= executor.RunOne();
            foreach (ManualReactor reactor in _reactors)
                moved |= reactor.RunPass();
        }
    }
}
