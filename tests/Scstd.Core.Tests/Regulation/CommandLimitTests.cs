using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>A limit of commands, of a unit or of a target: who comes in, who waits, who is refused and how.</summary>
public sealed class CommandLimitTests
{
    [Fact]
    public void A_unit_has_no_more_commands_in_its_task_set_than_it_may()
    {
        using LimitWorld world = Limited(unit: 3);
        TestInitiator a = world.Login(), b = world.Login();
        world.SendAndRun(a);
        world.SendAndRun(b);
        world.SendAndRun(a);
        TestCommand refused = world.SendAndRun(a);
        Assert.Equal(ScsiStatus.TaskSetFull, refused.Status);
        Assert.Equal(3, world.Held.Count);
        Assert.Equal((3, 1UL), Use(world));
        world.End(world.Held[0]);
        Assert.False(world.SendAndRun(a).IsAnswered);
    }

    /// <summary>SAM-5 §5.3.1.</summary>
    [Fact]
    public void A_nexus_without_a_command_in_the_task_set_is_told_BUSY()
    {
        using LimitWorld world = Limited(unit: 1);
        TestInitiator a = world.Login(), b = world.Login();
        world.SendAndRun(a);
        Assert.Equal(ScsiStatus.Busy, world.SendAndRun(b).Status);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
    }

    [Fact]
    public void Commands_that_are_refused_together_do_not_count_for_each_other()
    {
        using LimitWorld world = Limited(unit: 1);
        TestInitiator a = world.Login(), b = world.Login();
        world.SendAndRun(a);
        TestCommand[] together = [world.Send(b), world.Send(b), world.Send(b)];
        world.Run();
        Assert.All(together, command => Assert.Equal(ScsiStatus.Busy, command.Status));
    }

