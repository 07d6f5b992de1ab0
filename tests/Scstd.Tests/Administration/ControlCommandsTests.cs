using System.Net;
using System.Text.Json;
using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Hosting;
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
        _commands = new ControlCommands(
            _server, _folder.Write("scstd.yaml", Yaml + "\nlog: {level: loud}\n"), null, _events.Log);
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

    [Fact]
    public async Task Commands_that_ended_are_in_the_histograms_and_the_history()
    {
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        Assert.Equal(0, host.Read(0, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512).Status);
        HistogramsAnswer histograms = await Ask<HistogramsAnswer>(new HistogramsRequest("a"));
        Assert.Contains(histograms.Histograms, one => one is { State: "Enabled", Direction: "In", MaxBytes: 4096 }
            && one.Counts.Aggregate(0ul, (sum, count) => sum + count) == 1);
        HistoryAnswer history = await Ask<HistoryAnswer>(new HistoryRequest("a"));
        Assert.Contains(Assert.Single(history.Units).Moves, move => move is { OperationCode: 0x28, To: "Enabled" });
        Assert.Empty((await Ask<CommandsAnswer>(new CommandsRequest())).Commands);
        Assert.Empty((await Ask<HistogramsAnswer>(new HistogramsRequest("b"))).Histograms);
    }

    [Fact]
    public async Task The_counters_tell_which_unit_has_met_faults_and_nothing_of_quiet_ones()
    {
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        await Ask<FaultsAnswer>(new AddFaultRequest("a", "AnswerCommand", DataOnly: true, Status: "Busy"));
        Assert.Equal(8, host.Read(0, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512).Status);
        using JsonDocument counters = JsonDocument.Parse(await CounterReport.MakeAsync(_server));
        JsonElement all = counters.RootElement;
        Assert.Equal((1, 0, 0, 0), (all.GetProperty("faultsMet").GetInt32(), all.GetProperty("kept").GetInt32(),
            all.GetProperty("turnedAway").GetInt32(), all.GetProperty("limitedUnits").GetInt32()));
        JsonElement unit = Assert.Single(all.GetProperty("reactors").EnumerateArray()
            .SelectMany(reactor => reactor.GetProperty("regulation").EnumerateArray()));
        Assert.Equal(("a", 1), (unit.GetProperty("unit").GetString(), unit.GetProperty("faultsMet").GetInt32()));
    }

    [Fact]
    public async Task Times_are_told_for_each_session_alone()
    {
        using RawInitiator host = await LogIn("host"), friend = await LogIn("friend");
        host.BecomeReady(0);
        friend.BecomeReady(4);
        for (int i = 0; i < 3; i++)
            Assert.Equal(0, host.Read(0, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512).Status);
        HistogramsAnswer ofHost =
            await Ask<HistogramsAnswer>(new HistogramsRequest(Session: "iqn.2026-11.org.example:host"));
        HistogramRecord reads = Assert.Single(ofHost.Histograms, one => one is { State: "Enabled", Direction: "In" });
        Assert.Equal((4096L, 3ul), (reads.MaxBytes, reads.Counts.Aggregate(0ul, (sum, count) => sum + count)));
        Assert.All(ofHost.Histograms, one => Assert.Equal((null, reads.Session, "iqn.2026-11.org.example:host"),
            (one.Unit, one.Session, one.Initiator)));
        HistogramsAnswer ofFriend =
            await Ask<HistogramsAnswer>(new HistogramsRequest(Session: "iqn.2026-11.org.example:friend"));
        Assert.DoesNotContain(ofFriend.Histograms, one => one.Direction == "In");
        SessionRecord session = (await Ask<SessionsAnswer>(
            new SessionsRequest(Initiator: "iqn.2026-11.org.example:host"))).Sessions[0];
        Assert.Equal(ofHost.Histograms.Where(one => one.State == "Enabled").SelectMany(one => one.Counts)
            .Aggregate(0ul, (sum, count) => sum + count), session.Now!.EnabledCounts!.Aggregate((a, b) => a + b));
        Assert.Equal(ErrorCode.NotFound, (await Refused(new HistogramsRequest(Session: "77"))).Code);
        Assert.Equal(ErrorCode.Malformed, (await Refused(new HistogramsRequest("a", "77"))).Code);
    }

    [Fact]
    public async Task What_happened_to_a_session_is_told_while_it_is_open_and_after_its_end()
    {
        SessionHistoryRecord before, after;
        using (RawInitiator host = await LogIn("host"))
        {
            int id = Assert.Single((await Ask<SessionsAnswer>(new SessionsRequest())).Sessions).Id;
            HistoryAnswer open = await Ask<HistoryAnswer>(new HistoryRequest(Session: $"{id}"));
            before = Assert.Single(open.Sessions!);
            Assert.Equal(("iqn.2026-11.org.example:host", null), (before.Initiator, before.Ended));
            Assert.Contains("full feature phase", before.Moves[0].What);
            Assert.Empty((await Ask<HistoryAnswer>(new HistoryRequest(Ended: true))).Sessions!);
            await Ask<KickAnswer>(new KickRequest($"{id}"));
            host.IsClosedByPeer();
        }
        while (_server.SessionCount > 0)
            await Task.Yield();
        after = Assert.Single((await Ask<HistoryAnswer>(new HistoryRequest(Ended: true))).Sessions!);
        Assert.Equal((before.Id, before.Peer, "an administrator ended it"), (after.Id, after.Peer, after.Ended!.Why));
        Assert.Equal("session ended", after.Moves[0].What);
        // Whoever asks by its old number finds it, too.
        HistoryAnswer byName = await Ask<HistoryAnswer>(new HistoryRequest(Session: before.Initiator));
        Assert.Equal(after.Ended.Why, Assert.Single(byName.Sessions!).Ended!.Why);
        Assert.Contains(_events.Lines, line => line.Contains(" s and 0 commands: an administrator"));
        ControlRefusal refusal = await Assert.ThrowsAsync<ControlRefusal>(
            () => _commands.AnswerAsync(new HistoryRequest(Session: "999"), CancellationToken.None));
        Assert.Equal(ErrorCode.NotFound, refusal.Answer.Code);
    }

    [Fact]
    public async Task Who_has_a_unit_reserved_is_told()
    {
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        Assert.Equal(0, host.Read(0, [0x16, 0, 0, 0, 0, 0], 0).Status);
        ReservationsAnswer answer = await Ask<ReservationsAnswer>(new ReservationsRequest());
        Assert.Equal(["a", "b"], answer.Units.Select(unit => unit.Unit));
        Assert.StartsWith("iqn.2026-11.org.example:host,i,0x", answer.Units[0].ReservedBy);
        Assert.Null(answer.Units[1].ReservedBy);
        Assert.Equal(0, host.Read(0, [0x17, 0, 0, 0, 0, 0], 0).Status);
        Assert.Null(Assert.Single((await Ask<ReservationsAnswer>(new ReservationsRequest("a"))).Units).ReservedBy);
    }

    [Fact]
    public async Task A_frozen_unit_holds_commands_that_can_be_seen_until_it_is_thawed()
    {
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        Assert.Equal("Frozen", (await Ask<FreezeAnswer>(new FreezeRequest("a"))).State);
        Task<(int Status, byte[] Data)> held = Task.Run(() => host.Read(0, [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 512));
        CommandsAnswer commands;
        do
            commands = await Ask<CommandsAnswer>(new CommandsRequest("a"));
        while (commands.Commands.Count == 0 && !held.IsCompleted);
        CommandRecord command = Assert.Single(commands.Commands);
        Assert.Equal(("READ (10)", "Dormant", 512L), (command.Name, command.State, command.LengthBytes));
        Assert.Equal(("0", "28000000000000000100", "the unit to be thawed", "Dormant"),
            (command.Lun, command.Cdb![..20], command.WaitsFor, command.Stays![^1].State));
        Assert.Equal(["frozen", "ready"], (await Ask<UnitsAnswer>(new UnitsRequest())).Units.Select(one => one.State));
        SessionMomentRecord? now = Assert.Single((await Ask<SessionsAnswer>(new SessionsRequest())).Sessions).Now;
        Assert.Equal((1, "a"), (now!.CommandsInFlight, Assert.Single(now.Luns).Unit));
        Assert.Equal("Open", (await Ask<FreezeAnswer>(new ThawRequest("a"))).State);
        Assert.Equal(0, (await held).Status);
        Assert.Equal("unit a was not frozen", (await Refused(new ThawRequest("a"))).Message);
    }

    [Fact]
    public async Task A_session_is_kicked_by_its_number_or_its_initiator()
    {
        using RawInitiator host = await LogIn("host"), friend = await LogIn("friend");
        SessionsAnswer sessions =
            await Ask<SessionsAnswer>(new SessionsRequest(Initiator: "iqn.2026-11.org.example:host"));
        int id = Assert.Single(sessions.Sessions).Id;
        Assert.Equal(new KickAnswer(1, 0), await Ask<KickAnswer>(new KickRequest(id.ToString())));
        Assert.Equal("iqn.2026-11.org.example:friend",
            Assert.Single((await Ask<SessionsAnswer>(new SessionsRequest())).Sessions).Initiator);
        Assert.True(host.IsClosedByPeer());
        Assert.Equal(1, (await Ask<KickAnswer>(new KickRequest("iqn.2026-11.org.example:friend"))).Sessions);
        Assert.True(friend.IsClosedByPeer());
        Assert.Equal(ErrorCode.NotFound, (await Refused(new KickRequest("77"))).Code);
        Assert.Equal(ErrorCode.Malformed, (await Refused(new KickRequest("77", -1))).Code);
    }

    [Fact]
    public async Task What_is_changed_at_run_time_says_what_the_file_says()
    {
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        string file = _folder.Write("scstd.yaml", Yaml);
        ChangeAnswer resized = await Ask<ChangeAnswer>(new ResizeRequest("a", "2MiB"));
        Assert.Equal(["device a: size changed"], resized.Changes);
        Assert.Equal(new AgreementRecord(file, false, new EditRecord(4, 28, "1MiB", "2MiB")), resized.Configuration);
        _folder.Write("scstd.yaml", Yaml.Replace("memory, size: 1MiB", "memory, size: 2048KiB"));
        ChangeAnswer again = await Ask<ChangeAnswer>(new ResizeRequest("a", "2MiB"));
        Assert.Equal((0, true), (again.Changes.Count, again.Configuration!.Agrees));

        ChangeAnswer replaced = await Ask<ChangeAnswer>(new ReplaceRequest("iqn.2026-11.org.example:one", 0, "b"));
        Assert.Equal(1, replaced.SessionsChanged);
        Assert.Equal(new EditRecord(9, 15, "a", "b"), replaced.Configuration!.Edit);
        ChangeAnswer inGroup =
            await Ask<ChangeAnswer>(new ReplaceRequest("iqn.2026-11.org.example:one", 4, "a", "friends"));
        Assert.True(inGroup.Configuration!.Agrees);
        Assert.Equal([0, 3], (await Ask<UnitsAnswer>(new UnitsRequest("b"))).Units[0].Luns.Select(lun => lun.Lun));
    }

    [Fact]
    public async Task What_cannot_be_saved_is_refused_before_anything_is_changed()
    {
        string file =
            _folder.Write("scstd.yaml", Yaml.Replace("store: memory, size: 1MiB", "store: memory, blocks: 2048"));
        ErrorAnswer refused = await Refused(new ResizeRequest("a", "2MiB", Save: true));
        Assert.Contains($"{file}:4:6: the value is not written there", refused.Message);
        Assert.Equal(2048ul, (await Ask<UnitsAnswer>(new UnitsRequest("a"))).Units[0].Blocks);
    }

    /// <summary>A file that says the same would be refused.</summary>
    [Fact]
    public async Task A_unit_is_never_put_under_two_LUNs_of_one_initiator()
    {
        string file = _folder.Write("scstd.yaml", Yaml);
        Assert.Equal($"{file}:10:70: LUN 4 shows device 'b', which is LUN 3 here already",
            (await Refused(new ReplaceRequest("iqn.2026-11.org.example:one", 4, "b", "friends"))).Message);
        Assert.Equal([4], (await Ask<UnitsAnswer>(new UnitsRequest("a"))).Units[0].Luns
            .Where(lun => lun.Group is not null).Select(lun => lun.Lun));
    }

    [Fact]
    public async Task A_fault_for_all_units_tells_its_aim_in_fields()
    {
        FaultsAnswer added = await Ask<FaultsAnswer>(new AddFaultRequest("*", "AnswerCommand", Initiator: "*:host",
            Direction: "in", Lun: 0, FirstLba: 8, LastLba: 15));
        Assert.Equal(["a", "b"], added.Faults.Select(fault => fault.Unit));
        Assert.All(added.Faults, fault => Assert.Equal(("*:host", "in", 0, 8ul, 15ul),
            (fault.Initiator, fault.Direction, fault.Lun, fault.FirstLba, fault.LastLba)));
        using RawInitiator host = await LogIn("host");
        host.BecomeReady(0);
        Assert.Equal(0, host.Read(0, [0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0], 512).Status);
        Assert.Equal(8, host.Read(0, [0x28, 0, 0, 0, 0, 7, 0, 0, 2, 0], 1024).Status);
        Assert.Equal(8, host.Read(0, [0x28, 0, 0, 0, 0, 15, 0, 0, 1, 0], 512).Status);
        Assert.Equal(0, host.Read(0, [0x28, 0, 0, 0, 0, 16, 0, 0, 1, 0], 512).Status);
        Assert.Contains(_events.Lines, line => line.Contains(
            "fault 1 is injected into unit a: AnswerCommand, Busy, for *:host, data in, LUN 0, blocks 8 to 15"));
        Assert.StartsWith("there is no direction 'ni'",
            (await Refused(new AddFaultRequest("a", "AnswerCommand", Direction: "ni"))).Message);
    }

    [Fact]
    public async Task What_cannot_be_changed_is_refused_with_the_reason()
    {
        const string Target = "iqn.2026-11.org.example:one";
        Assert.StartsWith("size: expected more than nothing, such as",
            (await Refused(new ResizeRequest("a", "much"))).Message);
        Assert.Equal(ErrorCode.NotFound, (await Refused(new ResizeRequest("c", "1MiB"))).Code);
        Assert.Equal("there is no group 'freinds'; did you mean 'friends'?",
            (await Refused(new ReplaceRequest(Target, 3, "a", "freinds"))).Message);
        Assert.Equal($"{Target} has no LUN 9 for those who belong to no group",
            (await Refused(new ReplaceRequest(Target, 9, "a"))).Message);
        Assert.Contains("not a multiple of the block length",
            (await Refused(new ResizeRequest("b", "4100"))).Message);
    }

    [Fact]
    public async Task An_injected_fault_meets_whom_it_is_for_until_it_is_spent_or_cleared()
    {
        byte[] read = [0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        using RawInitiator host = await LogIn("host"), friend = await LogIn("friend");
        host.BecomeReady(0);
        friend.BecomeReady(4);
        FaultsAnswer added = await Ask<FaultsAnswer>(new AddFaultRequest("a", "AnswerCommand", DataOnly: true,
            Target: "iqn.2026-11.org.example:one", Group: "friends", Status: "CheckCondition", Sense: "3/11/00",
            Count: 1));
        FaultRecord fault = Assert.Single(added.Faults);
        Assert.Equal((1, "a", "3/11/00"), (fault.Id, fault.Unit, fault.Sense));
        Assert.Equal(0, host.Read(0, read, 512).Status);
        (int status, byte[] sense) = friend.Read(4, read, 512);
        Assert.Equal((2, 3, 0x11), (status, sense[2 + 2] & 0x0F, sense[2 + 12]));
        Assert.Equal(0, friend.Read(4, read, 512).Status);
        fault = Assert.Single((await Ask<FaultsAnswer>(new FaultsRequest())).Faults);
        Assert.Equal((1ul, 0), (fault.Met, fault.Remaining));
        await Ask<FaultsAnswer>(new AddFaultRequest("a", "AnswerCommand", Initiator: "*:host", Status: "busy"));
        Assert.Equal(8, host.Read(0, read, 512).Status);
        Assert.Single((await Ask<FaultsAnswer>(new ClearFaultsRequest(Id: 2))).Faults);
        Assert.Equal(0, host.Read(0, read, 512).Status);
        Assert.Empty((await Ask<FaultsAnswer>(new ClearFaultsRequest())).Faults);
        Assert.Equal(ErrorCode.NotFound, (await Refused(new ClearFaultsRequest(Id: 2))).Code);
    }

    [Theory]
    [InlineData("DropComand", null, null, 0, "there is no effect 'DropComand'; did you mean 'DropCommand'?")]
    [InlineData("SlowStore", null, null, 0, "SlowStore needs delayMs")]
    [InlineData("AnswerCommand", "Bsy", null, 0, "there is no status 'Bsy'; did you mean 'Busy'?")]
    [InlineData("AnswerCommand", "CheckCondition", null, 0, "sense and the status CheckCondition belong together")]
    [InlineData("AnswerCommand", "CheckCondition", "3/11", 0, "sense: expected three hexadecimal numbers")]
    [InlineData("DelayCommand", null, null, -1, "delayMs: expected 0 to 86400000, found -1")]
    public async Task A_fault_that_makes_no_sense_is_refused(
        string effect, string? status, string? sense, int delayMs, string why) => Assert.StartsWith(why,
            (await Refused(new AddFaultRequest("a", effect, Status: status, Sense: sense, DelayMs: delayMs))).Message);

    private async Task<ErrorAnswer> Refused(ControlRequest request) =>
        (await Assert.ThrowsAsync<ControlRefusal>(() => _commands.AnswerAsync(request, CancellationToken.None))).Answer;

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
