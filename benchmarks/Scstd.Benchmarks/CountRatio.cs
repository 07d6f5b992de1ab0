using System.Diagnostics;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>
/// What a READ costs in the mid-layer with one LUN and with ten thousand, with one session and with ten thousand: of
/// them always the same one, or each in turn. The worlds are measured in turns, too, so that whatever else the machine
/// does meets all alike; the answer is the ratio. Those that are visited in turn find nothing in the processor's
/// caches, which is what ten thousand busy ones cost and no list can mend; so how much they touch is told beside it.
/// <c>dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --luns</c>, or <c>--sessions</c>
/// </summary>
internal static class CountRatio
{
    private const int Many = 10_000;
    private const int Commands = 100_000;
    private const int Rounds = 41;

    public static void RunLuns()
    {
        using var few = new CountedWorld(luns: 1, sessions: 1);
        using var many = new CountedWorld(luns: Many, sessions: 1);
        Compare("LUN", few, many);
    }

    public static void RunSessions()
    {
        using var few = new CountedWorld(luns: 1, sessions: 1);
        using var many = new CountedWorld(luns: 1, sessions: Many);
        Compare("session", few, many);
    }

    private static void Compare(string what, CountedWorld few, CountedWorld many)
    {
        (string Name, Func<double> Measure)[] loads =
        [
            ($"1 {what}", () => few.Measure(Commands, distinct: 1)),
            ($"{Many} {what}s, one of them busy", () => many.Measure(Commands, distinct: 1)),
            ($"{Many} {what}s, 32 of them busy", () => many.Measure(Commands, distinct: 32)),
            ($"{Many} {what}s, all busy in turn", () => many.Measure(Commands, distinct: Many)),
        ];
        List<double>[] times = [.. loads.Select(_ => new List<double>())];
        foreach ((_, Func<double> measure) in loads)
            measure();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < loads.Length; i++)
            {
                int load = (round + i) % loads.Length;
                times[load].Add(loads[load].Measure());
            }
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        for (int i = 0; i < loads.Length; i++)
        {
            double ratio = Median(times[i].Zip(times[0], (own, first) => own / first));
            Console.WriteLine($"{loads[i].Name,-36} {Median(times[i]),7:F1} ns/READ  x{ratio:F3}");
        }
        Console.WriteLine($"{allocated / ((double)loads.Length * Rounds * Commands):F4} bytes allocated/READ, "
            + $"{Monitor.LockContentionCount} lock contentions");
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}

/// <summary>So many LUNs, so many sessions that see them all, on one executor.</summary>
internal sealed class CountedWorld : IDisposable
{
    private readonly Executor _executor = new();
    private readonly (ItNexus Nexus, Lun Lun)[] _paths;
    private readonly ScsiCommand _command = new() { ExpectedDataInBytes = 4096 };
    private int _next;

    public CountedWorld(int luns, int sessions)
    {
        var map = new LunMap(
            Enumerable.Range(0, luns).Select(
                i => new LunMapEntry(i, new LogicalUnit($"null{i}", new NullDevice(), [_executor]))),
            luns > 256 ? LunAddressing.Flat : LunAddressing.Peripheral);
        var target = new TargetPortIdentity("iqn.2026-11.bench:t", "iqn.2026-11.bench:t,t,0x0001", 1, 1);
        ItNexus[] nexuses =
        [
            .. Enumerable.Range(0, sessions).Select(i => new ItNexus(
                _executor, new Port((ulong)i + 1), target, $"iqn.2026-11.bench:i{i},i,0x000000000000", map)),
        ];
        _executor.Run();
        foreach (ItlNexus itl in nexuses.SelectMany(nexus => nexus.ItlNexuses))
        {
            while (itl.UnitAttentions.TryTake(out _))
            {
            }
        }
        _paths =
        [
            .. nexuses.SelectMany(nexus => map.Entries.Select(
                entry => (nexus, Lun.FromNumber(entry.Number, map.Addressing)))),
        ];
        // READ (10), eight blocks.
        _command.SetCdb([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    }

    /// <summary>Nanoseconds for a command; they go to so many paths in turn.</summary>
    public double Measure(int commands, int distinct)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < commands; i++)
        {
            if (++_next >= distinct)
                _next = 0;
            (ItNexus nexus, _command.Lun) = _paths[_next];
            nexus.CommandReceived(_command);
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / commands;
    }

    public void Dispose() => _executor.Buffers.Dispose();
}
