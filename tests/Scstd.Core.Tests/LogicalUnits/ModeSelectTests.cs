using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>MODE SELECT (6) and (10), SPC-4 §6.11 and §6.12.</summary>
public sealed class ModeSelectTests : IDisposable
{
    private const string Header = "00 00 00 00";
    private const string DescriptorSense = "0A 0A 04 10 00 00 00 00 FF FF 00 00";
    private const string FixedSense = "0A 0A 00 10 00 00 00 00 FF FF 00 00";
    private const string Protected = "0A 0A 00 10 08 00 00 00 FF FF 00 00";

    private static readonly SenseData LengthError =
        SenseData.IllegalRequest(AdditionalSense.ParameterListLengthError);

    private readonly ModePage _caching = ModeSenseTests.Page(0x08, [0x04, 0x11], [0x04, 0x00]);
    private readonly TestBackend _backend;
    private readonly TestTarget _target;
    private readonly TestInitiator _initiator;
    private readonly TestInitiator _other;

    public ModeSelectTests()
    {
        _backend = new TestBackend
        {
            Commands = [new(Sbc.Read10, static c => c.Complete()), new(Sbc.Write10, static c => c.Complete())],
            ModePages = [_caching, ModeSenseTests.Page(0x0A, [0x00, 0x00], [0xFF, 0x00], subpage: 0x05)],
        };
        _target = new TestTarget(_backend);
        _initiator = _target.Login();
        _other = _target.Login();
    }

    public void Dispose() => _target.Dispose();

    [Fact]
    public void A_change_is_made_and_told_to_the_other_nexuses_alone()
    {
        Select($"{Header} {DescriptorSense}").MustBeGood();
        Assert.True(ControlModePage.UsesDescriptorSense(_target.Unit.Control));
        Assert.Equal(0, _initiator.ItlNexus.UnitAttentions.Count);
        _other.Execute(Hex.Bytes("00 00 00 00 00 00"))
            .MustBe(SenseData.UnitAttention(AdditionalSense.ModeParametersChanged));
        _other.Execute(Hex.Bytes("00 00 00 00 00 00")).MustBeGood();
    }

    [Fact]
    public void The_10_byte_form_does_the_same()
    {
        Select10($"00 00 00 00 00 00 00 00 {DescriptorSense}").MustBeGood();
        Assert.True(ControlModePage.UsesDescriptorSense(_target.Unit.Control));
    }

    [Fact]
    public void What_changes_nothing_is_good_and_told_to_nobody()
    {
        Select($"{Header} {FixedSense} 08 02 04 11").MustBeGood();
        Assert.Equal(0, _other.ItlNexus.UnitAttentions.Count);
        Assert.Empty(_backend.ChangedPages);
    }

    [Fact]
    public void The_device_type_is_told_of_its_own_changed_pages_alone()
    {
        Select($"{Header} {DescriptorSense} 08 02 00 11 4A 05 00 02 00 00").MustBeGood();
        Assert.Equal([_caching], _backend.ChangedPages);
        Assert.Equal([0x00, 0x11], _caching.Current);
    }

    [Fact]
    public void A_subpage_is_changed_in_its_own_format()
    {
        Select($"{Header} 4A 05 00 02 7F 00").MustBeGood();
        Assert.Equal(0x05, Assert.Single(_backend.ChangedPages).SubpageCode);
        Select($"{Header} 4A 00 00 02 7F 00").MustBe(SenseData.InvalidFieldInParameterList(4, 5));
    }

    [Fact]
    public void Software_write_protection_takes_effect_at_once_and_ends()
    {
        Select($"{Header} {Protected}").MustBeGood();
        Assert.True(_target.Unit.IsWriteProtected);
        Assert.True(_target.Unit.IsUnusual);
        Assert.StartsWith("0F 00 90", _initiator.Execute(Hex.Bytes("1A 08 0A 00 FF 00")).DataOfGood());
        Select($"{Header} {FixedSense}").MustBeGood();
        Assert.False(_target.Unit.IsUnusual);
    }

    [Fact]
    public void A_write_protected_unit_refuses_writes_and_reads_on()
    {
        Select($"{Header} {Protected}").MustBeGood();
        byte[] write = Hex.Bytes("2A 00 00 00 00 00 00 00 01 00");
        _initiator.Execute(write, new byte[512])
            .MustBe(new SenseData(SenseKey.DataProtect, AdditionalSense.WriteProtected));
        _initiator.Execute(Hex.Bytes("28 00 00 00 00 00 00 00 01 00")).MustBeGood();
        Select($"{Header} {FixedSense}").MustBeGood();
        _initiator.Execute(write, new byte[512]).MustBeGood();
    }

