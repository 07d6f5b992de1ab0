using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>Initiators, a unit and its store, and a clock that goes by milliseconds.</summary>
internal sealed class SlowWorld : IDisposable
{
    private readonly TestExecutor _executor = new();
    private readonly List<LinuxInitiator> _initiators = [];

    public SlowWorld(int wanted)
    {
        Store = new ModelStore(_executor);
        Unit = new LogicalUnit("slow", Store.Backend, [_executor]);
        Add(wanted);
    }

    public ModelStore Store { get; }

    public LogicalUnit Unit { get; }

    public LinuxInitiator First => _initiators[0];

    public LinuxInitiator Add(int wanted)
    {
        var initiator = new LinuxInitiator(_executor, Unit, wanted, $"i{_initiators.Count}");
        _initiators.Add(initiator);
        return initiator;
    }

    public void Run(int ms)
    {
        for (int i = 0; i < ms; i++)
        {
            _executor.Advance(1);
            _executor.Run();
            foreach (LinuxInitiator initiator in _initiators)
                initiator.Tick();
            _executor.Run();
        }
    }

    /// <summary>The executor does nothing for so long.</summary>
    public void BeLate(int ms) => _executor.Advance(ms);

    public void Limit(long? commandsPerSecond, long? bytesPerSecond)
    {
        Unit.SetRateLimit(new RateLimit([_executor], commandsPerSecond, bytesPerSecond));
        _executor.Run();
    }

    /// <summary>What the device server gets at a time; null: anything.</summary>
    public int? Limit() => Unit.ViewOn(_executor).Regulator.Limit;

    public RegulationCounts Counts() => Unit.RegulationOn(_executor);

    public void SetFaults(IReadOnlyList<InjectedFault> faults)
    {
        Unit.SetFaults(faults);
        _executor.Run();
    }

    /// <summary>From an initiator of its own.</summary>
    public TestCommand Send(byte code) => Begin(code).Command;

    public TestInitiatorPort Begin(byte code)
    {
        var initiator = new TestInitiatorPort(_executor, Unit, code);
        _executor.Run();
        return initiator;
    }

    public override string ToString() =>
        $"{Unit.ViewOn(_executor).Regulator}, {string.Join("; ", _initiators.Select(i =>
            $"{i.Completed} done, {i.Aborts} aborts, {i.Errors} errors, {i.TurnedAway} turned away, "
            + $"{i.CommandsOut} out, {i.Granted} granted"))}, {Store.Commands} at the store";

    public void Dispose()
    {
        foreach (LinuxInitiator initiator in _initiators)
            initiator.IsStopped = true;
        Store.Servers = int.MaxValue;
        foreach (LinuxInitiator initiator in _initiators)
            initiator.Nexus.End(static () => { });
        for (int i = 0; i < 3_000_000 && Store.Commands > 0; i++)
        {
            _executor.Advance(100);
            _executor.Run();
        }
        _executor.Dispose();
    }
}

/// <summary>An initiator that has sent one command.</summary>
internal sealed class TestInitiatorPort
{
    private readonly TestExecutor _executor;

    public TestInitiatorPort(TestExecutor executor, LogicalUnit unit, byte code)
    {
        _executor = executor;
        Nexus = new ItNexus(executor, Port, TestInitiator.Target, "other", new LunMap([new LunMapEntry(0, unit)]));
        while (Nexus.ItlNexuses.First().UnitAttentions.TryTake(out _))
        {
        }
        Command.SetCdb([code, 0, 0, 0, 0, 0]);
        Nexus.CommandReceived(Command);
    }

    public TestPort Port { get; } = new();

    public ItNexus Nexus { get; }

    public TestCommand Command { get; } = new()
    {
        Lun = Lun.FromNumber(0),
        ExpectedDataInBytes = ModelStore.Bytes,
    };

    public TaskManagementRequest Request(TaskManagementFunction function)
    {
        var request = new TaskManagementRequest { Function = function };
        Nexus.TaskManagementRequested(request);
        _executor.Run();
        return request;
    }
}
