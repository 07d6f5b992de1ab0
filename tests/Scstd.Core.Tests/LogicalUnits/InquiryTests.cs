using CsCheck;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests;

/// <summary>INQUIRY, SPC-4 §6.6 and §7.8.</summary>
public sealed class InquiryTests : IDisposable
{
    private readonly TestBackend _backend = new();
    private readonly TestTarget _target;
    private readonly TestInitiator _initiator;

    public InquiryTests()
    {
        _target = new TestTarget(_backend);
        _initiator = _target.Login();
    }

    public void Dispose() => _target.Dispose();

    [Fact]
    public void Standard_data_is_as_the_standard_draws_it() => Assert.Equal(
        "00 00 06 32 5B 00 00 02 " + Hex.Ascii("SCSTD   TEST DISK       0001") + " " +
        Zeros(22) + " 00 A0 09 60 04 60 04 C0 00 00 00 00 00 00 00 00 " + Zeros(22),
        Inquire("12 00 00 01 00 00").DataOfGood());

    [Fact]
    public void Standard_data_tells_of_a_removable_medium_several_ports_and_another_type()
    {
        _backend.DeviceType = PeripheralDeviceType.CdDvd;
        _backend.Identity = _backend.Identity with { IsRemovable = true };
        _target.Unit.IsMultiPort = true;
        Assert.Equal("05 80 06 32 5B 00 10 02", Inquire("12 00 00 00 08 00").DataOfGood());
    }

