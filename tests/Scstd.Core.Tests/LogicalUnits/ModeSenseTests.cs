using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>MODE SENSE (6) and (10), SPC-4 §6.13 and §6.14.</summary>
public sealed class ModeSenseTests : IDisposable
{
    private const string Control = "0A 0A 00 10 00 00 00 00 FF FF 00 00";
    private const string Descriptor = "00 08 00 00 00 00 02 00";

    private readonly TestBackend _backend = new()
    {
        ModePages =
        [
            Page(0x1C, [0x00, 0x00]),
            Page(0x08, [0x04, 0x11], [0x04, 0x00], standard: [0x00, 0x11]),
            Page(0x0A, [0xAB, 0xCD], subpage: 0x01),
        ],
    };

    private readonly TestTarget _target;
    private readonly TestInitiator _initiator;

    public ModeSenseTests()
    {
        _target = new TestTarget(_backend);
        _initiator = _target.Login();
    }

    public static ModePage Page(
        byte code, byte[] current, byte[]? changeable = null, byte subpage = 0, byte[]? standard = null,
        byte[]? saved = null) => new()
        {
            PageCode = code,
            SubpageCode = subpage,
            Current = current,
            Default = standard ?? [.. current],
            Changeable = changeable ?? new byte[current.Length],
            Saved = saved,
        };

    public void Dispose() => _target.Dispose();

    [Fact]
    public void One_page_follows_header_and_block_descriptor() => Assert.Equal(
        $"17 00 10 08 {Descriptor} {Control}", Sense("1A 00 0A 00 FF 00").DataOfGood());

    [Fact]
    public void The_10_byte_form_has_a_longer_header() => Assert.Equal(
        $"00 1A 00 10 00 00 00 08 {Descriptor} {Control}", Sense("5A 00 0A 00 00 00 00 00 FF 00").DataOfGood());

    [Fact]
    public void Dbd_leaves_the_block_descriptor_out()
    {
        Assert.Equal($"0F 00 10 00 {Control}", Sense("1A 08 0A 00 FF 00").DataOfGood());
        Assert.Equal($"00 12 00 10 00 00 00 00 {Control}", Sense("5A 08 0A 00 00 00 00 00 FF 00").DataOfGood());
    }

    [Fact]
    public void Llbaa_gives_the_long_block_descriptor() => Assert.Equal(
        $"00 22 00 10 01 00 00 10 00 00 00 00 00 08 00 00 00 00 00 00 00 00 02 00 {Control}",
        Sense("5A 10 0A 00 00 00 00 00 FF 00").DataOfGood());

    [Fact]
    public void A_device_without_a_block_descriptor_gives_none()
    {
        _backend.BlockDescriptor = [];
        Assert.Equal($"0F 00 10 00 {Control}", Sense("1A 00 0A 00 FF 00").DataOfGood());
    }

    [Fact]
    public void Page_3f_gives_every_page_in_ascending_order() => Assert.Equal(
        $"17 00 10 00 08 02 04 11 {Control} 1C 02 00 00", Sense("1A 08 3F 00 FF 00").DataOfGood());

    [Fact]
    public void Page_3f_with_subpage_ff_gives_the_subpages_too() => Assert.Equal(
        $"1D 00 10 00 08 02 04 11 {Control} 4A 01 00 02 AB CD 1C 02 00 00", Sense("1A 08 3F FF FF 00").DataOfGood());

    [Fact]
    public void Subpage_ff_of_one_page_gives_all_of_that_page() => Assert.Equal(
        $"15 00 10 00 {Control} 4A 01 00 02 AB CD", Sense("1A 08 0A FF FF 00").DataOfGood());

    [Fact]
    public void A_subpage_can_be_asked_for_alone() =>
        Assert.Equal("09 00 10 00 4A 01 00 02 AB CD", Sense("1A 08 0A 01 FF 00").DataOfGood());

    [Theory]
    [InlineData("1A 08 48 00 FF 00", "08 02 04 00")]
    [InlineData("1A 08 88 00 FF 00", "08 02 00 11")]
    [InlineData("1A 08 08 00 FF 00", "08 02 04 11")]
    public void Page_control_chooses_changeable_default_and_current_values(string cdb, string page) =>
        Assert.Equal($"07 00 10 00 {page}", Sense(cdb).DataOfGood());

