using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>An administrator's limits, in commands and in bytes a second.</summary>
public sealed class RateLimitTests
{
    [Fact]
    public void A_unit_does_no_more_commands_a_second_than_it_may()
    {
        using var world = new SlowWorld(wanted: 32);
        world.Limit(commandsPerSecond: 500, bytesPerSecond: null);
        world.Run(10_000);
        Assert.InRange(world.First.Completed, 4_900, 5_150);
    }

    [Fact]
    public void A_unit_moves_no_more_bytes_a_second_than_it_may()
    {
        using var world = new SlowWorld(wanted: 32);
        world.Limit(commandsPerSecond: null, bytesPerSecond: 200 * ModelStore.Bytes);
        world.Run(10_000);
        Assert.InRange(world.First.Completed, 1_950, 2_080);
    }

    [Fact]
    public void Two_initiators_share_a_limit_by_turns_however_many_commands_each_sends()
    {
        using var world = new SlowWorld(wanted: 100);
        LinuxInitiator small = world.Add(wanted: 10);
        world.Limit(commandsPerSecond: 500, bytesPerSecond: null);
        world.Run(10_000);
        Assert.InRange(small.Completed, 2_300, 2_700);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(500)]
    public void An_initiator_that_sends_one_command_at_a_time_has_its_half_of_a_limit(int commandsPerSecond)
    {
        using var world = new SlowWorld(wanted: 64);
        LinuxInitiator small = world.Add(wanted: 1);
        world.Limit(commandsPerSecond, bytesPerSecond: null);
        world.Run(10_000);
        int half = commandsPerSecond / 2 * 10;
        Assert.InRange(small.Completed, half * 90 / 100, half * 110 / 100);
        int all = world.First.Completed + small.Completed;
        Assert.InRange(all, commandsPerSecond * 98 / 10, commandsPerSecond * 103 / 10);
    }

    [Fact]
    public void An_executor_that_is_late_gives_out_what_came_meanwhile()
    {
        using var world = new SlowWorld(wanted: 64);
        world.Limit(commandsPerSecond: 100, bytesPerSecond: null);
        world.Run(1_000);
        int before = world.First.Completed;
        world.BeLate(500);
        world.Run(500);
        Assert.InRange(world.First.Completed - before, 95, 105);
    }

    [Fact]
    public void A_limited_nexus_leaves_the_others_unlimited()
    {
        using var world = new SlowWorld(wanted: 8);
        LinuxInitiator limited = world.Add(wanted: 8);
        limited.Nexus.SetRateLimit(new RateLimit([limited.Nexus.Executor], 100, null));
        world.Run(5_000);
        Assert.InRange(limited.Completed, 480, 530);
        Assert.True(world.First.Completed > 30_000, $"{world}");
    }

    [Fact]
    public void A_command_that_waits_for_a_limit_leaves_with_its_abort()
    {
        using var world = new SlowWorld(wanted: 0);
        world.Limit(commandsPerSecond: 1, bytesPerSecond: null);
        world.Send(ModelStore.Control).MustBeGood();
        world.Begin(ModelStore.Read);
        TestInitiatorPort waiting = world.Begin(ModelStore.Read);
        world.Run(5);
        TaskManagementRequest request = waiting.Request(Scsi.TaskManagementFunction.AbortTaskSet);
        Assert.Equal([request], waiting.Port.FunctionsExecuted);
        Assert.True(waiting.Command.WasAborted);
        world.Run(3_000);
    }

    [Fact]
    public void Executors_that_ask_share_the_rate_and_leave_a_little_for_the_others()
    {
        using var a = new TestExecutor(0);
        using var b = new TestExecutor(1);
        var limit = new RateLimit([a, b], 1000, null);
        limit.Ask(limit.On(b));
        TestExecutor.RunAll(a, b);
        Assert.Equal(0.9, limit.On(b).Share, 3);
        Assert.Equal(0.1, limit.On(a).Share, 3);
        limit.Ask(limit.On(a));
        TestExecutor.RunAll(a, b);
        Assert.Equal((0.5, 0.5), (limit.On(a).Share, limit.On(b).Share));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_limit_of_a_nexus_holds_whatever_happens_to_another_whose_lun_departs(bool limitsDeparting)
    {
        List<ScsiCommand> held = [];
        using var target = new TestTarget(new TestBackend { Commands = [Read(held)] });
        TestInitiator departing = target.Login(), limited = target.Login();
        limited.Nexus.SetRateLimit(new RateLimit([target.Executor], 1, null));
        // The executor's regulator sleeps and wakes by itself: the departing LUN keeps a command.
        Send(departing);
        Assert.Single(held);
        departing.Nexus.ChangeMap(LunMap.Empty);
        if (limitsDeparting)
            departing.Nexus.SetRateLimit(new RateLimit([target.Executor], 1000, null));
        held[0].Complete();
        held.Clear();
        target.Executor.Run();
        for (int i = 0; i < 5; i++)
            Send(limited);
        Assert.Single(held);
        held[0].Complete();
        limited.Request(TaskManagementFunction.AbortTaskSet);

        void Send(TestInitiator initiator)
        {
            initiator.Send(Lun.FromNumber(0), [0xC4, 0, 0, 0, 0, 0], dataInBytes: 512);
            target.Executor.Run();
        }
    }

    private static CommandBinding Read(List<ScsiCommand> held) => new(
        new CommandRow
        {
            Name = "READ",
            OperationCode = 0xC4,
            Direction = DataDirection.In,
            Traits = CommandTraits.NeedsMedium,
            Usage = [0xC4, 0, 0, 0, 0, 0],
            TransferLength = static (_, _) => 512,
        },
        held.Add);

    [Fact]
    public void Executors_share_a_rate_by_the_number_of_initiators_that_wait_there()
    {
        using var a = new TestExecutor(0);
        using var b = new TestExecutor(1);
        var store = new ModelStore(a);
        var unit = new LogicalUnit("unit", store.Backend, [a, b]);
        var limit = new RateLimit([a, b], 1, null);
        unit.SetRateLimit(limit);
        TestExecutor.RunAll(a, b);
        // The first of each executor is done at once, the second with the first that comes of the rate.
        TestExecutor[] executors = [a, a, a, a, a, b, b, b];
        TestInitiatorPort[] initiators =
            [.. executors.Select(executor => new TestInitiatorPort(executor, unit, ModelStore.Read))];
        for (int i = 0; i < 25; i++)
        {
            a.Advance(10);
            b.Advance(10);
            TestExecutor.RunAll(a, b);
        }
        Assert.Equal((3, 1), (limit.WaitingOn(a), limit.WaitingOn(b)));
        // Who has had something lately counts as well: four and two.
        Assert.Equal(4.0 / 6, limit.On(a).Share, 3);
        Assert.Equal(2.0 / 6, limit.On(b).Share, 3);
        foreach (TestInitiatorPort initiator in initiators)
            initiator.Nexus.End(static () => { });
        TestExecutor.RunAll(a, b);
    }
}
