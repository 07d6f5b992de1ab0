using System.Buffers.Binary;
using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>Another size while initiators are there.</summary>
public sealed class ResizeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(DiskStoreKind.File)]
    [InlineData(DiskStoreKind.Memory)]
    public void A_disk_grows_and_every_nexus_is_told_before_it_finds_the_new_capacity(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        TestInitiator other = world.Target.Login();
        Assert.Equal(AdditionalSense.LogicalBlockAddressOutOfRange, Write(world, 2048).Sense.Additional);
        Assert.Equal(4096UL, Resize(world, 2 << 20));
        foreach (TestInitiator initiator in new[] { world.Initiator, other })
        {
            Assert.Equal(SenseData.UnitAttention(AdditionalSense.CapacityDataHasChanged),
                world.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, 32), from: initiator).Sense);
        }
        Assert.Equal(4096UL, Capacity(world));
        Assert.Equal(ScsiStatus.Good, Write(world, 4095).Status);
        Assert.Equal(0x5A, world.Read(4095, 1)[511]);
        Assert.Equal(0, world.Read(4094, 1)[0]);
        Assert.Equal(AdditionalSense.LogicalBlockAddressOutOfRange, Write(world, 4096).Sense.Additional);
    }

    [Theory]
    [InlineData(DiskStoreKind.File)]
    [InlineData(DiskStoreKind.Memory)]
    public void A_write_that_was_judged_by_the_old_capacity_does_not_reach_beyond_a_smaller_one(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        world.Initiator.Port.HoldsDataOut = true;
        TestCommand write = world.Send(Cdbs.For(Sbc.Write16, 2047, 1), new byte[512]);
        Assert.Equal(1024UL, Resize(world, 512 << 10));
        world.Initiator.TakeUnitAttentions();
        world.Initiator.Port.GiveDataOut();
        world.Run();
        Assert.Equal(AdditionalSense.LogicalBlockAddressOutOfRange, write.Sense.Additional);
        Assert.Equal(1024UL, Capacity(world));
    }

    [Fact]
    public void What_was_cut_off_a_memory_disk_reads_as_zeros_when_it_is_there_again()
    {
        foreach (bool thin in new[] { false, true })
        {
            using DiskWorld world = DiskWorld.InMemory(options => options with { Thin = thin });
            Write(world, 1025);
            Resize(world, 1025 * 512);
            Resize(world, 1 << 20);
            world.Initiator.TakeUnitAttentions();
            Assert.Equal(0, world.Read(1025, 1)[0]);
        }
    }

    [Fact]
    public void A_file_that_grew_from_outside_is_measured_anew_and_one_that_shall_be_smaller_is_never_cut()
    {
        using DiskWorld world = DiskWorld.InFile();
        using (FileStream file = File.OpenWrite(world.Options.Path!))
            file.SetLength(3 << 20);
        Assert.Equal(6144UL, Resize(world, null));
        Assert.Equal(2048UL, Resize(world, 1 << 20));
        Assert.Equal(3 << 20, new FileInfo(world.Options.Path!).Length);
    }

    [Fact]
    public void The_same_size_again_is_nobodys_news()
    {
        using DiskWorld world = DiskWorld.InFile();
        Assert.Equal(2048UL, Resize(world, 1 << 20));
        Assert.Equal(2048UL, Resize(world, null));
        Assert.Equal(0, world.Initiator.ItlNexus.UnitAttentions.Count);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(513UL)]
    [InlineData(ulong.MaxValue / 512 * 512)]
    public void A_size_that_cannot_be_is_refused_and_nothing_has_changed(ulong sizeBytes)
    {
        foreach (DiskStoreKind kind in new[] { DiskStoreKind.File, DiskStoreKind.Memory })
        {
            using DiskWorld world = DiskWorld.Of(kind);
            Task<ulong> resizing = Begin(world, sizeBytes);
            Assert.IsType<StoreUnavailableException>(resizing.Exception!.InnerException);
            Assert.Equal(2048UL, Capacity(world));
        }
    }

    private static ulong Resize(DiskWorld world, ulong? sizeBytes) =>
        Begin(world, sizeBytes).GetAwaiter().GetResult();

    /// <summary>Comes back when it has ended.</summary>
    private static Task<ulong> Begin(DiskWorld world, ulong? sizeBytes)
    {
        Task<ulong> resizing = world.Disk.ResizeAsync(world.Target.Unit, sizeBytes);
        bool ended = SpinWait.SpinUntil(
            () =>
            {
                world.Run();
                return resizing.IsCompleted;
            },
            Patience);
        Assert.True(ended);
        return resizing;
    }

    private static TestCommand Write(DiskWorld world, ulong lba)
    {
        byte[] data = new byte[512];
        data.AsSpan().Fill(0x5A);
        return world.Execute(Cdbs.For(Sbc.Write16, lba, 1), data);
    }

    private static ulong Capacity(DiskWorld world) => BinaryPrimitives.ReadUInt64BigEndian(
        world.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, 32)).DataIn) + 1;
}
