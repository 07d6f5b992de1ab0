using BenchmarkDotNet.Attributes;
using Scstd.Backends.Disk;
using Scstd.Core;

namespace Scstd.Benchmarks;

/// <summary>Eight blocks at a store that needs no system call, without the disk above it.</summary>
[MemoryDiagnoser]
public class StoreBenchmarks
{
    private const int Blocks = 8;
    private const int BlockBytes = 512;

    private readonly DataBuffer _data = new();
    private readonly DataBuffer _lent = new();
    private readonly Request _request = new();
    private readonly BufferPool _pool = new(new Slabs());
    private IBlockStore _store = null!;

    [Params(DiskStoreKind.Memory, DiskStoreKind.Null)]
    public DiskStoreKind Store { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _store = Store == DiskStoreKind.Memory
            ? new MemoryStore(32768, BlockBytes, thin: false) : new NullStore(32768, BlockBytes, thin: false);
        if (!_data.TryLease(_pool, Blocks * BlockBytes))
            throw new InvalidOperationException("no memory");
        _request.Data = _data;
        _request.Blocks = Blocks;
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _data.Return();
        _pool.Dispose();
        _store.Dispose();
    }

    [Benchmark]
    public void Read() => Run(BlockRequestKind.Read);

    [Benchmark]
    public void Write() => Run(BlockRequestKind.Write);

    /// <summary>What a READ pays instead: the store's own memory.</summary>
    [Benchmark]
    public int Lend()
    {
        _lent.Return();
        _store.TryLend(0, Blocks, _lent);
        return _lent.LengthBytes;
    }

    private void Run(BlockRequestKind kind)
    {
        _request.Kind = kind;
        _store.Submit(_request);
    }

    private sealed class Request : BlockRequest
    {
        public override void Completed()
        {
        }
    }
}
