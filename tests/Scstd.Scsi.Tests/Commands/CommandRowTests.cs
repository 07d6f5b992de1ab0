using System.Numerics;
using System.Reflection;
using CsCheck;

namespace Scstd.Scsi.Tests;

/// <summary>What every row must keep, and the places where rows differ.</summary>
public sealed class CommandRowTests
{
    /// <summary>The rows of a device type are known beside those of SPC, not beside those of another type.</summary>
    private static readonly Type[] DeviceTypes = [typeof(Sbc), typeof(Smc)];

    public static IReadOnlyList<CommandRow> All { get; } =
        [.. RowsOf(typeof(Spc)).Concat(DeviceTypes.SelectMany(RowsOf)).Distinct()];

    public static TheoryData<string> Names => [.. All.Select(row => row.Name)];

    [Fact]
    public void No_two_rows_of_a_unit_have_one_name_or_one_operation_code_and_service_action()
    {
        Assert.True(All.Count > 70);
        Assert.Equal(All.Count, All.Select(row => row.Name).Distinct().Count());
        foreach (Type type in DeviceTypes)
        {
            CommandRow[] rows = [.. RowsOf(typeof(Spc)), .. RowsOf(type)];
            Assert.Equal(rows.Length, rows.Select(row => (row.OperationCode, row.ServiceAction)).Distinct().Count());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_cdb_is_as_long_as_its_group_code_says(string name)
    {
        CommandRow row = Row(name);
        int expected = (row.OperationCode >> 5) switch { 0 => 6, 1 or 2 => 10, 3 => 32, 4 => 16, _ => 12 };
        Assert.Equal(expected, row.CdbLengthBytes);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Usage_data_begins_with_the_operation_code_and_holds_the_service_action(string name)
    {
        CommandRow row = Row(name);
        Assert.Equal(row.OperationCode, row.Usage[0]);
        if (row.OperationCode == 0x7F)
        {
            Assert.Equal((int)row.ServiceAction!, (row.Usage[8] << 8) | row.Usage[9]);
            Assert.Equal(row.CdbLengthBytes - 8, row.Usage[7]);
        }
        else if (row.ServiceAction is { } action)
        {
            Assert.Equal(action, row.Usage[1] & 0x1F);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Of_the_control_byte_naca_is_looked_at_and_nothing_else(string name)
    {
        CommandRow row = Row(name);
        Assert.Equal(ControlByte.Naca, row.OperationCode == 0x7F ? row.Usage[1] : row.Usage[^1]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_length_is_read_from_bytes_that_are_looked_at(string name)
    {
        CommandRow row = Row(name);
        if (row.TransferLength is not { } length || row.LengthFieldOffset == 0)
        {
            Assert.True(row.TransferLength is null || ReferenceEquals(row, Sbc.ReadCapacity10));
            return;
        }
        Assert.Equal(0xFF, row.Usage[row.LengthFieldOffset]);
        byte[] cdb = [.. row.Usage];
        // With NDOB there is no data.
        if (name is "WRITE SAME (16)" or "WRITE SAME (32)")
            cdb[row.OperationCode == 0x7F ? 10 : 1] &= 0xFE;
        Assert.True(length(cdb, 512) > 0);
        Assert.NotEqual(DataDirection.None, row.Direction);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Ignored_bits_are_not_used_bits(string name)
    {
        CommandRow row = Row(name);
        Assert.All(row.Ignored.Select((ignored, i) => ignored & row.Usage[i]), both => Assert.Equal(0, both));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_length_is_never_negative_and_asking_allocates_nothing(string name)
    {
        CommandRow row = Row(name);
        if (row.TransferLength is not { } length)
        {
            Assert.Equal(0, row.Direction == DataDirection.In ? 1 : 0);
            return;
        }
        Gen.Byte.Array[32].Sample(cdb => Assert.True(length(cdb, 4096) >= 0), iter: 200);
        byte[] one = [.. row.Usage];
        length(one, 512);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            length(one, 512);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData("08 00 00 00 00 00", 256 * 512)]
    [InlineData("08 00 00 00 01 00", 512)]
    [InlineData("28 00 00 00 00 00 00 00 00 00", 0)]
    [InlineData("28 00 00 00 00 00 00 FF FF 00", 65535L * 512)]
    [InlineData("A8 00 00 00 00 00 FF FF FF FF 00 00", uint.MaxValue * 512L)]
    [InlineData("2F 00 00 00 00 00 00 00 08 00", 0)]
    [InlineData("2F 02 00 00 00 00 00 00 08 00", 8 * 512)]
    [InlineData("2F 04 00 00 00 00 00 00 08 00", 0)]
    [InlineData("2F 06 00 00 00 00 00 00 08 00", 512)]
    [InlineData("2F 06 00 00 00 00 00 00 00 00", 0)]
    [InlineData("41 00 00 00 00 00 00 00 08 00", 512)]
    [InlineData("93 00 00 00 00 00 00 00 00 00 00 00 00 08 00 00", 512)]
    [InlineData("93 01 00 00 00 00 00 00 00 00 00 00 00 08 00 00", 0)]
    [InlineData("89 00 00 00 00 00 00 00 00 00 00 00 00 08 00 00", 2 * 8 * 512)]
    [InlineData("3C 02 00 00 00 00 01 02 03 00", 0x010203)]
    [InlineData("25 00 00 00 00 00 00 00 00 00", 8)]
    [InlineData("12 00 00 01 02 00", 0x0102)]
    [InlineData("A0 00 00 00 00 00 00 01 02 03 00 00", 0x010203)]
    public void A_cdb_asks_for_this_many_bytes(string hex, long expected)
    {
        byte[] cdb = Convert.FromHexString(hex.Replace(" ", ""));
        CommandRow row = All.First(r => r.OperationCode == cdb[0]);
        Assert.Equal(expected, row.TransferLength!(cdb, 512));
    }

    [Theory]
    [InlineData("1E 00 00 00 00 00", true)]
    [InlineData("1E 00 00 00 01 00", false)]
    [InlineData("1B 00 00 00 01 00", true)]
    [InlineData("1B 00 00 00 00 00", false)]
    [InlineData("1B 00 00 00 03 00", true)]
    [InlineData("1B 00 00 00 21 00", false)]
    [InlineData("12 00 00 00 00 00", true)]
    [InlineData("A0 00 00 00 00 00 00 00 00 00 00 00", true)]
    [InlineData("03 00 00 00 00 00", true)]
    [InlineData("17 00 00 00 00 00", true)]
    [InlineData("16 00 00 00 00 00", false)]
    [InlineData("00 00 00 00 00 00", false)]
    [InlineData("1A 00 00 00 00 00", false)]
    [InlineData("4D 00 00 00 00 00 00 00 00 00", true)]
    [InlineData("25 00 00 00 00 00 00 00 00 00", true)]
    [InlineData("28 00 00 00 00 00 00 00 00 00", false)]
    public void These_pass_a_reservation_of_another_nexus(string hex, bool allowed)
    {
        byte[] cdb = Convert.FromHexString(hex.Replace(" ", ""));
        CommandRow row = All.First(r => r.OperationCode == cdb[0]);
        Assert.Equal(allowed, row.Has(CommandTraits.AllowedUnderReserve, cdb));
    }

    [Fact]
    public void Only_three_commands_bypass_a_unit_attention() => Assert.Equal(
        ["REQUEST SENSE", "INQUIRY", "REPORT LUNS"],
        All.Where(row => row.Has(CommandTraits.BypassesUnitAttention)).OrderBy(row => row.OperationCode)
            .Select(row => row.Name));

    [Fact]
    public void What_writes_also_sends_data_needs_a_medium_and_conflicts_with_every_reservation() => Assert.All(
        All.Where(row => row.Has(CommandTraits.WritesMedium)),
        row =>
        {
            Assert.Equal(DataDirection.Out, row.Direction);
            Assert.True(row.Has(CommandTraits.NeedsMedium));
            Assert.False(row.Has(CommandTraits.AllowedUnderReserve | CommandTraits.AllowedUnderWriteExclusive |
                CommandTraits.AllowedUnderExclusiveAccess));
        });

    [Theory]
    [InlineData("READ (10)", 1, 0x18)]
    [InlineData("WRITE (16)", 1, 0x18)]
    [InlineData("WRITE AND VERIFY (10)", 1, 0x16)]
    [InlineData("VERIFY (12)", 1, 0x16)]
    [InlineData("READ (32)", 10, 0x18)]
    [InlineData("COMPARE AND WRITE", 1, 0x18)]
    [InlineData("WRITE SAME (16)", 1, 0x09)]
    [InlineData("SYNCHRONIZE CACHE (10)", 1, 0x06)]
    [InlineData("SYNCHRONIZE CACHE (16)", 1, 0x06)]
    [InlineData("START STOP UNIT", 4, 0xF7)]
    [InlineData("MODE SENSE (10)", 1, 0x18)]
    public void The_flags_that_are_looked_at(string name, int offset, byte expected) =>
        Assert.Equal(expected, Row(name).Usage[offset]);

    [Fact]
    public void Usage_marks_whole_fields_of_the_address_and_the_length() => Assert.All(
        All.Where(row => row.Name.StartsWith("READ (", StringComparison.Ordinal) && row.CdbLengthBytes is 16 or 32),
        row => Assert.True(row.Usage.Sum(b => BitOperations.PopCount(b)) >= 96));

    private static IEnumerable<CommandRow> RowsOf(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => field.GetValue(null)).OfType<CommandRow>();

    private static CommandRow Row(string name) => All.Single(row => row.Name == name);
}
