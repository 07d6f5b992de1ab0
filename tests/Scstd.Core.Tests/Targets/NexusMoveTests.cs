using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>A nexus goes from one executor to another. That nothing is lost in any order of messages is for the
/// simulation to show; here is what stays behind, and what the port hears.</summary>
public sealed class NexusMoveTests : IDisposable
{
    private readonly TestExecutor _here = new(0);
    private readonly TestExecutor _there = new(1);
    private readonly LogicalUnit _unit;
    private readonly ListeningPort _port = new();
    private readonly ItNexus _nexus;
    private bool _hasArrived;

    public NexusMoveTests()
    {
        _unit = new LogicalUnit("unit", new TestBackend(), [_here, _there]);
        _nexus = new ItNexus(
            _here, _port, TestInitiator.Target, "iqn.2026-11.test:initiator,i,0x1",
            new LunMap([new LunMapEntry(0, _unit), new LunMapEntry(3, _unit)]));
    }

    [Fact]
    public void Nothing_of_it_is_left_where_it_was()
    {
        _nexus.SetRateLimit(new RateLimit([_here, _there], commandsPerSecond: 5, bytesPerSecond: null));
        ItlNexus before = Itl;
        MoveAll();

        Assert.Empty(_unit.TurnstileOf(_here).Nexuses);
        Assert.Equal(2, _unit.TurnstileOf(_there).Nexuses.Count);
        Assert.False(before.IsCountedAsLimited);
        Assert.True(Itl.IsCountedAsLimited);
        Assert.Same(_there, _nexus.Executor);
        Assert.True(_nexus.CanMove);
    }

    [Fact]
    public void Both_sides_are_never_asked_at_once_and_it_arrives_when_the_last_has_left()
    {
        Move();
        Assert.False(_nexus.CanMove);
        _there.Run();
        _here.RunOne();
        _there.Run();
        Assert.False(_hasArrived);
        _here.Run();
        Assert.False(_hasArrived);
        _there.Run();
        Assert.True(_hasArrived);
    }

    [Fact]
    public void The_port_hears_of_what_was_told_on_the_way_when_it_is_there()
    {
        Move();
        while (_here.RunOne())
        {
        }
        // The home has sent it on its way: from here on the successor is told.
        _unit.Announce(AdditionalSense.CapacityDataHasChanged);
        _here.Run();
        Assert.Empty(_port.Heard);
        _there.Run();

        Assert.Equal(
            [(0, AdditionalSense.CapacityDataHasChanged), (3, AdditionalSense.CapacityDataHasChanged)], _port.Heard);
        Assert.Equal(
            [AdditionalSense.PowerOnOccurred, AdditionalSense.CapacityDataHasChanged],
            Itl.UnitAttentions.Pending.ToArray());
    }

    [Fact]
    public void A_nexus_without_units_moves_too()
    {
        var empty = new ItNexus(_here, _port, TestInitiator.Target, "iqn.2026-11.test:empty,i,0x1", LunMap.Empty);
        bool arrived = false;
        empty.MoveTo(_there, () => arrived = true);
        _there.Run();
        Assert.True(arrived);
        Assert.Same(_there, empty.Executor);
    }

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    private ItlNexus Itl => _nexus.Find(Lun.FromNumber(0))!;

    private void Move() => _nexus.MoveTo(_there, () => _hasArrived = true);

    private void MoveAll()
    {
        Move();
        while (!_hasArrived)
        {
            _here.Run();
            _there.Run();
        }
    }

    private sealed class ListeningPort : ITargetPort
    {
        public List<(int Lun, AdditionalSense Condition)> Heard { get; } = [];

        public void AsynchronousEventOccurred(ItlNexus itl, AdditionalSense condition)
        {
            Assert.True(itl.Lun.TryGetNumber(out int number));
            Heard.Add((number, condition));
        }

        public void ReceiveDataOut(ScsiCommand command) => throw new NotSupportedException();

        public void SendCommandComplete(ScsiCommand command) => throw new NotSupportedException();

        public void TerminateDataTransfer(ScsiCommand command) => throw new NotSupportedException();

        public void CommandAborted(ScsiCommand command) => throw new NotSupportedException();

        public void TaskManagementFunctionExecuted(TaskManagementRequest request) => throw new NotSupportedException();
    }
}
