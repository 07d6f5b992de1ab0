using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Scsi;
using Scstd.Tests.Composition;
using Scstd.Tests.Configuration;

namespace Scstd.Tests.Administration;

/// <summary>Target port groups as an administrator meets them: in the file, and by the control socket.</summary>
public sealed class PortGroupTests : IAsyncLifetime
{
    private const string Yaml = """
        reactors: {count: 2, io: epoll}
        memory: 64MiB
        state_directory: none
        devices:
          a: {store: memory, size: 1MiB}
          b: {store: memory, size: 1MiB}
        portals: {one: {address: "127.0.0.1:0", tag: 1}, two: {address: "[::1]:0", tag: 2}}
        targets:
          iqn.2026-11.org.example:one: {luns: {0: a, 1: b}}
        port_groups:
          left: {id: 10, portals: one}
          right: {id: 20, portals: two, state: standby, explicit: yes}

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
        _commands = new ControlCommands(_server, _folder.Write("scstd.yaml", Yaml), null, _events.Log);
    }

    public async Task DisposeAsync()
    {
        await _server.StopAsync(TimeSpan.FromSeconds(5));
        _folder.Dispose();
    }

    [Fact]
    public async Task Groups_are_told_with_their_ports_and_sessions()
    {
        using RawInitiator initiator = await LogIn(1);
        PortGroupsAnswer answer = Assert.IsType<PortGroupsAnswer>(await Ask(new PortGroupsRequest()));
        Assert.Equal([("left", 10, "active-optimized", false, 0), ("right", 20, "standby", true, 1)],
            answer.Groups.Select(one => (one.Name, one.Id, one.State, one.IsExplicit, one.Sessions)));
        Assert.Equal([new TargetPortRecord("iqn.2026-11.org.example:one", 1)], answer.Groups[0].Ports);
        Assert.Equal(["a", "b"], answer.Groups[0].Devices);
    }

    [Fact]
    public async Task A_state_is_set_on_every_device_and_the_edit_of_the_file_is_told()
    {
        ChangeAnswer answer =
            Assert.IsType<ChangeAnswer>(await Ask(new SetPortGroupRequest("right", "Active-Non-Optimized")));
        Assert.Equal(["port group right: active-non-optimized instead of standby"], answer.Changes);
        Assert.Equal(new EditRecord(12, 40, "standby", "active-non-optimized"), answer.Configuration!.Edit);
        Assert.All(_server.Devices, device =>
            Assert.Equal(AsymmetricAccessState.ActiveNonOptimized, device.Unit.PortGroups!.Groups[1].State));
        Assert.Empty(Assert.IsType<ChangeAnswer>(
            await Ask(new SetPortGroupRequest("right", "active-non-optimized"))).Changes);
    }

    [Fact]
    public async Task A_state_that_stands_nowhere_in_the_file_is_written_by_hand()
    {
        ChangeAnswer answer = Assert.IsType<ChangeAnswer>(await Ask(new SetPortGroupRequest("left", "offline")));
        Assert.False(answer.Configuration!.Agrees);
        Assert.Null(answer.Configuration.Edit);
    }

    [Theory]
    [InlineData("lefd", "standby", "there is no port group 'lefd'; did you mean 'left'?")]
    [InlineData("left", "stanby", "there is no state 'stanby'; did you mean 'standby'?")]
    public async Task What_is_not_known_is_refused_with_the_nearest(string name, string state, string words)
    {
        ControlRefusal refusal =
            await Assert.ThrowsAsync<ControlRefusal>(() => Ask(new SetPortGroupRequest(name, state)));
        Assert.StartsWith(words, refusal.Answer.Message);
    }

    /// <summary>SET TARGET PORT GROUPS on one unit is the group's on every other, and the configuration's in force.
    /// </summary>
    [Fact]
    public async Task What_an_initiator_sets_the_daemon_follows()
    {
        var states = new Dictionary<ushort, AsymmetricAccessState> { [20] = AsymmetricAccessState.ActiveOptimized };
        _server.Devices[0].Unit.PortGroupStatesSet!(states);
        while (!_events.Lines.Any(line => line.Contains("SET TARGET PORT GROUPS on a: port group right: active-opt")))
            await Task.Yield();
        Assert.Equal(AsymmetricAccessState.ActiveOptimized, _server.Daemon.PortGroups[1].State);
        Assert.All(_server.Devices, device =>
            Assert.Equal(AsymmetricAccessState.ActiveOptimized, device.Unit.PortGroups!.Groups[1].State));
    }

    [Theory]
    [InlineData("left: {id: 10}", "11:9", "lacks the key 'portals' or 'targets'")]
    [InlineData("left: {id: 20, portals: one}", "12:15", "has the id 20 of port group 'left'")]
    [InlineData("left: {id: 10, portals: [one, two]}", "12:28",
        "the port of iqn.2026-11.org.example:one with the tag 2 is in port group 'left' already")]
    [InlineData("left: {id: 10, portals: oen}", "11:27", "there is no portal 'oen'; did you mean 'one'?")]
    [InlineData("left: {id: 10, portals: one, devices: [a, c]}", "11:45", "there is no device 'c'")]
    [InlineData("left: {id: 10, portals: one, state: active}", "11:39", "expected active-optimized, active-non-")]
    [InlineData("left: {id: 0, portals: one}", "11:14", "expected a whole number from 1 to 65535")]
    public void A_mistake_is_told_with_its_place(string left, string place, string words) =>
        Reading.OneProblem(Reading.Text(Yaml.Replace("left: {id: 10, portals: one}", left)), place, words);

    [Fact]
    public void Groups_of_different_devices_may_have_the_same_ports() => Reading.Right(Reading.Text(Yaml
        .Replace("portals: one}", "portals: one, devices: a}").Replace("portals: two,", "portals: one, devices: b,")));

    private Task<ControlAnswer> Ask(ControlRequest request) => _commands.AnswerAsync(request, CancellationToken.None);

    private async Task<RawInitiator> LogIn(int portal)
    {
        RawInitiator raw = await RawInitiator.ConnectAsync(_server.EndPoints[portal]);
        Assert.Equal(0, raw.LogIn("InitiatorName=iqn.2026-11.org.example:host", "SessionType=Normal",
            "TargetName=iqn.2026-11.org.example:one"));
        return raw;
    }
}
