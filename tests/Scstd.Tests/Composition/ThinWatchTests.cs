using System.Net;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Composition;

/// <summary>A thin device whose room comes to an end while it serves.</summary>
public sealed class ThinWatchTests : IAsyncLifetime
{
    private const string Yaml = """
        reactors: {count: 2, io: epoll}
        memory: 64MiB
        state_directory: none
        devices:
          a: {store: memory, size: 1MiB, thin: yes, thin_threshold: 99%}
          b: {store: memory, size: 1MiB}
        portals: {here: "127.0.0.1:0"}
        targets:
          iqn.2026-11.org.example:one: {luns: {0: a, 1: b}}

        """;

    private static readonly byte[] TestUnitReady = new byte[6];

    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private Server _server = null!;

    public async Task InitializeAsync()
    {
        ConfigurationFile file = Reading.Text(Yaml, _folder);
        Reading.Right(file);
        _server = await Server.StartAsync(file.Daemon, _folder.Path, _events.Log, fault => Assert.Null(fault));
    }

    public async Task DisposeAsync()
    {
        await _server.StopAsync(TimeSpan.FromSeconds(5));
        _folder.Dispose();
    }

    [Fact]
    public async Task Every_initiator_and_the_log_are_told_once()
    {
        using RawInitiator first = await LogIn("host1"), second = await LogIn("host2");
        await _server.ThinWatch.LookAsync();
        Assert.Equal(0, first.Read(0, TestUnitReady, 0).Status);

        // All but one of its 256 sets; the 1% that is left is told of from the fourth last on.
        byte[] writeSame = [0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x07, 0xF8, 0, 0];
        Assert.Equal(0, first.Read(0, writeSame, 0).Status);
        await _server.ThinWatch.LookAsync();

        foreach (RawInitiator initiator in (RawInitiator[])[first, second])
        {
            (int status, byte[] sense) = initiator.Read(0, TestUnitReady, 0);
            Assert.Equal((2, 0x06, 0x38, 0x07), (status, sense[2 + 2], sense[2 + 12], sense[2 + 13]));
            Assert.Equal(0, initiator.Read(0, TestUnitReady, 0).Status);
            Assert.Equal(0, initiator.Read(1, TestUnitReady, 0).Status);
        }
        Assert.Single(_events.Lines, line => line.Contains("Device a: its thin provisioning threshold is reached"));
        await _server.ThinWatch.LookAsync();
        Assert.Equal(0, first.Read(0, TestUnitReady, 0).Status);
    }

    [Theory]
    [InlineData("thin: yes, thin_threshold: 100%", "from 1% to 99%")]
    [InlineData("thin: yes, thin_threshold: 0", "or a size that is left such as 10GiB")]
    [InlineData("thin: yes, thin_threshold: much", "found 'much'")]
    [InlineData("thin_threshold: 90%", "add 'thin: yes'")]
    public void A_threshold_that_means_nothing_is_told_with_its_place(string keys, string words)
    {
        string yaml = Yaml.Replace("thin: yes, thin_threshold: 99%", keys);
        int column = yaml.Split('\n')[4].IndexOf("thin_threshold: ", StringComparison.Ordinal) + 17;
        Reading.OneProblem(Reading.Text(yaml), $"5:{column}", words);
    }

    [Fact]
    public void Nothing_of_a_null_device_can_be_measured() => Reading.OneProblem(
        Reading.Text(Yaml.Replace("a: {store: memory", "a: {store: \"null\"")), "5:61",
        "means nothing to a device whose store is null: how much room it has cannot be measured");

    private async Task<RawInitiator> LogIn(string name)
    {
        RawInitiator raw = await RawInitiator.ConnectAsync(_server.EndPoints[0]);
        Assert.Equal(0, raw.LogIn($"InitiatorName=iqn.2026-11.org.example:{name}", "SessionType=Normal",
            "TargetName=iqn.2026-11.org.example:one"));
        raw.BecomeReady(0);
        raw.BecomeReady(1);
        return raw;
    }
}
