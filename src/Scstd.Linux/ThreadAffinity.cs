namespace Scstd.Linux;

/// <summary>Which cores a thread may run on.</summary>
public static unsafe class ThreadAffinity
{
    private const int MaxCpus = 1024; // sizeof(cpu_set_t) of the C library
    private const int Words = MaxCpus / 64;
    private const int CurrentThread = 0;

    /// <summary>The cores that this process was given, in ascending order.</summary>
    public static IReadOnlyList<int> AllowedCpus()
    {
        ulong* mask = stackalloc ulong[Words];
        LinuxException.Check(LibC.GetAffinity(CurrentThread, Words * sizeof(ulong), mask), "sched_getaffinity");
        var cpus = new List<int>();
        for (int cpu = 0; cpu < MaxCpus; cpu++)
        {
            if ((mask[cpu / 64] & (1UL << (cpu % 64))) != 0)
                cpus.Add(cpu);
        }
        return cpus;
    }

    /// <summary>Binds the calling thread, and it alone, to one core; null leaves it where the kernel puts it.
    /// </summary>
    internal static void Bind(int? cpu)
    {
        if (cpu is not int index)
            return;
        if (index is < 0 or >= MaxCpus)
            throw new LinuxException(ErrorNumber.InvalidArgument, $"sched_setaffinity(cpu {index})");
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        mask[index / 64] = 1UL << (index % 64);
        LinuxException.Check(
            LibC.SetAffinity(CurrentThread, Words * sizeof(ulong), mask), $"sched_setaffinity(cpu {index})");
    }
}
