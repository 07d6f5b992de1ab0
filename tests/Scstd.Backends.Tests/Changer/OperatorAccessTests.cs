using Scstd.Backends.Changer;
using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Backends.Tests.Changer.LibraryWorld;

namespace Scstd.Backends.Tests.Changer;

/// <summary>PREVENT ALLOW MEDIUM REMOVAL and OPEN/CLOSE IMPORT/EXPORT ELEMENT: who may reach into the
/// library.</summary>
public sealed class OperatorAccessTests
{
    [Fact]
    public void PreventAllowMediumRemoval_locks_the_mail_slots_until_every_nexus_allows_it()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        AssertGood(world.Prevent(true));
        AssertGood(world.Prevent(true));
        AssertGood(world.Prevent(true, other));
        AssertIllegal(AdditionalSense.MediumRemovalPrevented, world.OpenClose(MailSlot1, opens: true));
        AssertGood(world.Prevent(false));
        AssertIllegal(AdditionalSense.MediumRemovalPrevented, world.OpenClose(MailSlot1, opens: true));
        AssertGood(world.Prevent(false, other));
        AssertGood(world.OpenClose(MailSlot1, opens: true));
    }

    [Fact]
    public void Prevention_ends_with_its_nexus_and_with_a_reset()
    {
        using var world = new LibraryWorld();
        TestInitiator other = world.Target.Login();
        world.Prevent(true, other);
        Assert.True(world.Changer.HoldsStateOf(other.Nexus));
        other.Logout();
        Assert.False(world.Changer.IsRemovalPrevented);
        world.Prevent(true);
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        AssertGood(world.OpenClose(MailSlot1, opens: true));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void The_obsolete_values_of_prevent_are_an_invalid_field(byte value)
    {
        using var world = new LibraryWorld();
        AssertInvalidField(4, 1, world.Execute([0x1E, 0, 0, 0, value, 0]));
    }

    [Fact]
    public void The_robot_moves_cartridges_to_a_locked_mail_slot_and_away()
    {
        using var world = new LibraryWorld();
        world.Prevent(true);
        world.MoveGood(Slot1, MailSlot1);
        world.MoveGood(MailSlot1, Slot1);
    }

    [Fact]
    public void OpenCloseImportExportElement_takes_the_element_out_of_the_robots_reach()
    {
        using var world = new LibraryWorld();
        world.MoveGood(Slot1, MailSlot1);
        AssertGood(world.OpenClose(MailSlot1, opens: true));
        AssertGood(world.OpenClose(MailSlot1, opens: true));
        ReportedElement open = world.Status(MailSlot1);
        Assert.False(open.IsAccessible);
        Assert.Equal((true, AdditionalSense.MediumMagazineNotAccessible), (open.IsException, open.Exception));
        AssertIllegal(AdditionalSense.MediumMagazineNotAccessible, world.Move(MailSlot1, Slot1));
        AssertIllegal(AdditionalSense.MediumMagazineNotAccessible, world.Execute(ExchangeCdb(Slot2, MailSlot1, Slot1)));
        world.MoveGood(Slot2, MailSlot2);
        AssertGood(world.OpenClose(MailSlot1, opens: false));
        Assert.True(world.Status(MailSlot1).IsAccessible);
        world.MoveGood(MailSlot1, Slot1);
        world.OpenClose(MailSlot1, opens: true);
        AssertIllegal(AdditionalSense.MediumMagazineNotAccessible, world.Move(Slot1, MailSlot1));
    }

    [Fact]
    public void What_is_open_can_be_closed_although_removal_is_prevented()
    {
        using var world = new LibraryWorld();
        world.OpenClose(MailSlot1, opens: true);
        world.Prevent(true);
        AssertGood(world.OpenClose(MailSlot1, opens: false));
    }

    [Theory]
    [InlineData(Slot1)]
    [InlineData(Drive1)]
    [InlineData(Robot)]
    [InlineData(0x0012)]
    public void Only_an_import_export_element_is_opened(ushort address)
    {
        using var world = new LibraryWorld();
        AssertNoElement(2, world.OpenClose(address, opens: true));
    }

    [Fact]
    public void Another_action_is_an_invalid_field()
    {
        using var world = new LibraryWorld();
        AssertInvalidField(4, 4, world.Execute([0x1B, 0, 0, 0x10, 2, 0]));
        AssertInvalidField(4, 5, world.Execute([0x1B, 0, 0, 0x10, 0x20, 0]));
    }

    [Fact]
    public void A_library_without_mail_slots_has_nothing_to_open()
    {
        using var world = new LibraryWorld(options => options with { ImportExports = 0 });
        AssertIllegal(AdditionalSense.InvalidCommandOperationCode, world.OpenClose(MailSlot1, opens: true));
        Assert.DoesNotContain(world.Changer.Library.Elements, element => element.Type == ElementType.ImportExport);
    }

    [Fact]
    public void PositionToElement_goes_where_a_cartridge_can_lie()
    {
        using var world = new LibraryWorld();
        AssertGood(Position(world, Slot1));
        AssertGood(Position(world, Drive2, transport: Robot));
        AssertNoElement(4, Position(world, Robot));
        AssertNoElement(4, Position(world, 0xFFFF));
        AssertNoElement(2, Position(world, Slot1, transport: 2));
        AssertInvalidField(8, 0, Position(world, Slot1, invert: 1));
    }

    private static TestCommand Position(LibraryWorld world, ushort to, ushort transport = 0, byte invert = 0) =>
        world.Execute([0x2B, 0, .. Two(transport), .. Two(to), 0, 0, invert, 0]);
}
