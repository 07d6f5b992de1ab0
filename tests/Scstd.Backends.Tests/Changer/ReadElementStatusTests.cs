using System.Text;
using Scstd.Backends.Changer;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>READ ELEMENT STATUS of SMC-3.</summary>
public sealed class ReadElementStatusTests
{
    private static readonly ushort[] Everything =
        [Robot, MailSlot1, MailSlot2, Drive1, Drive2, Slot1, Slot2, Slot3, Slot4];

    [Fact]
    public void Every_element_is_reported_in_pages_of_its_type()
    {
        using var world = new LibraryWorld();
        IReadOnlyList<ReportedElement> elements = Read(world, StatusCdb());
        Assert.Equal(Everything, elements.Select(element => element.Address));
        Assert.Equal(
            [1, 3, 3, 4, 4, 2, 2, 2, 2], elements.Select(element => (int)element.Type));
        Assert.All(elements, element => Assert.Equal(16, element.Descriptor.Length));
    }

    /// <summary>SCSI-2's logical unit number, in bits that are reserved today: drivers still write it there.</summary>
    [Fact]
    public void A_unit_number_in_the_CDB_is_no_invalid_field()
    {
        using var world = new LibraryWorld();
        Assert.Equal(Everything.Length, Read(world, StatusCdb(flags: 0xE0)).Count);
    }

    [Theory]
    [InlineData(1, new ushort[] { Robot })]
    [InlineData(2, new ushort[] { Slot1, Slot2, Slot3, Slot4 })]
    [InlineData(3, new ushort[] { MailSlot1, MailSlot2 })]
    [InlineData(4, new ushort[] { Drive1, Drive2 })]
    public void One_type_alone_can_be_asked_for(byte type, ushort[] addresses)
    {
        using var world = new LibraryWorld();
        IReadOnlyList<ReportedElement> elements = Read(world, StatusCdb(flags: type));
        Assert.Equal(addresses, elements.Select(element => element.Address));
        Assert.All(elements, element => Assert.Equal(type, (byte)element.Type));
    }

