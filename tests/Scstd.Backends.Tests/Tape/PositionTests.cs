using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>SPACE, LOCATE, REWIND and READ POSITION of SSC-4.</summary>
public sealed class PositionTests
{
    private static readonly SenseData BlankCheck = new(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected);

    private static readonly SenseData Beginning =
        new(SenseKey.NoSense, AdditionalSense.BeginningOfPartitionDetected) { EndOfMedium = true };

    private static readonly SenseData Filemark =
        new(SenseKey.NoSense, AdditionalSense.FilemarkDetected) { Filemark = true };

    // 0 1 2 3 M 5 6 M M: the numbers of the objects.

    [Theory]
    [InlineData(0, 0, 2, 2)]
    [InlineData(0, 1, 1, 5)]
    [InlineData(0, 1, 2, 8)]
    [InlineData(4, 0, -2, 2)]
    [InlineData(9, 1, -1, 8)]
    [InlineData(9, 1, -3, 4)]
    [InlineData(0, 2, 2, 9)]
    [InlineData(3, 0, 0, 3)]
    [InlineData(3, 3, 0, 9)]
    public void Space_goes_over_so_many(int from, int code, int count, int to)
    {
        using TapeWorld world = Written();
        Locate(world, from);
        world.Space(code, count & 0xFFFFFF).MustBeGood();
        Assert.Equal((ulong)to, world.At);
    }

    [Fact]
    public void Space_over_blocks_stops_behind_a_filemark_and_backwards_before_it()
    {
        using TapeWorld world = Written();
        world.Space(0, 10).MustBe(Filemark with { Information = 6 });
        Assert.Equal(5UL, world.At);
        world.Space(0, -3 & 0xFFFFFF).MustBe(Filemark with { Information = 3 });
        Assert.Equal(4UL, world.At);
    }

    [Fact]
    public void Space_stops_at_the_end_of_data_with_what_is_left()
    {
        using TapeWorld world = Written();
        world.Space(1, 5).MustBe(BlankCheck with { Information = 2 });
        Assert.Equal(9UL, world.At);
        world.Space(0, 2).MustBe(BlankCheck with { Information = 2 });
    }

    [Fact]
    public void Space_stops_at_the_beginning_with_what_is_left()
    {
        using TapeWorld world = Written();
        Locate(world, 2);
        world.Space(0, -5 & 0xFFFFFF).MustBe(Beginning with { Information = 3 });
        Assert.Equal(0UL, world.At);
        world.Execute("91 01 00 00 FF FF FF FF FF FF FF FF 00 00 00 00").MustBe(Beginning with { Information = 1 });
    }

