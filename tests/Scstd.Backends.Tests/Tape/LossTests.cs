using Scstd.Backends.Tape;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Tape;

/// <summary>What was answered with GOOD and is lost all the same: who hears of it, and what the drive is then.
/// </summary>
public sealed class LossTests
{
    private const string Ready = "00 00 00 00 00 00";

    private static readonly SenseData Lost =
        new(SenseKey.MediumError, AdditionalSense.WriteError) { IsDeferred = true };

    private static readonly SenseData Failed =
        new(SenseKey.HardwareError, AdditionalSense.InternalTargetFailure);

    [Fact]
    public void Each_who_wrote_since_the_last_synchronisation_hears_of_the_loss_once()
    {
        using var world = new TapeWorld();
        TestInitiator third = world.Target.Login();
        third.TakeUnitAttentions();
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Rewind(third).MustBe(Lost);
        world.Medium.SynchronizeFault = null;
        foreach (TestInitiator writer in (TestInitiator[])[world.Initiator, world.Other])
        {
            world.Execute(Ready, from: writer).MustBe(Lost);
            world.Execute(Ready, from: writer).MustBeGood();
        }
        world.Execute(Ready, from: third).MustBeGood();
    }

    [Theory]
    [InlineData("10 00 00 00 00 00")]
    [InlineData("10 00 00 00 01 00")]
    [InlineData("19 00 00 00 00 00")]
    public void Who_asks_for_a_synchronisation_hears_by_its_status_and_the_others_by_their_next_command(string cdb)
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        TestCommand command = world.Execute(cdb);
        Assert.Equal(
            (SenseKey.MediumError, AdditionalSense.WriteError), (command.Sense.Key, command.Sense.Additional));
        world.Execute(Ready).MustBeGood();
        world.Execute(Ready, from: world.Other).MustBe(Lost);
    }

    [Fact]
    public void What_was_synchronised_before_concerns_nobody()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        world.Marks(0, from: world.Other).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Rewind().MustBe(Lost);
        world.Execute(Ready, from: world.Other).MustBeGood();
    }

    [Fact]
    public void All_who_wrote_hear_of_what_the_robot_loses_before_anything_else()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        DriveRemoval? removal = null;
        world.Reactor.HoldBlocking = true;
        world.Drive.Remove(RemovalTerms.UnlessPrevented, outcome => removal = outcome);
        world.Run();
        TestCommand meanwhile = world.Send(Ready);
        world.Run();
        Assert.False(meanwhile.IsAnswered);
        world.Reactor.HoldBlocking = false;
        world.Run();
        meanwhile.MustBe(Lost);
        world.Execute(Ready, from: world.Other).MustBe(Lost);
        Assert.Same(world.Medium, removal!.Value.Medium);
        world.Execute(Ready).MustBe(new SenseData(SenseKey.NotReady, AdditionalSense.MediumNotPresent));
    }

    [Fact]
    public void Marks_that_cannot_be_written_are_told_with_their_number()
    {
        using var world = new TapeWorld();
        world.Medium.WriteFault = new MediumFault(MediumFaultKind.Store, 28);
        world.Marks(3).MustBe(new SenseData(SenseKey.MediumError, AdditionalSense.WriteError) { Information = 3 });
        Assert.Equal(0UL, world.At);
    }

    [Fact]
    public void A_store_that_does_what_no_store_may_do_is_closed_as_it_is_and_its_drive_does_nothing_more()
    {
        using var world = new TapeWorld();
        var failures = new List<TapeFailure>();
        world.Backend.Failed = failures.Add;
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        world.Medium.Bug = new InvalidOperationException("a bug");
        world.Write(TapeWorld.Record(100)).MustBe(Failed);
        Assert.Contains("a bug", Assert.Single(failures).Message);
        Assert.True(world.Medium.IsAbandoned);
        Assert.Equal(0, world.Medium.Synchronizations);
        world.Execute(Ready, from: world.Other).MustBe(Lost);
        foreach (string cdb in (string[])
            [Ready, "08 00 00 00 64 00", "01 00 00 00 00 00", "34 00 00 00 00 00 00 00 00 00",
                "8C 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00", "1B 00 00 00 01 00", "1B 00 00 00 00 00"])
            world.Execute(cdb).MustBe(Failed);
        world.Execute("5A 00 3F FF 00 00 00 04 00 00").MustBeGood();
        Assert.Equal("ABC123L5", world.Drive.Barcode);
    }

    [Fact]
    public void A_drive_whose_store_failed_goes_on_with_another_cartridge()
    {
        using var world = new TapeWorld();
        world.Medium.Bug = new InvalidOperationException("a bug");
        world.Write(TapeWorld.Record(100)).MustBe(Failed);
        Assert.Same(world.Medium, world.Remove());
        world.Insert(new MemoryMedium());
        world.TakeAttentions();
        world.Write(TapeWorld.Record(100)).MustBeGood();
    }
}
