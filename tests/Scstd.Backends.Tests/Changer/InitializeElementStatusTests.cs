using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>INITIALIZE ELEMENT STATUS and INITIALIZE ELEMENT STATUS WITH RANGE of SMC-3.</summary>
public sealed class InitializeElementStatusTests
{
    private static readonly byte[] Whole = [0x07, 0, 0, 0, 0, 0];

    [Fact]
    public void Cartridges_that_are_damaged_or_gone_are_found_out_and_whole_again_when_they_are()
    {
        using var world = new LibraryWorld();
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.DamagedFormat);
        world.Shelf.Remove("A2");
        Assert.False(world.Status(Slot1).IsException);
        AssertGood(world.Execute(Whole));
        Assert.Equal(AdditionalSense.MediumFormatCorrupted, world.Status(Slot1).Exception);
        Assert.Equal(AdditionalSense.MediaLoadOrEjectFailed, world.Status(Slot2).Exception);
        Assert.Equal("A2", world.Status(Slot2).Barcode);
        Assert.Equal(2, world.Failures.Count);
        world.Shelf.Faults.Clear();
        world.Shelf.Add("A2");
        AssertGood(world.Execute(Whole));
        Assert.False(world.Status(Slot1).IsException);
        Assert.False(world.Status(Slot2).IsException);
    }

    [Fact]
    public void What_is_known_already_is_not_told_to_the_administrator_again()
    {
        using var world = new LibraryWorld();
        world.Shelf.Remove("A2");
        world.Execute(Whole);
        world.Execute(Whole);
        Assert.Single(world.Failures);
    }

    [Fact]
    public void A_label_that_has_changed_is_read_and_found_again_after_a_restart()
    {
        using var world = new LibraryWorld();
        world.Shelf.Add("NEW", file: "A1");
        AssertGood(world.Execute(Whole));
        Assert.Equal("NEW", world.Status(Slot1).Barcode);
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.Store);
        using LibraryWorld again = world.Restarted();
        Assert.Equal("NEW", again.Status(Slot1).Barcode);
    }

    [Fact]
    public void A_drive_knows_what_it_has()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.Store);
        AssertGood(world.Execute(Whole));
        Assert.False(world.Status(Drive1).IsException);
        world.Shelf.Faults.Clear();
    }

    [Theory]
    [InlineData(0, 0, 0, true, true)]
    [InlineData(0, 0xFFFF, 1, true, true)]
    [InlineData(1, Slot2, 1, false, true)]
    [InlineData(1, Slot1, 1, true, false)]
    [InlineData(1, Slot1, 2, true, true)]
    [InlineData(1, Slot1, 0, true, true)]
    [InlineData(1, Robot, 5, false, false)]
    [InlineData(3, Robot, 6, true, false)]
    public void A_range_counts_elements_from_its_first_on(
        byte flags, int first, ushort count, bool seesFirst, bool seesSecond)
    {
        using var world = new LibraryWorld();
        world.Shelf.Remove("A1");
        world.Shelf.Remove("A2");
        AssertGood(world.Execute(RangeCdb(flags, (ushort)first, count)));
        Assert.Equal((seesFirst, seesSecond), (world.Status(Slot1).IsException, world.Status(Slot2).IsException));
    }

    [Fact]
    public void A_range_begins_with_an_element()
    {
        using var world = new LibraryWorld();
        AssertNoElement(2, world.Execute(RangeCdb(1, 0x0500, 1)));
        AssertNoElement(2, world.Execute(RangeCdb(1, 0, 0)));
    }

    [Fact]
    public void A_shelf_that_cannot_be_looked_at_is_a_hardware_error_and_changes_nothing()
    {
        using var world = new LibraryWorld();
        world.Shelf.Thrown = new IOException("gone");
        AssertSense(SenseKey.HardwareError, AdditionalSense.MediaLoadOrEjectFailed, world.Execute(Whole));
        world.Shelf.Thrown = null;
        Assert.False(world.Status(Slot1).IsException);
    }

    private static byte[] RangeCdb(byte flags, ushort first, ushort count) =>
        [0x37, flags, .. Two(first), 0, 0, .. Two(count), 0, 0];
}
