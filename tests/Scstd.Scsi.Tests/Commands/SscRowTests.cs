using System.Reflection;

namespace Scstd.Scsi.Tests;

/// <summary>The rows of SSC-4: byte for byte what REPORT SUPPORTED OPERATION CODES says, and what they have in common.
/// </summary>
public sealed class SscRowTests
{
    private static readonly CommandRow[] All =
    [
        .. typeof(Ssc).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => field.GetValue(null)).OfType<CommandRow>(),
    ];

    public static TheoryData<CommandRow, string> Rows => new()
    {
        { Ssc.Rewind, "01 01 00 00 00 00" },
        { Ssc.FormatMedium, "04 01 0F 00 00 00" },
        { Ssc.ReadBlockLimits, "05 00 00 00 00 00" },
        { Ssc.Read6, "08 03 FF FF FF 00" },
        { Ssc.Write6, "0A 01 FF FF FF 00" },
        { Ssc.SetCapacity, "0B 01 00 FF FF 00" },
        { Ssc.WriteFilemarks6, "10 01 FF FF FF 00" },
        { Ssc.Space6, "11 0F FF FF FF 00" },
        { Ssc.Verify6, "13 07 FF FF FF 00" },
        { Ssc.Erase6, "19 03 00 00 00 00" },
        { Ssc.LoadUnload, "1B 01 00 00 0F 00" },
        { Ssc.PreventAllowMediumRemoval, "1E 00 00 00 03 00" },
        { Ssc.Locate10, "2B 07 00 FF FF FF FF 00 FF 00" },
        { Ssc.ReadPositionShort, "34 00 00 00 00 00 00 00 00 00" },
        { Ssc.ReadPositionVendor, "34 01 00 00 00 00 00 00 00 00" },
        { Ssc.ReadPositionLong, "34 06 00 00 00 00 00 00 00 00" },
        { Ssc.ReadPositionExtended, "34 08 00 00 00 00 00 FF FF 00" },
        { Ssc.ReportDensitySupport, "44 03 00 00 00 00 00 FF FF 00" },
        { Ssc.WriteFilemarks16, "80 0D 00 FF FF FF FF FF FF FF FF FF FF FF FF 00" },
        { Ssc.AllowOverwrite, "82 00 0F FF FF FF FF FF FF FF FF FF 00 00 00 00" },
        { Ssc.Read16, "88 03 00 FF FF FF FF FF FF FF FF FF FF FF FF 00" },
        { Ssc.Write16, "8A 0D 00 FF FF FF FF FF FF FF FF FF FF FF FF 00" },
        { Ssc.ReadAttribute, "8C 1F 00 00 00 FF 00 FF FF FF FF FF FF FF 01 00" },
        { Ssc.WriteAttribute, "8D 01 00 00 00 FF 00 FF 00 00 FF FF FF FF 00 00" },
        { Ssc.Verify16, "8F 07 00 FF FF FF FF FF FF FF FF FF FF FF FF 00" },
        { Ssc.Space16, "91 0F 00 00 FF FF FF FF FF FF FF FF 00 00 00 00" },
        { Ssc.Locate16, "92 3B 01 FF FF FF FF FF FF FF FF FF 00 00 00 00" },
        { Ssc.Erase16, "93 0F 00 FF FF FF FF FF FF FF FF FF 00 00 00 00" },
        { Ssc.SecurityProtocolIn, "A2 FF FF FF 00 00 FF FF FF FF 00 00" },
        { Ssc.SecurityProtocolOut, "B5 FF FF FF 00 00 FF FF FF FF 00 00" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Usage_data_is_as_the_standard_draws_the_cdb(CommandRow row, string usage)
    {
        byte[] own = [.. row.Usage];
        Assert.Equal(ControlByte.Naca, own[^1]);
        own[^1] = 0;
        Assert.Equal(usage, string.Join(' ', own.Select(b => b.ToString("X2"))));
        int expected = (row.OperationCode >> 5) switch { 0 => 6, 1 or 2 => 10, 4 => 16, _ => 12 };
        Assert.Equal(expected, row.CdbLengthBytes);
    }

    [Fact]
    public void No_row_is_missing_here_and_no_two_have_one_name_or_one_code()
    {
        Assert.Equal(All.Length, Rows.Count);
        Assert.Equal(All.Length, All.Select(row => row.Name).Distinct().Count());
        Assert.Equal(All.Length, All.Select(row => (row.OperationCode, row.ServiceAction)).Distinct().Count());
    }

    [Fact]
    public void What_needs_the_medium_runs_alone_and_conflicts_with_every_reservation() => Assert.All(
        All.Where(row => row.Has(CommandTraits.NeedsMedium)),
        row =>
        {
            Assert.True(row.Has(CommandTraits.ChangesUnit));
            Assert.False(row.Has(CommandTraits.AllowedUnderReserve | CommandTraits.AllowedUnderWriteExclusive |
                CommandTraits.AllowedUnderExclusiveAccess));
        });

    [Fact]
    public void Half_of_a_record_is_never_written() =>
        Assert.DoesNotContain(All, row => row.Has(CommandTraits.MayBeCutShort));

    [Theory]
    [InlineData("08 00 00 02 00 00", 0, 512)]
    [InlineData("08 01 00 00 03 00", 100, 300)]
    [InlineData("08 01 00 00 03 00", 0, 0)]
    [InlineData("0A 00 FF FF FF 00", 0, 0xFFFFFF)]
    [InlineData("0A 01 FF FF FF 00", 0xFFFFFF, 0xFFFFFFL * 0xFFFFFF)]
    [InlineData("13 01 00 00 03 00", 100, 0)]
    [InlineData("13 03 00 00 03 00", 100, 300)]
    [InlineData("88 01 00 00 00 00 00 00 00 00 00 01 00 00 03 00", 100, 300)]
    [InlineData("8A 00 00 00 00 00 00 00 00 00 00 01 01 00 03 00", 100, 0x010003)]
    [InlineData("8F 02 00 00 00 00 00 00 00 00 00 01 00 00 03 00", 100, 3)]
    [InlineData("05 00 00 00 00 00", 0, 6)]
    [InlineData("A2 20 00 20 00 00 00 00 20 00 00 00", 0, 0x2000)]
    public void A_cdb_asks_for_this_many_bytes(string hex, int blockLengthBytes, long expected)
    {
        byte[] cdb = Convert.FromHexString(hex.Replace(" ", ""));
        CommandRow row = All.First(r => r.OperationCode == cdb[0]);
        Assert.Equal(expected, row.TransferLength!(cdb, blockLengthBytes));
    }
}
