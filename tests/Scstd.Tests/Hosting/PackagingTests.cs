using Scstd.Configuration;

namespace Scstd.Tests.Hosting;

/// <summary>The unit, the script that installs it and the program agree on places.</summary>
public sealed class PackagingTests
{
    private static readonly string[] Unit = Repository.Read("src/Scstd/Packaging/scstd.service").Split('\n');
    private static readonly string Script = Repository.Read("install.sh");

    [Fact]
    public void The_unit_starts_what_is_installed_with_the_configuration_that_is_installed()
    {
        Assert.Contains($"ExecStart=/usr/bin/scstd --config {ConfigurationFile.InstalledPath}", Unit);
        Assert.Contains("/usr/bin/scstd", Script);
        Assert.Contains($"$destination{ConfigurationFile.InstalledPath}", Script);
        Assert.Contains("Type=notify", Unit);
        Assert.Contains("ExecReload=/bin/kill -HUP $MAINPID", Unit);
    }

    /// <summary>A mistake in the configuration does not heal by starting again; a broken invariant may.</summary>
    [Fact]
    public void The_unit_starts_again_after_a_fault_but_not_after_a_mistake()
    {
        Assert.Contains("Restart=on-failure", Unit);
        Assert.Contains("RestartPreventExitStatus=1", Unit);
    }

    /// <summary>scstctl finds the daemon without being told where.</summary>
    [Fact]
    public void The_unit_makes_the_folder_of_the_control_socket_and_the_script_installs_scstctl()
    {
        Assert.Equal("/run/scstd", Path.GetDirectoryName(Scstd.Control.ControlProtocol.InstalledSocketPath));
        Assert.Contains("RuntimeDirectory=scstd", Unit);
        Assert.Contains("$destination/usr/bin/scstctl", Script);
    }

    /// <summary>What would take away something that the daemon lives by.</summary>
    [Theory]
    [InlineData("PrivateDevices=yes")]
    [InlineData("ProtectClock=yes")]
    [InlineData("MemoryDenyWriteExecute=yes")]
    [InlineData("PrivateNetwork=yes")]
    public void The_unit_does_not_lock_out_disks_network_or_the_compiler(string line) =>
        Assert.DoesNotContain(line, Unit);

    [Theory]
    [InlineData("io_uring_setup")]
    [InlineData("io_uring_enter")]
    [InlineData("io_uring_register")]
    public void The_units_filter_lets_io_uring_through(string call) =>
        Assert.Contains(Unit, line => line.StartsWith("SystemCallFilter=", StringComparison.Ordinal)
            && line.Split(' ').Contains(call));
}
