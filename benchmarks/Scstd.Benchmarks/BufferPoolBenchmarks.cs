using BenchmarkDotNet.Attributes;
using Scstd.Core;

namespace Scstd.Benchmarks;

/// <summary>
/// A lease and its end: what each command with data pays. Alone, a lease splits a slab and its end joins it again;
/// under load, blocks of the right size are mostly lying there.
/// </summary>
[MemoryDiagnoser]
public class BufferPoolBenchmarks
{
    private readonly nint[] _leases = new nint[32];
    private BufferPool _alone = null!;
    private BufferPool _loaded = null!;

    [Params(4096, 65536)]
    public int LengthBytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _alone = new BufferPool(new Slabs());
        _loaded = new BufferPool(new Slabs());
        for (int i = 0; i < _leases.Length; i++)
            _loaded.TryLease(LengthBytes, out _leases[i]);
        // Every other one is given back: these have no free neighbour to be joined with.
        for (int i = 0; i < _leases.Length; i += 2)
            _loaded.Return(_leases[i], LengthBytes);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        for (int i = 1; i < _leases.Length; i += 2)
            _loaded.Return(_leases[i], LengthBytes);
        _alone.Dispose();
        _loaded.Dispose();
    }

    [Benchmark]
    public void LeaseAlone() => LeaseAndReturn(_alone);

    [Benchmark]
    public void LeaseUnderLoad() => LeaseAndReturn(_loaded);

    private void LeaseAndReturn(BufferPool pool)
    {
        if (pool.TryLease(LengthBytes, out nint address))
            pool.Return(address, LengthBytes);
    }
}
