using System.Text;
using Scstd.Backends.Changer;
using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>What a library tells of itself: INQUIRY, mode pages, TapeAlert.</summary>
public sealed class ChangerPagesTests
{
    public static TheoryData<string> Personalities => [.. LibraryPersonality.All.Select(one => one.Name)];

    [Theory]
    [MemberData(nameof(Personalities))]
    public void Inquiry_tells_the_personality(string name)
    {
        LibraryPersonality personality = LibraryPersonality.All.Single(one => one.Name == name);
        using var world = new LibraryWorld(options => options with { Personality = personality });
        byte[] data = world.Execute([0x12, 0, 0, 0, 96, 0]).DataIn;
        Assert.Equal((0x08, 0x80), (data[0], data[1]));
        Assert.Equal(personality.Vendor.PadRight(8), Encoding.ASCII.GetString(data, 8, 8));
        Assert.Equal(personality.Product.PadRight(16), Encoding.ASCII.GetString(data, 16, 16));
        Assert.Equal(personality.Revision.PadRight(4), Encoding.ASCII.GetString(data, 32, 4));
        Assert.Equal(personality.TellsBarcodeReader ? 1 : 0, data[55]);
        Assert.Equal(new byte[19], data[36..55]);
        Assert.Equal([0x04, 0x80], data[64..66]);
    }

    [Fact]
    public void The_serial_number_is_that_of_the_configuration_or_always_the_same()
    {
        using var world = new LibraryWorld();
        Assert.Equal("L0001", Encoding.ASCII.GetString(world.Execute([0x12, 1, 0x80, 0, 64, 0]).DataIn[4..]));
        using var one = new LibraryWorld(options => options with { SerialNumber = null });
        using var other = new LibraryWorld(options => options with { SerialNumber = null });
        Assert.Equal(one.Changer.Identity.SerialNumber, other.Changer.Identity.SerialNumber);
        Assert.Equal(0x3, one.Changer.Identity.Naa[0] >> 4);
    }

    [Fact]
    public void Page_1Dh_assigns_the_addresses_of_the_personality()
    {
        using var world = new LibraryWorld();
        Assert.Equal(
            [0x1D, 18, 0, 1, 0, 1, 0x10, 0, 0, 4, 0, 0x10, 0, 2, 1, 0, 0, 2, 0, 0], Page(world, 0x1D));
        using var sl150 = new LibraryWorld(o => o with { Personality = LibraryPersonality.StorageTekSl150 });
        Assert.Equal(
            [0x1D, 18, 0, 0, 0, 1, 0x03, 0xE8, 0, 4, 0, 10, 0, 2, 0x01, 0xF4, 0, 2, 0, 0], Page(sl150, 0x1D));
    }

    [Fact]
    public void Page_1Eh_has_one_robot_that_turns_nothing_over()
    {
        using var world = new LibraryWorld();
        Assert.Equal([0x1E, 2, 0, 0], Page(world, 0x1E));
    }

    [Fact]
    public void Page_1Fh_says_what_is_moved_and_exchanged_between_which_types()
    {
        using var world = new LibraryWorld();
        Assert.Equal(
            [0x1F, 18, 0x0E, 0x02, 0, 0x0E, 0x0E, 0x0E, 0, 0, 0, 0, 0, 0x0E, 0x0E, 0x0E, 0, 0, 0, 0],
            Page(world, 0x1F));
        using var ibm = new LibraryWorld(o => o with { Personality = LibraryPersonality.Ibm3573 });
        Assert.Equal(
            [0x1F, 18, 0x0E, 0x02, 0, 0x0E, 0x0A, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Page(ibm, 0x1F));
        using var closed = new LibraryWorld(o => o with { ImportExports = 0 });
        Assert.Equal(
            [0x1F, 18, 0x0A, 0x02, 0, 0x0A, 0, 0x0A, 0, 0, 0, 0, 0, 0x0A, 0, 0x0A, 0, 0, 0, 0], Page(closed, 0x1F));
    }

    [Fact]
    public void Nothing_of_the_pages_can_be_changed()
    {
        using var world = new LibraryWorld();
        foreach (byte page in (byte[])[0x1D, 0x1E, 0x1F])
            Assert.All(Page(world, page, control: 0x40)[2..], value => Assert.Equal(0, value));
        byte[] list = [0, 0, 0, 0, .. Page(world, 0x1D)];
        list[4] &= 0x3F;
        AssertGood(world.Execute([0x15, 0x10, 0, 0, (byte)list.Length, 0], list));
        list[7] = 9;
        TestCommand refused = world.Execute([0x15, 0x10, 0, 0, (byte)list.Length, 0], list);
        AssertIllegal(AdditionalSense.InvalidFieldInParameterList, refused);
    }

    [Fact]
    public void All_pages_come_without_a_block_descriptor()
    {
        using var world = new LibraryWorld();
        byte[] list = world.Execute([0x1A, 0, 0x3F, 0, 255, 0]).DataIn;
        Assert.Equal(list.Length - 1, list[0]);
        Assert.Equal([0, 0, 0], list[1..4]);
        Assert.Equal(0x0A, list[4] & 0x3F);
    }

    [Fact]
    public void Tape_alert_tells_of_an_inventory_that_is_not_as_it_should_be_for_as_long_as_it_is_not()
    {
        using var world = new LibraryWorld();
        Assert.Empty(Alerts(world));
        world.Shelf.Faults["A1"] = new MediumFault(MediumFaultKind.DamagedFormat);
        world.Move(Slot1, Drive1);
        Assert.Equal([24], Alerts(world));
        Assert.Equal([24], Alerts(world));
        world.Shelf.Faults.Clear();
        world.MoveGood(Slot1, Drive1);
        Assert.Empty(Alerts(world));
    }

    [Theory]
    [MemberData(nameof(Personalities))]
    public void A_personality_fits_into_its_fields_and_has_room_between_its_addresses(string name)
    {
        LibraryPersonality personality = LibraryPersonality.All.Single(one => one.Name == name);
        Assert.InRange(personality.Vendor.Length, 1, 8);
        Assert.InRange(personality.Product.Length, 1, 16);
        Assert.InRange(personality.Revision.Length, 1, 4);
        Assert.Null(personality.Judge(slots: 1000, importExports: 10, drives: 32));
        Assert.Contains("slots", personality.Judge(70_000, 0, 1), StringComparison.Ordinal);
        Assert.Contains("drives", personality.Judge(1, 0, 5000), StringComparison.Ordinal);
        Assert.Contains("import/export", personality.Judge(1, 1000, 1), StringComparison.Ordinal);
    }

    private static byte[] Page(LibraryWorld world, byte code, byte control = 0)
    {
        TestCommand command = world.Execute([0x1A, 0x08, (byte)(control | code), 0, 255, 0]);
        AssertGood(command);
        byte[] page = command.DataIn[4..];
        // PS: it can be saved where there is a state store.
        page[0] &= 0x7F;
        return page;
    }

    private static int[] Alerts(LibraryWorld world)
    {
        byte[] page = world.Execute([0x4D, 0, 0x6E, 0, 0, 0, 0, 0xFF, 0xFF, 0]).DataIn;
        Assert.Equal(4 + (64 * 5), page.Length);
        return [.. Enumerable.Range(1, 64).Where(flag =>
        {
            int at = 4 + ((flag - 1) * 5);
            Assert.Equal(flag, (page[at] << 8) | page[at + 1]);
            return page[at + 4] != 0;
        })];
    }
}
