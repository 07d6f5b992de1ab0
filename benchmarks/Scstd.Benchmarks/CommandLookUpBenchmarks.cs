using BenchmarkDotNet.Attributes;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>From a CDB to its row: by operation code alone, and by service action in either of its places.</summary>
[MemoryDiagnoser]
public class CommandLookUpBenchmarks
{
    private readonly CommandTable _table = new(
        new[] { Sbc.Read10, Sbc.Write10, Sbc.Read16, Sbc.Write16, Sbc.Read32, Sbc.ReadCapacity16 }
            .Select(row => new CommandBinding(row, _ => { })));

    private readonly byte[] _read10 = [0x28, 0, 0, 0, 0x12, 0x34, 0, 0, 8, 0];
    private readonly byte[] _readCapacity16 = [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0];
    private readonly byte[] _read32 = [0x7F, 0, 0, 0, 0, 0, 0, 24, 0x00, 0x09, .. new byte[22]];

    [Benchmark]
    public CommandBinding? ByOperationCode() => _table.Find(_read10);

    [Benchmark]
    public CommandBinding? ByServiceAction() => _table.Find(_readCapacity16);

    [Benchmark]
    public CommandBinding? ByVariableLength() => _table.Find(_read32);

    /// <summary>The look-up, the reserved bits and the transfer length: what every READ pays before its gate.</summary>
    [Benchmark]
    public long FoundAndJudged()
    {
        CommandBinding binding = _table.Find(_read10)!;
        return binding.FindReservedBit(_read10) is null ? binding.Row.TransferLength!(_read10, 512) : 0;
    }
}
