using Scstd.Backends.Disk;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL.</summary>
public sealed class MediumTests
{
    private const byte Start = 0x01;
    private const byte Eject = 0x02;
    private const byte Load = 0x03;
    private const byte NoFlush = 0x04;

    private static readonly AdditionalSense NoMedium = AdditionalSense.MediumNotPresent;

    [Fact]
    public void A_stopped_unit_is_not_ready_until_it_is_started()
    {
        using DiskWorld world = DiskWorld.InMemory();
        TestInitiator other = world.Target.Login();
        Blocks.AssertGood(StartStop(world, 0));
        foreach (TestInitiator initiator in (TestInitiator[])[world.Initiator, other])
        {
            Blocks.AssertSense(
                SenseKey.NotReady, AdditionalSense.InitializingCommandRequired,
                world.Execute(Cdbs.For(Sbc.Read10, 0, 1), from: initiator));
        }
        Blocks.AssertGood(StartStop(world, Start));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1), from: other));
    }

    [Fact]
    public void An_ejected_medium_is_gone_for_everyone_and_its_return_is_told_to_the_others()
    {
        using DiskWorld world = Removable();
        TestInitiator other = world.Target.Login();
        world.Write(0, Blocks.Of(1));
        Blocks.AssertGood(StartStop(world, Eject));
        Blocks.AssertGood(StartStop(world, Eject));
        foreach (CommandRow row in (CommandRow[])
            [Sbc.Read10, Sbc.Read16, Sbc.Verify10, Sbc.Prefetch10, Sbc.SynchronizeCache10, Sbc.SynchronizeCache16])
            Blocks.AssertSense(SenseKey.NotReady, NoMedium, world.Execute(Cdbs.For(row, 0, 1)));
        Blocks.AssertSense(SenseKey.NotReady, NoMedium, world.Execute(Cdbs.For(Sbc.Write10, 0, 1), Blocks.Of(1)));
        Blocks.AssertSense(SenseKey.NotReady, NoMedium, world.Execute(Cdbs.For(Sbc.ReadCapacity10, 0, 0)));
        Blocks.AssertSense(SenseKey.NotReady, NoMedium, StartStop(world, Start));

        Blocks.AssertGood(StartStop(world, Load));
        Assert.Equal(Blocks.Of(1), world.Read(0, 1));
        Blocks.AssertSense(
            SenseKey.UnitAttention, AdditionalSense.MediumMayHaveChanged,
            world.Execute(Cdbs.For(Sbc.Read10, 0, 1), from: other));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1), from: other));
    }

    [Fact]
    public void A_fixed_medium_cannot_be_moved()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertInvalidField(4, StartStop(world, Eject));
        Blocks.AssertInvalidField(4, StartStop(world, Load));
    }

    [Fact]
    public void With_a_power_condition_the_other_bits_mean_nothing()
    {
        using DiskWorld world = Removable();
        for (int condition = 1; condition < 16; condition++)
        {
            Blocks.AssertGood(StartStop(world, (byte)((condition << 4) | Eject)));
            Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
        }
    }

    [Fact]
    public void What_is_in_the_cache_is_written_before_the_unit_stops()
    {
        using DiskWorld world = DiskWorld.InFile();
        Blocks.AssertGood(StartStop(world, 0));
        Assert.Equal([FileOperationKind.Flush], world.Operations);
        Blocks.AssertGood(StartStop(world, Start));
        Blocks.AssertGood(StartStop(world, NoFlush));
        Assert.Single(world.Operations);
    }

    [Fact]
    public void A_unit_that_cannot_write_its_cache_does_not_stop()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = operation =>
            operation.Kind == FileOperationKind.Flush ? -ErrorNumber.InputOutput : RealFile.Run(operation);
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, StartStop(world, 0));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
    }

    [Fact]
    public void A_reset_starts_a_stopped_unit_and_leaves_an_ejected_medium_out()
    {
        using DiskWorld world = Removable();
        StartStop(world, 0);
        Reset(world);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
        StartStop(world, Eject);
        Reset(world);
        Blocks.AssertSense(SenseKey.NotReady, NoMedium, world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
    }

    [Fact]
    public void PreventAllowMediumRemoval_holds_the_medium_for_each_nexus()
    {
        using DiskWorld world = Removable();
        TestInitiator other = world.Target.Login();
        Blocks.AssertGood(Prevent(world, 1));
        Blocks.AssertGood(Prevent(world, 1));
        Blocks.AssertGood(Prevent(world, 1, other));
        AssertPrevented(StartStop(world, Eject));
        Blocks.AssertGood(Prevent(world, 0));
        AssertPrevented(StartStop(world, Eject));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
        Blocks.AssertGood(Prevent(world, 0, other));
        Blocks.AssertGood(StartStop(world, Eject));
    }

    [Fact]
    public void A_locked_drive_moves_no_medium_in_either()
    {
        using DiskWorld world = Removable();
        StartStop(world, Eject);
        Blocks.AssertGood(Prevent(world, 1));
        AssertPrevented(StartStop(world, Load));
        Blocks.AssertGood(Prevent(world, 0));
        Blocks.AssertGood(StartStop(world, Load));
    }

    [Fact]
    public void Prevention_ends_with_its_nexus()
    {
        using DiskWorld world = Removable();
        TestInitiator other = world.Target.Login();
        Prevent(world, 1, other);
        AssertPrevented(StartStop(world, Eject));
        other.Logout();
        Blocks.AssertGood(StartStop(world, Eject));
    }

    [Fact]
    public void Prevention_ends_with_a_reset()
    {
        using DiskWorld world = Removable();
        Prevent(world, 1);
        Reset(world);
        Blocks.AssertGood(StartStop(world, Eject));
    }

    [Fact]
    public void The_obsolete_values_of_prevent_are_an_invalid_field()
    {
        using DiskWorld world = Removable();
        Blocks.AssertInvalidField(4, Prevent(world, 2));
        Blocks.AssertInvalidField(4, Prevent(world, 3));
    }

    private static DiskWorld Removable() => DiskWorld.InMemory(o => o with { Removable = true });

    private static TestCommand StartStop(DiskWorld world, byte flags) => world.Execute([0x1B, 0, 0, 0, flags, 0]);

    private static TestCommand Prevent(DiskWorld world, byte value, TestInitiator? from = null) =>
        world.Execute([0x1E, 0, 0, 0, value, 0], from: from);

    private static void AssertPrevented(TestCommand command) =>
        Blocks.AssertSense(SenseKey.IllegalRequest, AdditionalSense.MediumRemovalPrevented, command);

    private static void Reset(DiskWorld world)
    {
        Assert.Equal(
            TaskManagementResponse.FunctionComplete,
            world.Initiator.Request(TaskManagementFunction.LogicalUnitReset));
        world.Initiator.TakeUnitAttentions();
    }
}