    [Fact]
    public void Nothing_of_a_refused_list_is_done()
    {
        Select($"{Header} {DescriptorSense} 08 02 04 12").MustBe(SenseData.InvalidFieldInParameterList(19, 1));
        Assert.False(ControlModePage.UsesDescriptorSense(_target.Unit.Control));
        Assert.Equal(0, _other.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void An_empty_list_is_good()
    {
        _initiator.Execute(Hex.Bytes("15 10 00 00 00 00")).MustBeGood();
        _initiator.Execute(Hex.Bytes("15 00 00 00 00 00")).MustBeGood();
        _initiator.Execute(Hex.Bytes("55 10 00 00 00 00 00 00 00 00")).MustBeGood();
    }

    [Fact]
    public void A_header_alone_is_good() => Select(Header).MustBeGood();

    [Theory]
    [InlineData("00")]
    [InlineData("00 00 00")]
    [InlineData("00 00 00 08 00 08 00 00 00 00 02")]
    [InlineData("00 00 00 00 0A")]
    [InlineData("00 00 00 00 4A 05")]
    [InlineData("00 00 00 00 0A 0A 00 10 00 00 00 00 FF FF 00")]
    [InlineData("00 00 00 00 08 02 04 11 08")]
    public void A_list_that_ends_too_early_is_a_length_error(string list) => Select(list).MustBe(LengthError);

    [Theory]
    [InlineData("00 00 00 00 00 00 00")]
    [InlineData("00 00 00 00 00 00 00 08")]
    public void The_same_for_the_10_byte_form(string list) => Select10(list).MustBe(LengthError);

    [Theory]
    [InlineData("00 01 00 00", 1, null)]
    [InlineData("00 00 00 07 00 00 00 00 00 00 00", 3, null)]
    [InlineData("00 00 00 08 00 08 00 01 00 00 02 00", 7, null)]
    [InlineData("00 00 00 08 00 08 00 00 00 00 10 00", 10, null)]
    [InlineData("00 00 00 00 07 02 00 00", 4, 5)]
    [InlineData("00 00 00 00 08 03 04 11 00", 5, null)]
    [InlineData("00 00 00 00 08 01 04", 5, null)]
    [InlineData("00 00 00 00 08 02 24 11", 6, 5)]
    [InlineData("00 00 00 00 08 02 00 10", 7, 0)]
    [InlineData("00 00 00 00 48 02 00 00", 4, 5)]
    [InlineData("00 00 00 00 4A 05 00 03 00 00 00", 6, null)]
    public void A_wrong_field_is_refused_with_its_place(string list, int offset, int? bit) =>
        Select(list).MustBe(SenseData.InvalidFieldInParameterList(offset, bit));

    [Theory]
    [InlineData("00 00 00 08 00 08 00 00 00 00 02 00")]
    [InlineData("00 00 00 08 00 00 00 00 00 00 02 00")]
    [InlineData("00 00 00 08 FF FF FF FF 00 00 02 00")]
    [InlineData("FF 00 FF 08 00 08 00 00 00 00 02 00")]
    public void A_block_descriptor_that_changes_nothing_is_taken(string header)
    {
        Select($"{header} {DescriptorSense}").MustBeGood();
        Assert.True(ControlModePage.UsesDescriptorSense(_target.Unit.Control));
    }

    [Fact]
    public void The_long_block_descriptor_is_taken_with_longlba()
    {
        Select10("00 00 00 00 01 00 00 10 00 00 00 00 00 08 00 00 00 00 00 00 00 00 02 00").MustBeGood();
        Select10("00 00 00 00 00 00 00 10 00 00 00 00 00 08 00 00 00 00 00 00 00 00 02 00")
            .MustBe(SenseData.InvalidFieldInParameterList(6));
    }

    [Theory]
    [InlineData("15 11 00 00 04 00", 1, 0)]
    [InlineData("15 12 00 00 04 00", 1, 1)]
    [InlineData("55 11 00 00 00 00 00 00 04 00", 1, 0)]
    [InlineData("15 10 01 00 04 00", 2, 0)]
    public void Saving_reverting_and_reserved_bits_are_refused(string cdb, int offset, int? bit) =>
        _initiator.Execute(Hex.Bytes(cdb), new byte[4]).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void Vendor_format_is_refused() =>
        _initiator.Execute(Hex.Bytes("15 00 00 00 10 00"), Hex.Bytes($"{Header} {DescriptorSense}"))
            .MustBeInvalidInCdb(1, 4);

    [Fact]
    public void Ps_of_what_mode_sense_gave_is_not_held_against_the_initiator() =>
        Select($"{Header} 88 02 04 11").MustBeGood();

    [Fact]
    public void One_page_twice_leaves_the_last()
    {
        Select($"{Header} 08 02 00 11 08 02 04 11").MustBeGood();
        Assert.Equal([0x04, 0x11], _caching.Current);
    }

    [Fact]
    public void What_mode_sense_gives_can_be_selected_again()
    {
        byte[] list = _initiator.Execute(Hex.Bytes("1A 00 3F FF FF 00")).DataIn;
        Select(Hex.Of(list)).MustBeGood();
        byte[] longList = _initiator.Execute(Hex.Bytes("5A 10 3F FF 00 00 00 00 FF 00")).DataIn;
        Select10(Hex.Of(longList)).MustBeGood();
        Assert.Equal(0, _other.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Less_data_than_the_list_length_is_refused_whole()
    {
        TestCommand command = _initiator.Execute(Hex.Bytes("15 10 00 00 10 00"), new byte[4]);
        command.MustBe(SenseData.IllegalRequest(AdditionalSense.InvalidFieldInCommandInformationUnit));
        Assert.Equal((12u, true), (command.ResidualBytes, command.IsOverflow));
    }

    private TestCommand Select(string list)
    {
        byte[] bytes = Hex.Bytes(list);
        return _initiator.Execute([0x15, 0x10, 0, 0, (byte)bytes.Length, 0], bytes);
    }

    private TestCommand Select10(string list)
    {
        byte[] bytes = Hex.Bytes(list);
        return _initiator.Execute([0x55, 0x10, 0, 0, 0, 0, 0, 0, (byte)bytes.Length, 0], bytes);
    }
}
