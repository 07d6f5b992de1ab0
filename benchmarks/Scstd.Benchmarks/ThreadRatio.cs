using System.Runtime.InteropServices;
using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Benchmarks;

/// <summary>
/// The mid-layer alone on many threads: each is an executor with a nexus of its own, and they read from one hot LUN
/// through its turnstiles, or each from a LUN of its own. What is measured is processor time for a command: it stays
/// the same if nothing is written that another thread reads, however few processors the machine has; what two of them
/// fight for costs both. That the measurement would notice is shown by the same loop with counters that all
/// increment. <c>dotnet run -c Release --project benchmarks/Scstd.Benchmarks -- --threads</c>
/// </summary>
internal static partial class ThreadRatio
{
    private const int CommandsPerTurn = 200_000;
    private const int Rounds = 11;

    /// <summary>As many as a target that counts commands, bytes and what is under way for all threads together would
    /// write.</summary>
    private const int SharedCounters = 4;

    private static long _shared;

    private enum Load
    {
        OneHotLun,
        LunEach,
        OneHotLunAndSharedCounters,
    }

    public static void Run()
    {
        int[] counts = [1, 2, 4, 8, 16];
        Console.WriteLine($"{Environment.ProcessorCount} processors; ns of processor time/READ, median of {Rounds}");
        long contentions = Monitor.LockContentionCount;
        foreach (Load load in Enum.GetValues<Load>())
        {
            ThreadedWorld[] worlds = [.. counts.Select(count => new ThreadedWorld(count, load != Load.LunEach))];
            List<double>[] times = [.. counts.Select(_ => new List<double>())];
            for (int round = -2; round < Rounds; round++)
            {
                for (int i = 0; i < worlds.Length; i++)
                {
                    int world = (round + 2 + i) % worlds.Length;
                    double time = Measure(worlds[world], load == Load.OneHotLunAndSharedCounters);
                    if (round >= 0)
                        times[world].Add(time);
                }
            }
            for (int i = 0; i < counts.Length; i++)
            {
                double ratio = CountRatio.Median(times[i].Zip(times[0], (own, first) => own / first));
                Console.WriteLine(
                    $"{load,-27} {counts[i],3} executors {CountRatio.Median(times[i]),8:F1} ns/READ  x{ratio:F3}");
            }
            foreach (ThreadedWorld world in worlds)
                world.Dispose();
        }
        Console.WriteLine($"{Monitor.LockContentionCount - contentions} lock contentions");
    }

    /// <summary>All threads begin at once; each does its part of the same number of commands.</summary>
    private static double Measure(ThreadedWorld world, bool sharesCounter)
    {
        int each = CommandsPerTurn / world.Count;
        int ready = 0;
        long total = 0;
        Thread[] threads =
        [
            .. Enumerable.Range(0, world.Count).Select(i => new Thread(() =>
            {
                Interlocked.Increment(ref ready);
                while (Volatile.Read(ref ready) < world.Count)
                    Thread.Yield();
                long before = ProcessorTimeOfThread();
                world.Work(i, each, sharesCounter);
                Interlocked.Add(ref total, ProcessorTimeOfThread() - before);
            })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        return (double)total / ((double)each * world.Count);
    }

    /// <summary>Nanoseconds.</summary>
    private static long ProcessorTimeOfThread()
    {
        const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID
        Time time = default;
        if (GetTime(ThreadClock, ref time) != 0)
            throw new InvalidOperationException("clock_gettime");
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, ref Time time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>As many executors as threads, one nexus on each.</summary>
    private sealed class ThreadedWorld : IDisposable
    {
        private readonly Executor[] _executors;
        private readonly ItNexus[] _nexuses;
        private readonly ScsiCommand[] _commands;

        public ThreadedWorld(int count, bool isOneLun)
        {
            _executors = [.. Enumerable.Range(0, count).Select(index => new Executor(index))];
            LogicalUnit[] units =
            [
                .. Enumerable.Range(0, isOneLun ? 1 : count).Select(
                    i => new LogicalUnit($"null{i}", new NullDevice(), _executors)),
            ];
            var target = new TargetPortIdentity("iqn.2026-11.bench:t", "iqn.2026-11.bench:t,t,0x0001", 1, 1);
            _nexuses =
            [
                .. _executors.Select((executor, i) => new ItNexus(
                    executor, new Port((ulong)i + 1), target, $"iqn.2026-11.bench:i{i},i,0x000000000000",
                    new LunMap([new LunMapEntry(0, units[i % units.Length])]))),
            ];
            Settle();
            foreach (ItlNexus itl in _nexuses.SelectMany(nexus => nexus.ItlNexuses))
            {
                while (itl.UnitAttentions.TryTake(out _))
                {
                }
            }
            _commands = [.. _executors.Select(_ => new ScsiCommand { ExpectedDataInBytes = 4096 })];
            foreach (ScsiCommand command in _commands)
                command.SetCdb([0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
        }

        public int Count => _executors.Length;

        public void Work(int index, int commands, bool sharesCounter)
        {
            ItNexus nexus = _nexuses[index];
            ScsiCommand command = _commands[index];
            for (int i = 0; i < commands; i++)
            {
                nexus.CommandReceived(command);
                for (int k = 0; sharesCounter && k < SharedCounters; k++)
                    Interlocked.Increment(ref _shared);
            }
            if (command.Status != ScsiStatus.Good)
                throw new InvalidOperationException($"READ ended with {command.Status}");
        }

        public void Dispose()
        {
            foreach (Executor executor in _executors)
                executor.Buffers.Dispose();
        }

        /// <summary>Messages go from one executor to another and back.</summary>
        private void Settle()
        {
            for (int i = 0; i < 8; i++)
            {
                foreach (Executor executor in _executors)
                    executor.Run();
            }
        }
    }
}
