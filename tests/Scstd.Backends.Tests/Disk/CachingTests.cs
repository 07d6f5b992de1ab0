using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>What GOOD means: in the cache, or on stable storage.</summary>
public sealed class CachingTests
{
    private const byte WriteCacheEnabled = 0x04;

    private static readonly FileOperationKind[] WrittenThrough = [FileOperationKind.WriteThrough];

    [Fact]
    public void A_plain_write_goes_to_the_cache_and_FUA_through_it()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(1));
        Assert.Equal([FileOperationKind.Write], world.Operations);
        foreach (CommandRow row in (CommandRow[])[Sbc.Write10, Sbc.Write12, Sbc.Write16, Sbc.Write32])
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 0, 1, Cdbs.Fua), Blocks.Of(1)));
        Assert.Equal(Enumerable.Repeat(FileOperationKind.WriteThrough, 4), world.Operations.Skip(1));
    }

    [Fact]
    public void With_the_cache_off_every_write_goes_through()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { WriteBack = false });
        Assert.Equal(0, world.Disk.ModePages.Single(p => p.PageCode == 0x08).Current[0] & 0x04);
        world.Write(0, Blocks.Of(1));
        Assert.Equal(WrittenThrough, world.Operations);
    }

    [Fact]
    public void A_read_with_FUA_first_brings_the_cache_to_the_medium()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(1));
        TestCommand command = world.Execute(Cdbs.For(Sbc.Read10, 0, 1, Cdbs.Fua));
        Assert.Equal(Blocks.Of(1), command.DataIn);
        Assert.Equal([FileOperationKind.Write, FileOperationKind.Flush, FileOperationKind.Read], world.Operations);
    }

    [Theory]
    [InlineData(DiskStoreKind.File, true)]
    [InlineData(DiskStoreKind.Memory, false)]
    public void The_caching_page_tells_the_truth_about_the_store(DiskStoreKind kind, bool hasCache)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        ModePage page = world.Disk.ModePages.Single(p => p.PageCode == 0x08);
        Assert.Equal(hasCache ? 0x04 : 0, page.Current[0]);
        Assert.Equal(hasCache ? 0x04 : 0, page.Changeable[0]);
    }

    [Fact]
    public void An_initiator_that_switches_the_cache_off_or_on_changes_what_a_write_does()
    {
        using DiskWorld world = DiskWorld.InFile();
        foreach ((byte cache, FileOperationKind expected) in ((byte, FileOperationKind)[])
            [(0, FileOperationKind.WriteThrough), (WriteCacheEnabled, FileOperationKind.Write)])
        {
            Blocks.AssertGood(SelectCaching(world, cache));
            Assert.Equal(cache, SenseCaching(world)[6] & WriteCacheEnabled);
            world.Write(0, Blocks.Of(1));
            Assert.Equal(expected, world.Operations[^1]);
        }
    }

    [Fact]
    public void A_disk_in_memory_has_no_cache_to_switch_on()
    {
        using DiskWorld world = DiskWorld.InMemory();
        TestCommand command = SelectCaching(world, WriteCacheEnabled);
        Blocks.AssertSense(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList, command);
    }

    [Fact]
    public void A_cache_that_the_configuration_switched_off_is_not_an_initiators_to_switch_on()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { WriteBack = false });
        Assert.Equal(0, world.Disk.ModePages.Single(p => p.PageCode == 0x08).Changeable[0]);
        Blocks.AssertSense(
            SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList,
            SelectCaching(world, WriteCacheEnabled));
        world.Write(0, Blocks.Of(1));
        Assert.Equal(WrittenThrough, world.Operations);
    }

    /// <summary>All pages are saved when an initiator saves one.</summary>
    [Fact]
    public void A_cache_that_the_configuration_switches_off_is_off_whatever_was_saved()
    {
        using var directory = new TemporaryDirectory();
        var store = new TestStateStore();
        var options = new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = directory.File("disk.img"),
            SizeBytes = 1 << 20,
        };
        byte[] saved = CacheAfter(options, store, a =>
        {
            byte[] descriptorSense = [0, 0, 0, 0, 0x0A, 0x0A, 0x04, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0];
            Blocks.AssertGood(a.Execute([0x15, 0x11, 0, 0, (byte)descriptorSense.Length, 0], descriptorSense));
        });
        Assert.Equal(WriteCacheEnabled, saved[6] & WriteCacheEnabled);
        Assert.NotEmpty(store.Contents);
        Assert.Equal(0, CacheAfter(options with { WriteBack = false }, store, static _ => { })[6] & WriteCacheEnabled);
    }

    [Fact]
    public void A_reset_brings_back_the_configured_cache()
    {
        using DiskWorld world = DiskWorld.InFile();
        Blocks.AssertGood(SelectCaching(world, 0));
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        world.Write(0, Blocks.Of(1));
        Assert.Equal(FileOperationKind.Write, world.Operations[^1]);
    }

    [Fact]
    public void Switching_the_cache_off_waits_for_the_flush_and_the_reactor_does_not()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(1));
        world.FileCall = _ => null;
        TestCommand select = world.Send([0x15, 0x10, 0, 0, 24, 0], [0, 0, 0, 0, 0x08, 18, .. new byte[18]]);
        world.Target.Executor.Run();
        world.Reactor.RunPass();
        Assert.False(select.IsAnswered);
        Assert.Equal(FileOperationKind.Flush, world.Operations[^1]);
        world.FileCall = RealFile.Run;
        world.Run();
        Blocks.AssertGood(select);
    }

    [Fact]
    public void Switching_the_cache_off_is_not_good_when_what_was_cached_is_lost()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(0, Blocks.Of(4));
        world.FileCall = operation => operation.Kind == FileOperationKind.Flush
            ? -ErrorNumber.InputOutput : RealFile.Run(operation);
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, SelectCaching(world, 0));
        Assert.Equal(WriteCacheEnabled, SenseCaching(world)[6] & WriteCacheEnabled);
        world.FileCall = RealFile.Run;
        world.Write(0, Blocks.Of(1));
        Assert.Equal(FileOperationKind.Write, world.Operations[^1]);
        world.Initiator.Request(TaskManagementFunction.LogicalUnitReset);
        world.Initiator.TakeUnitAttentions();
        Blocks.AssertGood(SelectCaching(world, 0));
        world.Write(0, Blocks.Of(1));
        Assert.Equal(FileOperationKind.WriteThrough, world.Operations[^1]);
    }

    [Fact]
    public void A_reset_that_switches_the_cache_off_does_so_even_if_its_flush_fails()
    {
        using var directory = new TemporaryDirectory();
        var options = new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = directory.File("disk.img"),
            SizeBytes = 1 << 20,
        };
        var reactor = new ManualReactor();
        using DiskBackend disk = DiskBackend.Open(options, [reactor]);
        using var target = new TestTarget(disk, new TestStateStore());
        TestInitiator a = target.Login();
        const byte AndSave = 0x11, NotSaved = 0x10;
        Select(0, AndSave);
        Select(WriteCacheEnabled, NotSaved);
        reactor.ExecuteFile = operation =>
            operation.Kind == FileOperationKind.Flush ? -ErrorNumber.InputOutput : RealFile.Run(operation);
        var reset = new TaskManagementRequest { Function = TaskManagementFunction.LogicalUnitReset };
        a.Nexus.TaskManagementRequested(reset);
        Run();
        Assert.Contains(reset, a.Port.FunctionsExecuted);
        a.TakeUnitAttentions();
        Assert.Equal(0, a.Execute([0x1A, 0x08, 0x08, 0, 255, 0]).DataIn[6] & WriteCacheEnabled);

        void Select(byte cache, byte how)
        {
            byte[] list = [0, 0, 0, 0, 0x08, 18, cache, .. new byte[17]];
            TestCommand select = a.Send(Lun.FromNumber(0), [0x15, how, 0, 0, (byte)list.Length, 0], list);
            Run();
            Blocks.AssertGood(select);
        }

        void Run()
        {
            do
                target.Executor.Run();
            while (reactor.RunPass() || !target.Executor.IsIdle);
        }
    }

    [Fact]
    public void SynchronizeCache10_and_SynchronizeCache16_flush_and_wait_for_it()
    {
        using DiskWorld world = DiskWorld.InFile();
        foreach (CommandRow row in (CommandRow[])[Sbc.SynchronizeCache10, Sbc.SynchronizeCache16])
        {
            world.FileCall = _ => null;
            TestCommand command = world.Send(Cdbs.For(row, 3, 5));
            world.Reactor.RunPass();
            Assert.False(command.IsAnswered);
            world.FileCall = RealFile.Run;
            world.Run();
            Blocks.AssertGood(command);
            Assert.Equal(FileOperationKind.Flush, world.Operations[^1]);
            const byte OnlyToNonVolatileCache = 0x04;
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 3, 5, OnlyToNonVolatileCache)));
            Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(row, 2040, 9)));
            Blocks.AssertOutOfRange(2049, world.Execute(Cdbs.For(row, 2049, 0)));
        }
    }

    [Fact]
    public void An_immediate_SynchronizeCache10_ends_before_its_flush_and_a_second_one_is_not_lost()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = _ => null;
        byte[] cdb = Cdbs.For(Sbc.SynchronizeCache10, 0, 0, flags: 0x02);
        for (int i = 0; i < 3; i++)
            Assert.True(world.Send(cdb).IsAnswered);
        Assert.Equal(1, world.Disk.UnderWayOn(world.Reactor));
        int tried = world.Operations.Count;
        world.FileCall = RealFile.Run;
        world.Run();
        // One that was under way, and one for all who asked meanwhile.
        Assert.Equal(2, world.Operations.Count - tried);
        Assert.Equal(0, world.Disk.UnderWayOn(world.Reactor));
    }

    [Fact]
    public void A_disk_in_memory_has_nothing_to_synchronize()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache16, 2048, 0)));
    }

    [Fact]
    public void Prefetch10_and_Prefetch16_meet_the_condition_when_the_blocks_are_in_memory()
    {
        using DiskWorld memory = DiskWorld.InMemory();
        using DiskWorld file = DiskWorld.InFile();
        foreach (CommandRow row in (CommandRow[])[Sbc.Prefetch10, Sbc.Prefetch16])
        {
            foreach (DiskWorld world in (DiskWorld[])[memory, file])
            {
                Assert.Equal(ScsiStatus.ConditionMet, world.Execute(Cdbs.For(row, 0, 100)).Status);
                Assert.Equal(ScsiStatus.ConditionMet, world.Execute(Cdbs.For(row, 5, 0)).Status);
                Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(row, 2047, 2)));
            }
            Assert.Equal(ScsiStatus.Good, file.Execute(Cdbs.For(row, 0, 1, flags: 0x02)).Status);
        }
        Assert.Contains(FileOperationKind.Read, file.Operations);
    }

    /// <summary>A daemon's life: the caching page at its end.</summary>
    private static byte[] CacheAfter(DiskOptions options, TestStateStore store, Action<TestInitiator> work)
    {
        using DiskBackend disk = DiskBackend.Open(options, [new ManualReactor()]);
        using var target = new TestTarget(disk, store);
        TestInitiator a = target.Login();
        work(a);
        return a.Execute([0x1A, 0x08, 0x08, 0, 255, 0]).DataIn;
    }

    /// <summary>MODE SELECT (6) of the caching page, with PF.</summary>
    private static TestCommand SelectCaching(DiskWorld world, byte flags)
    {
        byte[] list = [0, 0, 0, 0, 0x08, 18, flags, .. new byte[17]];
        return world.Execute([0x15, 0x10, 0, 0, (byte)list.Length, 0], list);
    }

    /// <summary>MODE SENSE (6) of the caching page, without the block descriptor.</summary>
    private static byte[] SenseCaching(DiskWorld world) => world.Execute([0x1A, 0x08, 0x08, 0, 255, 0]).DataIn;
}
