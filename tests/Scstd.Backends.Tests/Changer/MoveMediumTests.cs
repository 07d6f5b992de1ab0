using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>MOVE MEDIUM of SMC-3.</summary>
public sealed class MoveMediumTests
{
    [Theory]
    [InlineData(Slot3)]
    [InlineData(MailSlot2)]
    [InlineData(Drive2)]
    public void A_cartridge_goes_from_a_slot_to_wherever_there_is_room(ushort destination)
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, destination);
        Assert.Equal(
            new Dictionary<ushort, string> { [destination] = "A1", [Slot2] = "A2" }.OrderBy(one => one.Key),
            world.Places().OrderBy(one => one.Key));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Robot)]
    public void The_transport_is_the_robot_or_whichever_there_is(ushort transport)
    {
        using var world = new LibraryWorld();
        AssertGood(world.Execute(MoveCdb(Slot1, Slot3, transport)));
    }

    [Fact]
    public void Addresses_that_are_none_of_an_element_that_holds_cartridges_are_told_with_their_place()
    {
        using var world = new LibraryWorld();
        AssertNoElement(2, world.Execute(MoveCdb(Slot1, Slot3, Slot1)));
        AssertNoElement(2, world.Execute(MoveCdb(Slot1, Slot3, 7)));
        AssertNoElement(4, world.Move(Slot4 + 1, Slot3));
        AssertNoElement(4, world.Move(Robot, Slot3));
        AssertNoElement(6, world.Move(Slot1, Slot4 + 1));
        AssertNoElement(6, world.Move(Slot1, Robot));
        AssertNoElement(4, world.Move(0, 0));
        Assert.Equal("A1", world.Places()[Slot1]);
    }

    [Fact]
    public void Nothing_is_turned_over()
    {
        using var world = new LibraryWorld();
        AssertInvalidField(10, 0, world.Execute(MoveCdb(Slot1, Slot3, invert: 1)));
    }

    [Theory]
    [InlineData(Slot3)]
    [InlineData(MailSlot1)]
    [InlineData(Drive1)]
    public void From_an_empty_element_nothing_can_be_moved(ushort source)
    {
        using var world = new LibraryWorld();
        AssertIllegal(AdditionalSense.MediumSourceElementEmpty, world.Move(source, Slot4));
        AssertIllegal(AdditionalSense.MediumSourceElementEmpty, world.Move(source, Slot2));
        AssertIllegal(AdditionalSense.MediumSourceElementEmpty, world.Move(source, source));
    }

    [Fact]
    public void To_a_full_element_nothing_can_be_moved()
    {
        using var world = new LibraryWorld();
        AssertIllegal(AdditionalSense.MediumDestinationElementFull, world.Move(Slot1, Slot2));
        world.MoveGood(Slot1, Drive1);
        AssertIllegal(AdditionalSense.MediumDestinationElementFull, world.Move(Slot2, Drive1));
        Assert.Equal(["insert A1"], world.Bays[0].Calls);
    }

    [Fact]
    public void To_where_it_lies_a_cartridge_need_not_be_moved()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Slot1);
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Drive1, Drive1);
        Assert.Equal(["insert A1"], world.Bays[0].Calls);
    }

    [Fact]
    public void The_source_is_the_slot_that_a_cartridge_was_last_moved_out_of()
    {
        using var world = new LibraryWorld();
        Assert.Null(world.Status(Slot1).Source);
        world.MoveGood(Slot1, Drive1);
        Assert.Equal(Slot1, world.Status(Drive1).Source);
        world.MoveGood(Drive1, Drive2);
        Assert.Equal(Slot1, world.Status(Drive2).Source);
        world.MoveGood(Drive2, MailSlot1);
        Assert.Equal(Slot1, world.Status(MailSlot1).Source);
        world.MoveGood(MailSlot1, Slot4);
        Assert.Equal(Slot1, world.Status(Slot4).Source);
        world.MoveGood(Slot4, Slot3);
        Assert.Equal(Slot4, world.Status(Slot3).Source);
        Assert.Null(world.Status(Slot4).Source);
    }

    [Fact]
    public void A_load_is_answered_when_the_drive_is_done()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        TestCommand command = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        Assert.Equal("A1", world.Bays[0].Medium!.Description.Barcode);
        Assert.False(command.IsAnswered);
        world.Bays[0].Settle();
        world.Run();
        AssertGood(command);
    }

    [Fact]
    public void Opening_a_cartridge_holds_up_no_reactor()
    {
        using var world = new LibraryWorld();
        world.Reactor.HoldBlocking = true;
        TestCommand command = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        Assert.False(command.IsAnswered);
        Assert.Empty(world.Shelf.Open);
        world.Reactor.HoldBlocking = false;
        world.Run();
        AssertGood(command);
    }

    [Fact]
    public void A_drive_that_was_not_unloaded_unloads_for_the_robot()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        Assert.True(world.Bays[0].IsLoaded);
        world.MoveGood(Drive1, Slot3);
        Assert.Equal(["insert A1", "remove"], world.Bays[0].Calls);
        Assert.Empty(world.Shelf.Open);
    }

    [Fact]
    public void A_cartridge_goes_from_drive_to_drive_without_being_closed()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        FakeMedium medium = world.Bays[0].Medium!;
        world.MoveGood(Drive1, Drive2);
        Assert.Same(medium, world.Bays[1].Medium);
    }

    [Fact]
    public void An_aborted_move_does_not_wait_for_a_drive_that_is_at_work()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].Holds = true;
        TestCommand move = world.Send(MoveCdb(Drive1, Slot3));
        world.Run();
        world.Initiator.Begin(TaskManagementFunction.AbortTaskSet);
        world.Run();
        Assert.False(move.WasAborted);
        world.Bays[0].Settle();
        world.Run();
        Assert.True(move.WasAborted);
        Assert.NotNull(world.Bays[0].Medium);
        Assert.Equal("A1", world.Places()[Drive1]);
    }

    [Fact]
    public void An_abort_that_comes_before_the_robot_waits_for_a_drive_is_not_forgotten()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].Holds = true;
        world.Reactor.HoldBlocking = true;
        TestCommand exchange = world.Send(ExchangeCdb(Slot2, Drive1, Slot1));
        world.Run();
        world.Initiator.Begin(TaskManagementFunction.AbortTaskSet);
        world.Run();
        world.Reactor.HoldBlocking = false;
        world.Run();
        Assert.True(exchange.WasAborted);
        Assert.Equal(["insert A1"], world.Bays[0].Calls);
        Assert.Equal(["A1", "A2"], new[] { world.Places()[Drive1], world.Places()[Slot2] });
    }

    [Fact]
    public void A_move_that_an_abort_finds_on_its_way_is_carried_through()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        TestCommand move = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        world.Initiator.Begin(TaskManagementFunction.AbortTaskSet);
        world.Run();
        Assert.False(move.WasAborted);
        world.Bays[0].Settle();
        world.Run();
        Assert.True(move.WasAborted);
        Assert.Equal("A1", world.Places()[Drive1]);
    }

    [Fact]
    public void A_personality_may_want_the_drive_unloaded_first()
    {
        using var world = new LibraryWorld(options => options with
        {
            Personality = LibraryPersonality.Generic with { NeedsUnloadBeforeMove = true },
        });
        world.MoveGood(Slot1, Drive1);
        AssertIllegal(AdditionalSense.MediumRemovalPreventedByDataTransferElement, world.Move(Drive1, Slot1));
        Assert.Equal("A1", world.Places()[Drive1]);
        world.Bays[0].IsLoaded = false;
        world.MoveGood(Drive1, Slot1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_drive_that_prevents_removal_keeps_its_cartridge(bool isLoaded)
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].IsLoaded = isLoaded;
        world.Bays[0].IsRemovalPrevented = true;
        AssertIllegal(AdditionalSense.MediumRemovalPreventedByDataTransferElement, world.Move(Drive1, Slot1));
        Assert.Equal(["insert A1"], world.Bays[0].Calls);
        Assert.Equal("A1", world.Places()[Drive1]);
        world.Bays[0].IsRemovalPrevented = false;
        world.MoveGood(Drive1, Slot1);
    }

    [Theory]
    [InlineData(MediumFaultKind.UnknownFormat, SenseKey.MediumError, 0x30, 0x01)]
    [InlineData(MediumFaultKind.DamagedFormat, SenseKey.MediumError, 0x31, 0x00)]
    [InlineData(MediumFaultKind.Store, SenseKey.HardwareError, 0x53, 0x00)]
    public void A_cartridge_that_cannot_be_opened_stays_in_its_slot_as_an_exception_and_no_drive_notices(
        MediumFaultKind kind, SenseKey key, byte code, byte qualifier)
    {
        using var world = new LibraryWorld();
        world.Shelf.Faults["A1"] = new MediumFault(kind);
        var additional = new AdditionalSense(code, qualifier);
        AssertSense(key, additional, world.Move(Slot1, Drive1));
        Assert.Empty(world.Bays.SelectMany(bay => bay.Calls));
        Assert.Equal($"slot 1: cartridge A1: A1: {kind}", Assert.Single(world.Failures).ToString());
        ReportedElement slot = world.Status(Slot1);
        Assert.True(slot.IsException);
        Assert.Equal(additional, slot.Exception);
        Assert.Equal("A1", slot.Barcode);
        world.MoveGood(Slot2, Drive1);

        world.Shelf.Faults.Clear();
        world.MoveGood(Slot1, Drive2);
        Assert.False(world.Status(Drive2).IsException);
    }

    [Fact]
    public void What_the_file_system_refuses_is_a_hardware_error()
    {
        using var world = new LibraryWorld();
        world.Shelf.Thrown = new UnauthorizedAccessException("permission denied");
        AssertSense(SenseKey.HardwareError, AdditionalSense.MediaLoadOrEjectFailed, world.Move(Slot1, Drive1));
        Assert.Contains("permission denied", Assert.Single(world.Failures).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_cartridge_can_be_moved_between_slots()
    {
        using var world = new LibraryWorld();
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.DamagedFormat);
        world.Move(Slot1, Drive1);
        world.MoveGood(Slot1, MailSlot1);
        Assert.True(world.Status(MailSlot1).IsException);
    }

    [Fact]
    public void What_goes_wrong_when_a_cartridge_is_closed_is_told_to_the_administrator()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].Medium!.ClosingFails = new IOException("no space");
        world.MoveGood(Drive1, Slot1);
        Assert.Contains("no space", Assert.Single(world.Failures).Message, StringComparison.Ordinal);
        Assert.Equal("A1", world.Places()[Slot1]);
    }

    [Fact]
    public void What_cannot_be_saved_is_not_good()
    {
        using var world = new LibraryWorld();
        world.States.Fails = true;
        AssertSense(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure, world.Move(Slot1, Slot3));
        Assert.Single(world.Failures);
        // Where it lies is told truly all the same.
        Assert.Equal("A1", world.Places()[Slot3]);
        world.States.Fails = false;
        world.MoveGood(Slot3, Slot4);
    }

    [Fact]
    public void The_status_waits_until_the_inventory_is_on_stable_storage()
    {
        using var world = new LibraryWorld();
        world.States.Holds = true;
        TestCommand command = world.Send(MoveCdb(Slot1, Slot3));
        world.Run();
        Assert.False(command.IsAnswered);
        world.States.Settle(true);
        world.Run();
        AssertGood(command);
    }

    [Fact]
    public void A_personality_may_not_move_between_import_export_elements()
    {
        using var world = new LibraryWorld(options => options with { Personality = LibraryPersonality.Ibm3573 });
        world.MoveGood(Slot1, MailSlot1);
        AssertNoElement(6, world.Move(MailSlot1, MailSlot2));
        world.MoveGood(MailSlot1, Drive1);
        world.MoveGood(Drive1, MailSlot2);
    }

    [Fact]
    public void An_aborted_move_ends_once_and_the_cartridge_lies_in_one_place()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        TestCommand command = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        world.Initiator.Nexus.TaskManagementRequested(new TaskManagementRequest
        {
            Function = TaskManagementFunction.LogicalUnitReset,
        });
        world.Run();
        Assert.False(command.IsAnswered);
        world.Bays[0].Settle();
        world.Run();
        Assert.True(command.WasAborted);
        world.Initiator.TakeUnitAttentions();
        Assert.Equal("A1", world.Places()[Drive1]);
    }
}
