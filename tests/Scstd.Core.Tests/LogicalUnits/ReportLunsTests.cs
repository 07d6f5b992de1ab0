using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>REPORT LUNS, SPC-4 §6.33, and the answers for LUNs without a unit, SAM-5 §5.11.</summary>
public sealed class ReportLunsTests : IDisposable
{
    private const string Lun3 = "00 03 00 00 00 00 00 00";
    private const string Lun255 = "00 FF 00 00 00 00 00 00";
    private const string Lun256 = "41 00 00 00 00 00 00 00";
    private const string WellKnown = "C1 01 00 00 00 00 00 00";
    private static readonly Lun Missing = Lun.FromNumber(7);

    private readonly TestTarget _target = new(
        (256, new TestBackend()), (3, new TestBackend()), (255, new TestBackend()));

    private readonly TestInitiator _initiator;

    public ReportLunsTests() => _initiator = _target.Login();

    public void Dispose() => _target.Dispose();

    [Theory]
    [InlineData("00", $"00 00 00 18 00 00 00 00 {Lun3} {Lun255} {Lun256}")]
    [InlineData("01", $"00 00 00 08 00 00 00 00 {WellKnown}")]
    [InlineData("02", $"00 00 00 20 00 00 00 00 {Lun3} {Lun255} {Lun256} {WellKnown}")]
    [InlineData("10", "00 00 00 00 00 00 00 00")]
    [InlineData("11", $"00 00 00 18 00 00 00 00 {Lun3} {Lun255} {Lun256}")]
    [InlineData("12", "00 00 00 00 00 00 00 00")]
    public void Every_select_code_gives_its_units_whoever_is_asked(string select, string expected)
    {
        byte[] cdb = Hex.Bytes($"A0 00 {select} 00 00 00 00 00 01 00 00 00");
        Assert.Equal(expected, _initiator.ExecuteOn(Lun.FromNumber(3), cdb).DataOfGood());
        Assert.Equal(expected, _initiator.ExecuteOn(Lun.FromNumber(0), cdb).DataOfGood());
        Assert.Equal(expected, _initiator.ExecuteOn(Missing, cdb).DataOfGood());
        Assert.Equal(expected, _initiator.ExecuteOn(Lun.WellKnownReportLuns, cdb).DataOfGood());
        Assert.Equal(expected, _initiator.ExecuteOn(new Lun(ulong.MaxValue), cdb).DataOfGood());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    public void Less_than_16_bytes_is_refused(int lun)
    {
        foreach (string length in new[] { "0F", "00" })
        {
            byte[] cdb = Hex.Bytes($"A0 00 00 00 00 00 00 00 00 {length} 00 00");
            _initiator.ExecuteOn(Lun.FromNumber(lun), cdb).MustBeInvalidInCdb(6);
        }
    }

    [Fact]
    public void The_list_is_cut_but_its_length_is_that_of_the_whole()
    {
        TestCommand command = _initiator.ExecuteOn(
            Lun.FromNumber(3), Hex.Bytes("A0 00 00 00 00 00 00 00 00 10 00 00"));
        Assert.Equal($"00 00 00 18 00 00 00 00 {Lun3}", command.DataOfGood());
    }

    [Theory]
    [InlineData("03")]
    [InlineData("0F")]
    [InlineData("13")]
    [InlineData("FF")]
    public void Another_select_code_is_refused(string select) => _initiator
        .ExecuteOn(Lun.FromNumber(3), Hex.Bytes($"A0 00 {select} 00 00 00 00 00 01 00 00 00")).MustBeInvalidInCdb(2);

    [Fact]
    public void It_ends_reported_luns_data_has_changed_on_every_unit_and_nothing_else()
    {
        foreach (ItlNexus itl in _initiator.Nexus.ItlNexuses)
        {
            itl.UnitAttentions.Establish(AdditionalSense.ReportedLunsDataHasChanged);
            itl.UnitAttentions.Establish(AdditionalSense.ModeParametersChanged);
        }
        _initiator.ExecuteOn(Lun.FromNumber(0), Hex.Bytes("A0 00 00 00 00 00 00 00 01 00 00 00")).MustBeGood();
        Assert.All(_initiator.Nexus.ItlNexuses, itl =>
            Assert.Equal([AdditionalSense.ModeParametersChanged], itl.UnitAttentions.Pending.ToArray()));
    }

    [Fact]
    public void A_refused_one_leaves_every_unit_attention()
    {
        _initiator.ItlNexus.UnitAttentions.Establish(AdditionalSense.ReportedLunsDataHasChanged);
        _initiator.ExecuteOn(Lun.FromNumber(3), Hex.Bytes("A0 00 00 00 00 00 00 00 00 00 00 00")).MustBeInvalidInCdb(6);
        Assert.Equal(1, _initiator.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Without_memory_for_the_answer_reported_luns_data_has_changed_stays()
    {
        using var executor = new TestExecutor(0, slabs: 0);
        var unit = new LogicalUnit("unit", new TestBackend(), [executor]);
        var initiator = new TestInitiator(
            executor, "iqn.2026-11.test:a,i,0x1", new LunMap([new LunMapEntry(0, unit)]));
        initiator.TakeUnitAttentions();
        initiator.Nexus.ChangeMap(new LunMap([new LunMapEntry(0, unit), new LunMapEntry(1, unit)]));
        TestCommand luns = initiator.Execute(Hex.Bytes("A0 00 00 00 00 00 00 00 10 00 00 00"));
        Assert.Equal(ScsiStatus.Busy, luns.Status);
        Assert.Equal([AdditionalSense.ReportedLunsDataHasChanged],
            initiator.ItlNexus.UnitAttentions.Pending.ToArray());
    }

    [Fact]
    public void The_longest_map_is_told_whole()
    {
        var map = new LunMap(Enumerable.Range(0, Lun.MaxNumber + 1).Select(n => new LunMapEntry(n, _target.Unit)));
        TestInitiator initiator = _target.Login(map: map);
        byte[] list = initiator.Execute(Hex.Bytes("A0 00 00 00 00 00 00 10 00 00 00 00")).DataIn;
        Assert.Equal(8 + (8 * 16384), list.Length);
        Assert.Equal("00 02 00 00", Hex.Of(list.AsSpan(0, 4)));
        Assert.Equal("7F FF 00 00 00 00 00 00", Hex.Of(list.AsSpan(list.Length - 8)));
    }

    // ---- A LUN without a unit --------------------------------------------------------------------------------------

    [Fact]
    public void Inquiry_of_a_missing_unit_says_that_none_can_be_there() => Assert.StartsWith(
        "7F 00 06 12 5B 00 00 02",
        _initiator.ExecuteOn(Missing, Hex.Bytes("12 00 00 00 60 00")).DataOfGood());

    [Fact]
    public void Vital_product_data_of_a_missing_unit_is_the_list_of_pages_alone()
    {
        Assert.Equal("7F 00 00 01 00", _initiator.ExecuteOn(Missing, Hex.Bytes("12 01 00 00 FF 00")).DataOfGood());
        _initiator.ExecuteOn(Missing, Hex.Bytes("12 01 83 00 FF 00")).MustBeInvalidInCdb(2);
        _initiator.ExecuteOn(Missing, Hex.Bytes("12 00 83 00 FF 00")).MustBeInvalidInCdb(2);
        _initiator.ExecuteOn(Missing, Hex.Bytes("12 04 00 00 FF 00")).MustBeInvalidInCdb(1, 2);
    }

    [Fact]
    public void Request_sense_of_a_missing_unit_is_good_and_says_so()
    {
        Assert.Equal(
            "70 00 05 00 00 00 00 0A 00 00 00 00 25 00 00 00 00 00",
            _initiator.ExecuteOn(Missing, Hex.Bytes("03 00 00 00 FF 00")).DataOfGood());
        Assert.Equal(
            "72 05 25 00 00 00 00 00", _initiator.ExecuteOn(Missing, Hex.Bytes("03 01 00 00 FF 00")).DataOfGood());
    }

    [Theory]
    [InlineData("00 00 00 00 00 00")]
    [InlineData("28 00 00 00 00 00 00 00 08 00")]
    [InlineData("1A 00 3F 00 FF 00")]
    [InlineData("FF 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00")]
    [InlineData("7F 00 00 00 00 00 00 18 00 09 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01")]
    public void Everything_else_is_refused_there(string cdb) => _initiator.ExecuteOn(Missing, Hex.Bytes(cdb))
        .MustBe(SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported));

    [Fact]
    public void Data_for_a_missing_unit_is_residual()
    {
        TestCommand command = _initiator.ExecuteOn(Missing, Hex.Bytes("2A 00 00 00 00 00 00 00 01 00"), new byte[512]);
        command.MustBe(SenseData.IllegalRequest(AdditionalSense.LogicalUnitNotSupported));
        Assert.Equal((512u, false), (command.ResidualBytes, command.IsOverflow));
    }

    // ---- The REPORT LUNS well known logical unit -------------------------------------------------------------------

    [Fact]
    public void The_well_known_unit_answers_what_spc_demands_of_it()
    {
        Lun lun = Lun.WellKnownReportLuns;
        Assert.StartsWith("1E 00 06", _initiator.ExecuteOn(lun, Hex.Bytes("12 00 00 00 60 00")).DataOfGood());
        Assert.Equal("1E 00 00 02 00 83", _initiator.ExecuteOn(lun, Hex.Bytes("12 01 00 00 60 00")).DataOfGood());
        Assert.Equal(
            "1E 83 00 44 53 98 00 24 " + Hex.Ascii("iqn.2026-11.test:target,t,0x0001") + " 00 00 00 00 " +
            "53 A8 00 18 " + Hex.Ascii("iqn.2026-11.test:target") + " 00",
            _initiator.ExecuteOn(lun, Hex.Bytes("12 01 83 00 FF 00")).DataOfGood());
        _initiator.ExecuteOn(lun, Hex.Bytes("00 00 00 00 00 00")).MustBeGood();
        Assert.StartsWith("70 00 00", _initiator.ExecuteOn(lun, Hex.Bytes("03 00 00 00 60 00")).DataOfGood());
    }

    [Fact]
    public void It_knows_no_other_command() => _initiator
        .ExecuteOn(Lun.WellKnownReportLuns, Hex.Bytes("28 00 00 00 00 00 00 00 01 00"))
        .MustBe(SenseData.IllegalRequest(AdditionalSense.InvalidCommandOperationCode) with
        {
            FieldPointer = 0,
            FieldIsInCdb = true,
        });
}
