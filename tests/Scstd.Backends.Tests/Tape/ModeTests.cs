using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>MODE SENSE and MODE SELECT of a tape drive (SSC-4 §8.3): header, block descriptor and pages.</summary>
public sealed class ModeTests
{
    private static readonly SenseData ModesChanged = SenseData.UnitAttention(AdditionalSense.ModeParametersChanged);

    [Fact]
    public void The_header_tells_the_medium_its_density_and_the_block_length()
    {
        using var world = new TapeWorld();
        Assert.Equal("0B 58 10 08 58 00 00 00 00 00 00 00", Head(world));
        world.SetBlockLength(0x012345).MustBeGood();
        Assert.Equal("0B 58 10 08 58 00 00 00 00 01 23 45", Head(world));
        world.Remove();
        Assert.Equal("0B 00 10 08 00 00 00 00 00 01 23 45", Head(world));
        world.Insert(new MemoryMedium(isWorm: true));
        world.TakeAttentions();
        Assert.Equal("0B 5C 10 08 58 00 00 00 00 01 23 45", Head(world));
    }

    private static string Head(TapeWorld world) =>
        Hex.Of([11, .. world.Execute("1A 00 01 00 FF 00").DataIn[1..12]]);

    [Fact]
    public void Page_0_asks_for_the_header_and_the_block_descriptor_alone()
    {
        using var world = new TapeWorld();
        Assert.Equal("0B 58 10 08 58 00 00 00 00 00 00 00", world.Execute("1A 00 00 00 0C 00").DataOfGood());
        world.Execute("1A 00 00 01 0C 00").MustBeInvalidInCdb(2, 5);
    }

    [Fact]
    public void The_long_form_has_no_long_block_descriptor()
    {
        using var world = new TapeWorld();
        Assert.Equal(
            "58 10 00 00 00 08 58", Hex.Of(world.Execute("5A 10 01 00 00 00 00 00 FF 00").DataIn[2..9]));
        world.Execute("55 10 00 00 00 00 00 00 08 00", Hex.Bytes("00 00 00 10 01 00 00 00"))
            .MustBe(SenseData.InvalidFieldInParameterList(4, 0));
    }

