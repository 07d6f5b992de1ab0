using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>The cartridge comes and goes: LOAD UNLOAD, PREVENT ALLOW MEDIUM REMOVAL, and the robot.</summary>
public sealed class LoadTests
{
    private const string Ready = "00 00 00 00 00 00";
    private const string Load = "1B 00 00 00 01 00";
    private const string Unload = "1B 00 00 00 00 00";

    private static readonly SenseData NoMedium = new(SenseKey.NotReady, AdditionalSense.MediumNotPresent);

    private static readonly SenseData Changed = SenseData.UnitAttention(AdditionalSense.MediumMayHaveChanged);

    [Fact]
    public void An_empty_drive_is_not_ready_and_answers_what_needs_no_medium()
    {
        using var world = new TapeWorld(isEmpty: true);
        foreach (string cdb in (string[])
            [Ready, Load, Unload, "08 00 00 00 10 00", "01 00 00 00 00 00", "34 00 00 00 00 00 00 00 00 00",
                "44 01 00 00 00 00 00 04 00 00", "8C 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00"])
            world.Execute(cdb).MustBe(NoMedium);
        world.Write(TapeWorld.Record(10)).MustBe(NoMedium);
        world.Execute("05 00 00 00 00 00").MustBeGood();
        world.Execute("44 00 00 00 00 00 00 04 00 00").MustBeGood();
        world.Execute("5A 00 3F FF 00 00 00 04 00 00").MustBeGood();
        world.Execute("4D 00 40 00 00 00 00 04 00 00").MustBeGood();
        Assert.Null(world.Drive.Barcode);
        Assert.False(world.Drive.IsLoaded);
        Assert.Null(world.Remove());
    }

    [Fact]
    public void A_cartridge_from_the_robot_is_told_to_every_nexus()
    {
        using var world = new TapeWorld(isEmpty: true);
        world.Insert(world.Medium);
        Assert.Equal("ABC123L5", world.Drive.Barcode);
        Assert.True(world.Drive.IsLoaded);
        foreach (TestInitiator initiator in (TestInitiator[])[world.Initiator, world.Other])
        {
            world.Execute(Ready, from: initiator).MustBe(Changed);
            world.Execute(Ready, from: initiator).MustBeGood();
        }
    }

    [Fact]
    public void A_cartridge_that_is_only_put_in_waits_for_load()
    {
        using var world = new TapeWorld(isEmpty: true);
        world.Insert(world.Medium, load: false);
        Assert.False(world.Drive.IsLoaded);
        world.Execute(Ready).MustBe(NoMedium);
        world.Execute(Load).MustBeGood();
        world.Execute(Ready).MustBeGood();
        world.Execute(Ready, from: world.Other).MustBe(Changed);
        Assert.True(world.Drive.IsLoaded);
    }

