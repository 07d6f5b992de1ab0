using Scstd.Core;
using Scstd.Frontends.Iscsi.Pdus;
using Scstd.Frontends.Iscsi.Tests.Connections;
using Scstd.Scsi;

namespace Scstd.Frontends.Iscsi.Tests.Changes;

/// <summary>SCSI asynchronous events, RFC 7143 §11.9: what there is has changed, and the initiator hears of it without
/// asking.</summary>
public sealed class AsynchronousEventTests
{
    [Fact]
    public void Event_3F_0E_is_told_at_once_to_whom_it_concerns_and_stays_pending()
    {
        using var world = new ChangingWorld(Told);
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        uint nextStatSn = red.SendCommandForStatSn();
        world.Apply(world.Target with
        {
            Groups = [ChangingWorld.Group(ChangingWorld.Red, world.First, world.Second)],
        });
        Pdu told = Event(red, AdditionalSense.ReportedLunsDataHasChanged, lun: 0);
        Assert.Equal(nextStatSn, told.StatSn);
        blue.ReceiveNothing();
        Assert.Equal(
            (SenseKey.UnitAttention, AdditionalSense.ReportedLunsDataHasChanged),
            ApplyTests.TestUnitReady(red).Sense);
    }

    [Fact]
    public void Event_3F_03_names_the_lun_that_leads_elsewhere()
    {
        using var world = new ChangingWorld(Told);
        world.Apply(world.Target with { Luns = ChangingWorld.Map(world.First, world.Second) });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        world.Apply(world.Target with { Luns = ChangingWorld.Map(world.First, world.Third) });
        Event(red, AdditionalSense.InquiryDataHasChanged, lun: 1UL << 48);
        red.ReceiveNothing();
    }

    [Fact]
    public void Event_2A_09_is_told_on_every_reactor_in_the_addressing_method_of_the_session()
    {
        using var world = new ChangingWorld(options => Told(options) with
        {
            Luns = new LunMap(options.Luns.Entries, LunAddressing.Flat),
        });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        Initiator blue = world.World.LogIn(name: ChangingWorld.Blue);
        ChangeCapacity(world, world.First);
        Event(red, AdditionalSense.CapacityDataHasChanged, lun: 0x4000UL << 48);
        Event(blue, AdditionalSense.CapacityDataHasChanged, lun: 0x4000UL << 48);
        Assert.Equal(AdditionalSense.CapacityDataHasChanged, ApplyTests.TestUnitReady(red).Sense.Additional);
        Assert.Equal(AdditionalSense.CapacityDataHasChanged, ApplyTests.TestUnitReady(blue).Sense.Additional);
    }

    [Fact]
    public void Many_changes_are_one_message_in_a_second_and_the_last_is_always_told()
    {
        using var world = new ChangingWorld(Told);
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        LogicalUnit[] units = [world.First, world.Second, world.Third];
        for (int i = 0; i < 10; i++)
            world.Apply(world.Target with { Luns = ChangingWorld.Map(units[..((i % 3) + 1)]) });
        Event(red, AdditionalSense.ReportedLunsDataHasChanged, lun: 0);
        red.ReceiveNothing();
        world.World.Advance(1_000);
        Event(red, AdditionalSense.ReportedLunsDataHasChanged, lun: 0);
        world.World.Advance(5_000);
        red.ReceiveNothing();
    }

    [Fact]
    public void Events_of_several_luns_do_not_wait_for_each_other()
    {
        using var world = new ChangingWorld(Told);
        world.Apply(world.Target with { Luns = ChangingWorld.Map(world.First, world.Second) });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        ChangeCapacity(world, world.First);
        ChangeCapacity(world, world.Second);
        ChangeCapacity(world, world.Second);
        Event(red, AdditionalSense.CapacityDataHasChanged, lun: 0);
        Event(red, AdditionalSense.CapacityDataHasChanged, lun: 1UL << 48);
        red.ReceiveNothing();
        world.World.Advance(1_000);
        Event(red, AdditionalSense.CapacityDataHasChanged, lun: 1UL << 48);
        world.World.Advance(5_000);
        red.ReceiveNothing();
    }

    [Fact]
    public void Nothing_is_told_of_a_lun_that_is_gone_by_then()
    {
        using var world = new ChangingWorld(Told);
        world.Apply(world.Target with { Luns = ChangingWorld.Map(world.First, world.Second) });
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        ChangeCapacity(world, world.Second);
        ChangeCapacity(world, world.Second);
        Event(red, AdditionalSense.CapacityDataHasChanged, lun: 1UL << 48);
        world.Apply(world.Target with { Luns = ChangingWorld.Map(world.First) });
        Event(red, AdditionalSense.ReportedLunsDataHasChanged, lun: 0);
        world.World.Advance(5_000);
        red.ReceiveNothing();
    }

    [Fact]
    public void An_initiator_that_is_not_to_be_told_learns_it_by_the_unit_attention_alone()
    {
        using var world = new ChangingWorld();
        Initiator red = world.World.LogIn(name: ChangingWorld.Red);
        ChangeCapacity(world, world.First);
        red.ReceiveNothing();
        Assert.Equal(AdditionalSense.CapacityDataHasChanged, ApplyTests.TestUnitReady(red).Sense.Additional);
    }

    private static TargetOptions Told(TargetOptions options) => options with { AsynchronousEvents = true };

    private static void ChangeCapacity(ChangingWorld world, LogicalUnit unit)
    {
        unit.ChangeAlone(
            () => unit.EstablishUnitAttention(AdditionalSense.CapacityDataHasChanged, except: null), static () => { });
        world.World.Run();
    }

    private static Pdu Event(Initiator initiator, AdditionalSense condition, ulong lun)
    {
        Pdu pdu = initiator.Receive(Opcode.AsyncMessage);
        var message = new AsyncMessagePdu(pdu.Header);
        Assert.Equal((AsyncEvent.ScsiAsynchronousEvent, lun), (message.Event, message.Lun));
        Assert.Equal((SenseKey.UnitAttention, condition), pdu.Sense);
        return pdu;
    }
}

internal static class StatSnOf
{
    /// <summary>The StatSN that the next response will have.</summary>
    public static uint SendCommandForStatSn(this Initiator initiator) =>
        ApplyTests.TestUnitReady(initiator).StatSn + 1;
}
