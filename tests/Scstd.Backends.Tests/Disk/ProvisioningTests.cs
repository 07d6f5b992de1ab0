using System.Buffers.Binary;
using Scstd.Backends.Disk;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>UNMAP and GET LBA STATUS.</summary>
public sealed class ProvisioningTests
{
    public static TheoryData<DiskStoreKind> Stores() => [DiskStoreKind.Memory, DiskStoreKind.File];

    [Theory]
    [MemberData(nameof(Stores))]
    public void Unmapped_blocks_read_as_zeros_and_their_neighbours_do_not(DiskStoreKind kind)
    {
        using DiskWorld world = Thin(kind);
        byte[] data = Blocks.Of(256);
        world.Write(0, data);
        Blocks.AssertGood(Unmap(world, (1, 3), (5, 0), (17, 100), (250, 6)));
        byte[] expected = [.. data];
        foreach ((int lba, int count) in ((int, int)[])[(1, 3), (17, 100), (250, 6)])
            expected.AsSpan(lba * 512, count * 512).Clear();
        Assert.Equal(expected, world.Read(0, 256));
    }

    /// <summary>Whoever shares the reactor has his turn in between, and no step gives back more than it should.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_unmapping_does_not_hold_up_a_reactor_of_a_memory_disk(bool byWriteSame)
    {
        const int PieceBlocks = 8192, Pieces = 7;
        using DiskWorld world = DiskWorld.InMemory(o => o with { Thin = true, SizeBytes = 1UL << 30 });
        for (ulong lba = 0; lba < PieceBlocks * Pieces; lba += PieceBlocks)
            world.Write(lba + 1, Blocks.Of(PieceBlocks));
        byte[] list = List((1, PieceBlocks * Pieces), (1 << 20, 1 << 20));
        TestCommand unmap = byWriteSame
            ? world.Send(Cdbs.For(Sbc.WriteSame16, 1, PieceBlocks * Pieces, 0x08), new byte[512])
            : world.Send(Cdb(list.Length), list);
        int turns = 0;
        while (!unmap.IsAnswered)
        {
            turns++;
            Assert.Equal(ScsiStatus.Good, world.Send(Cdbs.For(Sbc.Read10, 0, 1)).Status);
            world.Target.Executor.Run();
            world.Reactor.RunPass();
        }
        Blocks.AssertGood(unmap);
        // 28 MiB by 16 MiB, and what has nothing to give back.
        Assert.Equal(byWriteSame ? 2 : 3, turns);
        foreach (int lba in (int[])[0, 1, 8191, 8192, 28672, 57343, 57344])
            Assert.Equal(new byte[512], world.Read((ulong)lba, 1));
    }

