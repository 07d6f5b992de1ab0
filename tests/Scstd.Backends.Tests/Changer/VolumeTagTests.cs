using System.Text;
using CsCheck;
using Scstd.Backends.Changer;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>SEND VOLUME TAG and REQUEST VOLUME ELEMENT ADDRESS of SMC-3.</summary>
public sealed class VolumeTagTests
{
    [Theory]
    [InlineData("A2", new ushort[] { Slot2 })]
    [InlineData("A*", new ushort[] { Slot1, Slot2 })]
    [InlineData("*", new ushort[] { Slot1, Slot2, Slot3 })]
    [InlineData("?1", new ushort[] { Slot1, Slot3 })]
    [InlineData("B", new ushort[0])]
    public void Cartridges_are_found_by_their_barcodes(string template, ushort[] addresses)
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A1", "A2", "B1"));
        AssertGood(Send(world, template));
        (byte action, IReadOnlyList<ReportedElement> found) = Request(world);
        Assert.Equal(5, action);
        Assert.Equal(addresses, found.Select(element => element.Address));
        Assert.All(found, element => Assert.Equal(world.Status(element.Address).Barcode, element.Barcode));
    }

    [Fact]
    public void The_search_looks_where_it_was_told_and_so_does_the_report()
    {
        using var world = new LibraryWorld(shelf: ShelfOf("A1", "A2", "A3"));
        world.MoveGood(Slot1, MailSlot1);
        Send(world, "A*", type: 2);
        Assert.Equal([Slot2, Slot3], Request(world).Found.Select(element => element.Address));
        Send(world, "A*", first: Slot3);
        Assert.Equal([Slot3], Request(world).Found.Select(element => element.Address));
        Send(world, "A*");
        Assert.Equal([MailSlot1], Request(world, type: 3).Found.Select(element => element.Address));
        Assert.Equal([Slot2], Request(world, first: Slot1, count: 1).Found.Select(element => element.Address));
        Assert.Empty(Request(world, count: 0).Found);
    }

    [Fact]
    public void A_report_without_a_search_is_out_of_order()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        AssertIllegal(AdditionalSense.CommandSequenceError, world.Execute(RequestCdb()));
        Send(world, "A1");
        AssertIllegal(AdditionalSense.CommandSequenceError, world.Execute(RequestCdb(), from: other));
        Assert.Single(Request(world).Found);
    }

    [Fact]
    public void What_was_looked_for_is_told_where_it_is_now()
    {
        using var world = new LibraryWorld();
        Send(world, "A1");
        world.MoveGood(Slot1, Drive1);
        Assert.Equal([Drive1], Request(world).Found.Select(element => element.Address));
    }

    [Fact]
    public void A_search_ends_with_its_nexus_and_with_a_reset()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        Send(world, "A1", from: other);
        Assert.True(world.Changer.HoldsStateOf(other.Nexus));
        other.Logout();
        Assert.False(world.Changer.HoldsStateOf(other.Nexus));
        Send(world, "A1");
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        AssertIllegal(AdditionalSense.CommandSequenceError, world.Execute(RequestCdb()));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(0, 1, 0)]
    [InlineData(1, 1, 0)]
    [InlineData(4, 1, 1)]
    [InlineData(5, 1, 1)]
    public void Sequence_numbers_are_zero_and_looked_at_by_the_actions_that_do(byte action, byte least, int found)
    {
        using var world = new LibraryWorld();
        AssertGood(Send(world, "A1", action: action, leastSequence: least));
        (byte told, IReadOnlyList<ReportedElement> elements) = Request(world);
        Assert.Equal((action, found), (told, elements.Count));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(10)]
    [InlineData(12)]
    [InlineData(31)]
    public void Alternate_tags_and_the_changing_of_tags_are_an_invalid_action(byte action)
    {
        using var world = new LibraryWorld();
        AssertInvalidField(5, 4, Send(world, "A1", action: action));
    }

    [Fact]
    public void A_list_is_whole_or_empty_and_an_empty_one_changes_nothing()
    {
        using var world = new LibraryWorld();
        Send(world, "A1");
        byte[] cdb = [0xB6, 0, 0, 0, 0, 5, 0, 0, 0, 39, 0, 0];
        AssertIllegal(AdditionalSense.ParameterListLengthError, world.Execute(cdb, new byte[39]));
        cdb[9] = 41;
        AssertIllegal(AdditionalSense.ParameterListLengthError, world.Execute(cdb, new byte[41]));
        cdb[9] = 0;
        AssertGood(world.Execute(cdb));
        Assert.Single(Request(world).Found);
    }

    [Fact]
    public void Types_that_do_not_exist_are_invalid_fields()
    {
        using var world = new LibraryWorld();
        AssertInvalidField(1, 3, Send(world, "A1", type: 5));
        Send(world, "A1");
        AssertInvalidField(1, 3, world.Execute(RequestCdb(type: 7)));
    }

    [Fact]
    public void A_template_ends_at_a_null_or_at_the_spaces_that_fill_it_up()
    {
        using var world = new LibraryWorld();
        Assert.Equal(1, Found(world, "A1" + new string(' ', 30)));
        Assert.Equal(1, Found(world, "A1\0garbage"));
        Assert.Equal(0, Found(world, "\0"));
    }

    [Fact]
    public void Matching_agrees_with_a_recursive_definition()
    {
        Gen<string> text = Gen.Char["ab"].Array[0, 8].Select(characters => new string(characters));
        Gen<string> template = Gen.Char["ab*?"].Array[0, 8].Select(characters => new string(characters));
        Gen.Select(text, template).Sample((a, b) => Assert.Equal(Matches(a, b), VolumeTagSearch.IsMatch(a, b)));

        static bool Matches(string text, string template) => template switch
        {
            "" => text.Length == 0,
            ['*', ..] => Matches(text, template[1..]) || (text.Length > 0 && Matches(text[1..], template)),
            _ => text.Length > 0 && (template[0] == '?' || template[0] == text[0]) &&
                Matches(text[1..], template[1..]),
        };
    }

    private static int Found(LibraryWorld world, string template)
    {
        AssertGood(Send(world, template));
        return Request(world).Found.Count;
    }

    private static TestCommand Send(
        LibraryWorld world, string template, byte action = 5, byte type = 0, ushort first = 0, byte leastSequence = 0,
        TestInitiator? from = null)
    {
        byte[] list = new byte[40];
        Encoding.ASCII.GetBytes(template).CopyTo(list, 0);
        list[35] = leastSequence;
        return world.Execute([0xB6, type, .. Two(first), 0, action, 0, 0, 0, 40, 0, 0], list, from);
    }

    private static byte[] RequestCdb(byte type = 0, ushort first = 0, ushort count = 100) =>
        [0xB5, (byte)(0x10 | type), .. Two(first), .. Two(count), 0, 0, 0xFF, 0xFF, 0, 0];

    private static (byte Action, IReadOnlyList<ReportedElement> Found) Request(
        LibraryWorld world, byte type = 0, ushort first = 0, ushort count = 100)
    {
        TestCommand command = world.Execute(RequestCdb(type, first, count));
        AssertGood(command);
        return (command.DataIn[4], ReportedElement.ReadAll(command.DataIn));
    }
}
