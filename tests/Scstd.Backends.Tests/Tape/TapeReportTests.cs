using System.Buffers.Binary;
using System.Text;
using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>What a drive tells: INQUIRY, densities, log pages, medium auxiliary memory.</summary>
public sealed class TapeReportTests
{
    [Fact]
    public void Inquiry_tells_a_removable_sequential_access_device()
    {
        using var world = new TapeWorld();
        byte[] inquiry = world.Execute("12 00 00 00 60 00").DataIn;
        Assert.Equal((0x01, 0x80), (inquiry[0], inquiry[1]));
        Assert.Equal("SCSTD   ULTRIUM-TD5     0001", Encoding.ASCII.GetString(inquiry, 8, 28));
        Assert.Equal("01 B0 00 02 01 00", world.Execute("12 01 B0 00 FF 00").DataOfGood());
        Assert.Equal(
            "01 B1 00 0A " + Hex.Ascii("DRIVE00001"), world.Execute("12 01 B1 00 FF 00").DataOfGood());
        Assert.Equal("01 B2 00 08 0C F0 00 00 00 00 00 10", world.Execute("12 01 B2 00 FF 00").DataOfGood());
    }

    [Fact]
    public void Report_density_support_tells_what_the_drive_can_do()
    {
        using var world = new TapeWorld();
        byte[] answer = world.Execute("44 00 00 00 00 00 00 04 00 00").DataIn;
        Assert.Equal((3 * 52) + 2, BinaryPrimitives.ReadUInt16BigEndian(answer));
        Assert.Equal("44 44 00", Hex.Of(answer[4..7]));
        Assert.Equal("46 46 80", Hex.Of(answer[56..59]));
        Assert.Equal(
            "58 58 A0 00 00 00 3B 26 00 7F 05 00 00 16 E3 60 " + Hex.Ascii("LTO-CVE U-516   Ultrium 5/16T       "),
            Hex.Of(answer[108..]));
        Assert.Equal(30, world.Execute("44 00 00 00 00 00 00 00 1E 00").DataIn.Length);
    }

