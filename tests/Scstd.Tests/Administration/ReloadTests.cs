using System.Net;
using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Tests.Composition;

namespace Scstd.Tests.Administration;

/// <summary>A configuration file that changes under a daemon that serves.</summary>
public sealed partial class ReloadTests : IAsyncLifetime
{
    private const string One = "iqn.2026-11.org.example:one";

    private const string Yaml = """
        reactors: {count: 2, io: epoll}
        memory: 64MiB
        state_directory: none
        devices:
          a: {store: memory, size: 1MiB}
          b: {store: memory, size: 2MiB}
        portals: {here: "127.0.0.1:0"}
        targets:
          iqn.2026-11.org.example:one: {luns: {0: a}}
          iqn.2026-11.org.example:two: {luns: {0: b}}

        """;

    private static readonly byte[] TestUnitReady = new byte[6];
    private static readonly byte[] ReadCapacity = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] ReadBlock = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];

    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();
    private readonly List<DaemonSection> _applied = [];
    private Server _server = null!;
    private Reloader _reloader = null!;

    public async Task InitializeAsync()
    {
        ConfigurationFile file = ConfigurationFile.Read(_folder.Write("scstd.yaml", Yaml));
        Assert.Empty(file.Report());
        _server = await Server.StartAsync(file.Daemon, _folder.Path, _events.Log, fault => Assert.Null(fault));
        _reloader = new Reloader(_server, file.Path, _events.Log, null, _applied.Add);
    }

    public async Task DisposeAsync()
    {
        await _server.StopAsync(TimeSpan.FromSeconds(5));
        _folder.Dispose();
    }

    [Fact]
    public async Task The_same_file_changes_nothing()
    {
        ReloadAnswer answer = await Applied(Yaml + "# a comment\n");
        Assert.Empty(answer.Changes);
        Assert.Equal((0, 0), (answer.SessionsChanged, answer.SessionsEnded));
    }

    [Fact]
    public async Task A_mistake_anywhere_changes_nothing_and_is_told_with_its_place()
    {
        using RawInitiator initiator = await LogIn(One);
        ReloadAnswer answer = await Reload(Yaml.Replace("one: {luns", "uno: {luns") + "log: {level: loud}\n");
        Assert.False(answer.IsApplied);
        ProblemRecord problem = Assert.Single(answer.Problems);
        Assert.Equal((11, 14), (problem.Line, problem.Column));
        Assert.Equal([One, "iqn.2026-11.org.example:two"], Targets());
        Assert.Empty(_applied);
        Assert.Equal(1, _server.SessionCount);
        Assert.Contains(_events.Lines, line => line.Contains("scstd.yaml:11:14: expected verbose"));
    }

    [Fact]
    public async Task A_file_that_is_gone_changes_nothing()
    {
        File.Delete(_folder.File("scstd.yaml"));
        ReloadAnswer answer = await _reloader.ReloadAsync();
        Assert.Equal((false, "there is no such file"), (answer.IsApplied, Assert.Single(answer.Problems).Message));
    }

    [Fact]
    public async Task A_target_is_added_and_another_removed()
    {
        using RawInitiator stays = await LogIn(One), goes = await LogIn("iqn.2026-11.org.example:two");
        ReloadAnswer answer = await Applied(Yaml.Replace("example:two", "example:new"));
        Assert.Equal(["target iqn.2026-11.org.example:new: added", "target iqn.2026-11.org.example:two: removed"],
            answer.Changes);
        Assert.Equal((0, 1), (answer.SessionsChanged, answer.SessionsEnded));
        Assert.True(goes.IsClosedByPeer());
        stays.BecomeReady(0);
        using RawInitiator added = await LogIn("iqn.2026-11.org.example:new");
    }

    /// <summary>A LUN comes and goes on a live session: it is told once, and what did not change goes on.</summary>
    [Fact]
    public async Task A_LUN_and_its_device_are_added_and_removed_under_a_session()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        string more = With($"c: {{store: file, path: {_folder.File("c.img")}, size: 1MiB}}")
            .Replace("{0: a}", "{0: a, 5: c}");
        ReloadAnswer answer = await Applied(more);
        Assert.Equal(["device c: added", $"target {One}: LUN 5 added, c"], answer.Changes);
        Assert.Equal(1, answer.SessionsChanged);
        (int status, byte[] sense) = initiator.Read(0, TestUnitReady, 0);
        Assert.Equal((2, 0x3F, 0x0E), (status, sense[2 + 12], sense[2 + 13])); // REPORTED LUNS DATA HAS CHANGED
        Assert.Equal(0, initiator.Read(0, TestUnitReady, 0).Status);
        initiator.Read(5, TestUnitReady, 0);
        Assert.Equal(0, initiator.Read(5, ReadBlock, 512).Status);

        answer = await Applied(Yaml);
        Assert.Equal(["device c: removed", $"target {One}: LUN 5 removed, c"], answer.Changes);
        Assert.Empty(answer.UnitsLeaving);
        Assert.Contains(_events.Lines, line => line.Contains("Device c is closed"));
        // Its file is free again.
        Assert.True((await Applied(more)).IsApplied);
    }

    [Fact]
    public async Task A_LUN_that_leads_elsewhere_is_another_unit_to_its_initiator()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        ReloadAnswer answer = await Applied(Yaml.Replace("one: {luns: {0: a}}", "one: {luns: {0: b}}"));
        Assert.Equal([$"target {One}: LUN 0 leads to b instead of a"], answer.Changes);
        Assert.Equal(2, initiator.Read(0, TestUnitReady, 0).Status);
        Assert.Equal(2, initiator.Read(0, TestUnitReady, 0).Status);
        (int status, byte[] capacity) = initiator.Read(0, ReadCapacity, 8);
        Assert.Equal((0, 0x0FFF), (status, (capacity[2] << 8) | capacity[3]));
    }

    [Fact]
    public async Task A_device_that_cannot_be_opened_changes_nothing()
    {
        using BlockFile held =
            BlockFile.Open(_folder.File("bad.img"), new BlockFileOptions { CreateSizeBytes = 1 << 20 });
        string more = With($"good: {{store: file, path: {_folder.File("good.img")}, size: 1MiB}}")
            .Replace("  b: {", $"  bad: {{store: file, path: {_folder.File("bad.img")}, size: 1MiB}}\n  b: {{")
            .Replace("example:two", "example:new");
        ReloadAnswer answer = await Reload(more);
        Assert.False(answer.IsApplied);
        Assert.Contains("is locked by another process", Assert.Single(answer.Reasons));
        Assert.Equal(["a", "b"], _server.Devices.Select(device => device.Name));
        Assert.Contains("iqn.2026-11.org.example:two", Targets());
    }

    [Fact]
    public async Task What_a_device_cannot_become_is_refused_by_its_keys()
    {
        ReloadAnswer answer = await Reload(Yaml.Replace("2MiB}", "2MiB, block_size: 4096, serial: x}")
            .Replace("example:two", "example:new"));
        Assert.False(answer.IsApplied);
        Assert.StartsWith($"{_folder.File("scstd.yaml")}:6:46: device b: block_size, serial cannot change "
            + "while it is served; needs a restart",
            Assert.Single(answer.Reasons));
        Assert.Contains("iqn.2026-11.org.example:two", Targets());
    }

    [Fact]
    public async Task A_library_does_not_come_while_others_are_served()
    {
        ReloadAnswer answer = await Reload($"{Yaml}\nlibraries: {{tapes: {{cartridges: {_folder.Path}}}}}\n");
        Assert.False(answer.IsApplied);
        Assert.EndsWith(": library tapes: cannot be added while scstd serves; needs a restart",
            Assert.Single(answer.Reasons));
    }

    [Fact]
    public void What_became_of_a_library_is_told_by_its_keys()
    {
        DaemonSection Of(string libraries) => Configuration.Reading.After($"libraries: {libraries}\n").Daemon;
        DaemonSection now = Of("{tapes: {cartridges: /var/lib, slots: 20}}");
        Assert.Empty(new ConfigurationDifference(now, Of("{tapes: {slots: 20, cartridges: /var/lib}}")).Refusals);
        Assert.EndsWith("library tapes: slots, serial cannot change while scstd serves; needs a restart",
            Assert.Single(new ConfigurationDifference(now, Of("{tapes: {cartridges: /var/lib, serial: X}}")).Refusals));
        Assert.EndsWith("library tapes: cannot be taken away while scstd serves; needs a restart",
            Assert.Single(new ConfigurationDifference(now, Of("{}")).Refusals));
    }

    [Fact]
    public async Task A_device_grows_under_its_sessions_and_they_are_told()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        ReloadAnswer answer = await Applied(Yaml.Replace("memory, size: 1MiB", "memory, size: 2MiB"));
        Assert.Equal(["device a: size changed"], answer.Changes);
        (int status, byte[] sense) = initiator.Read(0, TestUnitReady, 0);
        Assert.Equal((2, 0x2A, 0x09), (status, sense[2 + 12], sense[2 + 13])); // CAPACITY DATA HAS CHANGED
        Assert.Equal(0x0F, initiator.Read(0, ReadCapacity, 8).Data[2]);
    }

    [Fact]
    public async Task The_limits_of_a_device_change_and_end_while_it_serves()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        ReloadAnswer answer =
            await Applied(Yaml.Replace("memory, size: 1MiB", "memory, size: 1MiB, limits: {iops: 9}"));
        Assert.Equal(["device a: limits changed"], answer.Changes);
        Assert.Equal(0, initiator.Read(0, ReadBlock, 512).Status);
        Assert.Equal(["device a: limits changed"], (await Applied(Yaml)).Changes);
        Assert.Equal(0, initiator.Read(0, ReadBlock, 512).Status);
    }

    [Fact]
    public async Task The_patience_of_initiators_and_the_window_of_sessions_change_while_it_serves()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        ReloadAnswer answer = await Applied(Yaml.Replace("memory, size: 1MiB", "memory, size: 1MiB, abort_timeout: 9s")
            .Replace("one: {luns: {0: a}}", "one: {luns: {0: a}, limits: {queue_depth: 200}}"));
        Assert.Equal(["device a: abort_timeout changed", $"target {One}: limits changed"], answer.Changes);
        Assert.Equal((0, 0), (answer.SessionsChanged, answer.SessionsEnded));
        Assert.Equal([9_000, 30_000], _server.Devices.Select(device => device.Unit.AbortTimeoutMs));
        Assert.Equal(200, Assert.Single(await _server.Registry.DescribeSessionsAsync()).QueueDepth);
    }

    [Fact]
    public async Task Limits_of_commands_change_and_end_while_it_serves()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        Assert.Equal(["device a: queue_depth changed", $"target {One}: limits changed"], (await Applied(
            Yaml.Replace("memory, size: 1MiB", "memory, size: 1MiB, queue_depth: 3")
                .Replace("{luns: {0: a}}", "{luns: {0: a}, limits: {commands: 2}}"))).Changes);
        Assert.Equal(0, initiator.Read(0, ReadBlock, 512).Status);
        Assert.Equal(("a", 3, 0), await LimitOf(CommandLimits.OfUnits));
        Assert.Equal((One, 2, 0), await LimitOf(CommandLimits.OfTargets));
        CommandLimit? before = TargetLimit();
        Assert.Equal(["device a: queue_depth changed"], (await Applied(
            Yaml.Replace("memory, size: 1MiB", "memory, size: 1MiB, queue_depth: 4")
                .Replace("{luns: {0: a}}", "{luns: {0: a}, limits: {commands: 2}}"))).Changes);
        Assert.Equal(("a", 4, 0), await LimitOf(CommandLimits.OfUnits));
        Assert.Same(before, TargetLimit());
        await Applied(Yaml);
        Assert.Equal(0, initiator.Read(0, ReadBlock, 512).Status);
        Assert.Null(await LimitOf(CommandLimits.OfUnits));
        Assert.Null(TargetLimit());
    }

    private CommandLimit? TargetLimit() => _server.Registry.Targets.Single(target => target.Name == One).Commands;

    private async Task<(string Name, int Most, int InUse)?> LimitOf(
        Func<Server, Lane, IReadOnlyList<CommandLimitUse>> limits)
    {
        Survey<IReadOnlyList<CommandLimitUse>> survey =
            await Survey<IReadOnlyList<CommandLimitUse>>.OfAsync(_server, lane => limits(_server, lane));
        return CommandLimits.Sum(survey.Told.SelectMany(told => told)) is [var one]
            ? (one.Name, one.Most, one.View.InUse) : null;
    }

    [Fact]
    public async Task The_threshold_of_a_thin_device_changes_while_it_serves()
    {
        string thin = Yaml.Replace("a: {store: memory, size: 1MiB}", "c: {store: memory, size: 1MiB, thin: yes}")
            .Replace("{0: a}", "{0: c}");
        await Applied(thin);
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        Assert.Null(_server.Devices[0].Disk.Thin!.LeftThresholdBytes);
        ReloadAnswer answer = await Applied(thin.Replace("thin: yes", "thin: yes, thin_threshold: 75%"));
        Assert.Equal(["device c: thin_threshold changed"], answer.Changes);
        // A quarter is left of 256 sets; the range of one set lies above it.
        Assert.Equal(65ul * 4096, _server.Devices[0].Disk.Thin!.LeftThresholdBytes);
        (int status, byte[] sense) = initiator.Read(0, TestUnitReady, 0);
        Assert.Equal((2, 0x2A, 0x01), (status, sense[2 + 12], sense[2 + 13])); // MODE PARAMETERS CHANGED
    }

    [Fact]
    public async Task A_port_group_comes_changes_and_goes_under_a_session()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        string grouped = Yaml + "port_groups: {left: {id: 7, portals: here, devices: a}}\n";
        Assert.Equal(["port group left: added"], (await Applied(grouped)).Changes);
        ExpectTold(initiator, 0x3F, 0x03); // INQUIRY DATA HAS CHANGED
        Assert.Equal(["port group left: standby instead of active-optimized"],
            (await Applied(grouped.Replace("id: 7", "id: 7, state: standby"))).Changes);
        ExpectTold(initiator, 0x2A, 0x06); // ASYMMETRIC ACCESS STATE CHANGED
        (int status, byte[] sense) = initiator.Read(0, ReadBlock, 512);
        Assert.Equal((2, 0x04, 0x0B), (status, sense[2 + 12], sense[2 + 13]));
        Assert.Empty((await Applied(grouped.Replace("id: 7", "state: STANDBY, id: 7"))).Changes);
        Assert.Equal(["port group left: removed"], (await Applied(Yaml)).Changes);
        ExpectTold(initiator, 0x3F, 0x03);
        Assert.Equal(0, initiator.Read(0, ReadBlock, 512).Status);
    }

    /// <summary>Nobody is let in at a port before it is in its state, and what fails takes the states back.</summary>
    [Fact]
    public async Task States_are_taken_back_when_the_rest_fails()
    {
        using var taken = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        ReloadAnswer answer = await Reload(
            Yaml.Replace("\"127.0.0.1:0\"}", $"\"127.0.0.1:0\", more: \"{taken.LocalEndPoint}\"}}")
            + "port_groups: {left: {id: 7, state: offline, portals: here}}\n");
        Assert.False(answer.IsApplied);
        Assert.All(_server.Devices, device => Assert.Null(device.Unit.PortGroups));
    }

    /// <summary>A size that took effect before something else failed is taken back.</summary>
    [Fact]
    public async Task A_size_is_taken_back_when_the_rest_fails()
    {
        using var taken = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork,
            System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        ReloadAnswer answer = await Reload(Yaml.Replace("memory, size: 1MiB", "memory, size: 2MiB")
            .Replace("\"127.0.0.1:0\"}", $"\"127.0.0.1:0\", more: \"{taken.LocalEndPoint}\"}}"));
        Assert.False(answer.IsApplied);
        Assert.Equal(2048ul, _server.Devices[0].Disk.BlockCount);
    }

    [Fact]
    public async Task A_device_in_the_place_of_one_that_is_open_is_refused()
    {
        await Applied(With($"c: {{store: file, path: {_folder.File("c.img")}, size: 1MiB}}"));
        ReloadAnswer answer = await Reload(With($"d: {{store: file, path: {_folder.File("c.img")}, size: 1MiB}}"));
        Assert.StartsWith($"{_folder.File("scstd.yaml")}:6:26: device d: ", Assert.Single(answer.Reasons));
        Assert.EndsWith("is served as device c; take that away first", answer.Reasons[0]);
    }

    [Fact]
    public async Task Who_may_log_in_changes_for_those_who_come()
    {
        using RawInitiator inside = await LogIn(One);
        ReloadAnswer answer = await Applied(Yaml.Replace("one: {luns",
            "one: {authentication: {users: [{name: a, secret: open-sesame-0815}]}, luns"));
        Assert.Equal([$"target {One}: authentication changed"], answer.Changes);
        inside.BecomeReady(0);
        using RawInitiator outside = await RawInitiator.ConnectAsync(_server.EndPoints[0]);
        Assert.Equal(0x0201, outside.LogIn("InitiatorName=iqn.2026-11.org.example:new", "SessionType=Normal",
            $"TargetName={One}"));
        Assert.DoesNotContain(_events.Lines, line => line.Contains("sesame"));
    }

    [Fact]
    public async Task What_takes_a_start_is_told_and_the_rest_is_applied()
    {
        ReloadAnswer answer = await Applied(Yaml.Replace("count: 2", "count: 1").Replace("64MiB", "65MiB")
            + "log: {level: debug}\n");
        Assert.Equal(["log: changed"], answer.Changes);
        Assert.Equal(["reactors: takes effect at the next start", "memory: takes effect at the next start"],
            answer.AtNextStart);
        Assert.Equal(LogLevel.Debug, Assert.Single(_applied).Log.Level);
    }

    [Fact]
    public async Task A_session_under_load_notices_nothing_of_what_does_not_concern_it()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        using var over = new CancellationTokenSource();
        Task<int> load = Task.Run(() =>
        {
            int done = 0;
            while (!over.IsCancellationRequested || done == 0)
            {
                (int status, byte[] data) = initiator.Read(0, ReadBlock, 512);
                Assert.Equal((0, 512), (status, data.Length));
                done++;
            }
            return done;
        });
        for (int i = 0; i < 20; i++)
        {
            ReloadAnswer answer = await Applied(i % 2 == 1 ? Yaml : With("c: {store: memory, size: 1MiB}")
                .Replace("example:two", "example:new").Replace("{0: b}", "{0: b, 1: c}"));
            Assert.Equal((0, 0), (answer.SessionsChanged, answer.SessionsEnded));
        }
        await over.CancelAsync();
        Assert.True(await load > 0);
        Assert.Equal(1, _server.SessionCount);
    }

    /// <summary>One stuck command holds up no other unit, and its own not for ever.</summary>
    [Fact]
    public async Task A_size_that_waits_for_a_stuck_store_is_given_up_and_changes_nothing()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        InjectedFault stuck = new() { Id = 1, Effect = FaultEffect.SlowStore, DelayMs = 600_000, Count = 1 };
        LogicalUnit unit = _server.Devices[0].Unit;
        await SetFaultsAsync(unit, stuck);
        initiator.Send(0, ReadBlock, 512);
        await IsInside(unit);
        _folder.Write("scstd.yaml", Yaml.Replace("memory, size: 1MiB", "memory, size: 2MiB"));
        Task<ReloadAnswer> stays = _reloader.ReloadAsync(TimeSpan.FromSeconds(2));
        await Waits(unit, true);

        // Another unit changes meanwhile.
        ChangeOutcome other = await _server.ChangeAsync(daemon => daemon.WithSize("b", 4 << 20)!);
        Assert.Equal(["device b: size changed"], other.Changes);
        Assert.False(stays.IsCompleted);

        ReloadAnswer answer = await stays;
        Assert.False(answer.IsApplied);
        Assert.StartsWith(
            "unit a waits for READ (10) of iqn.2026-11.org.example:host,i,", Assert.Single(answer.Reasons));
        Assert.Contains("gave up after", answer.Reasons[0]);
        Assert.Equal(2048ul, _server.Devices[0].Disk.BlockCount);
        await Waits(unit, false);
        using RawInitiator second = await LogIn(One, "second");
        second.BecomeReady(0);
        Assert.Equal(0, second.Read(0, ReadBlock, 512).Status);
    }

    [Fact]
    public async Task Who_is_gone_changes_nothing_any_more()
    {
        using RawInitiator initiator = await LogIn(One);
        initiator.BecomeReady(0);
        LogicalUnit unit = _server.Devices[0].Unit;
        await SetFaultsAsync(
            unit, new InjectedFault { Id = 1, Effect = FaultEffect.SlowStore, DelayMs = 600_000, Count = 1 });
        initiator.Send(0, ReadBlock, 512);
        await IsInside(unit);
        using var gone = new CancellationTokenSource();
        Task<ChangeOutcome> change = _server.ChangeAsync(
            daemon => daemon.WithSize("a", 4 << 20)!, TimeSpan.FromMinutes(5), gone.Token);
        await Waits(unit, true);
        await gone.CancelAsync();
        ChangeRefusedException refusal = await Assert.ThrowsAsync<ChangeRefusedException>(() => change);
        Assert.EndsWith("who asked for it is gone", Assert.Single(refusal.Reasons));
        Assert.Equal(2048ul, _server.Devices[0].Disk.BlockCount);
    }

    [Fact]
    public async Task A_refused_reload_leaves_no_file_behind_that_it_created()
    {
        string created = _folder.File("created.img");
        using BlockFile held =
            BlockFile.Open(_folder.File("bad.img"), new BlockFileOptions { CreateSizeBytes = 1 << 20 });
        ReloadAnswer answer = await Reload(With($"good: {{store: file, path: {created}, size: 1MiB}}")
            .Replace("  b: {", $"  bad: {{store: file, path: {_folder.File("bad.img")}, size: 1MiB}}\n  b: {{"));
        Assert.False(answer.IsApplied);
        Assert.False(File.Exists(created));
        Assert.True(File.Exists(_folder.File("bad.img")));
    }

    [Fact]
    public async Task What_is_in_use_becomes_smaller_only_by_force()
    {
        string smaller = Yaml.Replace("memory, size: 2MiB", "memory, size: 1MiB");
        using (RawInitiator initiator = await LogIn("iqn.2026-11.org.example:two"))
        {
            ReloadAnswer answer = await Reload(smaller);
            Assert.Equal("device b: 1MiB is less than the 2MiB that 1 session(s) and 0 registration(s) have; --force "
                + "takes the rest from them", Assert.Single(answer.Reasons));
            Assert.Equal(4096ul, _server.Devices[1].Disk.BlockCount);
            answer = await _reloader.ReloadAsync(mayShrink: true);
            Assert.True(answer.IsApplied);
        }
        Assert.Equal(2048ul, _server.Devices[1].Disk.BlockCount);
        Assert.Contains(_events.Lines, line => line.Contains("Device b: 1048576 bytes, 2097152 before"));
    }

    [Fact]
    public async Task What_nobody_uses_becomes_smaller() =>
        Assert.True((await Applied(Yaml.Replace("memory, size: 2MiB", "memory, size: 1MiB"))).IsApplied);

    /// <summary>Says what a reload then does.</summary>
    [Fact]
    public async Task A_preview_tells_what_would_change_and_for_whom()
    {
        using RawInitiator one = await LogIn(One), two = await LogIn("iqn.2026-11.org.example:two");
        string next = Yaml.Replace("one: {luns: {0: a}}", "one: {luns: {0: a, 1: b}}")
            .Replace("example:two", "example:new").Replace("64MiB", "65MiB");
        _folder.Write("scstd.yaml", next);
        ChangePreview preview = _server.Preview(ConfigurationFile.Read(_folder.File("scstd.yaml")).Daemon);
        Assert.Equal([$"session 1 of iqn.2026-11.org.example:host to {One}"], preview.SessionsChanged);
        Assert.Equal(["session 2 of iqn.2026-11.org.example:host to iqn.2026-11.org.example:two: the target is gone"],
            preview.SessionsEnded);
        ReloadAnswer answer = await Applied(next);
        Assert.Equal(answer.Changes, preview.Difference.Changes);
        Assert.Equal(answer.AtNextStart, preview.Difference.AtNextStart);
        Assert.Equal((1, 1), (answer.SessionsChanged, answer.SessionsEnded));
    }

    [Fact]
    public async Task The_file_of_a_device_that_is_served_grows()
    {
        string grown = With($"c: {{store: file, path: {_folder.File("c.img")}, size: 1MiB}}");
        await Applied(grown);
        ReloadAnswer answer = await Applied(grown.Replace("c.img, size: 1MiB", "c.img, size: 3MiB"));
        Assert.Equal(["device c: size changed"], answer.Changes);
        Assert.Contains("a start refuses one that is too short", Assert.Single(
            answer.Warnings, warning => warning.Message.Contains("fewer than")).Message);
        Assert.Equal(3 << 20, new FileInfo(_folder.File("c.img")).Length);
        // Another one that is as short is not taken for it.
        File.WriteAllBytes(_folder.File("d.img"), new byte[4096]);
        answer = await Reload(With($"d: {{store: file, path: {_folder.File("d.img")}, size: 1MiB}}"));
        Assert.Contains("is too small", Assert.Single(answer.Reasons));
    }

    [Fact]
    public async Task Reloads_at_the_same_time_come_one_after_the_other()
    {
        _folder.Write("scstd.yaml", Yaml.Replace("example:two", "example:new"));
        ReloadAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _reloader.ReloadAsync()));
        Assert.All(answers, answer => Assert.True(answer.IsApplied));
        Assert.Equal(2, answers.Sum(answer => answer.Changes.Count));
    }

    private static void ExpectTold(RawInitiator initiator, byte code, byte qualifier)
    {
        (int status, byte[] sense) = initiator.Read(0, TestUnitReady, 0);
        Assert.Equal((2, 0x06, code, qualifier), (status, sense[2 + 2], sense[2 + 12], sense[2 + 13]));
    }

    private IEnumerable<string> Targets() => _server.Registry.Targets.Select(target => target.Name).Order();

    /// <summary>The file with another device.</summary>
    private static string With(string device) => Yaml.Replace("  b: {", $"  {device}\n  b: {{");

    private async Task<ReloadAnswer> Applied(string yaml)
    {
        ReloadAnswer answer = await Reload(yaml);
        Assert.Empty(answer.Reasons);
        Assert.True(answer.IsApplied);
        return answer;
    }

    private Task<ReloadAnswer> Reload(string yaml)
    {
        _folder.Write("scstd.yaml", yaml);
        return _reloader.ReloadAsync();
    }

    private static async Task SetFaultsAsync(LogicalUnit unit, params InjectedFault[] faults)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        unit.SetFaults(faults, done.SetResult);
        await done.Task;
    }

    /// <summary>Its store has a command.</summary>
    private Task IsInside(LogicalUnit unit) =>
        Until(unit, views => views.Sum(view => view.Executing) == 1);

    private Task Waits(LogicalUnit unit, bool waits) =>
        Until(unit, views => views.Any(view => view.GateHolder == "a change by the administrator") == waits);

    private async Task Until(LogicalUnit unit, Func<UnitView[], bool> condition)
    {
        long end = Environment.TickCount64 + 20_000;
        while (!condition(await Task.WhenAll(
            _server.Lanes.Select(lane => lane.Reactor.InvokeAsync(() => unit.ViewOn(lane.Executor))))))
        {
            Assert.True(Environment.TickCount64 < end, "it does not come about");
        }
    }

    private async Task<RawInitiator> LogIn(string target, string name = "host", int? port = null)
    {
        RawInitiator raw = await RawInitiator.ConnectAsync(
            port is { } at ? new IPEndPoint(IPAddress.Loopback, at) : _server.EndPoints[0]);
        Assert.Equal(0, raw.LogIn($"InitiatorName=iqn.2026-11.org.example:{name}", "SessionType=Normal",
            $"TargetName={target}"));
        return raw;
    }
}
