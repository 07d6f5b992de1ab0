using BenchmarkDotNet.Running;
using Scstd.Benchmarks;

// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --nexuses
// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --luns
// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --sessions
// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --threads
switch (args)
{
    case ["--nexuses"]:
        NexusRatio.Run();
        break;
    case ["--luns"]:
        CountRatio.RunLuns();
        break;
    case ["--sessions"]:
        CountRatio.RunSessions();
        break;
    case ["--threads"]:
        ThreadRatio.Run();
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(BufferPoolBenchmarks).Assembly).Run(args);
        break;
}
