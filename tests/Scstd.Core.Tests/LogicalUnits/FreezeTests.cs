using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>Freezing and thawing one unit, and changing it alone.</summary>
public sealed class FreezeTests : IDisposable
{
    private readonly HeldUnit _unit = new();
    private readonly List<bool> _told = [];

    public void Dispose() => _unit.Dispose();

    [Fact]
    public void It_is_frozen_when_the_device_server_has_nothing_any_more_and_says_what_it_waits_for()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        Assert.Empty(_told);
        FreezeReport report = Describe();
        Assert.Equal((FreezeState.Draining, 1), (report.State, report.HeldCommands));
        Assert.Equal(["backup"], report.Reasons);
        Assert.Contains(a.Nexus.InitiatorPort, Assert.Single(report.WaitsFor));
        _unit.End(running);
        Assert.Equal([true], _told);
        Assert.Equal([], _unit.Held);
        Assert.False(held.IsAnswered);
        Assert.Equal(FreezeState.Frozen, Describe().State);
    }

    [Fact]
    public void Held_commands_go_on_in_the_order_of_their_coming()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        Freeze("backup");
        TestCommand[] held = [_unit.Send(a, HeldUnit.Move), _unit.Send(b, HeldUnit.Move), _unit.Send(a, HeldUnit.Move)];
        Assert.Empty(_unit.Held);
        Assert.True(Thaw("backup"));
        Assert.Equal(held, _unit.Held);
        Assert.Equal(FreezeState.Open, Describe().State);
    }

    [Fact]
    public void It_thaws_when_the_last_who_froze_it_lets_go()
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        Freeze("backup");
        Freeze("resize");
        _unit.Send(a, HeldUnit.Move);
        Assert.True(Thaw("backup"));
        Assert.False(Thaw("backup"));
        Assert.Empty(_unit.Held);
        Assert.True(Thaw("resize"));
        Assert.Single(_unit.Held);
        Assert.Equal([true, true, true], _told);
    }

    [Fact]
    public void Who_thaws_before_it_was_frozen_is_told_so_and_a_new_wish_waits_anew()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        Freeze("backup");
        Thaw("backup");
        Assert.Equal([false], _told);
        Freeze("again");
        Assert.Equal([false], _told);
        _unit.End(running);
        Assert.Equal([false, true], _told);
        Thaw("again");
    }

    [Fact]
    public void A_change_that_waits_for_the_gate_waits_for_the_thaw_and_one_under_way_is_finished_first()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand first = _unit.Send(a, HeldUnit.Change);
        TestCommand second = _unit.Send(a, HeldUnit.Change);
        Freeze("backup");
        Assert.Equal([first], _unit.Held);
        _unit.End(first);
        first.MustBeGood();
        Assert.Equal([true], _told);
        Assert.Empty(_unit.Held);
        Thaw("backup");
        Assert.Equal([second], _unit.Held);
    }

    [Fact]
    public void An_ordered_command_keeps_its_place_over_a_freeze()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand first = _unit.Send(a, HeldUnit.Move);
        TestCommand ordered = _unit.Send(a, HeldUnit.Move, TaskAttribute.Ordered);
        TestCommand last = _unit.Send(a, HeldUnit.Move);
        Freeze("backup");
        _unit.End(first);
        Assert.Empty(_unit.Held);
        Thaw("backup");
        Assert.Equal([ordered], _unit.Held);
        _unit.End(ordered);
        Assert.Equal([last], _unit.Held);
    }

    [Theory]
    [InlineData(TaskManagementFunction.AbortTaskSet)]
    [InlineData(TaskManagementFunction.ClearTaskSet)]
    [InlineData(TaskManagementFunction.LogicalUnitReset)]
    [InlineData(TaskManagementFunction.TargetWarmReset)]
    [InlineData(TaskManagementFunction.ItNexusReset)]
    public void A_function_is_carried_out_on_a_frozen_unit_and_answered(TaskManagementFunction function)
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        TestCommand change = _unit.Send(a, HeldUnit.Change);
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(function));
        Assert.True(held.WasAborted && change.WasAborted);
        Assert.Equal(FreezeState.Frozen, Describe().State);
        a.TakeUnitAttentions();
        TestCommand after = _unit.Send(a, HeldUnit.Move);
        Assert.Empty(_unit.Held);
        Thaw("backup");
        Assert.Equal([after], _unit.Held);
    }

    [Fact]
    public void A_nexus_ends_on_a_frozen_unit_and_its_reservation_with_it()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        a.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        a.Logout();
        Assert.True(held.WasAborted);
        Assert.Null(_unit.Target.Unit.ReservationHolder);
        TestCommand ofB = _unit.Send(b, HeldUnit.Move);
        Thaw("backup");
        Assert.Equal([ofB], _unit.Held);
    }

    public static TheoryData<byte[]> CommandsThatNeedNoDeviceServer => new()
    {
        new byte[] { 0x12, 0, 0, 0, 0x24, 0 },
        new byte[] { 0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0 },
        new byte[] { 0x03, 0, 0, 0, 0x12, 0 },
    };

    [Theory]
    [MemberData(nameof(CommandsThatNeedNoDeviceServer))]
    public void Inquiry_report_luns_and_request_sense_are_answered_by_a_frozen_unit(byte[] cdb)
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        a.Execute(cdb).MustBeGood();
        Assert.Empty(_told);
        _unit.End(running);
        Assert.Equal([true], _told);
        a.Execute(cdb).MustBeGood();
        Assert.False(held.IsAnswered);
        Assert.Equal((FreezeState.Frozen, 1), (Describe().State, Describe().HeldCommands));
        Thaw("backup");
        Assert.Equal([held], _unit.Held);
    }

    [Theory]
    [MemberData(nameof(CommandsThatNeedNoDeviceServer))]
    public void They_are_answered_although_a_change_waits_for_the_thaw(byte[] cdb)
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        Freeze("backup");
        TestCommand change = _unit.Send(a, HeldUnit.Change);
        a.Execute(cdb).MustBeGood();
        b.Execute(cdb).MustBeGood();
        Thaw("backup");
        Assert.Equal([change], _unit.Held);
    }

    [Theory]
    [MemberData(nameof(CommandsThatNeedNoDeviceServer))]
    public void They_are_held_while_a_change_is_under_way_that_began_before_the_freezing(byte[] cdb)
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand change = _unit.Send(a, HeldUnit.Change);
        Freeze("backup");
        TestCommand asked = a.Send(Lun.FromNumber(0), cdb);
        _unit.Target.Executor.Run();
        Assert.False(asked.IsAnswered);
        _unit.End(change);
        asked.MustBeGood();
        Assert.Equal(FreezeState.Frozen, Describe().State);
        Thaw("backup");
    }

    [Theory]
    [MemberData(nameof(CommandsThatNeedNoDeviceServer))]
    public void They_are_held_during_a_reset_of_the_frozen_unit_and_answered_after_it(byte[] cdb)
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset, Sequence = 1 });
        // The home has told this side of the reset, which is not over.
        _unit.Target.Executor.RunOne();
        _unit.Target.Executor.RunOne();
        TestCommand asked = a.Send(Lun.FromNumber(0), cdb);
        Assert.False(asked.IsAnswered);
        _unit.Target.Executor.Run();
        asked.MustBeGood();
        Assert.Single(a.Port.FunctionsExecuted);
        Thaw("backup");
    }

    [Fact]
    public void An_ordered_inquiry_keeps_its_place_behind_what_a_frozen_unit_holds()
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        TestCommand asked =
            a.Send(Lun.FromNumber(0), [0x12, 0, 0, 0, 0x24, 0], attribute: TaskAttribute.Ordered);
        _unit.Target.Executor.Run();
        Assert.False(asked.IsAnswered);
        Thaw("backup");
        Assert.False(asked.IsAnswered);
        _unit.End(held);
        asked.MustBeGood();
    }

    [Fact]
    public void Abort_task_ends_a_command_that_a_frozen_unit_holds()
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        TestCommand held = _unit.Send(a, HeldUnit.Move), other = _unit.Send(a, HeldUnit.Move);
        var abort = new TaskManagementRequest { Function = TaskManagementFunction.AbortTask, Referenced = held };
        a.Nexus.TaskManagementRequested(abort);
        _unit.Target.Executor.Run();
        Assert.Equal([abort], a.Port.FunctionsExecuted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, abort.Response);
        Assert.True(held.WasAborted);
        Thaw("backup");
        Assert.Equal([other], _unit.Held);
    }

    [Fact]
    public void Held_commands_count_to_the_limit_of_their_nexus()
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("backup");
        TestCommand[] held =
            [.. Enumerable.Range(0, _unit.Target.Unit.NexusQueueDepth).Select(_ => _unit.Send(a, HeldUnit.Move))];
        Assert.Equal(ScsiStatus.TaskSetFull, _unit.Send(a, HeldUnit.Move).Status);
        Assert.All(held, command => Assert.False(command.IsAnswered));
        Assert.Equal(TaskManagementResponse.FunctionComplete, a.Request(TaskManagementFunction.AbortTaskSet));
        Thaw("backup");
    }

    [Fact]
    public void No_other_unit_is_touched_and_every_executor_holds_its_own()
    {
        using var one = new TestExecutor(0);
        using var two = new TestExecutor(1);
        var log = new List<string>();
        LogicalUnit frozen = Logging("frozen"), other = Logging("other");
        var map = new LunMap([new LunMapEntry(0, frozen), new LunMapEntry(1, other)]);
        TestPort[] ports = [new(), new()];
        ItNexus[] nexuses =
        [
            new(one, ports[0], TestInitiator.Target, "a", map), new(two, ports[1], TestInitiator.Target, "b", map),
        ];
        foreach (ItlNexus itl in nexuses.SelectMany(nexus => nexus.ItlNexuses))
            itl.UnitAttentions.TryTake(out _);
        frozen.Freeze("backup", _told.Add);
        TestExecutor.RunAll(one, two);
        Send(0, 0);
        Send(1, 0);
        Send(0, 1);
        Send(1, 1);
        Assert.Equal(["a other", "b other"], log);
        frozen.Thaw("backup", _told.Add);
        TestExecutor.RunAll(one, two);
        Assert.Equal(["a frozen", "b frozen", "a other", "b other"], log.Order().OrderBy(l => l[2..]));
        Assert.Equal([true, true], _told);
        foreach (ItNexus nexus in nexuses)
            nexus.End(static () => { });
        TestExecutor.RunAll(one, two);

        void Send(int from, int lun)
        {
            var command = new TestCommand { Lun = Lun.FromNumber(lun) };
            command.SetCdb([HeldUnit.Move, 0, 0, 0, 0, 0]);
            nexuses[from].CommandReceived(command);
            TestExecutor.RunAll(one, two);
        }

        LogicalUnit Logging(string name) => new(name, new TestBackend
        {
            Commands =
            [
                new CommandBinding(
                    new CommandRow
                    {
                        Name = "MOVE",
                        OperationCode = HeldUnit.Move,
                        Usage = [HeldUnit.Move, 0, 0, 0, 0, 0],
                        Traits = CommandTraits.None,
                    },
                    command =>
                    {
                        log.Add($"{command.Nexus.InitiatorPort} {name}");
                        command.Complete();
                    }),
            ],
        }, [one, two]);
    }

    // ---- A change alone on the unit --------------------------------------------------------------------------------

    [Fact]
    public void Event_2A_09_is_pending_on_every_nexus_before_any_command_finds_the_new_capacity()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        bool changed = false, done = false;
        _unit.Target.Unit.ChangeAlone(
            () =>
            {
                changed = true;
                _unit.Target.Unit.EstablishUnitAttention(AdditionalSense.CapacityDataHasChanged, except: null);
            },
            () => done = true);
        _unit.Target.Executor.Run();
        TestCommand held = _unit.Send(b, HeldUnit.Move);
        Assert.False(changed || held.IsAnswered);
        _unit.End(running);
        Assert.True(changed && done);
        held.MustBe(SenseData.UnitAttention(AdditionalSense.CapacityDataHasChanged));
        Assert.Equal([AdditionalSense.CapacityDataHasChanged], a.ItlNexus.UnitAttentions.Pending.ToArray());
    }

    [Fact]
    public void A_frozen_unit_can_be_changed_and_stays_frozen()
    {
        TestInitiator a = _unit.Target.Login();
        Freeze("resize");
        TestCommand held = _unit.Send(a, HeldUnit.Move);
        bool done = false;
        _unit.Target.Unit.ChangeAlone(static () => { }, () => done = true);
        _unit.Target.Executor.Run();
        Assert.True(done);
        Assert.Empty(_unit.Held);
        Thaw("resize");
        Assert.Equal([held], _unit.Held);
    }

    [Fact]
    public void A_change_that_is_given_up_while_it_waits_is_never_made_and_opens_the_gate_again()
    {
        TestInitiator a = _unit.Target.Login(), b = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        bool changed = false;
        bool? made = null;
        PendingChange pending = _unit.Target.Unit.ChangeAlone(() => changed = true, ended => made = ended);
        _unit.Target.Executor.Run();
        Assert.True(_unit.Target.Unit.WaitsToChange);
        TestCommand held = _unit.Send(b, HeldUnit.Move), alone = _unit.Send(b, HeldUnit.Change);
        Assert.Equal([running], _unit.Held);
        pending.GiveUp();
        _unit.Target.Executor.Run();
        Assert.False(made);
        Assert.False(_unit.Target.Unit.WaitsToChange);
        Assert.Equal([running, held], _unit.Held);
        _unit.End(running);
        _unit.End(held);
        _unit.End(alone);
        alone.MustBeGood();
        Assert.False(changed);
    }

    [Fact]
    public void A_change_is_given_up_while_a_command_has_the_unit_for_itself()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand alone = _unit.Send(a, HeldUnit.Change);
        bool changed = false;
        bool? made = null;
        PendingChange pending = _unit.Target.Unit.ChangeAlone(() => changed = true, ended => made = ended);
        _unit.Target.Executor.Run();
        pending.GiveUp();
        _unit.Target.Executor.Run();
        Assert.False(made);
        TestCommand next = _unit.Send(a, HeldUnit.Move);
        _unit.End(alone);
        alone.MustBeGood();
        Assert.Equal([next], _unit.Held);
        Assert.False(changed);
    }

    [Fact]
    public void A_change_that_was_made_cannot_be_given_up_any_more()
    {
        TestInitiator a = _unit.Target.Login();
        var ended = new List<bool>();
        PendingChange pending = _unit.Target.Unit.ChangeAlone(static () => { }, ended.Add);
        _unit.Target.Executor.Run();
        pending.GiveUp();
        pending.GiveUp();
        _unit.Target.Executor.Run();
        Assert.Equal([true], ended);
        TestCommand next = _unit.Send(a, HeldUnit.Move);
        Assert.Equal([next], _unit.Held);
    }

    [Fact]
    public void A_change_that_takes_its_time_keeps_the_unit_alone_until_it_is_made()
    {
        TestInitiator a = _unit.Target.Login();
        Action? finish = null;
        bool? made = null;
        bool isSecondMade = false;
        _unit.Target.Unit.ChangeAlone(
            done => finish = () =>
            {
                _unit.Target.Unit.EstablishUnitAttention(AdditionalSense.MediumMayHaveChanged, except: null);
                done();
            },
            ended => made = ended);
        _unit.Target.Executor.Run();
        TestCommand held = _unit.Send(a, HeldUnit.Move), alone = _unit.Send(a, HeldUnit.Change);
        _unit.Target.Unit.ChangeAlone(() => isSecondMade = true, static () => { });
        _unit.Target.Executor.Run();
        Assert.Empty(_unit.Held);
        Assert.Null(made);
        Assert.False(isSecondMade);
        finish!();
        _unit.Target.Executor.Run();
        Assert.True(made);
        Assert.True(isSecondMade);
        Assert.Equal(SenseData.UnitAttention(AdditionalSense.MediumMayHaveChanged), held.Sense);
        _unit.End(alone);
        alone.MustBeGood();
    }

    [Fact]
    public void A_reset_beside_a_change_that_is_given_up_is_carried_out()
    {
        TestInitiator a = _unit.Target.Login();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        bool? made = null;
        PendingChange pending = _unit.Target.Unit.ChangeAlone(static () => { }, ended => made = ended);
        _unit.Target.Executor.Run();
        var reset = new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset };
        a.Nexus.TaskManagementRequested(reset);
        _unit.Target.Executor.Run();
        pending.GiveUp();
        _unit.Target.Executor.Run();
        Assert.False(made);
        Assert.DoesNotContain(reset, a.Port.FunctionsExecuted);
        _unit.End(running);
        Assert.Contains(reset, a.Port.FunctionsExecuted);
        Assert.Equal(TaskManagementResponse.FunctionComplete, reset.Response);
    }

    private void Freeze(string reason)
    {
        _unit.Target.Unit.Freeze(reason, _told.Add);
        _unit.Target.Executor.Run();
    }

    private bool Thaw(string reason)
    {
        bool? thawed = null;
        _unit.Target.Unit.Thaw(reason, known => thawed = known);
        _unit.Target.Executor.Run();
        return thawed!.Value;
    }

    private FreezeReport Describe()
    {
        FreezeReport? report = null;
        _unit.Target.Unit.DescribeFreeze(told => report = told);
        _unit.Target.Executor.Run();
        return report!;
    }
}
