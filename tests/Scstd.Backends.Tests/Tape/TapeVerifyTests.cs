using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>VERIFY (6) and (16) of SSC-4, and logical block protection.</summary>
public sealed class TapeVerifyTests
{
    [Fact]
    public void Verify_reads_what_is_there_and_stands_behind_it()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Marks(1);
        world.Rewind();
        world.Execute("13 00 00 00 64 00").MustBeGood();
        Assert.Equal(1UL, world.At);
        world.Execute("13 00 00 00 64 00").MustBe(new SenseData(SenseKey.NoSense, AdditionalSense.FilemarkDetected)
        {
            Filemark = true,
            Information = 100,
        });
        world.Execute("13 00 00 00 64 00").MustBe(
            new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { Information = 100 });
        world.Execute("8F 00 00 00 00 00 00 00 00 00 00 00 00 00 50 00").MustBe(
            new SenseData(SenseKey.NoSense, AdditionalSense.None)
            {
                IncorrectLengthIndicator = true,
                Information = unchecked((ulong)-20L),
            });
    }

    [Fact]
    public void Without_a_transfer_more_may_be_verified_than_a_transfer_may_have()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(1 << 20);
        world.Execute("13 01 00 00 20 00").MustBe(
            new SenseData(SenseKey.BlankCheck, AdditionalSense.EndOfDataDetected) { Information = 32 });
        world.Execute("13 03 00 00 20 00", new byte[1 << 20]).MustBeInvalidInCdb(2);
    }

    [Fact]
    public void Bytcmp_compares_with_what_the_initiator_gives()
    {
        using var world = new TapeWorld();
        world.SetBlockLength(100);
        byte[] data = TapeWorld.Record(300);
        world.WriteFixed(data, 3);
        world.Rewind();
        world.Execute("13 03 00 00 03 00", data).MustBeGood();
        world.Rewind();
        data[250] ^= 1;
        world.Execute("13 03 00 00 03 00", data).MustBe(
            new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify) { Information = 1 });
    }

    [Fact]
    public void A_damaged_record_is_found_by_verify()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100));
        world.Medium.Damage(0, 0);
        world.Rewind();
        Assert.Equal(SenseKey.MediumError, world.Execute("13 00 00 00 64 00").Sense.Key);
    }

    // ---- Logical block protection ----------------------------------------------------------------------------------

    [Fact]
    public void Protected_records_carry_a_crc_both_ways_and_not_on_the_medium()
    {
        using var world = new TapeWorld();
        Protect(world, 0xC0).MustBeGood();
        // CRC32C of 32 zeros is 8A9136AAh (RFC 3720, B.4), least significant byte first on the wire.
        byte[] record = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8A];
        world.Write(record).MustBeGood();
        Assert.Equal(32UL, world.Medium.Position.BytesBefore);
        world.Rewind();
        Assert.Equal(record, world.Read(36).DataIn);
        world.Rewind();
        Assert.Equal(unchecked((ulong)-4L), world.Read(32).Sense.Information);
    }

    [Fact]
    public void A_record_whose_crc_is_wrong_is_not_written()
    {
        using var world = new TapeWorld();
        Protect(world, 0x80).MustBeGood();
        world.SetBlockLength(36);
        byte[] good = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8A];
        byte[] bad = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8B];
        world.WriteFixed([.. good, .. bad, .. good], 3).MustBe(
            new SenseData(SenseKey.AbortedCommand, AdditionalSense.LogicalBlockGuardCheckFailed) { Information = 2 });
        Assert.Equal(1UL, world.At);
    }

    [Fact]
    public void Only_writes_or_only_reads_may_be_protected()
    {
        using var world = new TapeWorld();
        Protect(world, 0x40).MustBeGood();
        world.Write(new byte[32]).MustBeGood();
        world.Rewind();
        Assert.Equal(Hex.Bytes("AA 36 91 8A"), world.Read(36).DataIn[32..]);
        Protect(world, 0x00).MustBe(SenseData.InvalidFieldInParameterList(9, 5));
        world.SelectPage("4A F0 00 1C 00 00 00 " + string.Concat(Enumerable.Repeat("00 ", 25))).MustBeGood();
        world.Rewind();
        Assert.Equal(new byte[32], world.Read(32).DataIn);
    }

    [Theory]
    [InlineData("01 04 C0", 8, null)]
    [InlineData("02 08 C0", 9, 5)]
    [InlineData("00 00 80", 10, 7)]
    public void Another_method_or_length_is_refused(string values, int offset, int? bit)
    {
        using var world = new TapeWorld();
        world.SelectPage($"4A F0 00 1C {values} " + string.Concat(Enumerable.Repeat("00 ", 25)))
            .MustBe(SenseData.InvalidFieldInParameterList(offset, bit));
    }

    private static TestCommand Protect(TapeWorld world, byte flags) => world.SelectPage(
        $"4A F0 00 1C {(flags == 0 ? "00" : "02")} 04 {flags:X2} " + string.Concat(Enumerable.Repeat("00 ", 25)));
}
