using BenchmarkDotNet.Attributes;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>A command from its arrival at a nexus to its release, over a device server that does nothing; and what
/// happens beside commands.</summary>
[MemoryDiagnoser]
public class MidLayerBenchmarks
{
    private static readonly AdditionalSense Changed = AdditionalSense.ModeParametersChanged;

    private readonly Executor _executor = new();
    private readonly ScsiCommand _read = new() { ExpectedDataInBytes = 4096 };
    private readonly ScsiCommand _write = new() { ExpectedDataOutBytes = 4096 };
    private LogicalUnit _unit = null!;
    private ItNexus _nexus = null!;
    private ItlNexus _itl = null!;

    [GlobalSetup]
    public void SetUp()
    {
        _unit = new LogicalUnit("null", new NullDevice(), [_executor]);
        _nexus = new ItNexus(_executor, new FullPort(),
            new TargetPortIdentity("iqn.2026-11.bench:t", "iqn.2026-11.bench:t,t,0x0001", 1, 1),
            "iqn.2026-11.bench:i,i,0x000000000000", new LunMap([new LunMapEntry(0, _unit)]));
        _itl = _nexus.ItlNexuses.Single();
        while (_itl.UnitAttentions.TryTake(out _))
        {
        }
        _executor.Run();
        _read.SetCdb([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
        _write.SetCdb([0x2A, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    }

    [GlobalCleanup]
    public void CleanUp() => _executor.Buffers.Dispose();

    [Benchmark]
    public void Read() => _nexus.CommandReceived(_read);

    [Benchmark]
    public void Write() => _nexus.CommandReceived(_write);

    /// <summary>A condition is established, and the next command ends with it.</summary>
    [Benchmark]
    public void UnitAttention()
    {
        _itl.UnitAttentions.Establish(Changed);
        _nexus.CommandReceived(_read);
        if (_read.Status != ScsiStatus.CheckCondition)
            throw new InvalidOperationException("the unit attention was not told");
    }

    /// <summary>The gate shuts, something runs alone, the gate opens.</summary>
    [Benchmark]
    public void Change()
    {
        _unit.ChangeAlone(static () => { }, static () => { });
        _executor.Run();
    }

    /// <summary>Data-Out is in the buffer at once, and no answer is looked at.</summary>
    private sealed class FullPort : ITargetPort
    {
        public void ReceiveDataOut(ScsiCommand command) => command.DataOutReceived();

        public void SendCommandComplete(ScsiCommand command) => command.Release();

        public void TerminateDataTransfer(ScsiCommand command) => command.DataTransferTerminated();

        public void CommandAborted(ScsiCommand command) => command.Release();

        public void TaskManagementFunctionExecuted(TaskManagementRequest request)
        {
        }
    }
}
