using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>Thresholds of a thin disk's room (SBC-4 §4.7.3.7). The disk has 2048 blocks in 256 threshold sets of 8, a
/// page of memory each.</summary>
public sealed class ThinProvisioningTests
{
    private const string Situa = "00 00 00 00 00 00 00 00 00 00 00 00";

    [Fact]
    public void Without_a_threshold_both_descriptors_are_disabled()
    {
        using DiskWorld world = Thin(null);
        Assert.Equal(
            $"23 00 10 00 5C 02 00 1C {Situa} 00 01 00 00 00 00 00 00 01 02 00 00 00 00 00 00", Sense(world, 0));
    }

    [Fact]
    public void Enabled_and_count_alone_can_be_changed()
    {
        using DiskWorld world = Thin(null);
        Assert.Equal(
            $"23 00 10 00 5C 02 00 1C {Situa} 80 00 00 00 FF FF FF FF 80 00 00 00 FF FF FF FF", Sense(world, 1));
    }

    /// <summary>64 sets are left when 75% are used; the threshold lies half a set above that, rounded up.</summary>
    [Theory]
    [InlineData(null, 75)]
    [InlineData(64 * 4096, 0)]
    [InlineData((64 * 4096) - 2047, 0)]
    public void A_configured_threshold_is_the_default_of_what_is_available(int? left, int percent)
    {
        using DiskWorld world = Thin(new ThinThreshold((ulong?)left, percent));
        Assert.Equal(
            $"23 00 10 00 5C 02 00 1C {Situa} 80 01 00 00 00 00 00 41 01 02 00 00 00 00 00 00", Sense(world, 2));
    }

    [Fact]
    public void It_is_reached_once_from_below_to_above_and_armed_again_only_with_a_set_of_room()
    {
        using DiskWorld world = Thin(new ThinThreshold(64 * 4096, 0));
        ThinProvisioning thin = world.Disk.Thin!;
        Fill(world, 0, 191);
        Assert.Empty(thin.Measure());
        Fill(world, 191, 1);
        Assert.Equal([new ThinCrossing(ThinResource.Available, 65 * 4096, true)], thin.Measure());
        Assert.True(thin.IsShort);
        Fill(world, 192, 1);
        Assert.Empty(thin.Measure());
        Unmap(world, 191, 2);
        Assert.Empty(thin.Measure());
        Unmap(world, 190, 1);
        Assert.Equal([new ThinCrossing(ThinResource.Available, 65 * 4096, false)], thin.Measure());
        Assert.False(thin.IsShort);
        Fill(world, 190, 2);
        Assert.Equal([new ThinCrossing(ThinResource.Available, 65 * 4096, true)], thin.Measure());
    }

    [Fact]
    public void An_initiator_sets_a_threshold_of_what_is_used()
    {
        using DiskWorld world = Thin(null);
        TestInitiator other = world.Target.Login();
        Select(world, "00 01 00 00 00 00 00 00 81 02 00 00 00 00 00 02").MustBeGood();
        Assert.Equal([AdditionalSense.ModeParametersChanged], other.ItlNexus.UnitAttentions.Pending.ToArray());
        Fill(world, 0, 2);
        Assert.Empty(world.Disk.Thin!.Measure());
        Fill(world, 2, 1);
        Assert.Equal([new ThinCrossing(ThinResource.Used, 2 * 4096, true)], world.Disk.Thin.Measure());
        // Another threshold is armed, whatever the one before was.
        Select(world, "00 01 00 00 00 00 00 00 81 02 00 00 00 00 00 01").MustBeGood();
        Assert.Equal([new ThinCrossing(ThinResource.Used, 4096, true)], world.Disk.Thin.Measure());
    }

    [Theory]
    [InlineData("01 01 00 00 00 00 00 00 01 02 00 00 00 00 00 00", 20)]
    [InlineData("00 02 00 00 00 00 00 00 01 02 00 00 00 00 00 00", 21)]
    public void Arming_and_resource_are_as_they_are(string descriptors, int wrong)
    {
        using DiskWorld world = Thin(null);
        TestCommand refused = Select(world, descriptors);
        Blocks.AssertSense(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList, refused);
        Assert.Equal((ushort)wrong, refused.Sense.FieldPointer);
    }

    [Fact]
    public void The_log_page_tells_what_was_measured_last_in_threshold_sets()
    {
        using DiskWorld world = Thin(null);
        Fill(world, 0, 3);
        world.Disk.Thin!.Measure();
        const string Available = "00 01 23 08 00 00 00 FD 01 00 00 00", Used = "00 02 23 08 00 00 00 03 01 00 00 00";
        Assert.Equal($"8C 00 00 18 {Available} {Used}", Log(world, 0).DataOfGood());
        Assert.Equal($"8C 00 00 0C {Used}", Log(world, 2).DataOfGood());
        Log(world, 3).MustBeInvalidInCdb(5);
        Assert.Equal(
            "00 00 00 06 00 02 03 06 0C 2F", world.Execute([0x4D, 0, 0x40, 0, 0, 0, 0, 0, 0xFF, 0]).DataOfGood());
    }