    [Theory]
    [InlineData(0, 0, 9)]
    [InlineData(MailSlot2, 0, 7)]
    [InlineData(0x0050, 0, 6)]
    [InlineData(Slot4, 0, 1)]
    [InlineData(Slot4 + 1, 0, 0)]
    [InlineData(Slot2, 4, 0)]
    public void Elements_from_the_starting_address_on_are_reported_which_need_be_none(int first, byte type, int count)
    {
        using var world = new LibraryWorld();
        Assert.Equal(count, Read(world, StatusCdb(flags: type, first: (ushort)first)).Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void The_number_of_elements_is_the_most_that_are_reported(ushort most)
    {
        using var world = new LibraryWorld();
        IReadOnlyList<ReportedElement> elements = Read(world, StatusCdb(count: most));
        Assert.Equal(Everything.Take(most), elements.Select(element => element.Address));
    }

    [Fact]
    public void The_number_counts_elements_of_the_type_and_not_addresses()
    {
        using var world = new LibraryWorld();
        Assert.Equal(
            [Slot1, Slot2], Read(world, StatusCdb(flags: 2, count: 2)).Select(element => element.Address));
    }

    [Fact]
    public void Whatever_the_allocation_length_leaves_is_the_beginning_of_the_whole_report()
    {
        using var world = new LibraryWorld();
        byte[] whole = world.Execute(StatusCdb(flags: 0x10, options: 1)).DataIn;
        Assert.True(whole.Length > 400);
        for (int allocation = 0; allocation <= whole.Length + 1; allocation++)
        {
            TestCommand command = world.Execute(StatusCdb(flags: 0x10, options: 1, allocation: allocation));
            AssertGood(command);
            Assert.Equal(whole.Take(allocation), command.DataIn);
        }
    }

    [Fact]
    public void An_allocation_length_of_24_bits_is_no_error()
    {
        using var world = new LibraryWorld();
        AssertGood(world.Execute(StatusCdb(allocation: 0xFFFFFF)));
    }

    [Fact]
    public void With_voltag_a_descriptor_has_the_barcode_filled_up_with_spaces_or_zeros_if_there_is_none()
    {
        using var world = new LibraryWorld();
        IReadOnlyList<ReportedElement> elements = Read(world, StatusCdb(flags: 0x12));
        Assert.All(elements, element => Assert.Equal(52, element.Descriptor.Length));
        byte[] tag = [.. Encoding.ASCII.GetBytes("A1".PadRight(32)), 0, 0, 0, 0];
        Assert.Equal(tag, elements[0].VolumeTag);
        Assert.Equal(new byte[36], elements[2].VolumeTag);
    }

    [Fact]
    public void Flags_tell_what_is_full_and_what_can_be_reached()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        Dictionary<ushort, int> flags = Read(world, StatusCdb()).ToDictionary(one => one.Address, one => one.Flags);
        Assert.Equal(0x00, flags[Robot]);
        Assert.Equal(0x38, flags[MailSlot1]);
        Assert.Equal(0x01, flags[Drive1]);
        Assert.Equal(0x08, flags[Drive2]);
        Assert.Equal(0x08, flags[Slot1]);
        Assert.Equal(0x09, flags[Slot2]);
    }

    [Fact]
    public void A_drive_whose_cartridge_was_ejected_can_be_reached()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, Drive1);
        Assert.False(world.Status(Drive1).IsAccessible);
        world.Bays[0].IsLoaded = false;
        Assert.True(world.Status(Drive1).IsAccessible);
        Assert.True(world.Status(Drive1).IsFull);
    }

    [Fact]
    public void The_medium_type_tells_data_from_cleaning_and_worm()
    {
        var shelf = new FakeShelf();
        shelf.Add("A1");
        shelf.Add("B1", isCleaning: true);
        shelf.Add("C1", isWorm: true);
        using var world = new LibraryWorld(shelf: shelf);
        Assert.Equal([1, 2, 4, 0], Read(world, StatusCdb(flags: 2)).Select(element => element.MediumType));
    }

    [Theory]
    [InlineData(0x10)]
    [InlineData(0x00)]
    public void With_dvcid_a_drive_has_vendor_product_and_serial_number(byte flags)
    {
        using var world = new LibraryWorld();
        IReadOnlyList<ReportedElement> elements = Read(world, StatusCdb(flags: flags, options: 1));
        byte[] expected = [2, 1, 0, 29, .. Encoding.ASCII.GetBytes("ACME    Drive           D0002")];
        Assert.Equal(expected, elements.Single(element => element.Address == Drive2).Identifier);
        Assert.All(elements.Where(element => element.Type != ElementType.DataTransfer),
            element => Assert.Equal(new byte[4], element.Identifier));
        Assert.All(Read(world, StatusCdb(flags: 4)), element => Assert.Equal(16, element.Descriptor.Length));
    }

    [Fact]
    public void A_personality_may_tell_the_serial_number_alone()
    {
        using var world = new LibraryWorld(options => options with { Personality = LibraryPersonality.SpectraPython });
        byte[] expected = [2, 0, 0, 5, .. "D0001"u8];
        Assert.Equal(expected, Read(world, StatusCdb(flags: 4, options: 1))[0].Identifier);
    }

    [Fact]
    public void An_identifier_that_is_shorter_than_others_is_filled_up_behind_its_length()
    {
        using var world = new LibraryWorld();
        ManualReactor reactor = new();
        FakeBay[] bays = [new(1) { SerialNumber = "1" }, new(2) { SerialNumber = "22222" }];
        var options = new ChangerOptions { Name = "unit0", Slots = 1 };
        var changer = ChangerBackend.Open(options, new FakeShelf(), bays, [reactor], null);
        using var target = new TestTarget(changer);
        IReadOnlyList<ReportedElement> drives =
            ReportedElement.ReadAll(target.Login().Execute(StatusCdb(flags: 4, options: 1)).DataIn);
        Assert.Equal(25, drives[0].Identifier[3]);
        Assert.Equal(29, drives[1].Identifier[3]);
        Assert.Equal([(byte)'1', 0, 0, 0, 0], drives[0].Identifier[28..]);
    }

    [Fact]
    public void Curdata_reports_the_same()
    {
        using var world = new LibraryWorld();
        Assert.Equal(world.Execute(StatusCdb(flags: 0x10)).DataIn,
            world.Execute(StatusCdb(flags: 0x10, options: 2)).DataIn);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(15)]
    public void A_type_that_does_not_exist_is_an_invalid_field(byte type)
    {
        using var world = new LibraryWorld();
        AssertInvalidField(1, 3, world.Execute(StatusCdb(flags: type)));
    }

    [Fact]
    public void Reserved_bits_are_invalid_fields()
    {
        using var world = new LibraryWorld();
        AssertInvalidField(6, 2, world.Execute(StatusCdb(options: 4)));
        AssertInvalidField(10, 0, world.Execute([.. StatusCdb()[..10], 1, 0]));
    }

    [Fact]
    public void A_report_is_made_before_a_move_or_after_it_and_never_while_it_is_under_way()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        world.Bays[0].Holds = true;
        TestCommand move = world.Send(MoveCdb(Slot1, Drive1));
        world.Run();
        TestCommand status = world.Send(StatusCdb(flags: 0x10), from: other);
        world.Run();
        Assert.False(move.IsAnswered);
        Assert.False(status.IsAnswered);
        world.Bays[0].Settle();
        world.Run();
        AssertGood(move);
        Assert.Equal(
            [(Drive1, "A1"), (Slot2, "A2")],
            ReportedElement.ReadAll(status.DataIn).Where(one => one.IsFull).Select(one => (one.Address, one.Barcode)));
    }

    [Fact]
    public void A_reservation_of_another_lets_through_what_cannot_move_anything()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        AssertGood(world.Execute([0x16, 0, 0, 0, 0, 0], from: other));
        AssertGood(world.Execute(StatusCdb(options: 2)));
        AssertGood(world.Prevent(false));
        byte[][] refused =
        [
            StatusCdb(), MoveCdb(Slot1, Slot3), ExchangeCdb(Slot1, Slot2, Slot1), [0x07, 0, 0, 0, 0, 0],
            [0x1E, 0, 0, 0, 1, 0], [0x1B, 0, 0, 0x10, 0, 0], [0x2B, 0, 0, 0, 0x10, 0, 0, 0, 0, 0],
        ];
        Assert.All(refused, cdb => Assert.Equal(ScsiStatus.ReservationConflict, world.Execute(cdb).Status));
        Assert.Equal(2, world.Changer.Library.Elements.Count(element => element.IsFull));
    }

    private static IReadOnlyList<ReportedElement> Read(LibraryWorld world, byte[] cdb)
    {
        TestCommand command = world.Execute(cdb);
        AssertGood(command);
        return ReportedElement.ReadAll(command.DataIn);
    }
}
