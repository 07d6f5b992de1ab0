using Scstd.Backends.Tape;
using Scstd.Core;
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
        // What was closed is given to nobody: it is to be opened anew.
        Assert.Null(world.Remove());
        world.Execute(Ready).MustBe(new SenseData(SenseKey.NotReady, AdditionalSense.MediumNotPresent));
        world.Insert(new MemoryMedium());
        world.TakeAttentions();
        world.Write(TapeWorld.Record(100)).MustBeGood();
    }

    [Fact]
    public void A_store_that_fails_so_when_its_cartridge_is_taken_is_given_to_nobody()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeBug = new InvalidOperationException("a bug");
        Assert.Null(world.Remove());
        Assert.True(world.Medium.IsAbandoned);
        world.Execute(Ready).MustBe(Lost);
        world.Execute(Ready).MustBe(new SenseData(SenseKey.NotReady, AdditionalSense.MediumNotPresent));
    }

    [Fact]
    public void A_store_that_fails_so_when_it_is_loaded_is_closed_as_it_is()
    {
        using var world = new TapeWorld(isEmpty: true);
        world.Medium.MoveBug = new InvalidOperationException("a bug");
        world.Insert(world.Medium);
        Assert.True(world.Medium.IsAbandoned);
        Assert.True(world.Drive.HasFailed);
        world.Execute(Ready).MustBe(Failed);
    }

    [Theory]
    [InlineData("10 00 00 00 00 00")]
    [InlineData("01 00 00 00 00 00")]
    public void Who_aborts_the_command_that_finds_the_loss_hears_of_it_by_the_next(string cdb)
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Medium.SynchronizeFault = new MediumFault(MediumFaultKind.Store, 5);
        world.Medium.OnSynchronize = () => world.Initiator.Begin(TaskManagementFunction.AbortTaskSet);
        TestCommand command = world.Send(cdb);
        world.Run();
        Assert.True(command.WasAborted);
        world.Medium.OnSynchronize = null;
        world.Execute(Ready).MustBe(Lost);
        world.Execute(Ready).MustBeGood();
    }

    [Fact]
    public void Who_is_gone_keeps_no_place_among_those_who_wrote()
    {
        using var world = new TapeWorld();
        for (int i = 0; i < 20; i++)
        {
            TestInitiator initiator = world.Target.Login();
            initiator.TakeUnitAttentions();
            world.Write(TapeWorld.Record(10), initiator).MustBeGood();
            initiator.Logout();
            world.Run();
            Assert.Equal(1, world.Backend.WriterCount);
        }
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Write(TapeWorld.Record(100), world.Other).MustBeGood();
        Assert.Equal(2, world.Backend.WriterCount);
        world.Marks(0).MustBeGood();
        Assert.Equal(0, world.Backend.WriterCount);
    }

    [Fact]
    public void What_was_counted_stays_with_a_cartridge_that_was_only_read()
    {
        using var world = new TapeWorld();
        world.Write(TapeWorld.Record(100)).MustBeGood();
        world.Marks(1).MustBeGood();
        world.Rewind();
        ulong before = world.Medium.Statistics["bytes read"];
        world.Read(100).MustBeGood();
        world.Remove();
        Assert.Equal(before + 100, world.Medium.Statistics["bytes read"]);
    }
}
