using Scstd.Configuration;

namespace Scstd.Composition;

/// <summary>The CPUs that this process may run on, and how many CPUs' worth of time its control group grants.</summary>
internal sealed record ProcessorSet(IReadOnlyList<int> Cpus, int Count)
{
    public static ProcessorSet OfThisProcess()
    {
        const string Label = "Cpus_allowed_list:";
        string? line = File.ReadLines("/proc/self/status").FirstOrDefault(row => row.StartsWith(Label));
        bool known = Units.TryParseCpus(line?[Label.Length..].Trim() ?? "", out IReadOnlyList<int> cpus);
        // The run-time counts in the control group's quota.
        return known ? new(cpus, Environment.ProcessorCount) : new([], Environment.ProcessorCount);
    }
}