    [Fact]
    public void Names_are_cut_filled_and_kept_ascii()
    {
        _backend.Identity = _backend.Identity with
        {
            Vendor = "A VERY LONG VENDOR",
            Product = "Gerät\t",
            Revision = "",
        };
        Assert.Equal(
            Hex.Ascii("A VERY LGer?t?              "), Hex.Of(Inquire("12 00 00 00 60 00").DataIn.AsSpan(8, 28)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(36)]
    [InlineData(95)]
    [InlineData(96)]
    [InlineData(97)]
    [InlineData(65535)]
    public void The_allocation_length_has_16_bits_and_cuts_the_data_but_not_the_additional_length(int allocation)
    {
        TestCommand command = Inquire($"12 00 00 {allocation >> 8:X2} {allocation & 0xFF:X2} 00");
        command.MustBeGood();
        Assert.Equal(Math.Min(allocation, 96), command.DataIn.Length);
        if (allocation > 4)
            Assert.Equal(0x5B, command.DataIn[4]);
    }

    [Fact]
    public void Data_that_the_initiator_has_no_room_for_is_an_overflow_and_missing_data_an_underflow()
    {
        TestCommand over = _initiator.Execute(Hex.Bytes("12 00 00 00 60 00"), dataInBytes: 36);
        Assert.Equal((36, 60u, true), (over.DataIn.Length, over.ResidualBytes, over.IsOverflow));
        TestCommand under = _initiator.Execute(Hex.Bytes("12 00 00 00 FF 00"), dataInBytes: 255);
        Assert.Equal((96, 159u, false), (under.DataIn.Length, under.ResidualBytes, under.IsOverflow));
    }

    [Theory]
    [InlineData("12 00 83 00 FF 00", 2, null)]
    [InlineData("12 01 01 00 FF 00", 2, null)]
    [InlineData("12 01 8E 00 FF 00", 2, null)]
    [InlineData("12 01 B0 00 FF 00", 2, null)]
    [InlineData("12 02 00 00 FF 00", 1, 1)]
    [InlineData("12 81 00 00 FF 00", 1, 7)]
    [InlineData("12 00 00 00 FF 02", 5, 1)]
    [InlineData("12 00 00 00 FF 01", 5, 0)]
    public void A_wrong_field_is_refused_with_its_place(string cdb, int offset, int? bit) =>
        Inquire(cdb).MustBeInvalidInCdb(offset, bit);

    [Fact]
    public void The_supported_pages_are_sorted_and_hold_those_of_the_device_type()
    {
        _backend.VitalProductData =
            [new(0xB1, new byte[60]), new(0xB0, new byte[60]), new(0x84, [1]), new(0x86, new byte[60])];
        Assert.Equal(
            "00 00 00 0B 00 80 83 84 85 86 87 88 8F B0 B1", Inquire("12 01 00 00 FF 00").DataOfGood());
    }

    [Fact]
    public void Every_supported_page_can_be_asked_for_and_says_its_own_code_and_length()
    {
        _backend.VitalProductData = [new(0xB0, new byte[60])];
        byte[] pages = Inquire("12 01 00 00 FF 00").DataIn;
        Assert.All(pages.Skip(4), page =>
        {
            byte[] data = Inquire($"12 01 {page:X2} FF FF 00").DataIn;
            Assert.Equal(page, data[1]);
            Assert.Equal(data.Length - 4, (data[2] << 8) | data[3]);
        });
    }

    [Fact]
    public void A_page_of_the_device_type_is_answered_with_a_header()
    {
        _backend.VitalProductData = [new(0xB1, [0x00, 0x01, 0x02])];
        Assert.Equal("00 B1 00 03 00 01 02", Inquire("12 01 B1 00 FF 00").DataOfGood());
    }

    [Fact]
    public void A_page_of_the_device_type_goes_before_our_own()
    {
        _backend.VitalProductData = [new(0x80, [0x41])];
        Assert.Equal("00 80 00 01 41", Inquire("12 01 80 00 FF 00").DataOfGood());
    }

    [Fact]
    public void Page_80_is_the_serial_number() => Assert.Equal(
        "00 80 00 0A " + Hex.Ascii("0123456789"), Inquire("12 01 80 00 FF 00").DataOfGood());

    [Fact]
    public void Page_83_names_the_unit_the_port_and_the_target() => Assert.Equal(
        "00 83 00 8E " +
        "01 03 00 10 60 01 40 5A 01 02 03 04 05 06 07 08 09 0A 0B 0C " +
        "02 01 00 22 " + Hex.Ascii("SCSTD   TEST DISK       0123456789") + " " +
        "51 94 00 04 00 00 00 01 " +
        "51 95 00 04 00 00 00 01 " +
        "53 98 00 24 " + Hex.Ascii("iqn.2026-11.test:target,t,0x0001") + " 00 00 00 00 " +
        "53 A8 00 18 " + Hex.Ascii("iqn.2026-11.test:target") + " 00",
        Inquire("12 01 83 01 00 00").DataOfGood());

    [Fact]
    public void The_longest_names_fit_page_83()
    {
        _backend.Identity = _backend.Identity with { SerialNumber = new string('S', 5000) };
        byte[] data = Inquire("12 01 83 FF FF 00").DataIn;
        Assert.Equal(data.Length - 4, (data[2] << 8) | data[3]);
        Assert.Equal(8 + 16 + 228, data[4 + 20 + 3]);
    }

    [Fact]
    public void Page_85_is_an_empty_list() => Assert.Equal("00 85 00 00", Inquire("12 01 85 00 FF 00").DataOfGood());

    [Fact]
    public void Page_86_tells_the_task_attributes_and_the_longest_sense_data() => Assert.Equal(
        "00 86 00 3C 00 07 00 00 00 00 00 00 00 30 " + Zeros(50), Inquire("12 01 86 00 FF 00").DataOfGood());

    [Theory]
    [InlineData(0x00, 0x00, "00")]
    [InlineData(0x04, 0x00, "01")]
    [InlineData(0x00, 0x04, "01")]
    public void Page_86_tells_of_a_volatile_cache_if_the_caching_page_has_one(
        byte current, byte changeable, string flag)
    {
        var backend = new TestBackend { ModePages = [ModeSenseTests.Page(0x08, [current], [changeable])] };
        using var target = new TestTarget(backend);
        byte[] page = target.Login().Execute(Hex.Bytes("12 01 86 00 FF 00")).DataIn;
        Assert.Equal(flag, page[6].ToString("X2"));
    }

    [Fact]
    public void Page_87_says_that_all_mode_pages_are_shared() =>
        Assert.Equal("00 87 00 04 3F FF 00 00", Inquire("12 01 87 00 FF 00").DataOfGood());

    [Fact]
    public void Page_88_names_the_port() => Assert.Equal(
        "00 88 00 34 00 00 00 01 00 00 00 00 00 00 00 28 53 98 00 24 " +
        Hex.Ascii("iqn.2026-11.test:target,t,0x0001") + " 00 00 00 00",
        Inquire("12 01 88 00 FF 00").DataOfGood());

    [Fact]
    public void Page_88_names_every_port_of_the_target_in_their_order()
    {
        TargetPortIdentity own = _initiator.Nexus.Target;
        _target.Unit.TargetPorts =
        [
            new(own.DeviceName, 7), new("iqn.another", 2), new(own.DeviceName, own.RelativePortId),
            new(own.DeviceName, 3),
        ];
        byte[] page = _initiator.Execute(Convert.FromHexString("12018800FF00")).DataIn;
        Assert.Equal(page.Length - 4, (page[2] << 8) | page[3]);
        var told = new List<(int Port, string Name)>();
        for (int at = 4; at < page.Length;)
        {
            int length = (page[at + 10] << 8) | page[at + 11];
            int nameBytes = page[at + 12 + 3];
            told.Add(((page[at + 2] << 8) | page[at + 3],
                System.Text.Encoding.UTF8.GetString(page, at + 16, nameBytes).TrimEnd('\0')));
            at += 12 + length;
        }
        Assert.Equal(
            [(own.RelativePortId, own.PortName), (3, own.DeviceName + " 3"), (7, own.DeviceName + " 7")], told);
    }

    [Fact]
    public void Page_8F_names_no_copy_command() => Assert.Equal(
        "00 8F 00 08 00 01 00 04 00 00 00 00", Inquire("12 01 8F 00 FF 00").DataOfGood());

    [Fact]
    public void Inquiry_is_answered_under_a_unit_attention_which_stays()
    {
        TestInitiator fresh = _target.Login(keepUnitAttention: true);
        fresh.Execute(Hex.Bytes("12 00 00 00 60 00")).MustBeGood();
        fresh.Execute(Hex.Bytes("12 00 83 00 60 00")).MustBeInvalidInCdb(2);
        Assert.Equal(1, fresh.ItlNexus.UnitAttentions.Count);
    }

    [Fact]
    public void Any_allocation_length_gives_the_beginning_of_the_same_page()
    {
        byte[] whole = Inquire("12 01 83 FF FF 00").DataIn;
        Gen.Int[0, 300].Sample(
            length =>
            {
                byte[] part = Inquire($"12 01 83 {length >> 8:X2} {length & 0xFF:X2} 00").DataIn;
                Assert.Equal(whole.Take(length), part);
            },
            threads: 1,
            iter: 100);
    }

    private static string Zeros(int count) => string.Join(' ', Enumerable.Repeat("00", count));

    private TestCommand Inquire(string cdb) => _initiator.Execute(Hex.Bytes(cdb));
}
