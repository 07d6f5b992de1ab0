using System.Diagnostics;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>
/// What a READ costs in the mid-layer, from its arrival to its release, with one nexus at the unit and with a thousand,
/// each registered for persistent reservations. The two are measured in turns, so that whatever else the machine does
/// meets both alike; the answer is the ratio.
/// <c>dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --nexuses</c>
/// </summary>
internal static class NexusRatio
{
    private const int Commands = 200_000;
    private const int Rounds = 41;

    public static void Run()
    {
        using var one = new Unit(nexuses: 1);
        using var thousand = new Unit(nexuses: 1000);
        var ratios = new List<double>();
        var few = new List<double>();
        var many = new List<double>();
        one.Measure(Commands);
        thousand.Measure(Commands);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < Rounds; round++)
        {
            // The order changes from round to round.
            double a, b;
            if (round % 2 == 0)
            {
                a = one.Measure(Commands);
                b = thousand.Measure(Commands);
            }
            else
            {
                b = thousand.Measure(Commands);
                a = one.Measure(Commands);
            }
            few.Add(a);
            many.Add(b);
            ratios.Add(b / a);
        }
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Console.WriteLine($"{one.Registered} registered nexus: {CountRatio.Median(few):F1} ns/READ, "
            + $"{thousand.Registered} registered nexuses: {CountRatio.Median(many):F1} ns/READ, "
            + $"ratio {CountRatio.Median(ratios):F3}; {allocated / (2.0 * Rounds * Commands):F4} bytes allocated/READ, "
            + $"{Monitor.LockContentionCount} lock contentions");
    }

    /// <summary>A unit that reads nothing, and a session that sends nothing.</summary>
    private sealed class Unit : IDisposable
    {
        private readonly Executor _executor = new();
        private readonly ItNexus _nexus;
        private readonly ScsiCommand _command = new() { ExpectedDataInBytes = 4096 };

        public Unit(int nexuses)
        {
            var unit = new LogicalUnit("null", new NullDevice(), [_executor]);
            var map = new LunMap([new LunMapEntry(0, unit)]);
            var target = new TargetPortIdentity("iqn.2026-11.bench:t", "iqn.2026-11.bench:t,t,0x0001", 1, 1);
            ItNexus[] all =
            [
                .. Enumerable.Range(0, nexuses).Select(i => new ItNexus(
                    _executor, new Port((ulong)i + 1), target, $"iqn.2026-11.bench:i{i},i,0x000000000000", map)),
            ];
            foreach (ItNexus nexus in all)
            {
                foreach (ItlNexus itl in nexus.ItlNexuses)
                {
                    while (itl.UnitAttentions.TryTake(out _))
                    {
                    }
                }
            }
            _nexus = all[^1];
            _executor.Run();
            foreach (ItNexus nexus in all)
                Register(nexus);
            // READ (10), eight blocks.
            _command.SetCdb([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
        }

        /// <summary>How many nexuses have a registration.</summary>
        public int Registered { get; private set; }

        /// <summary>PERSISTENT RESERVE OUT, REGISTER: every initiator port its own key.</summary>
        private void Register(ItNexus nexus)
        {
            var command = new ScsiCommand { ExpectedDataOutBytes = 24 };
            command.SetCdb([0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0]);
            nexus.CommandReceived(command);
            _executor.Run();
            if (command.Status != ScsiStatus.Good)
                throw new InvalidOperationException($"REGISTER ended with {command.Status}, {command.Sense}");
            Registered++;
        }

        public double Measure(int commands)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < commands; i++)
                _nexus.CommandReceived(_command);
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / commands;
        }

        public void Dispose() => _executor.Buffers.Dispose();
    }
}
