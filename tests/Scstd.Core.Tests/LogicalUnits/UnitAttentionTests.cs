using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>SAM-5 §5.14.</summary>
public sealed class UnitAttentionTests
{
    [Fact]
    public void The_first_command_of_a_nexus_learns_of_the_power_on_and_the_second_runs()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(keepUnitAttention: true);
        TestCommand first = unit.Send(a, HeldUnit.Move);
        Assert.Equal(SenseData.UnitAttention(AdditionalSense.PowerOnOccurred), first.Sense);
        TestCommand second = unit.Send(a, HeldUnit.Move);
        Assert.Equal([second], unit.Held);
    }

    [Fact]
    public void A_command_that_wants_the_unit_alone_tells_of_the_power_on_before_the_next_one_begins()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(keepUnitAttention: true);
        TestCommand first = a.Send(Lun.FromNumber(0), [HeldUnit.Change, 0, 0, 0, 0, 0]);
        TestCommand second = a.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, 0]);
        while (!first.IsAnswered)
        {
            Assert.Empty(unit.Held);
            unit.Target.Executor.RunOne();
        }
        unit.Target.Executor.Run();
        Assert.Equal(SenseData.UnitAttention(AdditionalSense.PowerOnOccurred), first.Sense);
        Assert.Equal([second], unit.Held);
    }

    [Fact]
    public void A_command_that_is_one_too_many_takes_no_condition_with_it()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login();
        for (int i = 0; i < unit.Target.Unit.NexusQueueDepth; i++)
            unit.Send(a, HeldUnit.Move);
        a.ItlNexus.UnitAttentions.Establish(AdditionalSense.BusDeviceResetFunctionOccurred);
        Assert.Equal(ScsiStatus.TaskSetFull, unit.Send(a, HeldUnit.Move).Status);
        Assert.Equal([AdditionalSense.BusDeviceResetFunctionOccurred],
            a.ItlNexus.UnitAttentions.Pending.ToArray());
    }

    [Fact]
    public void The_same_condition_is_pending_once()
    {
        using var unit = new HeldUnit();
        UnitAttentions pending = unit.Target.Login().ItlNexus.UnitAttentions;
        pending.Establish(AdditionalSense.ModeParametersChanged);
        pending.Establish(AdditionalSense.CapacityDataHasChanged);
        pending.Establish(AdditionalSense.ModeParametersChanged);
        Assert.Equal(2, pending.Count);
    }

    [Fact]
    public void A_reset_is_told_before_all_else()
    {
        using var unit = new HeldUnit();
        UnitAttentions pending = unit.Target.Login().ItlNexus.UnitAttentions;
        pending.Establish(AdditionalSense.ModeParametersChanged);
        pending.Establish(AdditionalSense.PowerOnResetOrBusDeviceReset);
        pending.Establish(AdditionalSense.ItNexusLossOccurred);
        Assert.Equal(
            [
                AdditionalSense.PowerOnResetOrBusDeviceReset, AdditionalSense.ItNexusLossOccurred,
                AdditionalSense.ModeParametersChanged,
            ],
            pending.Pending.ToArray());
    }

    [Fact]
    public void A_full_queue_keeps_the_resets_and_the_latest()
    {
        using var unit = new HeldUnit();
        UnitAttentions pending = unit.Target.Login().ItlNexus.UnitAttentions;
        pending.Establish(AdditionalSense.PowerOnResetOrBusDeviceReset);
        for (byte i = 0; i < 40; i++)
            pending.Establish(new AdditionalSense(0x2A, i));
        Assert.Equal(UnitAttentions.Capacity, pending.Count);
        Assert.Equal(AdditionalSense.PowerOnResetOrBusDeviceReset, pending.Pending[0]);
        Assert.Equal(new AdditionalSense(0x2A, 39), pending.Pending[^1]);
    }

    [Fact]
    public void A_condition_that_could_not_be_told_comes_first_again()
    {
        using var unit = new HeldUnit();
        UnitAttentions pending = unit.Target.Login().ItlNexus.UnitAttentions;
        pending.Establish(AdditionalSense.ModeParametersChanged);
        pending.Establish(AdditionalSense.CapacityDataHasChanged);
        Assert.True(pending.TryTake(out AdditionalSense taken));
        pending.PutBack(taken);
        Assert.Equal(AdditionalSense.ModeParametersChanged, pending.Pending[0]);
    }

    [Fact]
    public void A_condition_that_could_not_be_told_stays_behind_a_reset_that_came_meanwhile()
    {
        using var unit = new HeldUnit();
        UnitAttentions pending = unit.Target.Login().ItlNexus.UnitAttentions;
        pending.Establish(AdditionalSense.ModeParametersChanged);
        Assert.True(pending.TryTake(out AdditionalSense taken));
        pending.Establish(AdditionalSense.BusDeviceResetFunctionOccurred);
        pending.PutBack(taken);
        Assert.Equal(
            [AdditionalSense.BusDeviceResetFunctionOccurred, AdditionalSense.ModeParametersChanged],
            pending.Pending.ToArray());
    }

    [Fact]
    public void A_reset_is_told_before_a_reservation_conflict_and_anything_else_after_it()
    {
        using var unit = new HeldUnit();
        TestInitiator holder = unit.Target.Login(), other = unit.Target.Login(keepUnitAttention: true);
        holder.Execute([0x16, 0, 0, 0, 0, 0]).MustBeGood();
        other.ItlNexus.UnitAttentions.Establish(AdditionalSense.ModeParametersChanged);
        Assert.Equal(SenseKey.UnitAttention, unit.Send(other, HeldUnit.Move).Sense.Key);
        Assert.Equal(ScsiStatus.ReservationConflict, unit.Send(other, HeldUnit.Move).Status);
        Assert.Equal(1, other.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void A_refused_cdb_gives_way_to_the_unit_attention()
    {
        using var unit = new HeldUnit();
        TestInitiator a = unit.Target.Login(keepUnitAttention: true);
        TestCommand unknown = unit.Send(a, 0xFE);
        Assert.Equal(SenseKey.UnitAttention, unknown.Sense.Key);
        unknown = unit.Send(a, 0xFE);
        Assert.Equal(AdditionalSense.InvalidCommandOperationCode, unknown.Sense.Additional);
        Assert.Equal((ushort)0, unknown.Sense.FieldPointer);
    }
}
