using Scstd.Composition;

namespace Scstd.Tests.Composition;

/// <summary>What is read from /proc and /sys, and what an administrator is told of it.</summary>
public sealed class MachineLayoutTests : IDisposable
{
    private const string Interrupts = """
                   CPU0       CPU1       CPU2       CPU3
         24:          1          0          0          0  IO-APIC   5-edge      ACPI:Ged
         30:          9          0          0          0  PCI-MSIX-0000:01:00.0   0-edge      eth0-TxRx-0
         31:          0          9          0          0  PCI-MSIX-0000:01:00.0   1-edge      eth0-TxRx-1
         32:          0          0          9          0  PCI-MSIX-0000:02:00.0   0-edge   mlx5_comp0@pci:0000:02:00.0
         33:          0          0          0          0  PCI-MSIX-0000:03:00.0   0-edge      virtio2-config
         34:          0          0          0          9  PCI-MSIX-0000:03:00.0   1-edge      virtio2-input.0
        NMI:          0          0          0          0  Non-maskable interrupts
        """;

    private readonly TemporaryFolder _folder = new();

    public MachineLayoutTests()
    {
        Write("proc/interrupts", Interrupts);
        Write("sys/devices/system/node/node0/cpulist", "0-1");
        Write("sys/devices/system/node/node1/cpulist", "2-3");
        foreach ((int interrupt, string cpus) in ((int, string)[])[(30, "0"), (31, "1"), (32, "2-3"), (34, "0-3")])
            Write($"proc/irq/{interrupt}/smp_affinity_list", cpus);
        Write("proc/irq/34/effective_affinity_list", "3");
        Write("sys/class/net/eth0/device/numa_node", "0");
        Write("sys/class/net/eth1/device/numa_node", "-1");
        Write("sys/class/net/eth1/device/msi_irqs/32", "msix");
        // A virtio device is a link to the child of the one on the bus.
        Write("sys/devices/pci/card/numa_node", "1");
        Directory.CreateDirectory(_folder.File("sys/devices/pci/card/virtio2"));
        Directory.CreateDirectory(_folder.File("sys/class/net/eth2"));
        Directory.CreateSymbolicLink(
            _folder.File("sys/class/net/eth2/device"), _folder.File("sys/devices/pci/card/virtio2"));
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("eth0", "0-1", 0)]
    [InlineData("eth1", "2-3", null)]
    [InlineData("eth2", "3", 1)]
    [InlineData("bond0", "", null)]
    public void Interrupts_are_found_by_the_driver_s_name_or_the_device_s_numbers(string name, string cpus, int? node)
    {
        var layout = new MachineLayout(_folder.Path);

        Assert.Equal(cpus, MachineLayout.Format(layout.InterruptCpusOf(name)));
        Assert.Equal(node, layout.NodeOfInterface(name));
    }

    [Fact]
    public void Nodes_are_known_by_their_cpus()
    {
        var layout = new MachineLayout(_folder.Path);

        Assert.Equal((2, 0, 1), (layout.NodeCount, layout.NodeOf(1), layout.NodeOf(2)));
        Assert.Equal([null, null], (int?[])[layout.NodeOf(9), layout.NodeOf(null)]);
    }

    [Fact]
    public void A_machine_that_says_nothing_has_one_node_and_no_advice()
    {
        var layout = new MachineLayout(_folder.File("nowhere"));

        Assert.Equal((1, (int?)null), (layout.NodeCount, layout.NodeOf(0)));
        Assert.Null(PortalAdvice.Describe(layout, ["eth0"], [0]));
    }

    [Theory]
    [InlineData("eth0", "0,1", "eth0: its interrupts are served by CPU 0-1, the reactors run on CPU 0-1, all on its "
        + "NUMA node 0")]
    [InlineData("eth0", "0,2,3", "eth0: its interrupts are served by CPU 0-1, the reactors run on CPU 0,2-3; it is "
        + "attached to NUMA node 0, CPU 2-3 is not: \"reactors: {cpus: 0-1}\" keeps them on it")]
    [InlineData("eth1", "0,1,2", "eth1: its interrupts are served by CPU 2-3, the reactors run on CPU 0-2")]
    [InlineData("eth2", "", "eth2: its interrupts are served by CPU 3; the reactors are bound to no CPU")]
    [InlineData("bond0", "0", null)]
    public void An_administrator_is_told_whether_the_reactors_are_near(string name, string reactors, string? advice)
    {
        int[] cpus = [.. reactors.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

        Assert.Equal(advice, PortalAdvice.Describe(new MachineLayout(_folder.Path), [name], cpus));
    }

    [Fact]
    public void One_cpu_that_takes_all_packets_in_is_better_left_to_it()
    {
        Directory.Delete(_folder.File("sys/devices/system/node/node1"), recursive: true);
        Write("sys/devices/system/node/node0/cpulist", "0-3");

        Assert.EndsWith("or leave that one out: \"reactors: {cpus: 0-2}\"",
            PortalAdvice.Describe(new MachineLayout(_folder.Path), ["eth2"], [0, 1, 2, 3]));
    }

    /// <summary>A service that may open no netlink socket starts all the same.</summary>
    [Fact]
    public void Interfaces_that_may_not_be_listed_are_not_known()
    {
        var layout = new MachineLayout(
            _folder.Path, static () => throw new System.Net.NetworkInformation.NetworkInformationException(97));

        Assert.Empty(layout.InterfacesOf(System.Net.IPAddress.Any));
        Assert.Empty(layout.InterfacesOf(System.Net.IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void Nothing_is_said_of_the_loopback() =>
        Assert.Empty(new MachineLayout().InterfacesOf(System.Net.IPAddress.IPv6Loopback));

    private void Write(string path, string text)
    {
        string file = _folder.File(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text + "\n");
    }
}
