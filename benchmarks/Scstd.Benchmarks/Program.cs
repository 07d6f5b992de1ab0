using BenchmarkDotNet.Running;

// dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
