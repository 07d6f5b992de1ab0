using BenchmarkDotNet.Attributes;
using Scstd.HotPath;

namespace Scstd.Benchmarks;

/// <summary>A whole command, from the PDUs that come in to those that go out: frontend, mid-layer and backend, with a
/// stream in memory and files that move no bytes. Per command.</summary>
[MemoryDiagnoser]
public class WholeCommandBenchmarks
{
    /// <summary>Whole receives of every load.</summary>
    private const int Commands = 64;

    private HotSession _session = null!;

    public static IEnumerable<string> Loads => HotLoad.All.Select(load => load.Name);

    [ParamsSource(nameof(Loads))]
    public string Load { get; set; } = "";

    [GlobalSetup]
    public void SetUp()
    {
        _session = new HotSession(HotLoad.Called(Load));
        _session.Run(1024);
    }

    [GlobalCleanup]
    public void CleanUp() => _session.Dispose();

    [Benchmark(OperationsPerInvoke = Commands)]
    public void Command() => _session.Run(Commands);
}
