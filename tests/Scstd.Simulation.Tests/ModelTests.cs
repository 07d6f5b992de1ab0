using Scstd.Scsi;

namespace Scstd.Simulation.Tests;

/// <summary>The reference model itself refuses what is wrong, and nothing that is right.</summary>
public sealed class ModelTests : IDisposable
{
    private static readonly AdditionalSense Mode = AdditionalSense.ModeParametersChanged;
    private static readonly AdditionalSense Capacity = AdditionalSense.CapacityDataHasChanged;
    private static readonly AdditionalSense Reset = AdditionalSense.BusDeviceResetFunctionOccurred;

    private readonly World _world = new(1, new WorldOptions());

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_condition_is_reported_once()
    {
        AttentionModel nexus = Established(Mode);
        nexus.Reported(Mode, Later());
        Broken(() => nexus.Reported(Mode, Later()));
    }

    [Fact]
    public void A_condition_that_nothing_established_is_not_reported() =>
        Broken(() => new AttentionModel(_world).Reported(Mode, Later()));

    [Fact]
    public void A_reset_is_reported_before_all_else()
    {
        AttentionModel nexus = Established(Mode, Reset);
        Broken(() => nexus.Reported(Mode, Later()));
        nexus = Established(Mode, Reset);
        nexus.Reported(Reset, Later());
        nexus.Reported(Mode, Later());
        Assert.Null(nexus.Certain);
    }

    [Fact]
    public void Of_two_conditions_the_older_is_reported_first()
    {
        AttentionModel nexus = Established(Mode, Capacity);
        Broken(() => nexus.Reported(Capacity, Later()));
    }

    [Fact]
    public void While_an_event_is_told_its_condition_may_be_there_or_not_and_then_it_must()
    {
        NexusModel nexus = Nexus();
        var told = new AttentionGroup(_world);
        told.Open(nexus, Mode);
        Assert.Null(nexus.Attentions.Certain);
        told.Close();
        Assert.Equal(Mode, nexus.Attentions.Certain);

        var again = new AttentionGroup(_world);
        nexus.Attentions.Reported(Mode, Later());
        again.Open(nexus, Mode);
        nexus.Attentions.Reported(Mode, Later());
        again.Close();
        Assert.Null(nexus.Attentions.Certain);
    }

    [Fact]
    public void A_read_does_not_bring_what_was_replaced_before_it_came()
    {
        var block = new BlockModel(_world);
        Write(block, 1);
        Write(block, 2);
        long came = Later();
        block.ReadEnded(2, came);
        Broken(() => block.ReadEnded(1, came));
        Broken(() => block.ReadEnded(3, came));
    }

    [Fact]
    public void A_read_beside_a_write_brings_either_and_no_later_one_the_older_again()
    {
        var block = new BlockModel(_world);
        Write(block, 1);
        long came = Later();
        block.WriteComes(2);
        block.ReadEnded(1, came);
        block.ReadEnded(2, came);
        Later();
        Broken(() => block.ReadEnded(1, Later()));
    }

    [Fact]
    public void A_write_that_was_aborted_may_have_taken_effect_or_not()
    {
        var block = new BlockModel(_world);
        Write(block, 1);
        Later();
        block.WriteComes(2);
        Later();
        block.WriteEnded(2, tookEffect: false, _world.Now);
        block.ReadEnded(1, Later());
        block.ReadEnded(2, Later());
        Broken(() => block.ReadEnded(1, Later()));
    }

    [Fact]
    public void The_same_value_is_not_replaced_twice_by_compare_and_write()
    {
        var block = new BlockModel(_world);
        Write(block, 1);
        block.Swapped(1, Later());
        Broken(() => block.Swapped(1, Later()));
    }

    [Theory]
    [InlineData(1, false, false)]
    [InlineData(3, true, false)]
    [InlineData(5, false, true)]
    [InlineData(6, true, true)]
    [InlineData(7, false, true)]
    [InlineData(8, true, true)]
    public void A_type_forbids_what_the_standard_says(byte type, bool forbidsReading, bool letsRegistrantsWrite)
    {
        PersistentState state = PersistentState.None.With("holder", 1).With("registrant", 2).Reserved(type, "holder");
        Assert.False(state.Forbids("holder", CommandKind.Write));
        Assert.True(state.Forbids("stranger", CommandKind.Write));
        Assert.Equal(forbidsReading, state.Forbids("stranger", CommandKind.Read));
        Assert.Equal(!letsRegistrantsWrite, state.Forbids("registrant", CommandKind.Write));
        Assert.False(state.Forbids("stranger", CommandKind.PersistentReserveIn));
    }

    [Fact]
    public void A_preempted_registrant_is_told_and_the_requester_holds()
    {
        PersistentState state = PersistentState.None.With("a", 1).With("b", 2).With("c", 3).Reserved(5, "b");
        PersistentOutcome outcome = PersistentActions.CarryOut(state, new PersistentRequest
        {
            Action = PersistentActions.PreemptAndAbort,
            Requester = "a",
            Key = 1,
            ActionKey = 2,
            Type = 6,
        });
        Assert.Equal(["b"], outcome.Deprived);
        Assert.Equal(AdditionalSense.RegistrationsPreempted, outcome.DeprivedCondition);
        Assert.Equal(AdditionalSense.ReservationsReleased, outcome.RemainingCondition);
        Assert.True(outcome.Aborted is ["b"] && outcome.State.IsHolder("a") && !outcome.State.IsRegistered("b"));
        Assert.Equal(1u, outcome.State.Generation);
    }

    [Fact]
    public void Without_its_key_nobody_changes_a_reservation()
    {
        PersistentState state = PersistentState.None.With("a", 1);
        for (byte action = PersistentActions.Reserve; action <= PersistentActions.PreemptAndAbort; action++)
        {
            PersistentOutcome outcome = PersistentActions.CarryOut(state, new PersistentRequest
            {
                Action = action,
                Requester = "a",
                Key = 2,
                ActionKey = 1,
                Type = 1,
            });
            Assert.Equal(ScsiStatus.ReservationConflict, outcome.Status);
            Assert.Same(state, outcome.State);
        }
    }

    private NexusModel Nexus()
    {
        var session = new SimulatedSession(_world, "i", 1, new SimulatedExecutor(_world, 0, null!));
        return new NexusModel(_world, session, _world.All[0].Model, 0);
    }

    private AttentionModel Established(params AdditionalSense[] conditions)
    {
        var nexus = new AttentionModel(_world);
        foreach (AdditionalSense condition in conditions)
        {
            Later();
            nexus.Establish(condition);
        }
        Later();
        return nexus;
    }

    private void Write(BlockModel block, ulong value)
    {
        Later();
        block.WriteComes(value);
        Later();
        block.WriteEnded(value, tookEffect: true, _world.Now);
    }

    private long Later()
    {
        _world.Tick();
        return _world.Now;
    }

    private static void Broken(Action wrong) => Assert.Throws<LawBrokenException>(wrong);
}
