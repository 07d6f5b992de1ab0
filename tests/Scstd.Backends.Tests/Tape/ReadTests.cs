using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>READ (6) of SSC-4: lengths, marks, the end of data, and what INFORMATION says of each.</summary>
public sealed class ReadTests
{
    private static readonly SenseData BlankCheck = new(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected);

    [Fact]
    public void A_record_is_read_as_it_was_written()
    {
        using var world = new TapeWorld();
        byte[] record = TapeWorld.Record(900_000);
        world.Write(record).MustBeGood();
        world.Rewind().MustBeGood();
        TestCommand read = world.Read(record.Length);
        read.MustBeGood();
        Assert.Equal(record, read.DataIn);
    }

    [Theory]
    [InlineData(100, 60, -40, 60)]
    [InlineData(100, 160, 60, 100)]
    public void A_record_of_another_length_is_told_with_the_difference(
        int written, int asked, long information, int transferred)
    {
        using var world = new TapeWorld();
        byte[] record = TapeWorld.Record(written);
        world.Write(record);
        world.Rewind();
        TestCommand read = world.Read(asked);
        read.MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.None)
        {
            IncorrectLengthIndicator = true,
            Information = (ulong)information,
        });
        Assert.Equal(record[..transferred], read.DataIn);
        Assert.Equal(1UL, world.At);
    }

    [Fact]
    public void With_sili_a_shorter_record_is_no_matter()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Rewind();
        TestCommand read = world.Read(160, sili: true);
        read.MustBeGood();
        Assert.Equal(100, read.DataIn.Length);
    }

    [Fact]
    public void With_sili_a_longer_record_is_told_only_where_there_is_a_block_length()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Rewind();
        world.Read(60, sili: true).MustBeGood();
        world.SetBlockLength(512).MustBeGood();
        world.Rewind();
        TestCommand read = world.Read(60, sili: true);
        Assert.True(read.Sense.IncorrectLengthIndicator);
        Assert.Equal(unchecked((ulong)-40L), read.Sense.Information);
    }

    [Fact]
    public void A_filemark_ends_a_read_and_is_passed()
    {
        using var world = new TapeWorld();
        world.Marks(1).MustBeGood();
        world.Rewind();
        TestCommand read = world.Read(1000);
        read.MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = 1000,
        });
        Assert.Empty(read.DataIn);
        Assert.Equal((0, 1UL, 1UL), world.Position());
    }

    [Fact]
    public void The_end_of_data_is_a_blank_check_and_is_not_passed()
    {
        using var world = new TapeWorld();
        world.Read(1000).MustBe(BlankCheck with { Information = 1000 });
        world.Write(TapeWorld.Record(10));
        world.Read(1000).MustBe(BlankCheck with { Information = 1000 });
        Assert.Equal(1UL, world.At);
    }

    [Fact]
    public void Nothing_asked_for_is_good_and_moves_nothing()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Rewind();
        TestCommand read = world.Read(0);
        read.MustBeGood();
        Assert.Empty(read.DataIn);
        Assert.Equal(0UL, world.At);
    }

    [Fact]
    public void Fixed_blocks_come_in_one_transfer()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512).MustBeGood();
        byte[] data = TapeWorld.Record(512 * 20);
        world.WriteFixed(data, 20).MustBeGood();
        world.Rewind();
        Assert.Equal(data[..(512 * 12)], world.ReadFixed(12).DataIn);
        Assert.Equal(12UL, world.At);
        Assert.Equal(data[(512 * 12)..], world.ReadFixed(8).DataIn);
    }

    [Fact]
    public void A_mark_among_fixed_blocks_leaves_a_residue_of_blocks_and_the_data_before_it()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512);
        byte[] data = TapeWorld.Record(512 * 3);
        world.WriteFixed(data, 3);
        world.Marks(1);
        world.WriteFixed(data, 3);
        world.Rewind();
        TestCommand read = world.ReadFixed(10, room: 5120);
        read.MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = 7,
        });
        Assert.Equal(data, read.DataIn);
        Assert.Equal((5120u - (3 * 512), false), (read.ResidualBytes, read.IsOverflow));
        Assert.Equal(4UL, world.At);
    }

    [Fact]
    public void The_end_of_data_among_fixed_blocks_leaves_a_residue_too()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512);
        byte[] data = TapeWorld.Record(512 * 3);
        world.WriteFixed(data, 3);
        world.Rewind();
        TestCommand read = world.ReadFixed(10);
        read.MustBe(BlankCheck with { Information = 7 });
        Assert.Equal(data, read.DataIn);
    }

    [Fact]
    public void A_block_of_another_length_among_fixed_ones_does_not_count()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512);
        world.WriteFixed(TapeWorld.Record(1024), 2);
        world.Write(TapeWorld.Record(100, 2));
        world.WriteFixed(TapeWorld.Record(512), 1);
        world.Rewind();
        TestCommand read = world.ReadFixed(4);
        read.MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.None)
        {
            IncorrectLengthIndicator = true,
            Information = 2,
        });
        Assert.Equal(1024 + 100, read.DataIn.Length);
        Assert.Equal(3UL, world.At);
    }

    [Theory]
    [InlineData("08 01 00 00 01 00", 1, 0)]
    [InlineData("08 04 00 00 01 00", 1, 2)]
    public void Fixed_without_a_block_length_is_an_invalid_field(string cdb, int offset, int bit)
    {
        using var world = new TapeWorld();
        world.Execute(cdb).MustBeInvalidInCdb(offset, bit);
    }

    [Fact]
    public void Sili_with_fixed_is_an_invalid_field()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(512);
        world.Execute("08 03 00 00 01 00").MustBeInvalidInCdb(1, 1);
    }

    [Fact]
    public void More_fixed_blocks_than_a_transfer_may_have_are_an_invalid_field()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(1 << 20);
        world.Execute("08 01 00 00 11 00").MustBeInvalidInCdb(2);
    }

    [Fact]
    public void A_damaged_record_is_a_medium_error_there_and_the_next_can_be_read()
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 3; i++)
            world.Write(TapeWorld.Record(100, i));
        world.Medium.Damage(0, 1);
        world.Rewind();
        world.Read(100).MustBeGood();
        world.Read(100).MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError) { Information = 100 });
        Assert.Equal(TapeWorld.Record(100, 2), world.Read(100).DataIn);
    }

    [Fact]
    public void A_damaged_block_among_fixed_ones_leaves_the_data_before_it()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(100);
        byte[] data = TapeWorld.Record(500);
        world.WriteFixed(data, 5);
        world.Medium.Damage(0, 2);
        world.Rewind();
        TestCommand read = world.ReadFixed(5);
        read.MustBe(new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError) { Information = 3 });
        Assert.Equal(data[..200], read.DataIn);
        Assert.Equal(data[300..400], world.ReadFixed(1).DataIn);
    }

    [Fact]
    public void An_initiator_with_less_room_gets_what_it_has_room_for_and_the_record_is_passed()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(1000));
        world.Write(TapeWorld.Record(10, 2));
        world.Rewind();
        TestCommand read = world.Read(1000, room: 400);
        read.MustBeGood();
        Assert.Equal(TapeWorld.Record(1000)[..400], read.DataIn);
        Assert.Equal((600u, true), (read.ResidualBytes, read.IsOverflow));
        Assert.Equal(TapeWorld.Record(10, 2), world.Read(10).DataIn);
    }

    [Fact]
    public void A_read_leases_what_the_record_needs_and_no_more()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Rewind();
        world.Initiator.Port.HoldsAnswers = true;
        world.Read(0xFFFFFF, sili: true).MustBeGood();
        Assert.Equal(4096, world.Target.Executor.Buffers.BytesOut);
        world.Initiator.Port.SendAnswers();
    }

    [Fact]
    public void Read_16_goes_to_where_its_cdb_says()
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 3; i++)
            world.Write(TapeWorld.Record(100, i));
        TestCommand read = world.Execute("88 00 00 00 00 00 00 00 00 00 00 01 00 00 64 00");
        read.MustBeGood();
        Assert.Equal(TapeWorld.Record(100, 1), read.DataIn);
        world.Execute("88 00 00 00 00 00 00 00 00 00 00 09 00 00 64 00").MustBe(BlankCheck);
        world.Execute("88 00 00 01 00 00 00 00 00 00 00 00 00 00 64 00").MustBeInvalidInCdb(3);
    }

    [Theory]
    [InlineData("08 00 00 00 00 00")]
    [InlineData("13 00 00 00 00 00")]
    [InlineData("88 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00")]
    [InlineData("88 01 00 00 00 00 00 00 00 00 00 09 00 00 00 00")]
    [InlineData("8F 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00")]
    [InlineData("8F 03 00 00 00 00 00 00 00 00 00 09 00 00 00 00")]
    public void A_length_of_zero_transfers_nothing_and_moves_nothing_wherever_the_cdb_points(string cdb)
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 3; i++)
            world.Write(TapeWorld.Record(100, i));
        world.SetBlockLength(100);
        world.Execute("2B 00 00 00 00 00 02 00 00 00").MustBeGood();
        TestCommand nothing = world.Execute(cdb);
        nothing.MustBeGood();
        Assert.Empty(nothing.DataIn);
        Assert.Equal(2UL, world.At);
        Assert.Equal(TapeWorld.Record(100, 2), world.ReadFixed(1).DataIn);
    }

    [Fact]
    public void A_store_that_fails_in_an_unknown_way_fails_one_command()
    {
        using var world = new TapeWorld();
        TapeFailure? told = null;
        world.Backend.Failed = failure => told = failure;
        world.Write(TapeWorld.Record(100));
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Rewind().MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { IsDeferred = true });
        Assert.Equal("ABC123L5", told?.Barcode);
        world.Rewind().MustBeGood();
    }
}
