using BenchmarkDotNet.Running;
using Scstd.Benchmarks;

// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --nexuses
if (args is ["--nexuses"])
    NexusRatio.Run();
else
    BenchmarkSwitcher.FromAssembly(typeof(BufferPoolBenchmarks).Assembly).Run(args);
