using Scstd.Backends.Tape;
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
        world.Execute("13 00 00 00 64 00").MustBe(
            new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError) { Information = 100 });
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
    public void The_other_method_is_the_reed_solomon_code_of_lto_with_its_first_byte_first()
    {
        using var world = new TapeWorld();
        world.SelectPage("4A F0 00 1C 01 04 C0 " + string.Concat(Enumerable.Repeat("00 ", 25))).MustBeGood();
        // The check of one byte of value 1 is the generator itself, of 2 twice that over GF(256).
        foreach (string record in (string[])["01 38 CF 38 01", "02 70 83 70 02", "00 01 38 CF 38 01"])
        {
            world.Rewind();
            byte[] bytes = Hex.Bytes(record);
            world.Write(bytes).MustBeGood();
            world.Rewind();
            Assert.Equal(bytes, world.Read(bytes.Length).DataIn);
        }
        world.Rewind();
        world.Write(Hex.Bytes("01 38 CF 38 00")).MustBe(
            new SenseData(SenseKey.HardwareError, AdditionalSense.LogicalBlockGuardCheckFailed) { Information = 5 });
        // A code word leaves no remainder: the check of a block with its own check is zero.
        byte[] long1 = [.. TapeWorld.Record(100_000)];
        uint check = ReedSolomonCheck.Append(0, long1);
        byte[] whole = [.. long1, (byte)(check >> 24), (byte)(check >> 16), (byte)(check >> 8), (byte)check];
        Assert.Equal(0u, ReedSolomonCheck.Append(0, whole));
        world.Write(whole).MustBeGood();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Of_a_check_that_has_no_room_there_is_as_much_as_there_is_room_for(int roomBytes)
    {
        using var world = new TapeWorld();
        // A buffer that was somebody else's before.
        world.Write([.. Enumerable.Repeat((byte)0xEE, 64)]).MustBeGood();
        world.Rewind();
        world.Read(64);
        world.Rewind();
        Protect(world, 0xC0).MustBeGood();
        byte[] record = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8A];
        world.Write(record).MustBeGood();
        world.Rewind();
        TestCommand read = world.Read(32 + roomBytes);
        Assert.Equal(record[..(32 + roomBytes)], read.DataIn);
        Assert.Equal(unchecked((ulong)(roomBytes - 4L)), read.Sense.Information);
    }

    [Fact]
    public void Each_nexus_says_for_itself_what_it_sends_and_wants()
    {
        using var world = new TapeWorld();
        Protect(world, 0xC0).MustBeGood();
        world.Execute("00 00 00 00 00 00", from: world.Other).MustBeGood();
        world.Write(new byte[32], world.Other).MustBeGood();
        world.Rewind(world.Other);
        Assert.Equal(new byte[32], world.Read(32, world.Other).DataIn);
        Assert.Equal("00 00 00", Hex.Of(ProtectionOf(world, world.Other)));
        Assert.Equal("02 04 C0", Hex.Of(ProtectionOf(world, world.Initiator)));
        world.Rewind();
        Assert.Equal(36, world.Read(36).DataIn.Length);
        // Mode page policy: 0Ah/F0h for each nexus, the others shared.
        Assert.Equal(
            "01 87 00 08 0A F0 03 00 3F FF 00 00", world.Execute("12 01 87 00 FF 00").DataOfGood());
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.TakeAttentions();
        Assert.Equal("00 00 00", Hex.Of(ProtectionOf(world, world.Initiator)));
    }

    [Fact]
    public void Inquiry_tells_that_blocks_can_be_protected_and_how()
    {
        using var world = new TapeWorld();
        Assert.Equal(0x01, world.Execute("12 00 00 00 FF 00").DataIn[5] & 0x01);
        Assert.Equal(0x08, world.Execute("12 01 86 00 FF 00").DataIn[4] & 0x38);
        Assert.Equal(
            "01 B5 00 18 07 00 00 00 00 00 00 00 07 01 04 C0 00 00 00 00 07 02 04 C0 00 00 00 00",
            world.Execute("12 01 B5 00 FF 00").DataOfGood());
    }

    private static byte[] ProtectionOf(TapeWorld world, TestInitiator initiator) =>
        world.Execute("5A 08 0A F0 00 00 00 04 00 00", from: initiator).DataIn[12..15];

    [Fact]
    public void A_record_whose_crc_is_wrong_is_not_written()
    {
        using var world = new TapeWorld();
        Protect(world, 0x80).MustBeGood();
        world.SetBlockLength(36);
        byte[] good = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8A];
        byte[] bad = [.. new byte[32], 0xAA, 0x36, 0x91, 0x8B];
        world.WriteFixed([.. good, .. bad, .. good], 3).MustBe(
            new SenseData(SenseKey.HardwareError, AdditionalSense.LogicalBlockGuardCheckFailed) { Information = 2 });
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
    [InlineData("03 04 C0", 8, null)]
    [InlineData("01 00 C0", 9, 5)]
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