    /// <summary>What the nexus has at another unit will end without telling anything of this one.</summary>
    [Fact]
    public void The_rule_goes_by_the_I_T_L_nexus_for_the_limit_of_a_target_too()
    {
        using var world = new LimitWorld(units: 2);
        world.LimitTarget(2);
        TestInitiator a = world.Login();
        world.SendAndRun(a, lun: 1);
        world.SendAndRun(a, lun: 1);
        Assert.Equal(ScsiStatus.Busy, world.SendAndRun(a, lun: 0).Status);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a, lun: 1).Status);
    }

    [Fact]
    public void A_target_has_no_more_commands_over_all_its_nexuses_and_units()
    {
        using var world = new LimitWorld(executors: 2, units: 2);
        world.LimitTarget(2);
        TestInitiator a = world.Login(0), b = world.Login(1);
        world.SendAndRun(a, lun: 0);
        world.SendAndRun(b, lun: 1);
        Assert.Equal(ScsiStatus.Busy, world.SendAndRun(a, lun: 1).Status);
        Assert.Equal(2, world.Held.Count);
    }

    [Theory]
    [InlineData(LimitWorld.Inquiry)]
    [InlineData(LimitWorld.ReportLuns)]
    [InlineData(LimitWorld.RequestSense)]
    public void What_tells_an_initiator_where_it_stands_is_never_refused(byte code)
    {
        using LimitWorld world = Limited(unit: 1);
        TestInitiator a = world.Login();
        world.SendAndRun(a);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
        world.SendAndRun(a, code).MustBeGood();
    }

    [Fact]
    public void HEAD_OF_QUEUE_and_a_command_that_waits_for_its_turn_count()
    {
        using LimitWorld world = Limited(unit: 3);
        TestInitiator a = world.Login();
        world.SendAndRun(a);
        world.SendAndRun(a, attribute: TaskAttribute.Ordered);
        world.SendAndRun(a, attribute: TaskAttribute.HeadOfQueue);
        Assert.Equal(2, world.Held.Count);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a, attribute: TaskAttribute.HeadOfQueue).Status);
    }

    [Fact]
    public void What_another_executor_does_not_use_is_fetched_before_anything_is_refused()
    {
        using LimitWorld world = Limited(unit: 6, executors: 3);
        TestInitiator c = world.Login(executor: 2);
        TestCommand[] commands = [.. Enumerable.Range(0, 6).Select(_ => world.Send(c))];
        Assert.Equal(2, world.Held.Count);
        world.Run();
        Assert.Equal(commands, world.Held);
        TestInitiator b = world.Login(executor: 1);
        Assert.Equal(ScsiStatus.Busy, world.SendAndRun(b).Status);
    }

    [Fact]
    public void Commands_that_waited_come_in_by_turns_between_the_nexuses_and_in_the_order_of_each()
    {
        using LimitWorld world = Limited(unit: 8, executors: 2);
        TestInitiator a = world.Login(1), b = world.Login(1), other = world.Login(0);
        for (int i = 0; i < 4; i++)
            world.Send(a);
        Assert.Equal(4, world.Held.Count);
        TestCommand[] ofA = [world.Send(a), world.Send(a), world.Send(a)];
        TestCommand ofB = world.Send(b);
        world.Run();
        Assert.Equal([ofA[0], ofB, ofA[1], ofA[2]], world.Held.Skip(4));
        Assert.Equal(ScsiStatus.Busy, world.SendAndRun(other).Status);
    }

    [Fact]
    public void After_a_refusal_nobody_is_asked_for_a_millisecond()
    {
        using LimitWorld world = Limited(unit: 1, executors: 2);
        TestInitiator a = world.Login(0), b = world.Login(1);
        world.SendAndRun(a);
        world.SendAndRun(b);
        Assert.Equal(ScsiStatus.Busy, world.Send(b).Status);
        Assert.All(world.Executors, executor => Assert.True(executor.IsIdle));
        world.Rest();
        Assert.False(world.Send(b).IsAnswered);
        world.Run();
    }

    [Fact]
    public void A_place_that_is_free_for_a_moment_is_free_for_everybody()
    {
        using LimitWorld world = Limited(unit: 4, executors: 2);
        TestInitiator a = world.Login(0), b = world.Login(1);
        for (int i = 0; i < 4; i++)
            world.SendAndRun(a);
        for (int i = 0; i < 4; i++)
        {
            world.End(world.Held.First(command => ReferenceEquals(command.Nexus, a.Nexus)));
            Assert.False(world.SendAndRun(b).IsAnswered);
        }
        Assert.Equal((0, 4), (a.ItlNexus.CommandCount, b.ItlNexus.CommandCount));
    }

    [Fact]
    public void A_command_that_finds_a_place_costs_no_managed_memory()
    {
        using LimitWorld world = Limited(unit: 2, executors: 2);
        TestInitiator a = world.Login(1);
        TestCommand command = world.SendAndRun(a);
        world.End(command);
        Repeat(50);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat(int times)
        {
            for (int i = 0; i < times; i++)
            {
                a.Port.Forget(command);
                a.Nexus.CommandReceived(command);
                world.End(command);
            }
        }
    }

    // ---- Ends ------------------------------------------------------------------------------------------------------

    [Fact]
    public void A_command_that_waits_for_a_place_is_aborted_at_once_and_has_taken_none()
    {
        using LimitWorld world = Limited(unit: 4, executors: 2);
        TestInitiator a = world.Login(1);
        world.Send(a);
        world.Send(a);
        TestCommand waits = world.Send(a);
        Assert.Equal((CommandState.Dormant, false), (waits.State, waits.IsAnswered));
        Assert.Contains("a place among the 4 commands", Waiting(world, 1));
        var request = new TaskManagementRequest
        {
            Function = TaskManagementFunction.AbortTask,
            Referenced = waits,
            Sequence = ulong.MaxValue,
        };
        a.Nexus.TaskManagementRequested(request);
        Assert.Equal([request], a.Port.FunctionsExecuted);
        Assert.True(waits.WasAborted);
        world.Run();
        Assert.Equal((2, 0UL), Use(world));
        world.EndAll();
        Assert.Equal((0, 0UL), Use(world));
    }

    [Fact]
    public void A_write_gets_its_data_while_it_waits_for_a_place()
    {
        using LimitWorld world = Limited(unit: 2, executors: 2);
        TestInitiator a = world.Login(1);
        a.Port.HoldsDataOut = true;
        world.Send(a);
        TestCommand write = world.Send(a, LimitWorld.Write);
        Assert.Equal(CommandState.AwaitingDataOut, write.State);
        a.Port.GiveDataOut();
        Assert.Equal(CommandState.Dormant, write.State);
        world.Run();
        Assert.Contains(write, world.Held);
    }

    [Fact]
    public void A_write_that_gets_its_place_before_its_data_waits_for_the_data()
    {
        using LimitWorld world = Limited(unit: 2, executors: 2);
        TestInitiator a = world.Login(1);
        a.Port.HoldsDataOut = true;
        world.Send(a);
        TestCommand write = world.Send(a, LimitWorld.Write);
        world.Run();
        Assert.Equal(CommandState.AwaitingDataOut, write.State);
        Assert.Equal(2, Use(world).InUse);
        a.Port.GiveDataOut();
        Assert.Contains(write, world.Held);
    }

    [Fact]
    public void A_write_that_is_refused_while_its_data_comes_is_answered_when_it_has_come()
    {
        using LimitWorld world = Limited(unit: 1, executors: 2);
        TestInitiator a = world.Login(1), other = world.Login(0);
        world.SendAndRun(other);
        a.Port.HoldsDataOut = true;
        TestCommand write = world.SendAndRun(a, LimitWorld.Write);
        Assert.Equal(CommandState.AwaitingDataOut, write.State);
        a.Port.GiveDataOut();
        Assert.Equal(ScsiStatus.Busy, write.Status);
        TestCommand next = world.Send(a, LimitWorld.Write);
        Assert.Equal((true, ScsiStatus.Busy, 0), (next.IsAnswered, next.Status, a.Port.Owed.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_that_is_aborted_before_its_data_came_gives_its_place_back_once(bool hasPlace)
    {
        using LimitWorld world = Limited(unit: 2, executors: 2);
        TestInitiator a = world.Login(1);
        a.Port.HoldsDataOut = true;
        world.Send(a);
        TestCommand write = world.Send(a, LimitWorld.Write);
        if (hasPlace)
            world.Run();
        Assert.Equal(hasPlace ? 2 : 1, Use(world).InUse);
        a.Nexus.TaskManagementRequested(new TaskManagementRequest
        {
            Function = TaskManagementFunction.AbortTask,
            Referenced = write,
            Sequence = ulong.MaxValue,
        });
        world.Run();
        Assert.True(write.WasAborted);
        Assert.Equal((1, 0UL), Use(world));
    }

    [Fact]
    public void A_nexus_that_is_lost_gives_back_what_it_had_and_waits_for_nothing()
    {
        using var world = new LimitWorld(executors: 2);
        world.LimitTarget(4);
        world.LimitUnit(4);
        TestInitiator a = world.Login(1);
        a.Port.HoldsDataOut = true;
        world.Run();
        world.SendAndRun(a);
        world.SendAndRun(a, LimitWorld.Write);
        world.Send(a);
        world.Send(a, attribute: TaskAttribute.Ordered);
        bool ended = false;
        world.Logout(a, () => ended = true);
        world.Run();
        Assert.True(ended);
        Assert.Equal((0, 0UL), Use(world));
        Assert.Equal(0, world.Executors.Sum(executor => world.TargetLimit!.ViewOn(executor).InUse));
    }

    [Fact]
    public void A_LUN_that_is_taken_away_gives_back_what_its_commands_had()
    {
        using LimitWorld world = Limited(unit: 2);
        TestInitiator a = world.Login(), b = world.Login();
        world.SendAndRun(a);
        bool settled = false;
        a.Nexus.ChangeMap(LunMap.Empty, () => settled = true);
        world.SendAndRun(b);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(b).Status);
        world.End(world.Held[0]);
        world.Rest();
        Assert.True(settled);
        Assert.False(world.SendAndRun(b).IsAnswered);
    }

    [Fact]
    public void A_command_that_is_wrong_is_told_so_and_takes_no_place()
    {
        using LimitWorld world = Limited(unit: 1);
        TestInitiator a = world.Login();
        world.SendAndRun(a);
        TestCommand wrong = a.Execute([LimitWorld.Read, 0, 0xFF, 0, 0, 0]);
        wrong.MustBeInvalidInCdb(2, 7);
        Assert.Equal((1, 0UL), Use(world));
    }

    [Fact]
    public void A_refusal_comes_at_once_on_a_frozen_unit_too()
    {
        using LimitWorld world = Limited(unit: 1);
        TestInitiator a = world.Login();
        world.Units[0].Freeze("test", static _ => { });
        world.Run();
        TestCommand held = world.SendAndRun(a);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
        Assert.False(held.IsAnswered);
        world.Units[0].Thaw("test", static _ => { });
        world.Run();
        Assert.Equal([held], world.Held);
    }

    // ---- Changes while it serves -----------------------------------------------------------------------------------

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_limit_that_shrinks_leaves_in_what_is_in_and_lets_nobody_in_until_there_are_fewer(int executors)
    {
        using LimitWorld world = Limited(unit: 6, executors: executors);
        TestInitiator a = world.Login(executors - 1);
        TestCommand[] inside = [.. Enumerable.Range(0, 6).Select(_ => world.SendAndRun(a))];
        world.LimitUnit(3);
        world.Run();
        Assert.Equal(inside, world.Held);
        for (int left = 6; left > 3; left--)
        {
            Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
            world.End(world.Held[0]);
            world.Rest();
        }
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
        world.End(world.Held[0]);
        world.Rest();
        Assert.False(world.SendAndRun(a).IsAnswered);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
    }

    [Fact]
    public void A_limit_that_grows_lets_more_in_at_once()
    {
        using LimitWorld world = Limited(unit: 1, executors: 2);
        TestInitiator a = world.Login(1);
        world.SendAndRun(a);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
        world.LimitUnit(3);
        world.Run();
        Assert.False(world.SendAndRun(a).IsAnswered);
        Assert.False(world.SendAndRun(a).IsAnswered);
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(a).Status);
    }

    [Fact]
    public void A_limit_that_is_new_counts_what_is_in_already()
    {
        using var world = new LimitWorld(executors: 2);
        TestInitiator a = world.Login(0), b = world.Login(1);
        world.SendAndRun(a);
        world.SendAndRun(b, LimitWorld.Write);
        world.LimitUnit(2);
        world.LimitTarget(2);
        world.Run();
        Assert.Equal((2, 0UL), Use(world));
        Assert.Equal(ScsiStatus.TaskSetFull, world.SendAndRun(b).Status);
        world.EndAll();
        Assert.Equal(0, Use(world).InUse);
        Assert.Equal(0, world.Account(world.TargetLimit!).Used);
    }

    [Fact]
    public void A_limit_that_goes_lets_in_who_waits_and_leaves_nothing_behind()
    {
        using LimitWorld world = Limited(unit: 2, executors: 2);
        TestInitiator a = world.Login(1), other = world.Login(0);
        world.SendAndRun(other);
        world.SendAndRun(other);
        TestCommand waits = world.Send(a);
        world.Units[0].TurnstileOf(world.Executors[1]).SetCommandLimit(null);
        Assert.Contains(waits, world.Held);
        world.LimitUnit(null);
        world.Run();
        Assert.False(world.SendAndRun(a).IsAnswered);
        Assert.Null(world.Units[0].CommandLimitOn(world.Executors[1]));
        Assert.Equal(NexusConditions.None, a.ItlNexus.Conditions);
    }

    private static LimitWorld Limited(int unit, int executors = 1)
    {
        var world = new LimitWorld(executors);
        world.LimitUnit(unit);
        world.Run();
        return world;
    }

    private static (int InUse, ulong Refused) Use(LimitWorld world)
    {
        CommandLimitView[] views =
            [.. world.Executors.Select(executor => world.Units[0].CommandLimitOn(executor)!.Value)];
        return (views.Sum(view => view.InUse), views.Aggregate(0UL, (sum, view) => sum + view.Refused));
    }

    private static string Waiting(LimitWorld world, int executor) => string.Join("; ",
        world.Units[0].ViewOn(world.Executors[executor]).Commands.Select(command => command.WaitsFor));
}
