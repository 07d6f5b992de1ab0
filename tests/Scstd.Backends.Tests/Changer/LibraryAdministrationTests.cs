using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>What an administrator does while initiators are there, and what they are told.</summary>
public sealed class LibraryAdministrationTests
{
    [Fact]
    public void An_imported_cartridge_lies_in_a_mail_slot_and_every_nexus_is_told()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        world.Shelf.Add("N1");
        LibraryOutcome outcome = Import(world, "N1");
        Assert.Equal((MailSlot1, null), (outcome.Element?.Address, outcome.Problem));
        world.AssertAttention(AdditionalSense.ImportOrExportElementAccessed, world.Initiator, other);
        ReportedElement element = world.Status(MailSlot1);
        Assert.Equal(("N1", true, null), (element.Barcode, element.IsPlacedByOperator, element.Source));
        world.MoveGood(MailSlot1, MailSlot2);
        Assert.False(world.Status(MailSlot2).IsPlacedByOperator);
    }

    [Fact]
    public void Without_a_free_mail_slot_a_cartridge_is_put_into_a_slot_behind_the_door()
    {
        using var world = new LibraryWorld(options => options with { ImportExports = 0 });
        world.Shelf.Add("N1");
        Assert.Equal(Slot3, Import(world, "N1").Element?.Address);
        world.AssertAttention(AdditionalSense.MediumMayHaveChanged, world.Initiator);
        Assert.Equal("N1", world.Status(Slot3).Barcode);
    }

    [Fact]
    public void A_cartridge_comes_where_it_is_wanted()
    {
        using var world = new LibraryWorld();
        world.Shelf.Add("N1");
        Assert.Equal(Slot4, Import(world, "N1", Slot4).Element?.Address);
    }

    [Fact]
    public void What_cannot_be_imported_is_refused_with_why_and_nobody_is_told()
    {
        using var world = new LibraryWorld();
        world.Shelf.Add("N1");
        world.Shelf.Add("A1", file: "other");
        world.Shelf.Faults["BAD"] = new MediumFault(MediumFaultKind.UnknownFormat);
        AssertRefused("no such file", Import(world, "MISSING"));
        AssertRefused("UnknownFormat", Import(world, "BAD"));
        AssertRefused("slot 1", Import(world, "A1"));
        AssertRefused("barcode A1", Import(world, "other"));
        AssertRefused("slot 1 is not empty", Import(world, "N1", Slot1));
        AssertRefused("no slot has this address", Import(world, "N1", Drive1));
        AssertRefused("no slot has this address", Import(world, "N1", 0x7777));
        AssertRefused("not the name", Import(world, "a\nb"));
        Assert.Equal(0, world.Initiator.ItlNexus.UnitAttentions.Count);
        world.Prevent(true);
        AssertRefused("PREVENT", Import(world, "N1"));
        Assert.Equal(2, world.Places().Count);
    }

    [Fact]
    public void A_shelf_that_cannot_be_reached_is_told()
    {
        using var world = new LibraryWorld();
        world.Shelf.Thrown = new IOException("the directory is gone");
        AssertRefused("the directory is gone", Import(world, "N1"));
        world.Shelf.Thrown = new UnauthorizedAccessException("permission denied");
        AssertRefused("permission denied", Create(world, new NewCartridge("N1", 0x5A)));
    }

    [Fact]
    public void A_full_library_takes_no_more()
    {
        using var world = new LibraryWorld(
            options => options with { Slots = 2, ImportExports = 1 }, ShelfOf("A", "B"));
        world.Shelf.Add("C");
        world.Shelf.Add("D");
        Import(world, "C");
        AssertRefused("no slot is free", Import(world, "D"));
    }

    [Fact]
    public void An_exported_cartridge_is_outside_and_can_come_in_again()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, MailSlot1);
        LibraryOutcome outcome = Export(world, MailSlot1);
        Assert.Equal((null, null), (outcome.Element, outcome.Problem));
        world.AssertAttention(AdditionalSense.ImportOrExportElementAccessed, world.Initiator);
        Assert.Equal(["A2"], world.Places().Values);
        using (LibraryWorld again = world.Restarted())
            Assert.Equal(["A2"], again.Places().Values);
        Assert.Equal(MailSlot1, Import(world, "A1").Element?.Address);
    }

    [Fact]
    public void From_a_slot_a_cartridge_is_taken_through_the_door()
    {
        using var world = new LibraryWorld();
        Assert.Null(Export(world, Slot2).Problem);
        world.AssertAttention(AdditionalSense.MediumMayHaveChanged, world.Initiator);
    }

    [Fact]
    public void What_cannot_be_exported_is_refused_with_why()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        AssertRefused("unloaded first", Export(world, Drive1));
        AssertRefused("slot 1 is empty", Export(world, Slot1));
        AssertRefused("no slot has this address", Export(world, Robot));
        AssertRefused("no slot has this address", Export(world, 0x7777));
        world.Prevent(true);
        AssertRefused("PREVENT", Export(world, Slot2));
        Assert.Equal(2, world.Places().Count);
    }

    [Fact]
    public void A_new_cartridge_is_made_and_labelled_and_comes_in()
    {
        using var world = new LibraryWorld();
        LibraryOutcome outcome = Create(world, new NewCartridge("NEW001L6", 0x5A, IsWorm: true));
        Assert.Equal(MailSlot1, outcome.Element?.Address);
        world.AssertAttention(AdditionalSense.ImportOrExportElementAccessed, world.Initiator);
        Assert.Equal(("NEW001L6", 4), (world.Status(MailSlot1).Barcode, world.Status(MailSlot1).MediumType));
        AssertRefused("NEW001L6", Create(world, new NewCartridge("NEW001L6", 0x5A)));
        world.Shelf.Add("OUTSIDE");
        AssertRefused("the file exists", Create(world, new NewCartridge("OUTSIDE", 0x5A)));
    }

    [Fact]
    public void Where_there_is_no_room_none_is_made()
    {
        using var world = new LibraryWorld();
        AssertRefused("slot 1 is not empty", Create(world, new NewCartridge("NEW", 0x5A), Slot1));
        Assert.DoesNotContain(world.Shelf.List(), shelved => shelved.File == "NEW");
    }

    [Fact]
    public void An_administrator_loads_and_unloads_a_drive_and_every_nexus_is_told()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        Assert.Equal(Drive2, Move(world, Slot2, Drive2).Element?.Address);
        Assert.Equal("A2", world.Bays[1].Medium!.File);
        world.AssertAttention(AdditionalSense.MediumMayHaveChanged, world.Initiator, other);
        Assert.Equal(Slot2, Unload(world, Drive2).Element?.Address);
        world.AssertAttention(AdditionalSense.MediumMayHaveChanged, world.Initiator, other);
        Assert.Null(world.Bays[1].Medium);
    }

    [Fact]
    public void If_the_slot_that_it_came_from_is_taken_a_cartridge_goes_to_the_first_that_is_free()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.MoveGood(Slot2, Slot1);
        Assert.Equal(Slot2, Unload(world, Drive1).Element?.Address);
    }

    [Fact]
    public void What_cannot_be_moved_is_refused_with_why()
    {
        using var world = new LibraryWorld();
        AssertRefused("slot 3 is empty", Move(world, Slot3, Drive1));
        AssertRefused("slot 2 is not empty", Move(world, Slot1, Slot2));
        AssertRefused("source", Move(world, Robot, Slot3));
        AssertRefused("destination", Move(world, Slot1, 0x7777));
        AssertRefused("no drive", Unload(world, Slot1));
        AssertRefused("drive 1 is empty", Unload(world, Drive1));
        world.OpenClose(MailSlot1, opens: true);
        AssertRefused("opened", Move(world, Slot1, MailSlot1));
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.DamagedFormat);
        AssertRefused("A1: DamagedFormat", Move(world, Slot1, Drive1));
        world.MoveGood(Slot2, Drive2);
        world.Bays[1].IsRemovalPrevented = true;
        AssertRefused("drive 2 does not give", Unload(world, Drive2));
        Assert.Equal(0, world.Initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void A_change_waits_for_the_robot_and_commands_wait_for_the_change()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        TestCommand move = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        Task<LibraryOutcome> export = world.Changer.ExportAsync(world.Target.Unit, Slot2);
        world.Run();
        TestCommand status = world.Send(StatusCdb(flags: 0x10), from: world.Target.Login());
        world.Run();
        Assert.False(export.IsCompleted || status.IsAnswered);
        world.Bays[0].Settle();
        LibraryOutcome outcome = world.Await(export);
        Assert.Null(outcome.Problem);
        AssertGood(move);
        AssertSense(SenseKey.UnitAttention, AdditionalSense.MediumMayHaveChanged, status);
    }

    [Fact]
    public void Commands_wait_while_the_administrator_loads_a_drive()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        Task<LibraryOutcome> load = world.Changer.MoveAsync(world.Target.Unit, Slot1, Drive1);
        world.Run();
        TestCommand status = world.Send(StatusCdb(flags: 0x10));
        Task<LibraryOutcome> second = world.Changer.MoveAsync(world.Target.Unit, Slot2, Slot1);
        world.Run();
        Assert.False(load.IsCompleted || status.IsAnswered || second.IsCompleted);
        world.Bays[0].Settle();
        Assert.Equal(Drive1, world.Await(load).Element?.Address);
        Assert.Equal(Slot1, world.Await(second).Element?.Address);
        AssertSense(SenseKey.UnitAttention, AdditionalSense.MediumMayHaveChanged, status);
    }

    [Fact]
    public void A_change_that_has_not_begun_can_be_given_up()
    {
        using var world = new LibraryWorld();
        world.Bays[0].Holds = true;
        TestCommand move = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        using var cancellation = new CancellationTokenSource();
        Task<LibraryOutcome> export = world.Changer.ExportAsync(world.Target.Unit, Slot2, cancellation.Token);
        world.Run();
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => world.Await(export));
        world.Bays[0].Settle();
        world.Run();
        AssertGood(move);
        Assert.Equal("A2", world.Places()[Slot2]);
    }

    [Fact]
    public void What_could_not_be_saved_is_told()
    {
        using var world = new LibraryWorld();
        world.States.Fails = true;
        LibraryOutcome outcome = Move(world, Slot1, Slot3);
        Assert.Equal(Slot3, outcome.Element?.Address);
        Assert.Contains("could not be saved", outcome.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A\tB")]
    [InlineData("../A1")]
    [InlineData("A 1")]
    [InlineData("0123456789012345678901234567890123")]
    public void A_label_that_no_reader_reads_is_not_made(string barcode)
    {
        using var world = new LibraryWorld();
        AssertRefused("expected a barcode", Create(world, new NewCartridge(barcode, 0x58)));
        Assert.DoesNotContain(world.Shelf.List(), one => one.File == barcode);
    }

    private static LibraryOutcome Import(LibraryWorld world, string file, ushort? to = null) =>
        world.Await(world.Changer.ImportAsync(world.Target.Unit, file, to));

    private static LibraryOutcome Export(LibraryWorld world, ushort from) =>
        world.Await(world.Changer.ExportAsync(world.Target.Unit, from));

    private static LibraryOutcome Create(LibraryWorld world, NewCartridge wanted, ushort? to = null) =>
        world.Await(world.Changer.CreateAsync(world.Target.Unit, wanted, to));

    private static LibraryOutcome Move(LibraryWorld world, ushort from, ushort to) =>
        world.Await(world.Changer.MoveAsync(world.Target.Unit, from, to));

    private static LibraryOutcome Unload(LibraryWorld world, ushort drive) =>
        world.Await(world.Changer.UnloadAsync(world.Target.Unit, drive));

    private static void AssertRefused(string why, LibraryOutcome outcome)
    {
        Assert.Null(outcome.Element);
        Assert.Contains(why, outcome.Problem, StringComparison.Ordinal);
    }
}
