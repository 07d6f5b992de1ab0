namespace Scstd.Composition;

/// <summary>
/// What an administrator may want to know of a portal's network interfaces when the machine has many CPUs: who serves
/// their interrupts, and whether the reactors, whose buffers the data goes through, are near.
/// </summary>
internal static class PortalAdvice
{
    /// <summary>Null: nothing to say.</summary>
    /// <param name="layout">Of the machine.</param>
    /// <param name="interfaces">Behind the portal; none for the loopback.</param>
    /// <param name="reactorCpus">That reactors are bound to; empty: to none.</param>
    public static string? Describe(
        MachineLayout layout, IReadOnlyList<string> interfaces, IReadOnlyList<int> reactorCpus)
    {
        string[] parts =
            [.. interfaces.Select(name => DescribeOne(layout, name, reactorCpus)).OfType<string>()];
        return parts.Length == 0 ? null : string.Join("; ", parts);
    }

    private static string? DescribeOne(MachineLayout layout, string name, IReadOnlyList<int> reactorCpus)
    {
        IReadOnlyList<int> serving = layout.InterruptCpusOf(name);
        if (serving.Count == 0)
            return null;
        string words = $"{name}: its interrupts are served by CPU {MachineLayout.Format(serving)}";
        if (reactorCpus.Count == 0)
            return words + "; the reactors are bound to no CPU";
        words += $", the reactors run on CPU {MachineLayout.Format(reactorCpus)}";
        if (layout.NodeCount > 1 && layout.NodeOfInterface(name) is { } node)
            return words + NodeAdvice(layout, node, reactorCpus);
        return words + SpreadAdvice(serving, reactorCpus);
    }

    private static string NodeAdvice(MachineLayout layout, int node, IReadOnlyList<int> reactorCpus)
    {
        int[] far = [.. reactorCpus.Where(cpu => layout.NodeOf(cpu) != node)];
        return far.Length == 0
            ? $", all on its NUMA node {node}"
            : $"; it is attached to NUMA node {node}, CPU {MachineLayout.Format(far)} is not: "
                + $"\"reactors: {{cpus: {MachineLayout.Format(layout.CpusOf(node))}}}\" keeps them on it";
    }

    /// <summary>One CPU that takes all packets in is the limit of the others.</summary>
    private static string SpreadAdvice(IReadOnlyList<int> serving, IReadOnlyList<int> reactorCpus) =>
        serving.Count == 1 && reactorCpus.Count > 2 && reactorCpus.Contains(serving[0])
            ? "; where packets are many, spread the interface's queues over the CPUs, or leave that one out: "
                + $"\"reactors: {{cpus: {MachineLayout.Format(reactorCpus.Where(cpu => cpu != serving[0]))}}}\""
            : "";
}
