using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

public sealed class ReadWriteTests
{
    public static TheoryData<DiskStoreKind, CommandRow, CommandRow> Pairs()
    {
        var pairs = new TheoryData<DiskStoreKind, CommandRow, CommandRow>();
        foreach (DiskStoreKind kind in (DiskStoreKind[])[DiskStoreKind.Memory, DiskStoreKind.File])
        {
            pairs.Add(kind, Sbc.Write6, Sbc.Read6);
            pairs.Add(kind, Sbc.Write10, Sbc.Read10);
            pairs.Add(kind, Sbc.Write12, Sbc.Read12);
            pairs.Add(kind, Sbc.Write16, Sbc.Read16);
            pairs.Add(kind, Sbc.Write32, Sbc.Read32);
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void What_was_written_is_read(DiskStoreKind kind, CommandRow write, CommandRow read)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        foreach ((ulong lba, int count) in ((ulong, int)[])[(0, 1), (7, 3), (1024, 200), (2047, 1), (2048 - 200, 200)])
        {
            byte[] data = Blocks.Of(count, seed: count);
            Blocks.AssertGood(world.Execute(Cdbs.For(write, lba, (ulong)count), data));
            TestCommand command = world.Execute(Cdbs.For(read, lba, (ulong)count));
            Blocks.AssertGood(command);
            Assert.Equal(data, command.DataIn);
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Beyond_the_end_nothing_is_moved(DiskStoreKind kind, CommandRow write, CommandRow read)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        byte[] before = Blocks.Of(2, seed: 9);
        world.Write(2046, before);
        foreach ((ulong lba, int count) in ((ulong, int)[])[(2048, 1), (2047, 2), (2040, 200), (0x1F_FFFF, 1)])
        {
            ulong firstBad = Math.Max(lba, 2048);
            Blocks.AssertOutOfRange(firstBad, world.Execute(Cdbs.For(read, lba, (ulong)count)));
            Blocks.AssertOutOfRange(firstBad, world.Execute(Cdbs.For(write, lba, (ulong)count), Blocks.Of(count)));
        }
        Assert.Equal(before, world.Read(2046, 2));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Zero_blocks_move_nothing_up_to_the_capacity(DiskStoreKind kind, CommandRow write, CommandRow read)
    {
        if (read == Sbc.Read6)
            return; // zero stands for 256 there, see below
        using DiskWorld world = DiskWorld.Of(kind);
        foreach (CommandRow row in (CommandRow[])[read, write])
        {
            byte[]? none = row == write ? [] : null;
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 0, 0), none));
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 2048, 0), none));
            Blocks.AssertOutOfRange(2049, world.Execute(Cdbs.For(row, 2049, 0), none));
            Blocks.AssertOutOfRange(uint.MaxValue, world.Execute(Cdbs.For(row, uint.MaxValue, 0), none));
        }
    }

    [Fact]
    public void Zero_blocks_of_a_6_byte_CDB_are_256()
    {
        using DiskWorld world = DiskWorld.InMemory();
        byte[] data = Blocks.Of(256);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Write6, 5, 0), data));
        Assert.Equal(data, world.Execute(Cdbs.For(Sbc.Read6, 5, 0)).DataIn);
    }

    [Fact]
    public void An_address_at_the_end_of_64_bits_does_not_wrap()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertOutOfRange(ulong.MaxValue, world.Execute(Cdbs.For(Sbc.Read16, ulong.MaxValue, 1)));
        Blocks.AssertOutOfRange(ulong.MaxValue, world.Execute(Cdbs.For(Sbc.Read16, ulong.MaxValue, uint.MaxValue)));
        Blocks.AssertOutOfRange(1UL << 63, world.Execute(Cdbs.For(Sbc.Write16, 1UL << 63, 1), Blocks.Of(1)));
    }

    [Fact]
    public void More_than_the_maximum_transfer_length_is_an_invalid_field()
    {
        using DiskWorld world = DiskWorld.InMemory(o => o with { SizeBytes = 64 << 20 });
        ulong most = (8 << 20) / 512;
        Assert.Equal(8 << 20, world.Execute(Cdbs.For(Sbc.Read16, 0, most)).DataIn.Length);
        Blocks.AssertInvalidField(10, world.Execute(Cdbs.For(Sbc.Read16, 0, most + 1)));
        Blocks.AssertInvalidField(10, world.Execute(
            Cdbs.For(Sbc.Write16, 0, most + 1), new byte[(8 << 20) + 512]));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(2048)]
    [InlineData(4096)]
    public void Every_block_length_serves(int blockLengthBytes)
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { BlockLengthBytes = blockLengthBytes });
        ulong last = (ulong)((1 << 20) / blockLengthBytes) - 1;
        byte[] data = Blocks.Of(1, seed: 3, blockLengthBytes);
        world.Write(last, data);
        Assert.Equal(data, world.Read(last, 1));
        Blocks.AssertOutOfRange(last + 1, world.Execute(Cdbs.For(Sbc.Read16, last, 2)));
    }

    [Fact]
    public void Protection_is_refused_where_there_is_none()
    {
        using DiskWorld world = DiskWorld.InMemory();
        for (int protect = 1; protect < 8; protect++)
        {
            byte flags = (byte)(protect << 5);
            Blocks.AssertInvalidField(1, world.Execute(Cdbs.For(Sbc.Read10, 0, 1, flags)));
            Blocks.AssertInvalidField(1, world.Execute(Cdbs.For(Sbc.Write10, 0, 1, flags), Blocks.Of(1)));
            Blocks.AssertInvalidField(10, world.Execute(Cdbs.For(Sbc.Read32, 0, 1, flags)));
        }
    }

    [Fact]
    public void A_read_from_memory_lends_the_memory_itself()
    {
        using DiskWorld world = DiskWorld.InMemory();
        world.Write(0, Blocks.Of(8));
        var lent = new DataBuffer();
        Assert.True(world.Disk.Store.TryLend(0, 8, lent));
        world.Write(0, Blocks.Of(8, seed: 2));
        Assert.Equal(Blocks.Of(8, seed: 2), lent.ToArray(8 * 512));
        Assert.Equal(0, world.Target.Executor.Buffers.LeasesOut);
    }

    [Fact]
    public void Who_copies_what_is_lent_gets_room_for_it_or_is_told_that_there_is_none()
    {
        using DiskWorld world = DiskWorld.InMemory();
        world.Write(0, Blocks.Of(8));
        TestPort port = world.Initiator.Port;
        BufferPool buffers = world.Target.Executor.Buffers;
        Assert.Equal(Blocks.Of(8), world.Read(0, 8));
        Assert.False(port.LastDataInWasLeased);
        port.CopiesWhatIsLent = true;
        Assert.Equal(Blocks.Of(8), world.Read(0, 8));
        Assert.True(port.LastDataInWasLeased);
        Assert.Equal(0, buffers.LeasesOut);

        var taken = new List<nint>();
        while (buffers.TryLease(4096, out nint lease))
            taken.Add(lease);
        TestCommand refused = world.Execute(Cdbs.For(Sbc.Read10, 0, 8));
        taken.ForEach(lease => buffers.Return(lease, 4096));

        Assert.Equal((ScsiStatus.Busy, 0), (refused.Status, refused.DataInLengthBytes));
        Assert.Equal(0, buffers.LeasesOut);
    }

    [Fact]
    public void Where_CompareAndWrite_is_used_a_reader_gets_a_copy()
    {
        using DiskWorld world = DiskWorld.InMemory();
        world.Read(0, 1);
        Assert.False(world.Initiator.Port.LastDataInWasLeased);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.CompareAndWrite, 0, 1), [.. new byte[512], .. Blocks.Of(1)]));
        Assert.Equal(Blocks.Of(1), world.Read(0, 1));
        Assert.True(world.Initiator.Port.LastDataInWasLeased);
    }

    [Fact]
    public void A_read_only_disk_refuses_writes_and_serves_reads()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("disk.img");
        File.WriteAllBytes(path, Blocks.Of(16));
        using var world = new DiskWorld(new DiskOptions
        {
            Name = "ro",
            Store = DiskStoreKind.File,
            Path = path,
            ReadOnly = true,
        });
        Assert.Equal(Blocks.Of(16), world.Read(0, 16));
        Blocks.AssertSense(
            SenseKey.DataProtect, AdditionalSense.WriteProtected,
            world.Execute(Cdbs.For(Sbc.Write10, 0, 1), Blocks.Of(1)));
        Assert.Equal(0x90, world.Disk.ModeDeviceSpecificParameter);
    }

    [Fact]
    public void A_null_disk_of_the_largest_size_reads_zeros_at_its_last_block()
    {
        using var world = new DiskWorld(new DiskOptions
        {
            Name = "null",
            Store = DiskStoreKind.Null,
            SizeBlocks = ulong.MaxValue,
        });
        world.Write(ulong.MaxValue - 2, Blocks.Of(2));
        Assert.Equal(new byte[1024], world.Read(ulong.MaxValue - 2, 2));
        Blocks.AssertOutOfRange(ulong.MaxValue, world.Execute(Cdbs.For(Sbc.Read16, ulong.MaxValue - 1, 2)));
        Assert.Equal(new byte[3 << 20], world.Read(1, (3 << 20) / 512));
    }

    [Theory]
    [InlineData(DiskStoreKind.Memory, 1024)]
    [InlineData(DiskStoreKind.File, 0)]
    public void A_store_in_memory_counts_what_it_copies_and_not_what_it_lends(DiskStoreKind kind, int copiedBytes)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        world.Write(0, Blocks.Of(2));
        world.Read(0, 2);
        Assert.Equal((ulong)copiedBytes, world.Disk.CopiedBytesOn(world.Reactor));
    }

    [Fact]
    public void Without_a_buffer_a_read_is_busy_and_can_be_repeated()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { SizeBytes = 256 << 20 });
        world.FileCall = _ => null;
        var sent = new List<TestCommand>();
        for (ulong i = 0; i < 20; i++)
            sent.Add(world.Send(Cdbs.For(Sbc.Read16, i * 16384, 16384)));
        Assert.Equal(ScsiStatus.TaskSetFull, sent[^1].Status);
        world.FileCall = RealFile.Run;
        world.Run();
        Assert.Equal(8 << 20, world.Execute(Cdbs.For(Sbc.Read16, 0, 16384)).DataIn.Length);
    }
}
