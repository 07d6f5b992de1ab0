using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Composition;

/// <summary>Another version of the program serves hosts that an older one has served: 3Fh/01h.</summary>
public sealed class MicrocodeTests : IDisposable
{
    private const string Yaml = """
        reactors: {count: 1, io: epoll}
        memory: 64MiB
        state_directory: state
        devices: {a: {store: memory, size: 1MiB}}
        portals: {here: "127.0.0.1:0"}
        targets: {iqn.2026-11.org.example:one: {luns: {0: a}}}

        """;

    private const string PowerOn = "29/01", General = "29/00", NexusLoss = "29/07", Microcode = "3F/01";

    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Who_was_here_under_another_version_is_told_once_behind_the_power_on()
    {
        await Life("1.0", server => Hears(server, "host1", General));
        await Life("2.0", async server =>
        {
            await Hears(server, "host1", PowerOn, Microcode);
            await Hears(server, "host1", NexusLoss);
            await Hears(server, "host2", General);
        });
        await Life("2.0", async server =>
        {
            await Hears(server, "host1", PowerOn);
            await Hears(server, "host2", PowerOn);
        });
    }

    [Fact]
    public async Task Who_stays_away_for_some_lives_is_told_when_he_comes_back()
    {
        await Life("1.0", server => Hears(server, "host1", General));
        await Life("2.0", server => Hears(server, "host2", General));
        await Life("2.0", _ => Task.CompletedTask);
        await Life("2.0", async server =>
        {
            await Hears(server, "host1", PowerOn, Microcode);
            await Hears(server, "host2", PowerOn);
        });
    }

    /// <summary>A file without versions is still read; by which version it was written nobody can say.</summary>
    [Fact]
    public async Task A_state_of_the_former_format_tells_of_the_power_on_alone()
    {
        Directory.CreateDirectory(_folder.File("state"));
        using (UnitStates states = UnitStates.Open(new Word("state", default), _folder.Path, null, _events.Log)!)
        {
            await states.SaveNexusesAsync(
                ["iqn.2026-11.org.example:one iqn.2026-11.org.example:host1 800000000000 1"], TimeSpan.FromSeconds(30));
        }
        await Life("2.0", _ => Task.CompletedTask);
        await Life("3.0", server => Hears(server, "host1", PowerOn));
        await Life("4.0", server => Hears(server, "host1", PowerOn, Microcode));
    }

    private async Task Life(string version, Func<Server, Task> happens)
    {
        ConfigurationFile file = Reading.Text(Yaml, _folder);
        Reading.Right(file);
        Server server = await Server.StartAsync(
            file.Daemon, _folder.Path, _events.Log, fault => Assert.Null(fault), version);
        try
        {
            await happens(server);
        }
        finally
        {
            await server.StopAsync(TimeSpan.FromSeconds(5));
        }
    }

    private static async Task Hears(Server server, string name, params string[] expected)
    {
        using RawInitiator initiator = await RawInitiator.ConnectAsync(server.EndPoints[0]);
        Assert.Equal(0, initiator.LogIn($"InitiatorName=iqn.2026-11.org.example:{name}", "SessionType=Normal",
            "TargetName=iqn.2026-11.org.example:one"));
        var heard = new List<string>();
        while (initiator.Read(0, new byte[6], 0) is (2, var sense))
            heard.Add($"{sense[2 + 12]:X2}/{sense[2 + 13]:X2}");
        Assert.Equal(expected, heard);
        Assert.Equal(0, initiator.LogOut());
        Assert.True(initiator.IsClosedByPeer());
    }
}
