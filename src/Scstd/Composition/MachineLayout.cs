using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Scstd.Configuration;

namespace Scstd.Composition;

/// <summary>What the kernel says of CPUs, NUMA nodes and the interrupts of network interfaces. What it does not say is
/// not known, and nothing depends on it but advice and the place of memory.</summary>
/// <param name="root">Where /proc and /sys are.</param>
/// <param name="interfaces">Which there are; by default the system's.</param>
internal sealed class MachineLayout(string root = "/", Func<NetworkInterface[]>? interfaces = null)
{
    private readonly IReadOnlyDictionary<int, IReadOnlyList<int>> _cpusOfNode = ReadNodes(root);

    public int NodeCount => Math.Max(1, _cpusOfNode.Count);

    /// <summary>Null: not known, or no CPU in particular.</summary>
    public int? NodeOf(int? cpu)
    {
        foreach ((int node, IReadOnlyList<int> cpus) in _cpusOfNode)
        {
            if (cpu is { } one && cpus.Contains(one))
                return node;
        }
        return null;
    }

    public IReadOnlyList<int> CpusOf(int node) => _cpusOfNode.GetValueOrDefault(node) ?? [];

    /// <summary>The NUMA node that a network interface is attached to; null: none, or not known.</summary>
    public int? NodeOfInterface(string name)
    {
        string device = Path.Combine(root, "sys/class/net", name, "device");
        // A virtio device has none, but its parent may.
        string? parent = Path.GetDirectoryName(Behind(device));
        string?[] folders = [device, parent];
        foreach (string folder in folders.OfType<string>())
        {
            if (int.TryParse(Read(Path.Combine(folder, "numa_node")), out int node) && node >= 0)
                return node;
        }
        return null;
    }

    /// <summary>The CPUs that serve the interrupts of a network interface; empty: it has none of its own.</summary>
    public IReadOnlyList<int> InterruptCpusOf(string name)
    {
        var cpus = new SortedSet<int>();
        foreach (int interrupt in InterruptsOf(name))
        {
            string folder = Path.Combine(root, "proc/irq", interrupt.ToString(CultureInfo.InvariantCulture));
            string allowed = Read(Path.Combine(folder, "effective_affinity_list")) is { Length: > 0 } effective
                ? effective : Read(Path.Combine(folder, "smp_affinity_list"));
            if (Units.TryParseCpus(allowed, out IReadOnlyList<int> own))
                cpus.UnionWith(own);
        }
        return [.. cpus];
    }

    /// <summary>The interfaces behind an address; all but the loopback for one that stands for all. Asking wants a
    /// netlink socket, which a sandbox may forbid: then none is known.</summary>
    public IReadOnlyList<string> InterfacesOf(IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
            return [];
        try
        {
            return NamesBehind(address);
        }
        catch (Exception exception) when (exception is NetworkInformationException or IOException)
        {
            return [];
        }
    }

    private string[] NamesBehind(IPAddress address)
    {
        bool isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return
        [
            .. (interfaces ?? NetworkInterface.GetAllNetworkInterfaces)()
                .Where(one => one.NetworkInterfaceType != NetworkInterfaceType.Loopback
                    && one.OperationalStatus == OperationalStatus.Up)
                .Where(one => isAny
                    || one.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)))
                .Select(one => one.Name),
        ];
    }

    /// <summary>"0-3,8"</summary>
    public static string Format(IEnumerable<int> cpus)
    {
        var parts = new List<string>();
        int[] sorted = [.. cpus.Order()];
        for (int first = 0, last; first < sorted.Length; first = last + 1)
        {
            for (last = first; last + 1 < sorted.Length && sorted[last + 1] == sorted[last] + 1;)
                last++;
            parts.Add(first == last ? $"{sorted[first]}" : $"{sorted[first]}-{sorted[last]}");
        }
        return string.Join(',', parts);
    }

    /// <summary>By number where the device has message-signalled ones of its own, and by the names that drivers give
    /// them: the interface's ("eth0-TxRx-3"), or the device's ("virtio2-input.0").</summary>
    private HashSet<int> InterruptsOf(string name)
    {
        string device = Path.Combine(root, "sys/class/net", name, "device");
        var numbers = new HashSet<int>();
        string signalled = Path.Combine(device, "msi_irqs");
        numbers.UnionWith(Entries(signalled, "*").Select(Number).OfType<int>());
        string?[] owners = [name, Path.GetFileName(Behind(device))];
        foreach (string line in Read(Path.Combine(root, "proc/interrupts")).Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || Number(words[0].TrimEnd(':')) is not { } number)
                continue;
            if (owners.OfType<string>().Any(owner => IsOf(owner, words[^1])))
                numbers.Add(number);
        }
        return numbers;
    }

    /// <summary>What a link leads to; null: it is none, or is not there.</summary>
    private static string? Behind(string path)
    {
        try
        {
            return Directory.Exists(path) ? Directory.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What a folder has; nothing where it cannot be read.</summary>
    private static string[] Entries(string folder, string pattern)
    {
        try
        {
            return Directory.Exists(folder) ? Directory.GetFileSystemEntries(folder, pattern) : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsOf(string owner, string action) => action == owner
        || (action.StartsWith(owner + "-", StringComparison.Ordinal)
            && !action.EndsWith("-config", StringComparison.Ordinal));

    private static int? Number(string path) =>
        int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number : null;

    private static Dictionary<int, IReadOnlyList<int>> ReadNodes(string root)
    {
        const string Prefix = "node";
        var nodes = new Dictionary<int, IReadOnlyList<int>>();
        string folder = Path.Combine(root, "sys/devices/system/node");
        foreach (string path in Entries(folder, Prefix + "*"))
        {
            if (Number(Path.GetFileName(path)[Prefix.Length..]) is { } node
                && Units.TryParseCpus(Read(Path.Combine(path, "cpulist")), out IReadOnlyList<int> cpus))
                nodes[node] = cpus;
        }
        return nodes;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
