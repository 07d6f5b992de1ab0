using BenchmarkDotNet.Attributes;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>CRC32C over what a digest covers: a header, a block, a small and a large data segment.</summary>
[MemoryDiagnoser]
public class DigestBenchmarks
{
    private byte[] _bytes = [];

    [Params(48, 512, 4096, 65536)]
    public int LengthBytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _bytes = new byte[LengthBytes];
        new Random(1).NextBytes(_bytes);
    }

    /// <summary>As chosen at start for this machine.</summary>
    [Benchmark(Baseline = true)]
    public uint Chosen() => Crc32c.Compute(_bytes);

    /// <summary>The CRC32 instruction alone.</summary>
    [Benchmark]
    public uint Serial() => Crc32c.Finish(Crc32c.AppendSerial(Crc32c.Seed, _bytes));
}
