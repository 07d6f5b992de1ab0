using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>Slow storage makes initiators slow instead of making them abort.</summary>
public sealed class SlowStorageTests
{
    private const int QuickMs = 4;
    private const int SlowMs = 20_000;

    [Fact]
    public void A_store_that_takes_twenty_seconds_in_parallel_costs_no_abort_and_no_error()
    {
        using var world = new SlowWorld(wanted: 128);
        world.Store.ServiceMs = QuickMs;
        world.Run(5_000);
        int quick = world.First.Completed;
        Assert.True(quick >= 0.95 * 128 * 5_000 / QuickMs, $"{quick} reads while quick");
        world.Store.ServiceMs = SlowMs;
        world.Run(300_000);
        int slow = world.First.Completed - quick;
        Assert.True(slow >= 128 * 8, $"{slow} reads while slow: {world}");
        world.Store.ServiceMs = QuickMs;
        world.Run(25_000);
        int before = world.First.Completed;
        world.Run(5_000);
        int after = world.First.Completed - before;
        Assert.True(after >= 0.95 * 128 * 5_000 / QuickMs, $"{after} reads after recovery: {world}");
        Assert.Equal((0, 0), (world.First.Aborts, world.First.Errors));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(16)]
    public void A_store_that_does_a_few_at_a_time_gets_no_more_than_it_does_in_time(int servers)
    {
        using var world = new SlowWorld(wanted: 128);
        world.Store.ServiceMs = QuickMs;
        world.Store.Servers = servers;
        world.Run(5_000);
        int quick = world.First.Completed;
        Assert.True(quick >= 0.95 * servers * 5_000 / QuickMs, $"{quick} reads while quick");
        foreach (int serviceMs in new[] { 1_500, 6_000, SlowMs })
        {
            // What the device server has at this moment nobody can take back from it; all others are done in time.
            int lost = world.First.Aborts + world.Store.Commands;
            world.Store.ServiceMs = serviceMs;
            world.Run(300_000);
            Assert.True(world.First.Aborts <= lost, $"{lost} may be lost with {serviceMs} ms: {world}");
            Assert.True(world.Store.Commands <= 4 * servers, $"{world}");
        }
        int slow = world.First.Completed;
        world.Run(300_000);
        slow = world.First.Completed - slow;
        Assert.True(slow >= 0.4 * servers * 300_000 / SlowMs, $"{slow} reads at 20 s: {world}");
        world.Store.ServiceMs = QuickMs;
        world.Run(30_000);
        int before = world.First.Completed;
        world.Run(5_000);
        int after = world.First.Completed - before;
        Assert.True(after >= 0.95 * servers * 5_000 / QuickMs, $"{after} reads after recovery: {world}");
    }

    [Fact]
    public void Another_patience_of_the_initiators_is_kept_from_then_on()
    {
        using var world = new SlowWorld(wanted: 16);
        world.Store.ServiceMs = 500;
        world.Run(10_000);
        Assert.Null(world.Limit());
        world.Unit.SetAbortTimeout(4_000);
        world.Run(10_000);
        Assert.NotNull(world.Limit());
        world.Unit.SetAbortTimeout(30_000);
        world.Run(10_000);
        Assert.Null(world.Limit());
    }

    [Fact]
    public void What_was_kept_and_turned_away_is_counted()
    {
        using var world = new SlowWorld(wanted: 128);
        world.Store.ServiceMs = QuickMs;
        world.Run(5_000);
        Assert.True(world.Counts().IsQuiet);
        world.Store.ServiceMs = 500;
        world.Store.Servers = 4;
        world.Run(60_000);
        RegulatorView regulator = world.Counts().Regulator;
        Assert.True(regulator is { Limit: > 0, Kept: > 0 }, $"{regulator}");
        Assert.Equal(world.First.TurnedAway, (int)regulator.TurnedAway);
    }

    [Fact]
    public void Control_commands_do_not_wait_behind_slow_ones()
    {
        using var world = new SlowWorld(wanted: 128);
        world.Store.ServiceMs = SlowMs;
        world.Run(30_000);
        TestCommand command = world.Send(ModelStore.Control);
        command.MustBeGood();
    }

    [Fact]
    public void A_small_initiator_gets_its_turn_beside_a_greedy_one()
    {
        using var world = new SlowWorld(wanted: 120);
        LinuxInitiator small = world.Add(wanted: 2);
        world.Store.ServiceMs = 500;
        world.Store.Servers = 4;
        world.Run(300_000);
        // Eight a second are done; by turns the small one gets what it can take.
        Assert.True(small.Completed >= 100, $"{small.Completed} of the small one, {world}");
    }

    [Fact]
    public void The_session_window_shrinks_while_slow_and_is_whole_again_after()
    {
        using var world = new SlowWorld(wanted: 128);
        world.Store.ServiceMs = 2_000;
        world.Store.Servers = 2;
        world.Run(300_000);
        Assert.True(world.First.Granted < 64, $"{world.First.Granted} granted, {world}");
        world.Store.ServiceMs = 1;
        world.Run(10_000);
        Assert.Equal(128, world.First.Granted);
    }
}