    [Fact]
    public void Space_16_counts_in_64_bits()
    {
        using TapeWorld world = Written();
        world.Execute("91 00 00 00 00 00 00 00 00 00 00 03 00 00 00 00").MustBeGood();
        Assert.Equal(3UL, world.At);
        world.Execute("91 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal(9UL, world.At);
        world.Execute("91 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00").MustBe(Filemark with
        {
            Information = long.MaxValue,
        });
    }

    [Theory]
    [InlineData("11 04 00 00 01 00")]
    [InlineData("11 0F 00 00 01 00")]
    [InlineData("91 05 00 00 00 00 00 00 00 00 00 01 00 00 00 00")]
    public void Setmarks_and_reserved_codes_are_an_invalid_field(string cdb)
    {
        using TapeWorld world = Written();
        world.Execute(cdb).MustBeInvalidInCdb(1, 3);
    }

    [Fact]
    public void Locate_10_goes_to_an_object_and_stops_at_the_end_of_data()
    {
        using TapeWorld world = Written();
        world.Execute("2B 00 00 00 00 00 06 00 00 00").MustBeGood();
        Assert.Equal((0, 6UL, 1UL), world.Position());
        world.Execute("2B 04 00 00 00 00 02 00 00 00").MustBeGood();
        Assert.Equal(2UL, world.At);
        world.Execute("2B 00 00 00 00 00 09 00 00 00").MustBeGood();
        world.Execute("2B 00 00 00 00 00 0A 00 00 00").MustBe(BlankCheck);
        Assert.Equal(9UL, world.At);
        world.Execute("2B 02 00 00 00 00 00 00 01 00").MustBeInvalidInCdb(8);
    }

    [Fact]
    public void Locate_16_goes_to_an_object_a_file_or_the_end_of_data()
    {
        using TapeWorld world = Written();
        world.Execute("92 00 00 00 00 00 00 00 00 00 00 03 00 00 00 00").MustBeGood();
        Assert.Equal(3UL, world.At);
        world.Execute("92 08 00 00 00 00 00 00 00 00 00 01 00 00 00 00").MustBeGood();
        Assert.Equal((0, 5UL, 1UL), world.Position());
        world.Execute("92 18 00 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal(9UL, world.At);
        world.Execute("92 08 00 00 00 00 00 00 00 00 00 04 00 00 00 00").MustBe(BlankCheck);
        world.Execute("92 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeInvalidInCdb(1, 5);
        world.Execute("92 02 00 01 00 00 00 00 00 00 00 00 00 00 00 00").MustBeInvalidInCdb(3);
    }

    [Fact]
    public void The_forms_of_read_position_tell_one_place()
    {
        using TapeWorld world = Written();
        Locate(world, 6);
        string shortForm = "00 00 00 00 00 00 00 06 00 00 00 06 00 00 00 00 00 00 00 00";
        Assert.Equal(shortForm, world.Execute("34 00 00 00 00 00 00 00 00 00").DataOfGood());
        Assert.Equal(shortForm, world.Execute("34 01 00 00 00 00 00 00 00 00").DataOfGood());
        Assert.Equal(
            "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00",
            world.Execute("34 06 00 00 00 00 00 00 00 00").DataOfGood());
        Assert.Equal(
            "00 00 00 1C 00 00 00 00 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00 06 00 00 00 00 00 00 00 00",
            world.Execute("34 08 00 00 00 00 00 00 20 00").DataOfGood());
        Assert.Equal(8, world.Execute("34 08 00 00 00 00 00 00 08 00").DataIn.Length);
        world.Rewind();
        Assert.StartsWith("80", world.Execute("34 00 00 00 00 00 00 00 00 00").DataOfGood());
        world.Execute("34 02 00 00 00 00 00 00 00 00").MustBeInvalidInCdb(1, 4);
        world.Execute("34 00 00 00 00 00 00 00 14 00").MustBeInvalidInCdb(8, 4);
    }

    [Fact]
    public void Rewind_goes_to_the_beginning_of_the_partition()
    {
        using TapeWorld world = Written();
        world.Rewind().MustBeGood();
        Assert.Equal(0UL, world.At);
        world.Space(3, 0);
        world.Execute("01 01 00 00 00 00").MustBeGood();
        Assert.Equal(0UL, world.At);
    }

    [Fact]
    public void Commands_that_are_sent_together_are_done_in_their_order()
    {
        using TapeWorld world = Written();
        world.Rewind();
        TestCommand first = world.Send("08 00 00 00 0A 00");
        TestCommand second = world.Send("08 00 00 00 0A 00");
        TestCommand third = world.Send("08 00 00 00 0A 00", from: world.Other);
        world.Run();
        Assert.Equal(TapeWorld.Record(10, 0), first.DataIn);
        Assert.Equal(TapeWorld.Record(10, 1), second.DataIn);
        Assert.Equal(TapeWorld.Record(10, 2), third.DataIn);
    }

    /// <summary>Four records, a mark, two records, two marks; the position is at the end.</summary>
    private static TapeWorld Written()
    {
        var world = new TapeWorld();
        for (int i = 0; i < 4; i++)
            world.Write(TapeWorld.Record(10, i));
        world.Marks(1);
        world.Write(TapeWorld.Record(10, 4));
        world.Write(TapeWorld.Record(10, 5));
        world.Marks(2);
        world.Rewind();
        return world;
    }

    private static void Locate(TapeWorld world, int number) =>
        world.Execute($"2B 00 00 00 00 00 {number:X2} 00 00 00").MustBeGood();
}
