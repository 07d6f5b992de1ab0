using System.Text;
using CsCheck;
using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>The inventory: how it begins, and that it is found again.</summary>
public sealed class MediumLibraryTests
{
    private static readonly byte[] TestUnitReady = [0, 0, 0, 0, 0, 0];

    [Fact]
    public void At_the_first_start_cartridges_lie_in_slots_in_the_order_of_their_barcodes()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("C", "A", "B"));
        Assert.Equal(
            [(Slot1, "A"), (Slot2, "B"), (Slot3, "C")], world.Places().Select(one => (one.Key, one.Value)));
        Assert.All(world.Changer.Library.Elements, element => Assert.False(element.IsPlacedByOperator));
    }

    [Fact]
    public void What_has_no_room_stays_outside_and_is_told()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A", "B", "C", "D", "E"));
        Assert.Equal(4, world.Places().Count);
        Assert.Equal("E", Assert.Single(world.Failures).Barcode);
    }

    [Fact]
    public void A_damaged_cartridge_lies_in_its_slot_under_the_name_of_its_file()
    {
        FakeShelf shelf = ShelfOf("A1");
        shelf.Faults["B2.tape"] = new MediumFault(MediumFaultKind.UnknownFormat);
        using var world = new LibraryWorld(shelf: shelf);
        ReportedElement element = world.Status(Slot2);
        Assert.Equal(("B2", AdditionalSense.CannotReadMediumUnknownFormat), (element.Barcode, element.Exception));
        Assert.Equal("B2.tape: UnknownFormat", Assert.Single(world.Failures).Message);
    }

    [Fact]
    public void Of_two_labels_alike_the_second_is_an_exception_until_the_first_is_gone()
    {
        var shelf = new FakeShelf();
        shelf.Add("SAME", file: "a");
        shelf.Add("SAME", file: "b");
        using var world = new LibraryWorld(shelf: shelf);
        Assert.Single(world.Failures);
        Assert.False(world.Status(Slot1).IsException);
        Assert.Equal(AdditionalSense.DuplicateVolumeIdentifier, world.Status(Slot2).Exception);
        world.MoveGood(Slot1, Drive1);
        Assert.Equal(AdditionalSense.DuplicateVolumeIdentifier, world.Status(Slot2).Exception);
        Assert.True(world.Await(world.Changer.MoveAsync(world.Target.Unit, Drive1, Slot1)).Problem is null);
        world.Await(world.Changer.ExportAsync(world.Target.Unit, Slot1));
        world.Initiator.TakeUnitAttentions();
        Assert.False(world.Status(Slot2).IsException);
    }

    [Fact]
    public void After_a_kill_every_cartridge_is_where_the_last_good_status_left_it()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A", "B", "C"));
        world.MoveGood(Slot1, Slot4);
        world.MoveGood(Slot2, MailSlot2);
        world.MoveGood(Slot3, Drive2);
        Dictionary<ushort, string> places = world.Places();
        using LibraryWorld again = world.Restarted();
        Assert.Equal(places, again.Places());
        Assert.Equal([Slot1, Slot2, Slot3],
            new[] { Slot4, MailSlot2, Drive2 }.Select(address => again.Status(address).Source!.Value));
        Assert.Equal("C", again.Bays[1].Medium!.File);
        Assert.True(again.Bays[1].IsLoaded);
    }

    [Fact]
    public void What_had_no_status_yet_is_as_it_was_before_or_after()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Slot3);
        world.States.Holds = true;
        world.Send(MoveCdb(Slot3, Slot4));
        world.Run();
        world.States.Holds = false;
        using (LibraryWorld again = world.Restarted())
            Assert.Equal("A1", again.Places()[Slot3]);
        world.States.Settle(true);
        world.Run();
        using LibraryWorld later = world.Restarted();
        Assert.Equal("A1", later.Places()[Slot4]);
    }

    [Fact]
    public void What_an_operator_has_placed_is_still_told_after_a_restart()
    {
        using var world = new LibraryWorld();
        world.Shelf.Add("N");
        world.Await(world.Changer.ImportAsync(world.Target.Unit, "N"));
        using LibraryWorld again = world.Restarted();
        Assert.True(again.Status(MailSlot1).IsPlacedByOperator);
    }

    [Fact]
    public void The_changer_becomes_ready_when_the_drives_have_their_cartridges_again()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Kill();
        using var again = new LibraryWorld(shelf: world.Shelf, states: world.States);
        TestInitiator other = again.Target.Login();
        foreach (byte[] cdb in (byte[][])[TestUnitReady, StatusCdb(), MoveCdb(Slot2, Slot3), [0x07, 0, 0, 0, 0, 0]])
            AssertSense(SenseKey.NotReady, AdditionalSense.BecomingReady, again.Execute(cdb));
        AssertGood(again.Execute([0x12, 0, 0, 0, 96, 0]));
        again.Await(again.Changer.StartAsync(again.Target.Unit));
        again.AssertAttention(AdditionalSense.MediumMayHaveChanged, again.Initiator, other);
        Assert.Equal("A1", again.Places()[Drive1]);
    }

    [Fact]
    public void While_a_drive_takes_its_time_whoever_asks_is_told_at_once_and_an_administrator_waits()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Kill();
        using var again = new LibraryWorld(shelf: world.Shelf, states: world.States);
        again.Initiator.TakeUnitAttentions();
        again.Bays[0].Holds = true;
        Task start = again.Changer.StartAsync(again.Target.Unit);
        again.Run();
        Assert.NotNull(again.Bays[0].Medium);
        AssertSense(SenseKey.NotReady, AdditionalSense.BecomingReady, again.Execute(TestUnitReady));
        Task<LibraryOutcome> move = again.Changer.MoveAsync(again.Target.Unit, Slot2, Slot3);
        again.Run();
        Assert.Equal("A2", again.Changer.Library.At(Slot2)!.Cartridge!.Barcode);
        again.Bays[0].Settle();
        again.Await(start);
        Assert.Null(again.Await(move).Problem);
        Assert.Equal("A2", again.Changer.Library.At(Slot3)!.Cartridge!.Barcode);
    }

    [Fact]
    public void With_empty_drives_there_is_nothing_to_wait_for()
    {
        using var world = new LibraryWorld();
        AssertGood(world.Execute(TestUnitReady));
        world.Await(world.Changer.StartAsync(world.Target.Unit));
        AssertGood(world.Execute(TestUnitReady));
    }

    [Fact]
    public void A_cartridge_that_cannot_be_opened_at_the_start_is_an_exception_of_its_drive_and_no_other_notices()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Slot2, Drive2);
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.DamagedFormat);
        using LibraryWorld again = world.Restarted();
        Assert.Null(again.Bays[0].Medium);
        Assert.Equal("A2", again.Bays[1].Medium!.File);
        Assert.Equal(AdditionalSense.MediumFormatCorrupted, again.Status(Drive1).Exception);
        Assert.True(again.Status(Drive1).IsAccessible);
        again.MoveGood(Drive1, Slot1);
        Assert.Equal("A1", again.Places()[Slot1]);
    }

    [Fact]
    public void A_cartridge_whose_file_is_gone_keeps_its_place_and_its_label()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Slot3);
        world.Shelf.Remove("A1");
        using LibraryWorld again = world.Restarted();
        Assert.Equal(("A1", true), (again.Status(Slot3).Barcode, again.Status(Slot3).IsException));
        Assert.Contains("no such file", Assert.Single(again.Failures).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_file_on_the_shelf_lies_outside_until_it_is_imported()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Slot3);
        world.Shelf.Add("NEW");
        using LibraryWorld again = world.Restarted();
        Assert.Equal(["A1", "A2"], again.Places().Values.Order());
    }

    [Fact]
    public void A_new_inventory_is_saved_at_its_start_so_that_another_start_begins_no_other()
    {
        using var world = new LibraryWorld();
        world.Await(world.Changer.StartAsync(world.Target.Unit));
        Assert.Equal(0, world.Initiator.ItlNexus.UnitAttentions.Count);
        world.Shelf.Add("A0");
        using LibraryWorld again = world.Restarted();
        Assert.Equal(
            [(Slot1, "A1"), (Slot2, "A2")], again.Places().Select(one => (one.Key, one.Value)));
    }

    [Fact]
    public void What_lies_where_there_is_no_place_any_more_is_outside_and_told()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Slot4);
        world.MoveGood(Slot2, MailSlot2);
        using LibraryWorld again = world.Restarted(options => options with { Slots = 3, ImportExports = 1 });
        Assert.Empty(again.Places());
        Assert.Equal(["mail slot 2: cartridge A2", "slot 4: cartridge A1"],
            again.Failures.Select(failure => failure.ToString()[..failure.ToString().LastIndexOf(':')]));
    }

    [Fact]
    public void Places_stay_the_same_under_another_personality()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, MailSlot2);
        using LibraryWorld again =
            world.Restarted(options => options with { Personality = LibraryPersonality.StorageTekSl150 });
        Assert.Equal(new Dictionary<ushort, string> { [11] = "A1", [1001] = "A2" }, again.Places());
        Assert.Equal((ushort)1000, again.Status(11).Source);
    }

    [Theory]
    [InlineData("")]
    [InlineData("something else\n")]
    [InlineData("scstd library 2\n")]
    [InlineData("scstd library 1\nslot\t1\t-\t-\tA")]
    [InlineData("scstd library 1\nslot\t0\t-\t-\tA\tA\n")]
    [InlineData("scstd library 1\nslot\t-1\t-\t-\tA\tA\n")]
    [InlineData("scstd library 1\nslot\t1\tx\t-\tA\tA\n")]
    [InlineData("scstd library 1\nshelf\t1\t-\t-\tA\tA\n")]
    [InlineData("scstd library 1\nslot\t99999999999\t-\t-\tA\tA\n")]
    [InlineData("scstd library 1\nslot\t1\t-\t-\tA\t\n")]
    [InlineData("scstd library 1\nslot\t1\t-\t-\tA\tA\nslot\t1\t-\t-\tB\tB\n")]
    [InlineData("scstd library 1\nslot\t1\t-\t-\tA\tA\nslot\t2\t-\t-\tA\tA\n")]
    public void An_inventory_that_is_not_whole_is_refused_with_a_message(string saved)
    {
        var states = new TestStateStore();
        states.Contents[(Name, MediumLibrary.StatePart)] = Encoding.UTF8.GetBytes(saved);
        UnitStateException refused =
            Assert.Throws<UnitStateException>(() => new LibraryWorld(states: states));
        Assert.Contains(Name, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_bytes_are_there_are_an_inventory_or_are_refused() =>
        Gen.Byte.Array[0, 60].Sample(bytes =>
        {
            byte[] file = [.. Encoding.UTF8.GetBytes("scstd library 1\n"), .. bytes];
            try
            {
                Assert.All(InventoryText.Read(file, "x"), place => Assert.True(place.Number > 0));
            }
            catch (UnitStateException)
            {
            }
        });

    [Fact]
    public void A_file_name_that_could_not_be_saved_is_no_cartridge()
    {
        FakeShelf shelf = ShelfOf("A1");
        shelf.Add("B", file: "b\tb");
        using var world = new LibraryWorld(shelf: shelf);
        Assert.Equal(["A1"], world.Places().Values);
        Assert.Contains("b?b", Assert.Single(world.Failures).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void A_cartridge_without_a_label_is_called_as_its_file(string label)
    {
        var shelf = new FakeShelf();
        shelf.Add(label, file: "b7.tape");
        using var world = new LibraryWorld(shelf: shelf);
        world.MoveGood(Slot1, Slot2);
        using LibraryWorld again = world.Restarted();
        Assert.Equal("b7", again.Status(Slot2).Barcode);
    }

    [Fact]
    public void A_label_that_is_not_ascii_is_told_as_far_as_it_is()
    {
        var shelf = new FakeShelf();
        shelf.Add("Ä\t1");
        shelf.Remove("Ä\t1");
        shelf.Add("Ä\t1", file: "a");
        using var world = new LibraryWorld(shelf: shelf);
        Assert.Equal("??1", world.Status(Slot1).Barcode);
    }
}