    [Fact]
    public void The_changeable_mask_of_the_control_page_is_all_that_the_mid_layer_obeys() => Assert.Equal(
        "0F 00 10 00 0A 0A 3C 16 38 40 00 00 00 00 00 00", Sense("1A 08 4A 00 FF 00").DataOfGood());

    [Theory]
    [InlineData("1A 00 CA 00 FF 00")]
    [InlineData("1A 00 FF FF FF 00")]
    [InlineData("5A 00 C8 00 00 00 00 00 FF 00")]
    public void Saved_values_are_refused_where_nothing_is_saved(string cdb) =>
        Sense(cdb).MustBe(SenseData.IllegalRequest(AdditionalSense.SavingParametersNotSupported));

    [Theory]
    [InlineData("1A 00 02 00 FF 00", 2, 5)]
    [InlineData("1A 00 42 00 FF 00", 2, 5)]
    [InlineData("1A 00 C2 00 FF 00", 2, 5)]
    [InlineData("1A 00 02 FF FF 00", 2, 5)]
    [InlineData("1A 00 08 01 FF 00", 3, null)]
    [InlineData("1A 00 3F 01 FF 00", 3, null)]
    [InlineData("1A 10 3F 00 FF 00", 1, 4)]
    [InlineData("1A 00 3F 00 FF 80", 5, 7)]
    [InlineData("5A 20 3F 00 00 00 00 00 FF 00", 1, 5)]
    [InlineData("5A 00 3F 00 01 00 00 00 FF 00", 4, 0)]
    public void A_wrong_field_is_refused_with_its_place(string cdb, int offset, int? bit) =>
        Sense(cdb).MustBeInvalidInCdb(offset, bit);

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(25)]
    public void A_short_allocation_length_cuts_but_the_mode_data_length_stays(int allocation)
    {
        TestCommand command = _initiator.Execute(
            [0x1A, 0, 0x0A, 0, (byte)allocation, 0], dataInBytes: (uint)allocation);
        command.MustBeGood();
        Assert.Equal(Hex.Bytes($"17 00 10 08 {Descriptor} {Control}").Take(allocation), command.DataIn);
        Assert.Equal((uint)Math.Max(0, allocation - 24), command.ResidualBytes);
        Assert.False(command.IsOverflow);
    }

    [Fact]
    public void Write_protection_shows_in_the_device_specific_parameter()
    {
        _backend.IsReadOnly = true;
        Assert.StartsWith("0F 00 90 00", Sense("1A 08 0A 00 FF 00").DataOfGood());
        Assert.StartsWith("00 12 00 90", Sense("5A 08 0A 00 00 00 00 00 FF 00").DataOfGood());
    }

    [Fact]
    public void A_read_only_mapping_shows_to_its_initiator_alone()
    {
        TestInitiator reader = _target.Login(map: new LunMap([new LunMapEntry(0, _target.Unit, IsReadOnly: true)]));
        Assert.StartsWith("0F 00 90 00", reader.Execute(Hex.Bytes("1A 08 0A 00 FF 00")).DataOfGood());
        Assert.StartsWith("0F 00 10 00", Sense("1A 08 0A 00 FF 00").DataOfGood());
    }

    [Fact]
    public void A_type_whose_parameter_means_something_else_keeps_it()
    {
        _backend.DeviceType = PeripheralDeviceType.MediumChanger;
        _backend.ModeDeviceSpecificParameter = 0;
        _backend.IsReadOnly = true;
        Assert.StartsWith("0F 00 00 00", Sense("1A 08 0A 00 FF 00").DataOfGood());
    }

    [Fact]
    public void What_256_bytes_cannot_hold_only_the_10_byte_form_tells()
    {
        using var target = new TestTarget(new TestBackend { ModePages = [Page(0x20, new byte[250])] });
        TestInitiator initiator = target.Login();
        initiator.Execute(Hex.Bytes("1A 00 3F 00 FF 00")).MustBeInvalidInCdb(2, 5);
        byte[] list = initiator.Execute(Hex.Bytes("5A 00 3F 00 00 00 00 FF FF 00")).DataIn;
        Assert.Equal(8 + 8 + 12 + 252, list.Length);
        Assert.Equal(list.Length - 2, (list[0] << 8) | list[1]);
    }

    private TestCommand Sense(string cdb) => _initiator.Execute(Hex.Bytes(cdb));
}
