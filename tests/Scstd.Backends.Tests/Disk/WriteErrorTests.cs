using Scstd.Backends.Disk;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>The kernel tells an error of writing back to one of those who ask; GOOD is for none who had to know of it.
/// </summary>
public sealed class WriteErrorTests : IDisposable
{
    private readonly WriteErrors _errors = new();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_two_flushes_under_way_together_none_is_good_over_lost_data(bool deafEndsFirst)
    {
        using DiskWorld world = Open();
        TestInitiator other = world.Target.Login();
        world.Write(0, Blocks.Of(4));
        _errors.Record(ErrorNumber.InputOutput);
        Hold(world, deafEndsFirst);
        TestCommand first = world.Send(Cdbs.For(Sbc.SynchronizeCache10, 0, 0));
        TestCommand second = world.Send(Cdbs.For(Sbc.SynchronizeCache10, 0, 0), from: other);
        world.Run();
        Assert.Equal((!deafEndsFirst, true), (first.IsAnswered, second.IsAnswered));
        world.FileCall = _ => -ErrorNumber.InputOutput;
        world.Run();
        AssertLost(first);
        AssertLost(second);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Of_two_write_throughs_under_way_together_none_is_good_over_lost_data(bool cached, bool deafEndsFirst)
    {
        using DiskWorld world = Open(o => o with { WriteBack = cached });
        TestInitiator other = world.Target.Login();
        _errors.Record(ErrorNumber.InputOutput);
        Hold(world, deafEndsFirst);
        TestCommand first = world.Send(Cdbs.For(Sbc.Write10, 100, 1, Cdbs.Fua), Blocks.Of(1));
        TestCommand second = world.Send(Cdbs.For(Sbc.Write10, 200, 1, Cdbs.Fua), Blocks.Of(1), other);
        world.Run();
        Assert.Equal((!deafEndsFirst, true), (first.IsAnswered, second.IsAnswered));
        world.FileCall = _ => -ErrorNumber.InputOutput;
        world.Run();
        AssertLost(first);
        AssertLost(second);
    }

    [Fact]
    public void A_write_through_that_takes_a_flushs_error_leaves_none_good()
    {
        using DiskWorld world = Open();
        TestInitiator other = world.Target.Login();
        world.Write(0, Blocks.Of(4));
        _errors.Record(ErrorNumber.InputOutput);
        TestCommand first = world.Send(Cdbs.For(Sbc.Write10, 100, 1, Cdbs.Fua), Blocks.Of(1));
        TestCommand second = world.Send(Cdbs.For(Sbc.SynchronizeCache10, 0, 0), from: other);
        world.Run();
        AssertLost(first);
        AssertLost(second);
    }

    /// <summary>dm-thin, NFS, btrfs: that there is no room is found when the cache is written back, and the next who
    /// asks for stable storage is told, whatever he wrote.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_room_told_to_a_write_through_that_was_an_earlier_writes_is_not_forgotten(bool cached)
    {
        using DiskWorld world = Open(o => o with { WriteBack = cached });
        world.Write(0, Blocks.Of(4));
        _errors.Record(ErrorNumber.NoSpace);
        AssertNoRoom(world.Execute(Cdbs.For(Sbc.Write10, 100, 1, Cdbs.Fua), Blocks.Of(1)));
        AssertNoRoom(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    /// <summary>NFS tells it to whoever writes next.</summary>
    [Fact]
    public void No_room_told_to_a_plain_write_that_was_an_earlier_writes_is_not_forgotten()
    {
        using DiskWorld world = Open();
        world.Write(0, Blocks.Of(4));
        _errors.Record(ErrorNumber.NoSpace);
        world.FileCall = operation => -_errors.Take(operation.File!);
        AssertNoRoom(world.Execute(Cdbs.For(Sbc.Write10, 100, 1), Blocks.Of(1)));
        world.FileCall = _errors.Run;
        AssertNoRoom(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    [Fact]
    public void Of_two_reactors_flushes_none_is_good_over_lost_data()
    {
        ManualReactor[] reactors = [new(0), new(1)];
        foreach (ManualReactor reactor in reactors)
        {
            reactor.ExecuteFile = _errors.Run;
            reactor.FindWriteError = _errors.Take;
        }
        var options = new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = _directory.File("disk.img"),
            SizeBytes = 1 << 20,
        };
        using FileStore store = FileStoreOpening.Open(options, reactors.Length);
        _errors.Record(ErrorNumber.InputOutput);
        StoreRequest[] requests =
            [.. reactors.Select(r => StoreRequest.Submit(store, r, BlockRequestKind.Flush, 0, 0))];
        ManualReactor.RunUntilIdle(reactors);
        Assert.All(requests, request => Assert.True(request.HasFailed));
    }

    [Fact]
    public void What_nobody_knew_of_is_told_after_a_reset_still()
    {
        using DiskWorld world = Open();
        world.Write(0, Blocks.Of(4));
        _errors.Record(ErrorNumber.InputOutput);
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        AssertLost(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    /// <summary>On a real kernel.</summary>
    [SkippableFact]
    public void A_growth_that_is_told_what_a_cached_write_lost_keeps_it()
    {
        using var system = new LossyFileSystem();
        using var world = new DiskWorld(new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = Path.Combine(system.Path, "disk.img"),
            SizeBytes = 16 << 20,
        });
        for (ulong lba = 0; lba < 32768; lba += 2048)
            world.Write(lba, Blocks.Of(2048));
        Assert.Throws<StoreUnavailableException>(() => world.Disk.Store.PrepareSize(24 << 20));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(ScsiStatus.CheckCondition,
                world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)).Status);
        }
    }

    private DiskWorld Open(Func<DiskOptions, DiskOptions>? with = null)
    {
        DiskWorld world = DiskWorld.InFile(with);
        world.FileCall = _errors.Run;
        world.Reactor.FindWriteError = _errors.Take;
        return world;
    }

    /// <summary>The first that asks the kernel hears of the error, at once, but its call ends only later.</summary>
    private void Hold(DiskWorld world, bool holds)
    {
        FileOperation? first = null;
        world.FileCall = operation =>
        {
            if (!holds || (first is not null && operation != first))
                return _errors.Run(operation);
            if (first is null)
                _errors.Take(operation.File!);
            first = operation;
            return null;
        };
    }

    private static void AssertNoRoom(TestCommand command) => Blocks.AssertSense(
        SenseKey.DataProtect, AdditionalSense.SpaceAllocationFailedWriteProtect, command);

    private static void AssertLost(TestCommand command) =>
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, command);
}