    [Fact]
    public void A_file_shares_the_room_of_its_file_system()
    {
        using DiskWorld world = DiskWorld.InFile(options => options with { Thin = true });
        StoreSpace before = world.Disk.Thin!.Space;
        Assert.True(before.IsShared);
        Assert.Equal(0ul, before.UsedBytes);
        world.Write(0, Blocks.Of(64));
        world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0));
        world.Disk.Thin.Measure();
        Assert.Equal(64ul * 512, world.Disk.Thin.Space.UsedBytes);
        Assert.Equal(0x02, Log(world, 0).DataIn[12]);
    }

    [Fact]
    public void What_is_not_thin_or_cannot_be_measured_has_neither_page()
    {
        foreach (DiskOptions options in (DiskOptions[])
            [
                new() { Name = "thick", Store = DiskStoreKind.Memory, SizeBytes = 1 << 20 },
                new() { Name = "nowhere", Store = DiskStoreKind.Null, SizeBytes = 1 << 20, Thin = true },
            ])
        {
            using var world = new DiskWorld(options);
            Assert.Null(world.Disk.Thin);
            world.Execute([0x1A, 0x08, 0x1C, 0x02, 0xFF, 0]).MustBeInvalidInCdb(3);
            Log(world, 0).MustBeInvalidInCdb(2, 5);
        }
    }

    [Fact]
    public void What_is_closed_is_not_measured()
    {
        DiskWorld world = Thin(new ThinThreshold(1 << 20, 0));
        world.Dispose();
        Assert.Empty(world.Disk.Thin!.Measure());
    }

    /// <summary>A full file system: each write says which block is not written, and what is there stays readable;
    /// what is unmapped makes room for others (SBC-4 §4.7.3.6).</summary>
    [Fact]
    public void A_full_store_is_write_protected_where_it_needs_room_and_loses_nothing()
    {
        using DiskWorld world = DiskWorld.InFile(options => options with { Thin = true });
        byte[] kept = Blocks.Of(16);
        world.Write(0, kept);
        bool isFull = true;
        world.FileCall = operation => !isFull || !RealFile.IsWrite(operation) || operation.OffsetBytes < 16 * 512
            ? RealFile.Run(operation) : -ErrorNumber.NoSpace;
        TestCommand refused = world.Execute(Cdbs.For(Sbc.Write10, 32, 1), Blocks.Of(1));
        Assert.Equal(
            new SenseData(SenseKey.DataProtect, AdditionalSense.SpaceAllocationFailedWriteProtect), refused.Sense);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 0, 16, Cdbs.Fua), kept));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.SynchronizeCache10, 0, 0)));
        Assert.Equal(kept, world.Read(0, 16));
        isFull = false;
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write10, 32, 1, Cdbs.Fua), Blocks.Of(1)));
    }

    private static DiskWorld Thin(ThinThreshold? threshold) =>
        DiskWorld.InMemory(options => options with { Thin = true, ThinThreshold = threshold });

    private static void Fill(DiskWorld world, int set, int sets) =>
        world.Write((ulong)set * 8, Blocks.Of(8 * sets));

    private static void Unmap(DiskWorld world, int set, int sets)
    {
        byte[] list = new byte[24];
        list[1] = 22;
        list[3] = 16;
        list[14] = (byte)(set * 8 >> 8);
        list[15] = (byte)(set * 8);
        list[19] = (byte)(sets * 8);
        Blocks.AssertGood(world.Execute([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0], list));
    }

    /// <summary>MODE SENSE (6) without block descriptors: current, changeable or default values.</summary>
    private static string Sense(DiskWorld world, int pageControl) =>
        world.Execute([0x1A, 0x08, (byte)((pageControl << 6) | 0x1C), 0x02, 0xFF, 0]).DataOfGood();

    private static TestCommand Select(DiskWorld world, string descriptors)
    {
        byte[] list = Hex.Bytes($"00 00 00 00 5C 02 00 1C {Situa} {descriptors}");
        return world.Execute([0x15, 0x10, 0, 0, (byte)list.Length, 0], list);
    }

    private static TestCommand Log(DiskWorld world, byte pointer) =>
        world.Execute([0x4D, 0, 0x4C, 0, 0, 0, pointer, 0, 0xFF, 0]);
}
