using BenchmarkDotNet.Attributes;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>From bytes to words and back: a CDB's address and length, and sense data in both formats.</summary>
[MemoryDiagnoser]
public class ScsiBenchmarks
{
    private readonly byte[] _read10 = [0x28, 0, 0, 0, 0x12, 0x34, 0, 0, 8, 0];
    private readonly byte[] _read16 = [0x88, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0, 0, 0, 8, 0, 0];
    private readonly byte[] _sense = new byte[SenseWriter.MaxLengthBytes];

    [Benchmark]
    public ulong ParseRead10()
    {
        var cdb = new BlockCdb(_read10);
        return cdb.LogicalBlockAddress + cdb.TransferLengthBlocks;
    }

    [Benchmark]
    public ulong ParseRead16()
    {
        var cdb = new BlockCdb(_read16);
        return cdb.LogicalBlockAddress + cdb.TransferLengthBlocks;
    }

    [Benchmark]
    public int WriteFixedSense() => SenseWriter.WriteFixed(SenseData.InvalidFieldInCdb(2, 3), _sense);

    [Benchmark]
    public int WriteDescriptorSense() => SenseWriter.WriteDescriptors(SenseData.InvalidFieldInCdb(2, 3), _sense);
}