    /// <summary>A device without WRITE ZEROES, or one that does not cut the range.</summary>
    [Theory]
    [InlineData(ErrorNumber.NotSupported)]
    [InlineData(ErrorNumber.InvalidArgument)]
    public void What_the_store_cannot_unmap_is_written_by_WriteSame_and_left_by_Unmap(int error)
    {
        using DiskWorld world = Thin(DiskStoreKind.File);
        world.Write(0, Blocks.Of(1024));
        world.FileCall = o => o.Kind == FileOperationKind.PunchHole ? -error : RealFile.Run(o);
        Blocks.AssertGood(Unmap(world, (8, 16), (100, 3)));
        Assert.Equal(Blocks.Of(1024), world.Read(0, 1024));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteSame16, 8, 1000, 0x08), new byte[512]));
        byte[] expected = Blocks.Of(1024);
        expected.AsSpan(8 * 512, 1000 * 512).Clear();
        Assert.Equal(expected, world.Read(0, 1024));
    }

    [Fact]
    public void A_medium_that_fails_while_it_unmaps_is_an_error()
    {
        using DiskWorld world = Thin(DiskStoreKind.File);
        world.FileCall = o => o.Kind == FileOperationKind.PunchHole ? -ErrorNumber.InputOutput : RealFile.Run(o);
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.WriteError, Unmap(world, (8, 16)));
    }

    [Fact]
    public void Pages_that_were_never_written_stay_as_they_are_and_marked_ones_are_given_back()
    {
        using DiskWorld world = DiskWorld.InMemory(o => o with { Thin = true, SizeBytes = 8 << 20 });
        for (ulong page = 0; page < 2048; page += 3)
            world.Write((page * 8) + 2, Blocks.Of(1));
        Blocks.AssertGood(Unmap(world, (3, 16378)));
        byte[] expected = new byte[8 << 20];
        Blocks.Of(1).CopyTo(expected, 2 * 512);
        Assert.Equal(expected, world.Read(0, 16384));
    }

    [Fact]
    public void An_Unmap_list_that_says_nothing_is_good()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        Blocks.AssertGood(world.Execute(Cdb(0), []));
        Blocks.AssertGood(Unmap(world));
        Blocks.AssertGood(Unmap(world, (2048, 0)));
    }

    [Fact]
    public void An_incomplete_last_descriptor_of_an_Unmap_is_ignored()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        world.Write(0, Blocks.Of(2));
        byte[] list = WithDescriptorBytes(List((0, 1), (1, 1))[..36], 28);
        Blocks.AssertGood(world.Execute(Cdb(list.Length), list));
        Assert.Equal(new byte[512], world.Read(0, 1));
        Assert.Equal(Blocks.Of(2)[512..], world.Read(1, 1));
    }

    [Theory]
    [InlineData(2048, 1)]
    [InlineData(2049, 0)]
    [InlineData(2000, 49)]
    [InlineData(ulong.MaxValue, 1)]
    public void A_bad_descriptor_refuses_the_whole_Unmap(ulong lba, uint count)
    {
        using DiskWorld world = Thin(DiskStoreKind.File);
        world.Write(0, Blocks.Of(8));
        Blocks.AssertOutOfRange(Math.Max(lba, 2048), Unmap(world, (0, 8), (lba, count)));
        Assert.Equal(Blocks.Of(8), world.Read(0, 8));
    }

    [Fact]
    public void An_Unmap_list_that_is_cut_off_is_a_length_error()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        byte[] list = List((0, 1), (8, 1));
        foreach (int length in (int[])[1, 7, 8, 24, 39])
        {
            Blocks.AssertSense(
                SenseKey.IllegalRequest, AdditionalSense.ParameterListLengthError,
                world.Execute(Cdb(length), list[..length]));
        }
    }

    [Fact]
    public void Unmap_takes_256_descriptors_and_no_more()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        (ulong, uint)[] descriptors = [.. Enumerable.Range(0, 257).Select(i => ((ulong)i, 1u))];
        Blocks.AssertGood(Unmap(world, descriptors[..256]));
        TestCommand command = Unmap(world, descriptors);
        Blocks.AssertSense(SenseKey.IllegalRequest, AdditionalSense.InvalidFieldInParameterList, command);
        Assert.Equal((ushort?)2, command.Sense.FieldPointer);
    }

    [Fact]
    public void Anchoring_is_refused()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        byte[] cdb = Cdb(24);
        cdb[1] = 0x01;
        Blocks.AssertInvalidField(1, world.Execute(cdb, List((0, 1))));
    }

    [Fact]
    public void With_the_cache_off_an_Unmap_is_good_when_it_is_on_stable_storage()
    {
        using DiskWorld world = Thin(DiskStoreKind.File, o => o with { WriteBack = false });
        Blocks.AssertGood(Unmap(world, (0, 8), (16, 8)));
        Assert.Equal(
            [FileOperationKind.PunchHole, FileOperationKind.PunchHole, FileOperationKind.Flush], world.Operations);
    }

    [Fact]
    public void A_disk_that_is_not_thin_has_neither_Unmap_nor_GetLbaStatus()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertSense(
            SenseKey.IllegalRequest, AdditionalSense.InvalidCommandOperationCode,
            world.Execute(Cdb(24), List((0, 1))));
        TestCommand status = world.Execute(Cdbs.For(Sbc.GetLbaStatus, 0, 24));
        Assert.Equal(SenseKey.IllegalRequest, status.Sense.Key);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void GetLbaStatus_tells_what_is_mapped(DiskStoreKind kind)
    {
        using DiskWorld world = Thin(kind);
        Assert.Equal([(0, 2048, false)], Status(world, 0));
        // 32 KiB: more than any file system's block.
        world.Write(128, Blocks.Of(64));
        Assert.Equal([(0, 128, false), (128, 64, true), (192, 2048 - 192, false)], Status(world, 0));
        Assert.Equal([(130, 62, true), (192, 2048 - 192, false)], Status(world, 130));
        Blocks.AssertGood(Unmap(world, (128, 64)));
        Assert.Equal([(5, 2043, false)], Status(world, 5));
        world.Write(0, Blocks.Of(2048));
        Assert.Equal([(2047, 1, true)], Status(world, 2047));
        Assert.Equal([(0, 2048, true)], Status(world, 0));
    }

    [Fact]
    public void GetLbaStatus_cuts_its_answer_to_whole_descriptors_and_the_allocation_length()
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        world.Write(128, Blocks.Of(8));
        Assert.Equal([(0, 128, false)], Status(world, 0, allocationBytes: 24));
        Assert.Equal([(0, 128, false), (128, 8, true)], Status(world, 0, allocationBytes: 40));
        Assert.Equal(4, world.Execute(Cdbs.For(Sbc.GetLbaStatus, 0, 4)).DataIn.Length);
        Assert.Empty(world.Execute(Cdbs.For(Sbc.GetLbaStatus, 0, 0)).DataIn);
    }

    [Theory]
    [InlineData(2048)]
    [InlineData(1UL << 63)]
    [InlineData(ulong.MaxValue)]
    public void GetLbaStatus_beyond_the_end_is_out_of_range(ulong lba)
    {
        using DiskWorld world = Thin(DiskStoreKind.Memory);
        Blocks.AssertOutOfRange(lba, world.Execute(Cdbs.For(Sbc.GetLbaStatus, lba, 24)));
    }

    private static DiskWorld Thin(DiskStoreKind kind, Func<DiskOptions, DiskOptions>? with = null) =>
        DiskWorld.Of(kind, o => (with?.Invoke(o) ?? o) with { Thin = true });

    private static TestCommand Unmap(DiskWorld world, params (ulong Lba, uint Count)[] descriptors)
    {
        byte[] list = List(descriptors);
        return world.Execute(Cdb(list.Length), list);
    }

    private static byte[] Cdb(int listBytes) => [0x42, 0, 0, 0, 0, 0, 0, (byte)(listBytes >> 8), (byte)listBytes, 0];

    private static byte[] List(params (ulong Lba, uint Count)[] descriptors)
    {
        byte[] list = new byte[8 + (16 * descriptors.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(list, (ushort)(list.Length - 2));
        for (int i = 0; i < descriptors.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(list.AsSpan(8 + (16 * i)), descriptors[i].Lba);
            BinaryPrimitives.WriteUInt32BigEndian(list.AsSpan(16 + (16 * i)), descriptors[i].Count);
        }
        return WithDescriptorBytes(list, 16 * descriptors.Length);
    }

    private static byte[] WithDescriptorBytes(byte[] list, int descriptorBytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), (ushort)descriptorBytes);
        return list;
    }

    private static List<(int Lba, int Count, bool IsMapped)> Status(
        DiskWorld world, ulong lba, uint allocationBytes = 512)
    {
        TestCommand command = world.Execute(Cdbs.For(Sbc.GetLbaStatus, lba, allocationBytes));
        Blocks.AssertGood(command);
        byte[] answer = command.DataIn;
        Assert.Equal(answer.Length - 4, (int)BinaryPrimitives.ReadUInt32BigEndian(answer));
        var extents = new List<(int, int, bool)>();
        for (int at = 8; at < answer.Length; at += 16)
        {
            extents.Add((
                (int)BinaryPrimitives.ReadUInt64BigEndian(answer.AsSpan(at)),
                (int)BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(at + 8)),
                answer[at + 12] == 0));
        }
        return extents;
    }
}