    [Fact]
    public void An_unloaded_cartridge_is_gone_for_everyone_and_can_be_loaded_again()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Execute(Unload).MustBeGood();
        Assert.Equal(1, world.Medium.Synchronizations);
        world.Execute(Unload).MustBeGood();
        world.Execute(Ready).MustBe(NoMedium);
        world.Execute(Ready, from: world.Other).MustBe(NoMedium);
        Assert.Equal("ABC123L5", world.Drive.Barcode);
        world.Execute(Load).MustBeGood();
        world.Execute(Ready, from: world.Other).MustBe(Changed);
        Assert.Equal(TapeWorld.Record(10), world.Read(10).DataIn);
    }

    [Fact]
    public void Load_of_what_is_loaded_rewinds_and_tells_nobody()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Execute(Load).MustBeGood();
        Assert.Equal(0UL, world.At);
        world.Execute(Ready, from: world.Other).MustBeGood();
    }

    [Fact]
    public void With_hold_the_cartridge_stays_and_its_memory_can_be_read()
    {
        using var world = new TapeWorld();
        world.Execute("1B 00 00 00 08 00").MustBeGood();
        world.Execute(Ready).MustBe(
            new SenseData(SenseKey.NotReady, AdditionalSense.MediumAuxiliaryMemoryAccessible));
        world.Execute("8C 01 00 00 00 00 00 00 00 00 00 00 04 00 00 00").MustBeGood();
        world.Execute(Load).MustBeGood();
        world.Execute(Ready).MustBeGood();
    }

    [Fact]
    public void Eot_with_load_is_an_invalid_field()
    {
        using var world = new TapeWorld();
        world.Execute("1B 00 00 00 05 00").MustBeInvalidInCdb(4, 2);
        world.Execute("1B 00 00 00 04 00").MustBeGood();
    }

    [Fact]
    public void Removal_is_prevented_until_every_nexus_allows_it_or_is_gone()
    {
        using var world = new TapeWorld();
        SenseData prevented = SenseData.IllegalRequest(AdditionalSense.MediumRemovalPrevented);
        world.Execute("1E 00 00 00 01 00").MustBeGood();
        world.Execute("1E 00 00 00 01 00", from: world.Other).MustBeGood();
        Assert.True(world.Drive.IsRemovalPrevented);
        world.Execute(Unload).MustBe(prevented);
        world.Execute("1E 00 00 00 00 00").MustBeGood();
        world.Execute(Unload).MustBe(prevented);
        world.Other.Logout();
        Assert.False(world.Drive.IsRemovalPrevented);
        world.Execute(Unload).MustBeGood();
    }

    [Fact]
    public void A_drive_whose_removal_is_prevented_gives_its_cartridge_only_when_nobody_is_left()
    {
        using var world = new TapeWorld();
        DriveRemoval? removal = null;
        world.Execute("1E 00 00 00 01 00", from: world.Other).MustBeGood();
        world.Drive.Remove(RemovalTerms.UnlessPrevented, outcome => removal = outcome);
        world.Run();
        Assert.Equal(new DriveRemoval(RemovalOutcome.Refused), removal);
        world.Execute(Ready).MustBeGood();
        world.Drive.Remove(RemovalTerms.Always, outcome => removal = outcome);
        world.Run();
        Assert.Equal(new DriveRemoval(RemovalOutcome.Taken, world.Medium, WasLoaded: true), removal);
    }

    [Fact]
    public void A_robot_that_reaches_a_cartridge_only_at_the_door_waits_for_its_unload()
    {
        using var world = new TapeWorld();
        DriveRemoval? removal = null;
        world.Drive.Remove(RemovalTerms.UnlessPreventedOrLoaded, outcome => removal = outcome);
        world.Run();
        Assert.Equal(RemovalOutcome.Refused, removal!.Value.Outcome);
        world.Execute(Unload).MustBeGood();
        world.Drive.Remove(RemovalTerms.UnlessPreventedOrLoaded, outcome => removal = outcome);
        world.Run();
        Assert.Equal(new DriveRemoval(RemovalOutcome.Taken, world.Medium, WasLoaded: false), removal);
    }

    [Fact]
    public void A_robot_that_turns_away_leaves_a_drive_that_was_at_work_as_it_was()
    {
        using var world = new TapeWorld();
        world.Reactor.HoldBlocking = true;
        TestCommand rewind = world.Send("01 00 00 00 00 00");
        world.Run();
        DriveRemoval? removal = null;
        Action giveUp = world.Drive.Remove(RemovalTerms.UnlessPrevented, outcome => removal = outcome);
        TestCommand late = world.Send(Ready);
        world.Run();
        Assert.False(late.IsAnswered);
        giveUp();
        world.Run();
        Assert.Equal(new DriveRemoval(RemovalOutcome.GivenUp), removal);
        late.MustBeGood();
        Assert.False(rewind.IsAnswered);
        world.Reactor.HoldBlocking = false;
        world.Run();
        rewind.MustBeGood();
        Assert.True(world.Drive.IsLoaded);
    }

    [Fact]
    public void What_was_buffered_is_on_the_cartridge_that_the_robot_takes()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        Assert.Same(world.Medium, world.Remove());
        Assert.Equal(1, world.Medium.Synchronizations);
        Assert.False(world.Medium.IsDisposed);
        world.Execute(Ready).MustBe(NoMedium);
        world.Medium.Dispose();
    }

    [Fact]
    public void Buffered_data_that_the_robot_loses_are_told_to_who_wrote_them()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        Assert.Same(world.Medium, world.Remove());
        world.Insert(new MemoryMedium());
        world.TakeAttentions();
        world.Execute(Ready, from: world.Other).MustBeGood();
        world.Execute(Ready).MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { IsDeferred = true });
    }

    [Fact]
    public void A_cartridge_of_a_format_that_the_drive_does_not_read_is_told_as_incompatible()
    {
        using var world = new TapeWorld(new MemoryMedium(densityCode: 0x5A));
        world.Execute(Ready).MustBe(new SenseData(SenseKey.NotReady, AdditionalSense.IncompatibleMediumInstalled));
        world.Execute(Unload).MustBeGood();
    }

    [Fact]
    public void A_cleaning_cartridge_is_told_as_one()
    {
        var medium = new MemoryMedium();
        medium.Description = medium.Description with { IsCleaning = true };
        using var world = new TapeWorld(medium);
        world.Execute(Ready).MustBe(new SenseData(SenseKey.NotReady, AdditionalSense.CleaningCartridgeInstalled));
    }

    [Theory]
    [InlineData("LTO-5", "44 46 58", "46 58")]
    [InlineData("LTO-6", "46 58 5A", "58 5A")]
    [InlineData("LTO-7", "58 5A 5C", "5A 5C")]
    [InlineData("LTO-8", "5C 5E", "5C 5E")]
    [InlineData("LTO-9", "5E 60", "5E 60")]
    public void A_generation_reads_and_writes_these(string name, string readable, string writable)
    {
        TapePersonality personality = TapePersonality.Find(name)!;
        Assert.Equal(Hex.Bytes(readable), personality.Readable.Select(density => density.Code));
        Assert.Equal(Hex.Bytes(writable), personality.Writable.Select(density => density.Code));
    }

    [Fact]
    public void A_load_is_counted_with_the_cartridge()
    {
        using var world = new TapeWorld();
        Assert.Equal(1UL, world.Medium.Statistics["loads"]);
        ITapeMedium medium = world.Remove()!;
        world.Insert(medium);
        Assert.Equal(2UL, world.Medium.Statistics["loads"]);
    }

    [Fact]
    public void A_reservation_of_another_nexus_holds_but_what_it_allows()
    {
        using var world = new TapeWorld();
        world.Execute("16 00 00 00 00 00", from: world.Other).MustBeGood();
        foreach (string cdb in (string[])
            ["08 00 00 00 10 00", "01 00 00 00 00 00", Unload, "34 00 00 00 00 00 00 00 00 00", "1E 00 00 00 01 00"])
            world.Execute(cdb).MustConflict();
        foreach (string cdb in (string[])
            ["05 00 00 00 00 00", "44 00 00 00 00 00 00 04 00 00", "1E 00 00 00 00 00"])
            world.Execute(cdb).MustBeGood();
    }

    [Fact]
    public void A_persistent_reservation_of_another_nexus_holds_the_drive()
    {
        using var world = new TapeWorld();
        // Register a key, then reserve with Exclusive Access.
        world.Execute("5F 00 00 00 00 00 00 00 18 00",
            Hex.Bytes("0000000000000000 0000000000000001 00000000 00000000"), world.Other).MustBeGood();
        world.Execute("5F 01 03 00 00 00 00 00 18 00",
            Hex.Bytes("0000000000000001 0000000000000000 00000000 00000000"), world.Other).MustBeGood();
        world.Write(TapeWorld.Record(10)).MustConflict();
        world.Read(10).MustConflict();
        world.Execute("34 06 00 00 00 00 00 00 00 00").MustConflict();
        world.Execute(Unload).MustConflict();
        world.Execute("1E 00 00 00 01 00").MustConflict();
        world.Execute("8C 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00").MustConflict();
        world.Execute("05 00 00 00 00 00").MustBeGood();
        world.Execute("44 00 00 00 00 00 00 04 00 00").MustBeGood();
        world.Execute("1E 00 00 00 00 00").MustBeGood();
        world.Write(TapeWorld.Record(10), world.Other).MustBeGood();
    }

    [Fact]
    public void A_nexus_that_is_lost_leaves_the_position_as_it_was()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Initiator.Logout();
        world.Run();
        byte[] position = world.Execute("34 00 00 00 00 00 00 00 00 00", from: world.Other).DataIn;
        Assert.Equal(1, position[7]);
    }
}
