using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>A medium that fails: the right sense, to the right command, and never a GOOD that is not true.</summary>
public sealed class FileStoreFaultTests
{
    private const int QuotaExceeded = 122;

    [Fact]
    public void A_read_error_names_the_first_block_that_is_lost()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(100, Blocks.Of(16));
        world.FileCall = operation => operation.OffsetBytes < 105 * 512
            ? RealFile.RunAtMost(operation, 5 * 512) : -ErrorNumber.InputOutput;
        TestCommand command = world.Execute(Cdbs.For(Sbc.Read10, 100, 16));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, command);
        Assert.Equal(105UL, command.Sense.Information);
        Assert.Empty(command.DataIn);
    }

    [Fact]
    public void A_write_error_names_the_first_block_that_is_not_written()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = operation => operation.OffsetBytes < 203 * 512
            ? RealFile.RunAtMost(operation, 3 * 512) : -ErrorNumber.InputOutput;
        TestCommand command = world.Execute(Cdbs.For(Sbc.Write10, 200, 8), Blocks.Of(8));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, command);
        Assert.Equal(203UL, command.Sense.Information);
    }

    [Theory]
    [InlineData(ErrorNumber.NoSpace)]
    [InlineData(QuotaExceeded)]
    public void A_full_file_system_is_a_failed_allocation_and_nothing_more(int error)
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = operation => RealFile.IsWrite(operation) ? -error : RealFile.Run(operation);
        foreach (byte flags in (byte[])[0, Cdbs.Fua])
        {
            Blocks.AssertSense(
                SenseKey.DataProtect, AdditionalSense.SpaceAllocationFailedWriteProtect,
                world.Execute(Cdbs.For(Sbc.Write10, 0, 1, flags), Blocks.Of(1)));
        }
        world.FileCall = RealFile.Run;
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 0, 1, Cdbs.Fua), Blocks.Of(1)));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    [Fact]
    public void A_file_system_gone_read_only_is_write_protection()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = _ => -ErrorNumber.ReadOnlyFileSystem;
        Blocks.AssertSense(
            SenseKey.DataProtect, AdditionalSense.WriteProtected,
            world.Execute(Cdbs.For(Sbc.Write10, 0, 1), Blocks.Of(1)));
    }

    [Fact]
    public void An_error_that_says_nothing_of_the_medium_is_a_failure_of_the_target()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = _ => -ErrorNumber.OutOfMemory;
        Blocks.AssertSense(
            SenseKey.HardwareError, AdditionalSense.InternalTargetFailure, world.Execute(Cdbs.For(Sbc.Read10, 0, 1)));
        Blocks.AssertSense(
            SenseKey.HardwareError, AdditionalSense.InternalTargetFailure,
            world.Execute(Cdbs.For(Sbc.Write10, 0, 1), Blocks.Of(1)));
    }

    [Fact]
    public void A_write_that_moves_nothing_is_an_error_and_not_an_endless_loop()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = _ => 0;
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError,
            world.Execute(Cdbs.For(Sbc.Write10, 0, 1), Blocks.Of(1)));
    }

    [Fact]
    public void A_failed_flush_is_not_forgotten_by_the_next_one()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(4));
        FailFlushes(world);
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError, world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
        world.FileCall = RealFile.Run;

        foreach (CommandRow row in (CommandRow[])[Sbc.SynchronizeCache10, Sbc.SynchronizeCache16])
        {
            Blocks.AssertSense(
                SenseKey.MediumError, AdditionalSense.WriteError, world.Execute(Cdbs.For(row, 0, 0)));
        }
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError,
            world.Execute(Cdbs.For(Sbc.Write10, 9, 1, Cdbs.Fua), Blocks.Of(1)));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 9, 1), Blocks.Of(1)));
        Assert.Equal(Blocks.Of(4), world.Read(0, 4));
    }

    [Fact]
    public void A_logical_unit_reset_tells_everyone_and_ends_a_kept_fault()
    {
        using DiskWorld world = DiskWorld.InFile();
        TestInitiator other = world.Target.Login();
        FailFlushes(world);
        world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0));
        world.FileCall = RealFile.Run;
        Assert.Equal(
            TaskManagementResponse.FunctionComplete,
            world.Initiator.Request(TaskManagementFunction.LogicalUnitReset));
        foreach (TestInitiator initiator in (TestInitiator[])[world.Initiator, other])
        {
            TestCommand first = world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0), from: initiator);
            Assert.Equal((SenseKey.UnitAttention, 0x29), (first.Sense.Key, first.Sense.Additional.Code));
            Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0), from: initiator));
        }
    }

    [Fact]
    public void A_failed_background_flush_is_reported_by_whoever_asks_for_stable_storage_next()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(1));
        FailFlushes(world);
        byte[] immediate = Cdbs.For(Sbc.SynchronizeCache10, 0, 0, flags: 0x02);
        Blocks.AssertGood(world.Execute(immediate));
        world.FileCall = RealFile.Run;
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError, world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    [Fact]
    public void A_failed_write_through_after_cached_writes_counts_as_a_failed_flush()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(1));
        FailWriteThroughs(world);
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError,
            world.Execute(Cdbs.For(Sbc.Write10, 9, 1, Cdbs.Fua), Blocks.Of(1)));
        world.FileCall = RealFile.Run;
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError, world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    [SkippableFact]
    public void Around_the_page_cache_and_with_the_cache_off_a_failed_write_is_its_own_commands_affair()
    {
        using var directory = new TemporaryDirectory(Environment.CurrentDirectory);
        using DiskWorld world = DirectWorld(directory);
        FailWriteThroughs(world);
        TestCommand failed = world.Execute(Cdbs.For(Sbc.Write10, 9, 1), Blocks.Of(8));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, failed);
        Assert.Equal(9UL, failed.Sense.Information);
        world.FileCall = RealFile.Run;
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 9, 1), Blocks.Of(8)));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
    }

    [Fact]
    public void Through_the_page_cache_a_failed_write_may_be_anothers_affair_with_the_cache_off_too()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { WriteBack = false });
        FailWriteThroughs(world);
        TestCommand failed = world.Execute(Cdbs.For(Sbc.Write10, 9, 1), Blocks.Of(1));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, failed);
        Assert.Equal(9UL, failed.Sense.Information);
        world.FileCall = RealFile.Run;
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError,
            world.Execute(Cdbs.For(Sbc.Write10, 100, 1), Blocks.Of(1)));
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 9, 1), Blocks.Of(1)));
    }

    [Fact]
    public void A_file_cut_underneath_is_an_error_and_never_zeros()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(16));
        using (FileStream file = File.Open(world.Options.Path!, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength((10 * 512) + 100);

        TestCommand command = world.Execute(Cdbs.For(Sbc.Read10, 8, 8));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, command);
        Assert.Equal(10UL, command.Sense.Information);
        // A write would let the file grow again, and what was lost would read as zeros.
        Blocks.AssertSense(
            SenseKey.MediumError, AdditionalSense.WriteError,
            world.Execute(Cdbs.For(Sbc.Write10, 100, 1), Blocks.Of(1)));
        Assert.Equal(Blocks.Of(16)[..(10 * 512)], world.Read(0, 10));
    }

    [Fact]
    public void A_long_transfer_has_several_operations_in_flight_and_tells_the_lowest_bad_block()
    {
        using DiskWorld world = DiskWorld.InFile();
        using var pool = new TestExecutor();
        const int Count = 200;
        byte[] written = Blocks.Of(Count);
        DataBuffer scattered = Scattered(pool, Count, out DataBuffer whole);
        whole.CopyFrom(written, 0);
        StoreRequest request = Submit(world, BlockRequestKind.Write, scattered, Count);
        Assert.Equal((Count + FileOperation.MaxVectors - 1) / FileOperation.MaxVectors, world.Reactor.FilesUnderWay);
        world.Reactor.RunUntilIdle();
        Assert.Equal((1, false), (request.TimesDone, request.HasFailed));
        Assert.Equal(written, world.Read(50, Count));

        world.FileCall = operation =>
            operation.OffsetBytes > 50 * 512 ? -ErrorNumber.InputOutput : RealFile.Run(operation);
        StoreRequest failed = Submit(world, BlockRequestKind.Read, scattered, Count);
        world.Reactor.RunUntilIdle();
        Assert.Equal((1, true), (failed.TimesDone, failed.HasFailed));
        Assert.Equal(50UL + FileOperation.MaxVectors, failed.Fault.Information);
        whole.Return();
    }

    private static StoreRequest Submit(DiskWorld world, BlockRequestKind kind, DataBuffer data, int count) =>
        StoreRequest.Submit(world.Disk.Store, world.Reactor, kind, 50, (ulong)count, data);

    private static DiskWorld DirectWorld(TemporaryDirectory directory)
    {
        var options = new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = directory.File("disk.img"),
            SizeBytes = 1 << 20,
            BlockLengthBytes = 4096,
            Direct = true,
            WriteBack = false,
        };
        try
        {
            return new DiskWorld(options);
        }
        catch (StoreUnavailableException exception)
        {
            throw new SkipException(exception.Message);
        }
    }

    /// <summary>One block a segment.</summary>
    private static DataBuffer Scattered(TestExecutor pool, int count, out DataBuffer whole)
    {
        whole = new DataBuffer();
        Assert.True(whole.TryLease(pool.Buffers, count * 512));
        var scattered = new DataBuffer();
        for (int i = 0; i < count; i++)
            scattered.Lend(whole.Segments[0].Address + (i * 512), 512);
        return scattered;
    }

    private static void FailFlushes(DiskWorld world) => world.FileCall = operation =>
        operation.Kind == FileOperationKind.Flush ? -ErrorNumber.InputOutput : RealFile.Run(operation);

    private static void FailWriteThroughs(DiskWorld world) => world.FileCall = operation =>
        operation.Kind == FileOperationKind.WriteThrough ? -ErrorNumber.InputOutput : RealFile.Run(operation);
}
