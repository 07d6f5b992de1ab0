using System.Net;
using System.Text.Json;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Hosting;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Composition;

/// <summary>The whole daemon in this process, on ports of the kernel's choice, with a raw initiator.</summary>
public sealed class ServerTests : IDisposable
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);
    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private Exception? _fault;

    public void Dispose()
    {
        Assert.Null(_fault);
        _folder.Dispose();
    }

    private Task<Server> Start(DaemonSection daemon) =>
        Server.StartAsync(daemon, _folder.Path, _events.Log, fault => _fault = fault);

    private DaemonSection Read(string yaml)
    {
        ConfigurationFile file = Reading.Text(yaml, _folder);
        Reading.Right(file);
        file.Daemon.StateDirectory = new Word("state", default);
        return file.Daemon;
    }

    [Fact]
    public async Task The_demonstration_is_found_and_lets_an_initiator_in()
    {
        Server server = await Start(Demonstration.Describe(AnyPort, _folder.Path));
        IPEndPoint served = Assert.Single(server.EndPoints);
        using RawInitiator discovering = await RawInitiator.ConnectAsync(served);
        using RawInitiator using_ = await RawInitiator.ConnectAsync(served);

        Assert.Equal(0, discovering.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Discovery"));
        Assert.Equal([$"TargetName={Demonstration.TargetName}", $"TargetAddress={served},1"],
            discovering.Ask("SendTargets=All"));
        Assert.Equal(0, using_.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Normal",
            $"TargetName={Demonstration.TargetName}"));
        Assert.Equal(2, server.SessionCount);
        Assert.Equal(0, using_.LogOut());
        Assert.Equal(0, discovering.LogOut());
        await server.StopAsync(TimeSpan.FromSeconds(5));

        Assert.Equal(1L << 30, new FileInfo(_folder.File(Demonstration.DiskFile)).Length);
        Assert.DoesNotContain(_events.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_ends_sessions_that_stay_and_lets_nobody_in()
    {
        Server server = await Start(Demonstration.Describe(AnyPort, _folder.Path));
        using RawInitiator staying = await RawInitiator.ConnectAsync(server.EndPoints[0]);
        staying.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Normal",
            $"TargetName={Demonstration.TargetName}");

        await server.StopAsync(TimeSpan.FromMilliseconds(50));

        Assert.True(staying.IsClosedByPeer());
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(
            () => RawInitiator.ConnectAsync(server.EndPoints[0]));
        Assert.Contains(_events.Lines, line => line.Contains("1 session(s) did not log out in time"));
        Assert.True(server.HasEnded);
    }

    [Fact]
    public async Task Counters_are_one_line_of_JSON_and_return_to_zero()
    {
        Server server = await Start(Demonstration.Describe(AnyPort, _folder.Path));
        using RawInitiator initiator = await RawInitiator.ConnectAsync(server.EndPoints[0]);
        initiator.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Normal",
            $"TargetName={Demonstration.TargetName}");
        JsonElement during = await Counters(server);
        initiator.LogOut();
        Assert.True(initiator.IsClosedByPeer());
        JsonElement after = await Until(server, counters =>
            Number(counters, "sessions") == 0 && Number(counters, "connections") == 0);
        await server.StopAsync(TimeSpan.FromSeconds(5));

        Assert.Equal((1, 1), (Number(during, "sessions"), Number(during, "connections")));
        Assert.Equal((0, 0), (Number(after, "sessions"), Number(after, "connections")));
        Assert.Equal((0, 0), (Number(after, "bufferLeasesOut"), Number(after, "bufferBytesOut")));
        Assert.True(Number(after, "openFileDescriptors") > 3);
        Assert.True(Number(after, "allocatedBytes") > 0);
        Assert.Equal(server.Lanes.Count, after.GetProperty("reactors").GetArrayLength());

        static long Number(JsonElement counters, string name) => counters.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task A_target_shows_itself_through_its_portals_and_to_its_groups_only()
    {
        Server server = await Start(Read("""
            reactors: {count: 2, io: epoll}
            memory: 64MiB
            devices:
              a: {store: memory, size: 1MiB}
              b: {store: "null", size: 1MiB, block_size: 4096}
            portals:
              open: {address: "127.0.0.1:0", tag: 1}
              shut: {address: "127.0.0.1:0", tag: 2, advertise: "san.example.com:860"}
            targets:
              iqn.2026-11.org.example:everywhere: {luns: {0: a}}
              iqn.2026-11.org.example:hidden: {portals: shut, luns: {0: b}}
              iqn.2026-11.org.example:friends:
                portals: [open]
                groups: [{name: friends, initiators: "*:friend", luns: {3: {device: b, read_only: yes}}}]
              iqn.2026-11.org.example:moved: {portals: open, redirect: "192.0.2.1:3260"}
            """));
        (IPEndPoint open, IPEndPoint shut) = (server.EndPoints[0], server.EndPoints[1]);

        Assert.Equal(["everywhere", "moved"], await Discover(open, "stranger"));
        Assert.Equal(["everywhere", "friends", "moved"], await Discover(open, "friend"));
        Assert.Equal(["everywhere", "hidden"], await Discover(shut, "friend"));
        Assert.Equal(0x0203, await LogIn(open, "stranger", "friends"));
        Assert.Equal(0x0203, await LogIn(open, "stranger", "hidden"));
        Assert.Equal(0x0101, await LogIn(open, "stranger", "moved"));
        Assert.Equal(0, await LogIn(open, "friend", "friends"));
        await server.StopAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Whoever_has_no_secret_is_refused_where_one_is_asked_for()
    {
        Server server = await Start(Read(Reading.Minimal.Replace("127.0.0.1:3260", "127.0.0.1:0")
            + "    authentication: {users: [{name: a, secret: open-sesame-0815}]}\n"));

        Assert.Equal(0x0201, await LogIn(server.EndPoints[0], "friend", "one"));
        await server.StopAsync(TimeSpan.FromSeconds(5));
        Assert.Contains(_events.Lines, line => line.Contains("refused"));
        Assert.DoesNotContain(_events.Lines, line => line.Contains("sesame"));
    }

    [Fact]
    public async Task Discovery_can_be_switched_off()
    {
        Server server = await Start(Read(Reading.Minimal.Replace("127.0.0.1:3260", "127.0.0.1:0")
            + "discovery: {enabled: no}\n"));
        using (RawInitiator raw = await RawInitiator.ConnectAsync(server.EndPoints[0]))
        {
            int status = raw.LogIn("InitiatorName=iqn.2026-11.org.example:friend", "SessionType=Discovery");
            Assert.Equal(0x0209, status); // RFC 7143 §11.13.5: session type not supported.
        }
        Assert.Equal(0, await LogIn(server.EndPoints[0], "friend", "one"));
        await server.StopAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Too_little_memory_for_the_reactors_is_told_in_one_sentence()
    {
        ServerStartException refusal = await Assert.ThrowsAsync<ServerStartException>(
            () => Start(Read(Reading.Minimal + "memory: 16MiB\nreactors: {count: 2}\n")));
        Assert.Equal(
            "test.yaml:8:9: memory: 16MiB is too little for 2 reactor(s), which need 10MiB each", refusal.Message);
    }

    /// <summary>What ends the process when it happens to the daemon: see <see cref="ServerService.Broken"/>.</summary>
    [Fact]
    public async Task A_reactor_that_breaks_is_told_at_once()
    {
        var told = new TaskCompletionSource<Exception>();
        Server server = await Server.StartAsync(Demonstration.Describe(AnyPort, _folder.Path), _folder.Path,
            _events.Log, told.SetResult);
        server.Lanes[0].Reactor.Post(() => throw new System.Diagnostics.UnreachableException("invariant broken"));
        Assert.Equal("invariant broken", (await told.Task).Message);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_one_sentence()
    {
        Server first = await Start(Demonstration.Describe(AnyPort, _folder.Path));
        Directory.CreateDirectory(_folder.File("other"));
        ServerStartException refusal = await Assert.ThrowsAsync<ServerStartException>(
            () => Start(Demonstration.Describe(first.EndPoints[0], _folder.File("other"))));
        await first.StopAsync(TimeSpan.FromSeconds(5));

        Assert.Equal($"portal demonstration, {first.EndPoints[0]}: another program listens there already",
            refusal.Message);
    }

    [Fact]
    public async Task A_disk_that_is_served_already_is_told_in_one_sentence()
    {
        Server first = await Start(Demonstration.Describe(AnyPort, _folder.Path));
        ServerStartException refusal = await Assert.ThrowsAsync<ServerStartException>(
            () => Start(Demonstration.Describe(AnyPort, _folder.Path)));
        await first.StopAsync(TimeSpan.FromSeconds(5));

        Assert.Contains(Demonstration.DiskFile, refusal.Message);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static async Task<JsonElement> Counters(Server server)
    {
        string line = await CounterReport.MakeAsync(server);
        Assert.DoesNotContain('\n', line);
        return JsonDocument.Parse(line).RootElement;
    }

    /// <summary>A session ends a moment after its connection; how long the moment may be is the only clock here.
    /// </summary>
    private static async Task<JsonElement> Until(Server server, Func<JsonElement, bool> condition)
    {
        long deadline = Environment.TickCount64 + 10_000;
        JsonElement counters = await Counters(server);
        while (!condition(counters) && Environment.TickCount64 < deadline)
            counters = await Counters(server);
        return counters;
    }

    private static async Task<string[]> Discover(IPEndPoint portal, string initiator)
    {
        using RawInitiator raw = await RawInitiator.ConnectAsync(portal);
        Assert.Equal(0, raw.LogIn($"InitiatorName=iqn.2026-11.org.example:{initiator}", "SessionType=Discovery"));
        string[] answer = raw.Ask("SendTargets=All");
        raw.LogOut();
        return [.. answer.Where(key => key.StartsWith("TargetName=")).Select(key => key.Split(':')[1]).Order()];
    }

    private static async Task<int> LogIn(IPEndPoint portal, string initiator, string target)
    {
        using RawInitiator raw = await RawInitiator.ConnectAsync(portal);
        return raw.LogIn($"InitiatorName=iqn.2026-11.org.example:{initiator}", "SessionType=Normal",
            $"TargetName=iqn.2026-11.org.example:{target}");
    }
}