    [Fact]
    public void A_block_length_that_one_initiator_sets_is_told_to_the_others()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(1024).MustBeGood();
        world.Execute("00 00 00 00 00 00").MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBe(ModesChanged);
        world.SetBlockLength(1024).MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
    }

    [Theory]
    [InlineData("00 00 10 08 7F 00 00 00 00 00 02 00")]
    [InlineData("00 00 10 08 58 00 00 00 00 00 02 00")]
    [InlineData("00 58 10 08 00 00 00 00 00 00 02 00")]
    [InlineData("00 00 90 08 00 00 00 00 00 00 02 00")]
    public void What_mode_sense_tells_of_the_medium_may_come_back(string list)
    {
        using var world = new TapeWorld();
        world.Execute("15 10 00 00 0C 00", Hex.Bytes(list)).MustBeGood();
        Assert.Equal(512, world.Backend.BlockLengthBytes);
    }

    [Theory]
    [InlineData("00 01 10 08 00 00 00 00 00 00 02 00", 1, null)]
    [InlineData("00 00 30 08 00 00 00 00 00 00 02 00", 2, 6)]
    [InlineData("00 00 11 08 00 00 00 00 00 00 02 00", 2, 3)]
    [InlineData("00 00 10 08 5A 00 00 00 00 00 02 00", 4, null)]
    [InlineData("00 00 10 08 00 00 00 01 00 00 02 00", 5, null)]
    [InlineData("00 00 10 08 00 00 00 00 00 80 00 01", 9, null)]
    [InlineData("00 00 10 04 00 00 00 00", 3, null)]
    public void A_header_that_cannot_be_meant_is_refused_and_changes_nothing(string list, int offset, int? bit)
    {
        using var world = new TapeWorld();
        byte[] bytes = Hex.Bytes(list);
        world.Execute($"15 10 00 00 {bytes.Length:X2} 00", bytes)
            .MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
        Assert.Equal(0, world.Backend.BlockLengthBytes);
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
    }

    [Fact]
    public void A_list_whose_page_is_refused_leaves_the_header_as_it_was()
    {
        using var world = new TapeWorld();
        world.Execute("15 10 00 00 0E 00", Hex.Bytes("00 00 10 08 00 00 00 00 00 00 02 00 3E 00"))
            .MustBe(SenseData.InvalidFieldInParameterList(12, 5));
        Assert.Equal(0, world.Backend.BlockLengthBytes);
    }

    [Fact]
    public void Everything_that_mode_sense_tells_can_be_selected_again()
    {
        using var world = new TapeWorld();
        byte[] list = world.Execute("5A 00 3F FF 00 00 00 04 00 00").DataIn;
        list[0] = list[1] = 0;
        world.Execute($"55 10 00 00 00 00 00 {list.Length >> 8:X2} {list.Length & 0xFF:X2} 00", list).MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
    }

    [Fact]
    public void Compression_is_one_switch_on_two_pages()
    {
        using var world = new TapeWorld();
        Assert.Equal((0x40, 0), (world.ModePage(0x0F)[0], world.ModePage(0x10)[12]));
        world.SelectPage("0F 0E C0 80 00 00 00 01 00 00 00 01 00 00 00 00").MustBeGood();
        Assert.Equal((0xC0, 1), (world.ModePage(0x0F)[0], world.ModePage(0x10)[12]));
        world.Medium.CompressionRatio = 4;
        world.Write(TapeWorld.Record(1000)).MustBeGood();
        Assert.Equal(250UL, world.Medium.Position.BytesBefore);
        world.SelectPage("10 0E 00 00 00 00 00 00 40 00 18 00 00 00 00 10").MustBeGood();
        Assert.Equal((0x40, 0), (world.ModePage(0x0F)[0], world.ModePage(0x10)[12]));
        world.Write(TapeWorld.Record(1000)).MustBeGood();
        Assert.Equal(1250UL, world.Medium.Position.BytesBefore);
    }

    [Fact]
    public void Compression_that_goes_without_an_algorithm_comes_back_with_one()
    {
        using var world = new TapeWorld();
        world.SelectPage("0F 0E 40 80 00 00 00 00 00 00 00 01 00 00 00 00").MustBeGood();
        Assert.Equal(0, world.ModePage(0x0F)[5]);
        world.SelectPage("0F 0E C0 80 00 00 00 00 00 00 00 01 00 00 00 00").MustBeGood();
        Assert.Equal((0xC0, 1), (world.ModePage(0x0F)[0], world.ModePage(0x0F)[5]));
    }

    [Fact]
    public void A_reset_brings_the_defaults_back_and_leaves_the_position()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512);
        world.Write(TapeWorld.Record(10));
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.TakeAttentions();
        Assert.Equal("0B 58 10 08 58 00 00 00 00 00 00 00", Head(world));
        Assert.Equal(1UL, world.At);
    }

    // ---- Partitions ------------------------------------------------------------------------------------------------

    [Fact]
    public void A_medium_is_divided_as_the_partition_page_says()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 1_000_000), TapePersonality.Lto6);
        Assert.Equal("03 00 3C 03 03 00 03 E8 00 00 00 00 00 00", Hex.Of(world.ModePage(0x11)));
        // IDP, kilobytes: the first as large as may be, then 300. A shorter page than MODE SENSE tells.
        world.SelectPage("11 0A 03 01 2C 03 03 00 FF FF 01 2C").MustBeGood();
        world.Execute("04 00 01 00 00 00").MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBe(ModesChanged);
        world.Execute("00 00 00 00 00 00", from: world.Other)
            .MustBe(SenseData.UnitAttention(AdditionalSense.MediumMayHaveChanged));
        Assert.Equal([700_000UL, 300_000UL], world.Medium.Partitions.Select(one => one.CapacityBytes));
        Assert.Equal("03 01 3C 03 03 00 02 BC 01 2C 00 00 00 00", Hex.Of(world.ModePage(0x11)));
        world.Write(TapeWorld.Record(10, 0));
        world.Execute("2B 02 00 00 00 00 00 00 01 00").MustBeGood();
        Assert.Equal(1, world.ModePage(0x10)[1]);
        world.Write(TapeWorld.Record(10, 1));
        Assert.Equal((1, 1UL, 0UL), world.Position());
        world.Execute("92 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal(TapeWorld.Record(10, 0), world.Read(10).DataIn);
        world.Execute("04 00 00 00 00 00").MustBe(
            SenseData.IllegalRequest(AdditionalSense.PositionPastBeginningOfMedium));
        world.Rewind();
        world.Execute("04 00 00 00 00 00").MustBeGood();
        Assert.Single(world.Medium.Partitions);
        Assert.Equal(SenseKey.BlankCheck, world.Read(10).Sense.Key);
    }

    [Theory]
    [InlineData("11 0A 03 04 2C 03 03 00 FF FF 01 2C", 7, null)]
    [InlineData("11 0A 03 01 0C 03 03 00 FF FF 01 2C", 8, 7)]
    [InlineData("11 0A 03 01 6C 03 03 00 FF FF 01 2C", 8, 7)]
    [InlineData("11 0A 03 01 2C 03 03 00 FF FF FF FF", 14, null)]
    [InlineData("11 0A 03 01 2C 03 03 00 FF FF 00 00", 14, null)]
    [InlineData("11 0A 03 01 28 03 03 00 FF FF 01 00", 8, 2)]
    [InlineData("11 05 03 00 2C 03 03", 5, null)]
    public void A_division_that_cannot_be_meant_is_refused(string page, int offset, int? bit)
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 1_000_000), TapePersonality.Lto6);
        world.SelectPage(page).MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
    }

    [Theory]
    [InlineData("11 06 03 03 5C 03 03 00", new ulong[] { 250_000, 250_000, 250_000, 250_000 })]
    [InlineData("11 06 03 00 9C 03 03 00", new ulong[] { 975_000, 25_000 })]
    [InlineData("11 0A 03 01 2C 03 03 00 00 01 FF FF", new ulong[] { 25_000, 975_000 })]
    [InlineData("11 0C 03 02 2C 03 03 00 00 64 00 C8 00 0A", new ulong[] { 100_000, 200_000, 10_000 })]
    public void Sdp_divides_evenly_fdp_leaves_the_least_behind_and_idp_makes_none_smaller(
        string page, ulong[] capacities)
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 1_000_000), TapePersonality.Lto6);
        world.SelectPage(page).MustBeGood();
        world.Execute("04 00 02 00 00 00").MustBeGood();
        Assert.Equal(capacities, world.Medium.Partitions.Select(one => one.CapacityBytes));
    }

    [Fact]
    public void Partitions_that_do_not_fit_are_refused_by_the_format()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 1_000_000), TapePersonality.Lto6);
        world.SelectPage("11 0A 03 01 2C 03 03 00 03 00 03 00").MustBeGood();
        world.Write(TapeWorld.Record(10));
        world.Rewind();
        world.Execute("04 00 01 00 00 00").MustBe(
            SenseData.IllegalRequest(AdditionalSense.ParameterValueInvalid));
        Assert.Equal(TapeWorld.Record(10), world.Read(10).DataIn);
    }

    [Theory]
    [InlineData("04 00 03 00 00 00")]
    [InlineData("04 00 0F 00 00 00")]
    public void A_reserved_format_is_an_invalid_field(string cdb)
    {
        using var world = new TapeWorld();
        world.Execute(cdb).MustBeInvalidInCdb(2, 3);
    }

    [Fact]
    public void Set_capacity_makes_a_shorter_tape_from_its_beginning_on()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 655_350));
        world.Write(TapeWorld.Record(10));
        world.Execute("0B 00 00 80 00 00").MustBe(
            SenseData.IllegalRequest(AdditionalSense.PositionPastBeginningOfMedium));
        world.Rewind();
        world.Execute("0B 00 00 80 00 00").MustBeGood();
        Assert.Equal(327_680UL, world.Medium.Partitions[0].CapacityBytes);
        Assert.Equal(SenseKey.BlankCheck, world.Read(10).Sense.Key);
    }
}
