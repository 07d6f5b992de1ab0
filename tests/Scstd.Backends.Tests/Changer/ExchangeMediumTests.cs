using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>EXCHANGE MEDIUM of SMC-3.</summary>
public sealed class ExchangeMediumTests
{
    [Fact]
    public void The_cartridge_at_the_first_destination_makes_room_and_goes_to_the_second()
    {
        using var world = new LibraryWorld();
        AssertGood(Exchange(world, Slot1, Slot2, Slot3));
        AssertPlaces(world, (Slot2, "A1"), (Slot3, "A2"));
        Assert.Equal(Slot1, world.Status(Slot2).Source);
        Assert.Equal(Slot2, world.Status(Slot3).Source);
    }

    [Fact]
    public void Two_cartridges_swap_their_places()
    {
        using var world = new LibraryWorld();
        AssertGood(Exchange(world, Slot1, Slot2, Slot1));
        AssertPlaces(world, (Slot1, "A2"), (Slot2, "A1"));
    }

    [Fact]
    public void A_drive_gives_one_and_takes_the_other()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        AssertGood(Exchange(world, Slot2, Drive1, Slot1));
        AssertPlaces(world, (Drive1, "A2"), (Slot1, "A1"));
        Assert.Equal(["insert A1", "remove", "insert A2"], world.Bays[0].Calls);
        Assert.Equal("A2", world.Bays[0].Medium!.File);
    }

    [Fact]
    public void Two_drives_swap_their_cartridges()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Slot2, Drive2);
        AssertGood(Exchange(world, Drive1, Drive2, Drive1));
        AssertPlaces(world, (Drive1, "A2"), (Drive2, "A1"));
        Assert.Equal(Slot2, world.Status(Drive1).Source);
    }

    [Fact]
    public void Every_address_must_be_that_of_an_element_that_holds_cartridges()
    {
        using var world = new LibraryWorld();
        AssertNoElement(2, world.Execute(ExchangeCdb(Slot1, Slot2, Slot3, transport: 9)));
        AssertNoElement(4, Exchange(world, Robot, Slot2, Slot3));
        AssertNoElement(6, Exchange(world, Slot1, Robot, Slot3));
        AssertNoElement(8, Exchange(world, Slot1, Slot2, Robot));
        AssertNoElement(8, Exchange(world, Slot1, Slot2, 0xFFFF));
        AssertPlaces(world, (Slot1, "A1"), (Slot2, "A2"));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    public void Nothing_is_turned_over(byte inverts, int bit)
    {
        using var world = new LibraryWorld();
        AssertInvalidField(10, bit, world.Execute(ExchangeCdb(Slot1, Slot2, Slot3, inverts: inverts)));
    }

    [Fact]
    public void What_is_moved_must_be_there_and_where_it_goes_must_be_empty()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A1", "A2", "A3"));
        AssertIllegal(AdditionalSense.MediumSourceElementEmpty, Exchange(world, Slot4, Slot2, Slot4));
        AssertIllegal(AdditionalSense.MediumSourceElementEmpty, Exchange(world, Slot1, Slot4, Slot1));
        AssertIllegal(AdditionalSense.MediumDestinationElementFull, Exchange(world, Slot1, Slot2, Slot3));
        AssertIllegal(AdditionalSense.MediumDestinationElementFull, Exchange(world, Slot1, Slot2, Slot2));
        AssertNoElement(6, Exchange(world, Slot1, Slot1, Slot4));
        AssertPlaces(world, (Slot1, "A1"), (Slot2, "A2"), (Slot3, "A3"));
    }

    [Fact]
    public void If_the_new_cartridge_cannot_be_opened_the_drive_keeps_the_old_one_and_does_not_notice()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Shelf.Faults["A2"] = new MediumFault(MediumFaultKind.UnknownFormat);
        AssertSense(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat,
            Exchange(world, Slot2, Drive1, Slot1));
        Assert.Equal(["insert A1"], world.Bays[0].Calls);
        AssertPlaces(world, (Drive1, "A1"), (Slot2, "A2"));
        Assert.True(world.Status(Slot2).IsException);
    }

    [Fact]
    public void If_what_goes_to_the_second_destination_cannot_be_opened_nothing_is_moved()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A1", "A2", "A3"));
        world.Shelf.Faults["A2"] = new MediumFault(MediumFaultKind.UnknownFormat);
        AssertSense(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat,
            Exchange(world, Slot1, Slot2, Drive1));
        Assert.Empty(world.Bays[0].Calls);
        AssertPlaces(world, (Slot1, "A1"), (Slot2, "A2"), (Slot3, "A3"));
    }

    [Fact]
    public void If_a_drive_had_nothing_to_give_that_can_be_opened_the_other_cartridges_are_where_they_were()
    {
        using var before = new LibraryWorld(shelf: ShelfOf("A1", "A2", "A3"));
        before.MoveGood(Slot1, Drive1);
        before.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.UnknownFormat);
        using LibraryWorld world = before.Restarted();
        AssertSense(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat,
            Exchange(world, Slot2, Drive1, Drive2));
        Assert.Empty(world.Shelf.Open);
        AssertPlaces(world, (Drive1, "A1"), (Slot2, "A2"), (Slot3, "A3"));
        // Into a slot it can go all the same.
        AssertGood(Exchange(world, Slot2, Drive1, Slot1));
        AssertPlaces(world, (Drive1, "A2"), (Slot1, "A1"), (Slot3, "A3"));
    }

    [Fact]
    public void What_was_taken_out_of_a_drive_goes_back_when_the_exchange_comes_to_nothing()
    {
        using var before = new LibraryWorld();
        before.MoveGood(Slot1, Drive1);
        before.MoveGood(Slot2, Drive2);
        before.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.UnknownFormat);
        using LibraryWorld world = before.Restarted();
        AssertSense(SenseKey.MediumError, AdditionalSense.CannotReadMediumUnknownFormat,
            Exchange(world, Drive1, Drive2, Drive1));
        Assert.Equal(["insert A2", "remove", "insert A2"], world.Bays[1].Calls);
        AssertPlaces(world, (Drive1, "A1"), (Drive2, "A2"));
    }

    [Fact]
    public void What_a_drive_gave_goes_back_as_it_was_when_the_other_drive_gives_nothing()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A1", "A2", "A3"));
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Slot2, Drive2);
        // It was unloaded, and waits at the door.
        world.Bays[0].IsLoaded = false;
        world.Bays[1].Holds = true;
        TestCommand exchange = world.Send(ExchangeCdb(Drive1, Drive2, Slot2));
        world.Run();
        world.Bays[1].IsRemovalPrevented = true;
        world.Bays[1].Settle();
        world.Run();
        AssertIllegal(AdditionalSense.MediumRemovalPreventedByDataTransferElement, exchange);
        Assert.Equal(["insert A1", "remove", "insert A1"], world.Bays[0].Calls);
        Assert.False(world.Bays[0].IsLoaded);
        AssertPlaces(world, (Drive1, "A1"), (Drive2, "A2"), (Slot3, "A3"));
    }

    [Fact]
    public void What_a_drive_had_closed_after_a_failure_is_opened_anew_for_another()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].CloseAsFailed(world.Shelf);
        world.MoveGood(Drive1, Drive2);
        Assert.Equal("A1", world.Bays[1].Medium!.Description.Barcode);
        Assert.Equal(["A1"], world.Shelf.Open.Select(one => one.File));
    }

    [Fact]
    public void What_a_drive_had_closed_and_gets_back_is_an_exception_there()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Slot2, Drive2);
        world.Bays[0].CloseAsFailed(world.Shelf);
        world.Bays[1].Holds = true;
        TestCommand exchange = world.Send(ExchangeCdb(Drive1, Drive2, Slot2));
        world.Run();
        world.Bays[1].IsRemovalPrevented = true;
        world.Bays[1].Settle();
        world.Run();
        AssertIllegal(AdditionalSense.MediumRemovalPreventedByDataTransferElement, exchange);
        Assert.True(world.Status(Drive1).IsException);
        world.MoveGood(Drive1, Slot1);
        world.MoveGood(Slot1, Drive1);
        Assert.False(world.Status(Drive1).IsException);
        Assert.Equal("A1", world.Bays[0].Medium!.Description.Barcode);
    }

    [Fact]
    public void A_drive_that_prevents_removal_takes_part_in_no_exchange()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Bays[0].IsRemovalPrevented = true;
        AssertIllegal(AdditionalSense.MediumRemovalPreventedByDataTransferElement,
            Exchange(world, Slot2, Drive1, Slot1));
        AssertPlaces(world, (Drive1, "A1"), (Slot2, "A2"));
    }

    [Fact]
    public void A_library_that_does_not_exchange_does_not_know_the_command()
    {
        using var world = new LibraryWorld(options => options with { Personality = LibraryPersonality.Ibm3573 });
        AssertIllegal(AdditionalSense.InvalidCommandOperationCode, Exchange(world, Slot1, Slot2, Slot3));
    }

    [Fact]
    public void A_personality_may_not_exchange_between_import_export_elements()
    {
        using var world = new LibraryWorld(options => options with
        {
            Personality = LibraryPersonality.Generic with { CanMoveBetweenImportExport = false },
        });
        world.MoveGood(Slot1, MailSlot1);
        AssertNoElement(8, Exchange(world, Slot2, MailSlot1, MailSlot2));
        world.MoveGood(Slot2, MailSlot2);
        AssertNoElement(6, Exchange(world, MailSlot1, MailSlot2, Slot1));
    }

    private static TestCommand Exchange(LibraryWorld world, ushort source, ushort first, ushort second) =>
        world.Execute(ExchangeCdb(source, first, second));

    private static void AssertPlaces(LibraryWorld world, params (ushort Address, string Barcode)[] expected) =>
        Assert.Equal(expected.OrderBy(one => one.Address),
            world.Places().Select(one => (one.Key, one.Value)).OrderBy(one => one.Key));
}
