using System.Net;
using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Tests.Composition;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Administration;

/// <summary>What the daemon tells about itself, asked of a whole server.</summary>
public sealed class ControlCommandsTests : IAsyncLifetime
{
    private const string Yaml = """
        reactors: {count: 2, io: epoll}
        memory: 64MiB
        devices:
          a: {store: memory, size: 1MiB}
          b: {store: "null", size: 1MiB, block_size: 4096, read_only: yes}
        portals: {here: "127.0.0.1:0"}
        targets:
          iqn.2026-11.org.example:one:
            luns: {0: a}
            groups: [{name: friends, initiators: "*:friend", luns: {3: b, 4: a}}]
        """;

    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private Server _server = null!;
    private ControlCommands _commands = null!;

    public async Task InitializeAsync()
    {
        ConfigurationFile file = Reading.Text(Yaml, _folder);
        Reading.Right(file);
        _server = await Server.StartAsync(file.Daemon, _folder.Path, _events.Log, fault => Assert.Null(fault));
        _commands = new ControlCommands(_server, _folder.Write("scstd.yaml", Yaml + "\nlog: {level: loud}\n"), null);
    }

    public async Task DisposeAsync()
    {
        await _server.StopAsync(TimeSpan.FromSeconds(5));
        _folder.Dispose();
    }

    [Fact]
    public async Task Status_counts_what_is_served()
    {
        using RawInitiator initiator = await LogIn("host");
        StatusAnswer status = await Ask<StatusAnswer>(new StatusRequest());
        Assert.Equal((1, 2, 1), (status.Targets, status.Units, status.Sessions));
        Assert.Equal(2, status.Reactors.Count);
        Assert.Equal(1, status.Reactors.Sum(one => one.Connections));
        PortalRecord portal = Assert.Single(status.Portals);
        Assert.Equal((_server.EndPoints[0].ToString(), 1L), (portal.Address, portal.Accepted));
        Assert.Null(status.SilentReactors);
    }

    [Fact]
    public async Task Sessions_are_told_and_can_be_chosen()
    {
        using RawInitiator host = await LogIn("host"), friend = await LogIn("friend");
        SessionsAnswer all = await Ask<SessionsAnswer>(new SessionsRequest());
        Assert.Equal(["iqn.2026-11.org.example:friend", "iqn.2026-11.org.example:host"],
            all.Sessions.Select(one => one.Initiator));
        SessionsAnswer one = await Ask<SessionsAnswer>(
            new SessionsRequest(Initiator: "iqn.2026-11.org.example:host"));
        Assert.Equal("iqn.2026-11.org.example:one", Assert.Single(one.Sessions).Target);
        Assert.Equal(all.Sessions[1].Id, one.Sessions[0].Id);
    }

    [Fact]
    public async Task Units_are_told_with_the_LUNs_that_lead_to_them()
    {
        UnitsAnswer units = await Ask<UnitsAnswer>(new UnitsRequest());
        Assert.Equal(["a", "b"], units.Units.Select(one => one.Name));
        Assert.Equal([(null, 0), ("friends", 4)], units.Units[0].Luns.Select(lun => (lun.Group, lun.Lun)));
        UnitRecord b = Assert.Single((await Ask<UnitsAnswer>(new UnitsRequest("b"))).Units);
        Assert.Equal((256ul, 4096, true, "ready"), (b.Blocks, b.BlockBytes, b.IsWriteProtected, b.State));
    }

    [Fact]
    public async Task A_unit_that_is_not_there_is_told()
    {
        ControlRefusal refusal = await Assert.ThrowsAsync<ControlRefusal>(
            () => _commands.AnswerAsync(new UnitsRequest("aa"), CancellationToken.None));
        Assert.Equal(ErrorCode.NotFound, refusal.Answer.Code);
    }

    [Fact]
    public async Task Check_reads_the_file_as_it_is_now()
    {
        CheckAnswer check = await Ask<CheckAnswer>(new CheckRequest());
        Assert.False(check.IsRight);
        Assert.Equal(11, Assert.Single(check.Problems).Line);
    }

    private async Task<T> Ask<T>(ControlRequest request) where T : ControlAnswer =>
        Assert.IsType<T>(await _commands.AnswerAsync(request, CancellationToken.None));

    private async Task<RawInitiator> LogIn(string initiator)
    {
        RawInitiator raw = await RawInitiator.ConnectAsync(Assert.IsType<IPEndPoint>(_server.EndPoints[0]));
        Assert.Equal(0, raw.LogIn($"InitiatorName=iqn.2026-11.org.example:{initiator}", "SessionType=Normal",
            "TargetName=iqn.2026-11.org.example:one"));
        return raw;
    }
}