    [Fact]
    public void Report_density_support_of_the_medium_tells_its_own()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 5_000_000, densityCode: 0x46));
        byte[] answer = world.Execute("44 01 00 00 00 00 00 04 00 00").DataIn;
        Assert.Equal("00 36 00 00 46 46 A0", Hex.Of(answer[..7]));
        Assert.Equal(5, BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(16)));
        byte[] type = world.Execute("44 03 00 00 00 00 00 04 00 00").DataIn;
        Assert.Equal("00 3A 00 00 48 00 00 34 01 46", Hex.Of(type[..10]));
        Assert.Equal((6 * 56) + 4, world.Execute("44 02 00 00 00 00 00 04 00 00").DataIn.Length);
    }

    [Fact]
    public void There_is_no_buffer_to_read_and_it_says_so()
    {
        using var world = new TapeWorld();
        Assert.Equal("00 00 00 00", world.Execute("3C 03 01 00 00 00 00 00 04 00").DataOfGood());
        Assert.Empty(world.Execute("3C 02 01 00 00 00 00 10 00 00").DataIn);
        world.Execute("3C 0A 00 00 00 00 00 00 04 00").MustBeInvalidInCdb(1, 4);
    }

    [Theory]
    [InlineData("IBM", true)]
    [InlineData("HP", false)]
    public void A_drive_of_ibms_name_takes_its_vendors_page_that_asks_for_a_dump(string vendor, bool takes)
    {
        using var world = new TapeWorld(vendor: vendor);
        byte[] page = Hex.Bytes("80 00 00 04 01 60 00 00");
        TestCommand command = world.Execute("1D 10 00 00 08 00", page);
        if (takes)
            command.MustBeGood();
        else
            command.MustBe(SenseData.InvalidFieldInParameterList(0));
        world.Execute("1D 10 00 00 07 00", page[..7]).MustBe(takes
            ? SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError)
            : SenseData.InvalidFieldInParameterList(0));
        world.Execute("1D 10 00 00 04 00", Hex.Bytes("81 00 00 00")).MustBe(SenseData.InvalidFieldInParameterList(0));
    }

    [Theory]
    [InlineData(0x19, 28_800)]
    [InlineData(0x0A, 1500)]
    [InlineData(0x12, 60)]
    public void A_drive_recommends_how_long_to_wait(byte operationCode, uint seconds)
    {
        using var world = new TapeWorld();
        byte[] answer = world.Execute($"A3 0C 81 {operationCode:X2} 00 00 00 00 04 00 00 00").DataIn;
        Assert.Equal(seconds, BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan()[^4..]));
    }

    // ---- Log pages -------------------------------------------------------------------------------------------------

    [Fact]
    public void The_list_of_log_pages_names_each_that_can_be_read()
    {
        using var world = new TapeWorld();
        byte[] pages = world.Execute("4D 00 40 00 00 00 00 04 00 00").DataIn[4..];
        Assert.Equal("00 02 03 06 0C 11 12 14 17 1B 2E 2F 31", Hex.Of(pages));
        foreach (byte page in pages)
        {
            byte[] answer = world.Execute($"4D 00 {0x40 | page:X2} 00 00 00 00 10 00 00").DataIn;
            Assert.Equal(page, answer[0] & 0x3F);
            Assert.Equal(answer.Length - 4, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(2)));
        }
    }

    [Fact]
    public void Traffic_is_counted_as_it_was()
    {
        using var world = new TapeWorld();
        world.SelectPage("0F 0E C0 80 00 00 00 01 00 00 00 01 00 00 00 00").MustBeGood();
        world.Medium.CompressionRatio = 2;
        for (int i = 0; i < 3; i++)
            world.Write(TapeWorld.Record(1000, i));
        world.Rewind();
        world.Read(1000);
        Assert.Equal([3000UL, 1500UL, 500UL, 1000UL], Counters(world, 0x0C)[..4]);
        Assert.Equal([0UL, 3000UL, 0UL], Counters(world, 0x02));
        Assert.Equal(
            [200UL, 200UL, 0UL, 1000UL, 0UL, 500UL, 0UL, 3000UL, 0UL, 1500UL, 1UL], Counters(world, 0x1B));
    }

    [Fact]
    public void Errors_are_counted_and_set_a_tapealert_flag_that_is_told_once()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Medium.Damage(0, 0);
        world.Rewind();
        world.Read(10);
        world.Execute("1E 00 00 00 01 00");
        world.Execute("1B 00 00 00 00 00");
        Assert.Equal([0UL, 0UL, 1UL], Counters(world, 0x03));
        ulong[] flags = Counters(world, 0x2E);
        Assert.Equal([5, 10], Enumerable.Range(1, 64).Where(number => flags[number - 1] != 0));
        Assert.All(Counters(world, 0x2E), flag => Assert.Equal(0UL, flag));
        Assert.Equal(1, Parameters(world.Execute("4D 00 6E 00 00 00 00 10 00 00", from: world.Other).DataIn)[5][0]);
        world.Execute("4C 02 03 00 00 00 00 00 00 00").MustBeGood();
        Assert.Equal([0UL, 0UL, 0UL], Counters(world, 0x03));
        world.Execute("4D 00 43 00 00 00 00 10 00 00", from: world.Other).MustBe(
            SenseData.UnitAttention(AdditionalSense.LogParametersChanged));
    }

    [Fact]
    public void A_tapealert_flag_stays_until_its_whole_page_is_taken()
    {
        using var world = new TapeWorld();
        world.Execute("1E 00 00 00 01 00");
        world.Execute("1B 00 00 00 00 00");
        world.Execute("4D 00 6E 00 00 00 00 00 04 00").MustBeGood();
        world.Execute("4D 00 6E 00 00 00 0B 10 00 00").MustBeGood();
        Assert.Equal(1UL, Counters(world, 0x2E)[9]);
        Assert.Equal(0UL, Counters(world, 0x2E)[9]);
    }

    [Fact]
    public void The_volume_change_reference_grows_with_the_first_write_after_each_load()
    {
        using var world = new TapeWorld();
        const string Reference = "8C 00 00 00 00 00 00 00 00 09 00 00 00 0D 00 00";
        Assert.EndsWith("00 00 00 00", Hex.Of(world.Execute(Reference).DataIn));
        world.Write(TapeWorld.Record(10));
        world.Write(TapeWorld.Record(10));
        Assert.EndsWith("00 00 00 01", Hex.Of(world.Execute(Reference).DataIn));
        world.Insert(world.Remove()!);
        world.TakeAttentions();
        world.Marks(1);
        Assert.EndsWith("00 00 00 02", Hex.Of(world.Execute(Reference).DataIn));
    }

    [Fact]
    public void What_follows_a_volume_change_reference_that_was_told_is_another_and_is_kept_before_the_change()
    {
        using var world = new TapeWorld();
        const string Reference = "8C 00 00 00 00 00 00 00 00 09 00 00 00 0D 00 00";
        foreach (Action change in (Action[])
            [
                () => world.Write(TapeWorld.Record(10)).MustBeGood(),
                () => world.Marks(1, immediate: true).MustBeGood(),
                () => world.Execute("19 00 00 00 00 00").MustBeGood(),
                () => { world.Rewind(); world.Execute("04 00 00 00 00 00").MustBeGood(); },
            ])
        {
            byte[] told = world.Execute(Reference).DataIn[^4..];
            change();
            // As a crash would leave it, whether what was written is there or not.
            ulong kept = world.Medium.KeptStatistics[TapeCounts.ChangesName];
            Assert.True(kept > BinaryPrimitives.ReadUInt32BigEndian(told));
            Assert.Equal(kept, BinaryPrimitives.ReadUInt32BigEndian(world.Execute(Reference).DataIn.AsSpan()[^4..]));
            world.Rewind();
            world.Read(10);
            Assert.Equal(kept, BinaryPrimitives.ReadUInt32BigEndian(world.Execute(Reference).DataIn.AsSpan()[^4..]));
        }
    }

    [Fact]
    public void A_change_reference_that_cannot_be_kept_keeps_the_change_away()
    {
        using var world = new TapeWorld();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 28);
        Assert.Equal(SenseKey.MediumError, world.Write(TapeWorld.Record(10)).Sense.Key);
        Assert.Equal(0UL, world.Medium.Partitions[0].ObjectCount);
        world.Medium.SynchronizeFault = null;
        world.Write(TapeWorld.Record(10)).MustBeGood();
        Assert.True(world.Medium.KeptStatistics[TapeCounts.ChangesName] > 0);
    }

    [Fact]
    public void Capacity_is_told_as_it_is()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 << 20));
        world.Write(TapeWorld.Record(3 << 20));
        Assert.Equal([7UL, 0UL, 10UL, 0UL], Counters(world, 0x31));
        world.Remove();
        Assert.Equal([0UL, 0UL, 0UL, 0UL], Counters(world, 0x31));
        Assert.Equal([0UL], Counters(world, 0x17));
    }

    [Fact]
    public void Volume_statistics_go_with_the_cartridge()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10_000_000));
        world.Write(TapeWorld.Record(3_000_000));
        ITapeMedium medium = world.Remove()!;
        using var second = new TapeWorld((MemoryMedium)medium);
        byte[] page = second.Execute("4D 00 57 00 00 00 00 10 00 00").DataIn;
        Dictionary<int, byte[]> parameters = Parameters(page);
        Assert.Equal(1, parameters[0x0000][0]);
        Assert.Equal("00 00 00 02", Hex.Of(parameters[0x0001]));
        Assert.Equal("00 00 00 00 00 00 00 03", Hex.Of(parameters[0x0010]));
        Assert.Equal("00 00 00 0A", Hex.Of(parameters[0x0016]));
        Assert.StartsWith("ABC123L5", Encoding.ASCII.GetString(parameters[0x0042]));
        Assert.Equal("07 00 00 00 00 00 00 0A", Hex.Of(parameters[0x0202]));
        Assert.Equal("07 00 00 00 00 00 00 03", Hex.Of(parameters[0x0203]));
        // Up to early warning, which is at 9 MB.
        Assert.Equal("07 00 00 00 00 00 00 06", Hex.Of(parameters[0x0204]));
        Assert.Equal("Ultrium-5", Encoding.ASCII.GetString(parameters[0x0045]));
    }

    [Fact]
    public void The_places_of_a_partition_are_told_in_megabytes()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10_000_000));
        world.Write(TapeWorld.Record(3_000_000));
        world.Write(TapeWorld.Record(2_000_000));
        world.Execute("2B 00 00 00 00 00 01 00 00 00").MustBeGood();
        Assert.Equal([5UL, 9UL, 1UL, 3UL, 0UL], Counters(world, 0x0C)[4..]);
        world.Remove();
        Assert.Equal(
            Enumerable.Repeat(uint.MaxValue, 4), Counters(world, 0x0C)[4..8].Select(one => (uint)one));
    }

    [Fact]
    public void The_tapealert_response_has_all_flags_at_once_and_keeps_them()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Medium.Damage(0, 0);
        world.Rewind();
        world.Read(10);
        // Flag 5, read failure, is bit 3 of the first byte.
        const string Response = "92 00 00 0C 00 00 23 08 08 00 00 00 00 00 00 00";
        Assert.Equal(Response, Hex.Of(Log(world, 0x12)));
        Assert.Equal(Response, Hex.Of(Log(world, 0x12)));
        Assert.Equal(1UL, Counters(world, 0x2E)[4]);
    }

    [Fact]
    public void Device_statistics_tell_what_is_known_of_the_drive()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(10));
        world.Medium.Damage(0, 0);
        world.Rewind();
        world.Read(10);
        world.Execute("1E 00 00 00 01 00");
        Dictionary<int, byte[]> parameters = Parameters(Log(world, 0x14));
        Assert.Equal("00 00 00 01", Hex.Of(parameters[0x000D]));
        Assert.Equal("00 00 00 00", Hex.Of(parameters[0x000E]));
        Assert.Equal("00 00 00 01", Hex.Of(parameters[0x000F]));
        Assert.Equal("DRIVE00001", Encoding.ASCII.GetString(parameters[0x0041]));
        Assert.Equal(1, parameters[0x0080][0]);
    }

    [Fact]
    public void Device_status_tells_where_the_cartridge_is()
    {
        using var world = new TapeWorld();
        Assert.Equal("21 17", Hex.Of(Parameters(Log(world, 0x11))[0][..2]));
        world.Execute("1B 00 00 00 00 00");
        Assert.Equal("21 30", Hex.Of(Parameters(Log(world, 0x11))[0][..2]));
        world.Remove();
        Assert.Equal("01 00", Hex.Of(Parameters(Log(world, 0x11))[0][..2]));
    }

    // ---- Medium auxiliary memory ------------------------------------------------------------------------------------

    [Fact]
    public void A_host_attribute_is_kept_replaced_and_taken_away()
    {
        using var world = new TapeWorld();
        string name = Hex.Ascii("LTFS".PadRight(32));
        WriteAttributes(world, "08 00 01 00 08 " + Hex.Ascii("IBM     ") + " 08 01 01 00 20 " + name).MustBeGood();
        byte[] values = world.Execute("8C 00 00 00 00 00 00 00 08 00 00 00 04 00 00 00").DataIn;
        Assert.Equal(
            "00 00 00 32 08 00 01 00 08 " + Hex.Ascii("IBM     ") + " 08 01 01 00 20 " + name, Hex.Of(values));
        // PARAMETER DATA LENGTH that counts itself, too.
        byte[] counted = Hex.Bytes("00 00 00 11 08 00 01 00 08 " + Hex.Ascii("IBM     "));
        world.Execute("8D 01 00 00 00 00 00 00 00 00 00 00 00 11 00 00", counted).MustBeGood();
        counted[3]++;
        world.Execute("8D 01 00 00 00 00 00 00 00 00 00 00 00 11 00 00", counted).MustBe(
            SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError));
        // Who asks for one that is not there gets no other instead.
        world.Execute("8C 00 00 00 00 00 00 00 08 02 00 00 04 00 00 00").MustBeInvalidInCdb(8);
        world.Execute("8C 01 00 00 00 00 00 00 05 00 00 00 04 00 00 00").MustBeInvalidInCdb(8);
        world.Execute("8C 05 00 00 00 00 00 00 08 02 00 00 04 00 00 00").MustBeGood();
        WriteAttributes(world, "08 00 01 00 08 " + Hex.Ascii("OTHER   ")).MustBeGood();
        WriteAttributes(world, "08 01 01 00 00").MustBeGood();
        Assert.Equal(
            "00 00 00 0D 08 00 01 00 08 " + Hex.Ascii("OTHER   "),
            world.Execute("8C 00 00 00 00 00 00 00 08 00 00 00 04 00 00 00").DataOfGood());
        Assert.Equal(
            "00 00 00 02 08 00", world.Execute("8C 01 00 00 00 00 00 00 08 00 00 00 04 00 00 00").DataOfGood());
    }

    [Fact]
    public void What_the_device_knows_it_tells_in_the_order_of_the_identifiers()
    {
        using var world = new TapeWorld(new MemoryMedium(capacityBytes: 10 << 20));
        world.Write(TapeWorld.Record(3 << 20));
        byte[] values = world.Execute("8C 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00").DataIn;
        var attributes = new Dictionary<int, byte[]>();
        for (int at = 4; at < values.Length;)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(values.AsSpan(at + 3));
            attributes.Add(
                BinaryPrimitives.ReadUInt16BigEndian(values.AsSpan(at)), values[(at + 5)..(at + 5 + length)]);
            Assert.Equal(0x80, values[at + 2] & 0x80);
            at += 5 + length;
        }
        Assert.Equal(attributes.Keys.Order(), attributes.Keys);
        Assert.Equal(7, attributes[0x0000][7]);
        Assert.Equal(10, attributes[0x0001][7]);
        Assert.Equal(1, attributes[0x0003][7]);
        Assert.Equal([0x58], attributes[0x0405]);
        Assert.StartsWith("ABC123L5", Encoding.ASCII.GetString(attributes[0x0008]));
        Assert.Equal("00 02 00 01", world.Execute("8C 02 00 00 00 00 00 00 00 00 00 00 04 00 00 00").DataOfGood());
        Assert.Equal("00 02 00 01", world.Execute("8C 03 00 00 00 00 00 00 00 00 00 00 04 00 00 00").DataOfGood());
        world.Execute("8C 05 00 00 00 00 00 00 00 00 00 00 04 00 00 00").MustBeGood();
    }

    [Theory]
    [InlineData("00 03 00 00 08 00 00 00 00 00 00 00 01", 4)]
    [InlineData("04 00 01 00 08 20 20 20 20 20 20 20 20", 4)]
    [InlineData("08 00 01 00 07 20 20 20 20 20 20 20", 7)]
    [InlineData("08 00 00 00 08 20 20 20 20 20 20 20 20", 7)]
    [InlineData("08 02 01 00 08 20 20 20 20 20 20 20 20 08 00 01 00 08 20 20 20 20 20 20 20 20", 17)]
    public void Attributes_that_are_not_the_hosts_or_have_a_wrong_length_are_refused(string attributes, int offset)
    {
        using var world = new TapeWorld();
        WriteAttributes(world, attributes).MustBe(SenseData.InvalidFieldInParameterList(offset));
        Assert.Empty(world.Medium.Attributes(0));
    }

    [Fact]
    public void A_list_of_attributes_that_ends_too_early_is_a_length_error()
    {
        using var world = new TapeWorld();
        SenseData expected = SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);
        world.Execute("8D 00 00 00 00 00 00 00 00 00 00 00 00 03 00 00", new byte[3]).MustBe(expected);
        world.Execute("8D 00 00 00 00 00 00 00 00 00 00 00 00 04 00 00", Hex.Bytes("00 00 00 0D")).MustBe(expected);
        WriteAttributes(world, "08 00 01 00").MustBe(expected);
        WriteAttributes(world, "08 00 01 00 08 20").MustBe(expected);
        WriteAttributes(world, "").MustBeGood();
        world.Execute("8D 00 00 00 00 00 00 00 00 00 00 00 40 05 00 00", new byte[0x4005]).MustBeInvalidInCdb(10);
    }

    [Fact]
    public void The_memory_of_a_write_protected_cartridge_is_not_written()
    {
        var medium = new MemoryMedium();
        medium.Description = medium.Description with { IsWriteProtected = true };
        using var world = new TapeWorld(medium);
        WriteAttributes(world, "08 05 00 00 01 00").MustBe(
            new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected));
    }

    [Fact]
    public void The_memory_has_an_end()
    {
        using var world = new TapeWorld();
        string big = "03 E8 " + string.Concat(Enumerable.Repeat("55 ", 1000));
        TestCommand last = world.Execute("00 00 00 00 00 00");
        for (int i = 0; i < 17; i++)
            last = WriteAttributes(world, $"14 {i:X2} 00 {big}");
        last.MustBe(SenseData.IllegalRequest(AdditionalSense.AuxiliaryMemoryOutOfSpace));
        WriteAttributes(world, $"14 00 00 {big}").MustBeGood();
    }

    [Theory]
    [InlineData("8C 04 00 00 00 00 00 00 00 00 00 00 04 00 00 00", 1, 4)]
    [InlineData("8C 00 00 00 00 01 00 00 00 00 00 00 04 00 00 00", 5, null)]
    [InlineData("8C 00 00 00 00 00 00 01 00 00 00 00 04 00 00 00", 7, null)]
    public void Another_action_volume_or_partition_is_an_invalid_field(string cdb, int offset, int? bit)
    {
        using var world = new TapeWorld();
        world.Execute(cdb).MustBeInvalidInCdb(offset, bit);
    }

    private static TestCommand WriteAttributes(TapeWorld world, string attributes)
    {
        byte[] values = Hex.Bytes(attributes);
        byte[] list = [0, 0, (byte)(values.Length >> 8), (byte)values.Length, .. values];
        return world.Execute(
            $"8D 00 00 00 00 00 00 00 00 00 00 00 {list.Length >> 8:X2} {list.Length & 0xFF:X2} 00 00", list);
    }

    private static byte[] Log(TapeWorld world, int page) =>
        world.Execute($"4D 00 {0x40 | page:X2} 00 00 00 00 10 00 00").DataIn;

    private static Dictionary<int, byte[]> Parameters(byte[] page)
    {
        var parameters = new Dictionary<int, byte[]>();
        for (int at = 4; at < page.Length; at += 4 + page[at + 3])
        {
            parameters.Add(
                BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(at)), page[(at + 4)..(at + 4 + page[at + 3])]);
        }
        return parameters;
    }

    private static ulong[] Counters(TapeWorld world, int page) =>
    [
        .. Parameters(Log(world, page)).Values.Select(value => value.Aggregate(0UL, (sum, one) => (sum << 8) | one)),
    ];
}
