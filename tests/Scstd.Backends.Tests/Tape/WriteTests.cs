using Scstd.Backends.Tape;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>WRITE, WRITE FILEMARKS and ERASE of SSC-4, and the end of a partition.</summary>
public sealed class WriteTests
{
    private const int Record = 100_000;

    private static readonly SenseData ZoneEntered =
        new(SenseKey.NoSense, AdditionalSense.ProgrammableEarlyWarningDetected)
        {
            EndOfMedium = true,
            Information = 0,
        };

    private static readonly SenseData EarlyWarning =
        new(SenseKey.NoSense, AdditionalSense.EndOfPartitionDetected) { EndOfMedium = true, Information = 0 };

    private static readonly SenseData Overflow =
        new(SenseKey.VolumeOverflow, AdditionalSense.EndOfPartitionDetected) { EndOfMedium = true };

    [Fact]
    public void A_write_in_the_middle_ends_the_data_there()
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 4; i++)
            world.Write(TapeWorld.Record(100, i));
        world.Execute("2B 00 00 00 00 00 01 00 00 00").MustBeGood();
        world.Write(TapeWorld.Record(50, 9)).MustBeGood();
        Assert.Equal(SenseKey.BlankCheck, world.Read(50).Sense.Key);
        world.Rewind();
        Assert.Equal(TapeWorld.Record(100, 0), world.Read(100).DataIn);
        Assert.Equal(TapeWorld.Record(50, 9), world.Read(50).DataIn);
    }

    [Fact]
    public void Nothing_to_write_is_good_and_moves_nothing()
    {
        using var world = new TapeWorld();
        world.Execute("0A 00 00 00 00 00").MustBeGood();
        world.SetBlockLength(512);
        world.Execute("0A 01 00 00 00 00").MustBeGood();
        Assert.Equal(0UL, world.At);
    }

    [Fact]
    public void Fixed_without_a_block_length_is_an_invalid_field()
    {
        using var world = new TapeWorld();
        world.Execute("0A 01 00 00 01 00", new byte[512]).MustBeInvalidInCdb(1, 0);
    }

    [Fact]
    public void A_record_longer_than_the_block_limits_is_an_invalid_field()
    {
        using var world = new TapeWorld();
        world.Execute("0A 00 80 00 01 00", new byte[0x800001]).MustBeInvalidInCdb(2);
        Assert.Equal("00 80 00 00 00 01", world.Execute("05 00 00 00 00 00").DataOfGood());
    }

    [Fact]
    public void Less_data_than_a_record_has_is_refused_and_not_written()
    {
        using var world = new TapeWorld();
        TestCommand write = world.Execute("0A 00 00 02 00 00", new byte[100]);
        write.MustBe(SenseData.IllegalRequest(AdditionalSense.InvalidFieldInCommandInformationUnit));
        Assert.Equal(0UL, world.At);
    }

    [Fact]
    public void Behind_early_warning_every_write_is_done_and_says_so_until_the_partition_is_full()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 * Record));
        for (int i = 0; i < 8; i++)
            world.Write(TapeWorld.Record(Record, i)).MustBeGood();
        // A tenth of so small a partition is kept for the end of a volume.
        world.Write(TapeWorld.Record(Record, 8)).MustBe(EarlyWarning);
        world.Write(TapeWorld.Record(Record - 10_000, 9)).MustBe(EarlyWarning);
        world.Marks(1).MustBe(EarlyWarning);
        world.Write(TapeWorld.Record(1000)).MustBe(EarlyWarning);
        world.Write(TapeWorld.Record(Record)).MustBe(Overflow with { Information = Record });
        world.Write(TapeWorld.Record(1000)).MustBe(EarlyWarning);
        Assert.Equal(13UL, world.At);
    }

    [Fact]
    public void A_partition_that_is_full_among_fixed_blocks_tells_how_many_were_not_written()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 * Record));
        world.SetBlockLength(Record);
        world.WriteFixed(TapeWorld.Record(Record * 12), 12).MustBe(Overflow with { Information = 2 });
        Assert.Equal(10UL, world.At);
    }

    [Fact]
    public void As_many_filemarks_are_written_as_are_asked_for()
    {
        using var world = new TapeWorld();
        world.Marks(10_000).MustBeGood();
        Assert.Equal((0, 10_000UL, 10_000UL), world.Position());
    }

    [Fact]
    public void Early_warning_synchronises_what_is_buffered_unless_it_is_told_not_to()
    {
        foreach (bool synchronises in (bool[])[true, false])
        {
            using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 * Record));
            if (!synchronises)
                world.SelectPage("10 0E 00 00 00 00 00 00 40 00 10 00 00 00 00 10").MustBeGood();
            for (int i = 0; i < 10; i++)
                world.Write(TapeWorld.Record(Record, i));
            Assert.Equal(synchronises ? 1 : 0, world.Medium.Synchronizations);
        }
    }

    [Fact]
    public void The_programmable_early_warning_zone_is_told_once_when_it_is_entered()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10_000_000));
        // PEWS: 5 MB before early warning, which is at 9 MB.
        world.SelectPage("50 01 00 1C 00 02 00 05 " + string.Concat(Enumerable.Repeat("00 ", 24))).MustBeGood();
        world.Write(TapeWorld.Record(3_500_000)).MustBeGood();
        world.Write(TapeWorld.Record(1_000_000)).MustBe(ZoneEntered);
        world.Write(TapeWorld.Record(1_000_000)).MustBeGood();
        // BPEW, and behind early warning EOP.
        Assert.StartsWith("01", Hex.Of(world.Execute("34 00 00 00 00 00 00 00 00 00").DataIn));
        world.Write(TapeWorld.Record(3_900_000)).MustBe(EarlyWarning);
        Assert.StartsWith("41", Hex.Of(world.Execute("34 00 00 00 00 00 00 00 00 00").DataIn));
    }

    [Fact]
    public void The_programmable_early_warning_zone_is_told_before_early_warning_itself()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10_000_000));
        world.SelectPage("50 01 00 1C 00 02 00 05 " + string.Concat(Enumerable.Repeat("00 ", 24))).MustBeGood();
        world.Write(TapeWorld.Record(3_500_000)).MustBeGood();
        world.Write(TapeWorld.Record(5_900_000)).MustBe(ZoneEntered);
        world.Write(TapeWorld.Record(100)).MustBe(EarlyWarning);
        // Who leaves it towards the beginning enters it again; who has only been elsewhere in it does not.
        world.Space(0, -1 & 0xFFFFFF).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBe(EarlyWarning);
        world.Rewind();
        world.Space(3, 0);
        world.Write(TapeWorld.Record(100)).MustBe(ZoneEntered);
    }

    // ---- Buffered mode ---------------------------------------------------------------------------------------------

    [Fact]
    public void In_buffered_mode_data_are_synchronised_by_filemarks_and_by_leaving_the_place()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        Assert.Equal(0, world.Medium.Synchronizations);
        world.Marks(1, immediate: true).MustBeGood();
        Assert.Equal(0, world.Medium.Synchronizations);
        world.Marks(0).MustBeGood();
        Assert.Equal(1, world.Medium.Synchronizations);
        world.Marks(1).MustBeGood();
        Assert.Equal(2, world.Medium.Synchronizations);
        world.Rewind();
        Assert.Equal(2, world.Medium.Synchronizations);
        world.Write(TapeWorld.Record(100));
        world.Rewind();
        Assert.Equal(3, world.Medium.Synchronizations);
    }

    [Fact]
    public void Without_buffering_good_means_that_it_is_on_the_medium()
    {
        using var world = new TapeWorld();
        world.Execute("15 10 00 00 04 00", Hex.Bytes("00 00 00 00")).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        Assert.Equal(1, world.Medium.Synchronizations);
    }

    [Fact]
    public void In_buffered_mode_2_another_initiators_data_are_synchronised_first()
    {
        using var world = new TapeWorld();
        world.Execute("15 10 00 00 04 00", Hex.Bytes("00 00 20 00")).MustBeGood();
        world.TakeAttentions();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        Assert.Equal(0, world.Medium.Synchronizations);
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        Assert.Equal(1, world.Medium.Synchronizations);
    }

    [Fact]
    public void Buffered_data_that_cannot_be_written_are_a_deferred_error_of_the_command_that_finds_it()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Execute("11 03 00 00 00 00").MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { IsDeferred = true });
    }

    [Fact]
    public void Who_wrote_what_is_lost_hears_of_it_though_another_found_out()
    {
        using var world = new TapeWorld();
        var lost = new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { IsDeferred = true };
        world.Write(TapeWorld.Record(100));
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Rewind(world.Other).MustBe(lost);
        world.Execute("00 00 00 00 00 00").MustBe(lost);
        world.Execute("00 00 00 00 00 00").MustBeGood();
    }

    [Fact]
    public void A_command_that_is_aborted_before_it_begins_does_nothing()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Rewind();
        world.Reactor.HoldBlocking = true;
        TestCommand write = world.Send("0A 00 00 00 64 00", TapeWorld.Record(100, 2));
        TestCommand read = world.Send("88 00 00 00 00 00 00 00 00 00 00 00 00 00 64 00");
        world.Run();
        world.Initiator.Begin(TaskManagementFunction.AbortTaskSet);
        world.Reactor.HoldBlocking = false;
        world.Run();
        Assert.True(write.WasAborted && read.WasAborted);
        Assert.Equal(TapeWorld.Record(100), world.Read(100).DataIn);
    }

    [Fact]
    public void A_write_that_fails_is_a_current_error_with_what_was_not_written()
    {
        using var world = new TapeWorld();
        world.Medium.WriteFault = new MediumFault(MediumFaultKind.Store, 28);
        world.Write(TapeWorld.Record(100)).MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { Information = 100 });
        world.Write(TapeWorld.Record(100)).MustBeGood();
    }

    [Fact]
    public void With_immed_an_error_is_told_by_the_next_command_of_that_nexus_alone()
    {
        using var world = new TapeWorld();
        world.Execute("2B 01 00 00 00 00 09 00 00 00").MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
        world.Execute("00 00 00 00 00 00").MustBe(
            new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { IsDeferred = true });
        world.Execute("00 00 00 00 00 00").MustBeGood();
    }

    /// <summary>Nothing failed, so no later command has to be told.</summary>
    [Fact]
    public void With_immed_early_warning_is_told_at_once_and_the_next_command_is_done()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 * Record));
        for (int i = 0; i < 9; i++)
            world.Write(TapeWorld.Record(Record, i));
        world.Execute("10 01 00 00 01 00").MustBe(EarlyWarning);
        world.Execute("00 00 00 00 00 00").MustBeGood();
        world.Execute("01 00 00 00 00 00").MustBeGood();
    }

    [Fact]
    public void With_immed_a_write_protected_cartridge_refuses_at_once()
    {
        var medium = new MemoryMedium();
        medium.Description = medium.Description with { IsWriteProtected = true };
        using var world = new TapeWorld(medium);
        TestCommand marks = world.Execute("10 01 00 00 01 00");
        Assert.Equal((SenseKey.DataProtect, false), (marks.Sense.Key, marks.Sense.IsDeferred));
    }

    // ---- What may not be written ------------------------------------------------------------------------------------

    [Fact]
    public void A_write_protected_cartridge_is_not_written_and_mode_sense_says_so()
    {
        var medium = new MemoryMedium();
        medium.Description = medium.Description with { IsWriteProtected = true };
        using var world = new TapeWorld(medium);
        var refused = new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected);
        world.Write(TapeWorld.Record(100)).MustBe(refused);
        world.Marks(1).MustBe(refused);
        world.Execute("19 00 00 00 00 00").MustBe(refused);
        world.Execute("04 00 00 00 00 00").MustBe(refused);
        Assert.Equal(0x90, world.Execute("1A 08 10 00 FF 00").DataIn[2]);
    }

    [Fact]
    public void Software_write_protection_of_the_device_refuses_writes()
    {
        using var world = new TapeWorld();
        world.SelectPage("10 0E 00 00 00 00 00 00 40 00 1C 00 00 00 00 10").MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.LogicalUnitSoftwareWriteProtected)
            {
                Information = 100,
            });
    }

    [Fact]
    public void A_write_that_is_refused_for_protection_sets_its_tapealert_flag()
    {
        var medium = new MemoryMedium();
        medium.Description = medium.Description with { IsWriteProtected = true };
        using var world = new TapeWorld(medium);
        Assert.Empty(world.Alerts());
        world.Write(TapeWorld.Record(100)).MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected));
        Assert.Equal([TapeAlert.WriteProtect], world.Alerts());
    }

    [Fact]
    public void What_is_written_once_may_only_be_appended_to()
    {
        using var world = new TapeWorld(new MemoryMedium(isWorm: true));
        var refused = new SenseData(SenseKey.DataProtect, AdditionalSense.WormMediumOverwriteAttempted);
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Marks(1).MustBeGood();
        world.Rewind();
        world.Write(TapeWorld.Record(100)).MustBe(refused with { Information = 100 });
        world.Marks(2).MustBe(refused with { Information = 2 });
        world.Execute("19 01 00 00 00 00").MustBe(refused);
        world.Execute("04 00 00 00 00 00").MustBe(refused);
        world.Execute("0B 00 00 FF FF 00").MustBe(refused);
        Assert.Equal([TapeAlert.WormOverwriteAttempted], world.Alerts());
        world.Marks(2).MustBe(refused with { Information = 2 });
        world.Space(3, 0).MustBeGood();
        world.Marks(1).MustBeGood();
        // Of the marks that the data ends with all may go but the first.
        world.Space(1, -1 & 0xFFFFFF).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Marks(1).MustBeGood();
        world.Space(1, -1 & 0xFFFFFF).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBe(refused with { Information = 100 });
        // WORMM of Medium Configuration, and WORM MODE FILEMARKS RESTRICTIONS.
        Assert.Equal((1, 2), (world.ModePage(0x1D)[0], world.ModePage(0x1D)[3]));
    }

    [Fact]
    public void A_volume_of_nothing_but_marks_may_be_written_from_its_beginning()
    {
        using var world = new TapeWorld(new MemoryMedium(isWorm: true));
        world.Marks(2).MustBeGood();
        world.Rewind();
        world.Write(TapeWorld.Record(100)).MustBeGood();
    }

    [Fact]
    public void In_append_only_mode_overwriting_must_be_allowed_for_its_very_place()
    {
        using var world = new TapeWorld();
        var refused = new SenseData(SenseKey.DataProtect, AdditionalSense.OperatorSelectedWriteProtect)
        {
            Information = 100,
        };
        world.Execute("82 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBe(
            SenseData.IllegalRequest(AdditionalSense.IllegalWhenNotInAppendOnlyMode));
        world.SelectPage("50 01 00 1C 00 12 " + string.Concat(Enumerable.Repeat("00 ", 26))).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Execute("2B 00 00 00 00 00 01 00 00 00");
        world.Write(TapeWorld.Record(100)).MustBe(refused);
        world.Execute("82 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBe(
            SenseData.IllegalRequest(AdditionalSense.SequentialPositioningError));
        // It holds as long as the position does.
        world.Execute("82 00 01 00 00 00 00 00 00 00 00 01 00 00 00 00").MustBeGood();
        world.Read(100).MustBeGood();
        world.Space(0, -1 & 0xFFFFFF).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBe(refused);
        world.Execute("82 00 01 00 00 00 00 00 00 00 00 01 00 00 00 00").MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Rewind();
        world.Write(TapeWorld.Record(100)).MustBe(refused);
        world.Execute("04 00 00 00 00 00").MustBe(refused with { Information = null });
        world.Execute("82 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00").MustBeGood();
        world.Execute("04 00 00 00 00 00").MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
    }

    [Fact]
    public void A_cartridge_two_generations_old_is_read_and_not_written()
    {
        var medium = new MemoryMedium(densityCode: 0x44);
        using var world = new TapeWorld(medium);
        world.Write(TapeWorld.Record(100)).MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.CannotWriteMediumIncompatibleFormat)
            {
                Information = 100,
            });
        Assert.Equal(SenseKey.BlankCheck, world.Read(100).Sense.Key);
    }

    // ---- ERASE, explicit addresses ----------------------------------------------------------------------------------

    [Theory]
    [InlineData("19 00 00 00 00 00")]
    [InlineData("19 01 00 00 00 00")]
    [InlineData("19 03 00 00 00 00")]
    [InlineData("93 08 00 00 00 00 00 00 00 00 00 01 00 00 00 00")]
    public void Erase_ends_the_data_at_the_position(string erase)
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Write(TapeWorld.Record(100));
        world.Execute("2B 00 00 00 00 00 01 00 00 00");
        world.Execute(erase).MustBeGood();
        Assert.Equal(1UL, world.At);
        Assert.Equal(SenseKey.BlankCheck, world.Read(100).Sense.Key);
        Assert.Equal(1UL, world.Medium.Partitions[0].ObjectCount);
    }

    [Fact]
    public void Write_16_begins_a_sequence_where_it_says_and_the_rest_must_follow()
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 3; i++)
            world.Write(TapeWorld.Record(10, i));
        byte[] record = TapeWorld.Record(10, 7);
        world.Execute("8A 08 00 00 00 00 00 00 00 00 00 01 00 00 0A 00", record).MustBeGood();
        world.Execute("8A 00 00 00 00 00 00 00 00 00 00 02 00 00 0A 00", record).MustBeGood();
        world.Execute("8A 00 00 00 00 00 00 00 00 00 00 02 00 00 0A 00", record).MustBe(
            SenseData.IllegalRequest(AdditionalSense.SequentialPositioningError) with { Information = 10 });
        world.Execute("80 04 00 00 00 00 00 00 00 00 00 03 00 00 01 00").MustBeGood();
        Assert.Equal((0, 4UL, 1UL), world.Position());
    }
}
