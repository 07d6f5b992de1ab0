using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Scstd.Linux;

namespace Scstd.Benchmarks;

/// <summary>What a reactor takes for a file operation on the page cache, 32 at a time, and for a message from another
/// thread; it sleeps before each of both.</summary>
[MemoryDiagnoser]
public class ReactorBenchmarks
{
    private const int Together = 32;
    private const int FileBytes = 1 << 20;

    private readonly ManualResetEventSlim _done = new();
    private readonly Operation[] _operations = new Operation[Together];
    private Reactor _reactor = null!;
    private BlockFile _file = null!;
    private string _path = "";
    private Action _submit = null!;
    private Action _count = null!;
    private int _left;

    [Params(ReactorKind.Auto, ReactorKind.Epoll)]
    public ReactorKind Kind { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _path = Path.Combine(AppContext.BaseDirectory, $"{Guid.NewGuid():N}.img");
        File.WriteAllBytes(_path, new byte[FileBytes]);
        _file = BlockFile.Open(_path, new BlockFileOptions());
        _reactor = ReactorFactory.Start(new ReactorOptions { Kind = Kind }, Console.WriteLine);
        for (int i = 0; i < Together; i++)
            _operations[i] = new Operation(_file.Handle, i * Operation.PartBytes, Ended);
        _submit = () =>
        {
            foreach (Operation operation in _operations)
                _reactor.Submit(operation);
        };
        _count = Ended;
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _reactor.Stop();
        _reactor.Dispose();
        foreach (Operation operation in _operations)
            operation.Free();
        _file.Dispose();
        File.Delete(_path);
    }

    [Benchmark(OperationsPerInvoke = Together)]
    public void ReadFile()
    {
        Begin();
        _reactor.Post(_submit);
        _done.Wait();
    }

    [Benchmark(OperationsPerInvoke = Together)]
    public void Post()
    {
        Begin();
        for (int i = 0; i < Together; i++)
            _reactor.Post(_count);
        _done.Wait();
    }

    private void Begin()
    {
        _done.Reset();
        _left = Together;
    }

    private void Ended()
    {
        if (--_left == 0)
            _done.Set();
    }

    private sealed unsafe class Operation : FileOperation
    {
        public const int PartBytes = 4096;

        private readonly void* _memory = NativeMemory.AlignedAlloc(PartBytes, PartBytes);
        private readonly Action _ended;

        public Operation(FileHandle file, long offsetBytes, Action ended)
        {
            _ended = ended;
            (Kind, File, OffsetBytes, VectorCount) = (FileOperationKind.Read, file, offsetBytes, 1);
            Vectors[0] = new IoVector((nint)_memory, PartBytes);
        }

        public override void Completed(long result)
        {
            if (result != PartBytes)
                throw new InvalidOperationException($"the read ended with {result}");
            _ended();
        }

        public void Free()
        {
            Dispose();
            NativeMemory.AlignedFree(_memory);
        }
    }
}
