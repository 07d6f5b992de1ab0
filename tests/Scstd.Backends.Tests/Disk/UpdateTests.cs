using Scstd.Backends.Disk;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>COMPARE AND WRITE, ORWRITE, WRITE SAME.</summary>
public sealed class UpdateTests
{
    private const byte Unmap = 0x08;
    private const byte NoDataOut = 0x01;

    public static TheoryData<DiskStoreKind> Stores() => [DiskStoreKind.Memory, DiskStoreKind.File];

    [Theory]
    [MemberData(nameof(Stores))]
    public void CompareAndWrite_writes_what_compares(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        foreach (int count in (int[])[1, 2, 255])
        {
            byte[] before = Blocks.Of(count, seed: 1);
            byte[] after = Blocks.Of(count, seed: 2);
            world.Write(100, before);
            Blocks.AssertGood(world.Execute(
                Cdbs.For(Sbc.CompareAndWrite, 100, (ulong)count), [.. before, .. after]));
            Assert.Equal(after, world.Read(100, (uint)count));
        }
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void CompareAndWrite_changes_nothing_that_differs_and_tells_where(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        byte[] before = Blocks.Of(3);
        world.Write(8, before);
        foreach (int at in (int[])[0, 700, before.Length - 1])
        {
            byte[] expected = [.. before];
            expected[at] ^= 0x80;
            TestCommand command = world.Execute(
                Cdbs.For(Sbc.CompareAndWrite, 8, 3), [.. expected, .. Blocks.Of(3, seed: 5)]);
            Blocks.AssertSense(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, command);
            Assert.Equal((ulong)at, command.Sense.Information);
        }
        Assert.Equal(before, world.Read(8, 3));
    }

    [Fact]
    public void CompareAndWrite_keeps_its_bounds()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.CompareAndWrite, 2048, 0), []));
        Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(Sbc.CompareAndWrite, 2047, 2), Blocks.Of(4)));
        Blocks.AssertOutOfRange(
            ulong.MaxValue, world.Execute(Cdbs.For(Sbc.CompareAndWrite, ulong.MaxValue, 1), Blocks.Of(2)));
    }

    [Fact]
    public void CompareAndWrite_with_FUA_goes_through_the_cache()
    {
        using DiskWorld world = DiskWorld.InFile();
        byte[] cdb = Cdbs.For(Sbc.CompareAndWrite, 0, 1, Cdbs.Fua);
        Blocks.AssertGood(world.Execute(cdb, [.. new byte[512], .. Blocks.Of(1)]));
        Assert.Equal([FileOperationKind.Read, FileOperationKind.WriteThrough], world.Operations);
    }

    [Fact]
    public void The_first_CompareAndWrite_waits_until_what_the_store_lent_has_been_sent()
    {
        using DiskWorld world = DiskWorld.InMemory();
        TestInitiator writer = world.Target.Login();
        world.Initiator.Port.HoldsAnswers = true;
        Assert.True(world.Send(Cdbs.For(Sbc.Read16, 0, 8)).IsAnswered);
        byte[] cdb = Cdbs.For(Sbc.CompareAndWrite, 0, 1);
        TestCommand first = world.Send(cdb, [.. new byte[512], .. Blocks.Of(1)], writer);
        world.Run();
        Assert.False(first.IsAnswered);
        world.Initiator.Port.SendAnswers();
        world.Run();
        Blocks.AssertGood(first);
        world.Initiator.Port.HoldsAnswers = true;
        Assert.True(world.Execute(Cdbs.For(Sbc.Read16, 0, 8)).IsAnswered);
        Blocks.AssertGood(world.Execute(cdb, [.. Blocks.Of(1), .. new byte[512]], writer));
        world.Initiator.Port.SendAnswers();
    }

    [Fact]
    public void CompareAndWrite_leaves_the_other_blocks_alone_while_it_works()
    {
        using DiskWorld world = DiskWorld.InFile();
        TestInitiator other = world.Target.Login();
        world.FileCall = _ => null;
        TestCommand[] both =
        [
            world.Send(Cdbs.For(Sbc.CompareAndWrite, 0, 1), [.. new byte[512], .. Blocks.Of(1)]),
            world.Send(Cdbs.For(Sbc.CompareAndWrite, 8, 1), [.. new byte[512], .. Blocks.Of(1)], other),
        ];
        world.Target.Executor.Run();
        Assert.Equal(2, world.Disk.UnderWayOn(world.Reactor));
        world.FileCall = RealFile.Run;
        world.Run();
        Assert.All(both, Blocks.AssertGood);
    }

    [Fact]
    public void Of_two_CompareAndWrite_at_once_one_finds_the_others_data()
    {
        using DiskWorld world = DiskWorld.InFile();
        TestInitiator other = world.Target.Login();
        byte[] cdb = Cdbs.For(Sbc.CompareAndWrite, 0, 1);
        TestCommand first = world.Send(cdb, [.. new byte[512], .. Blocks.Filled(1, 1)]);
        TestCommand second = world.Send(cdb, [.. new byte[512], .. Blocks.Filled(2, 1)], other);
        world.Run();
        TestCommand[] ended = [first, second];
        TestCommand winner = Assert.Single(ended, c => c.Status == ScsiStatus.Good);
        TestCommand loser = Assert.Single(ended, c => c.Status == ScsiStatus.CheckCondition);
        Assert.Equal(SenseKey.Miscompare, loser.Sense.Key);
        Assert.Equal(winner.DataOut[512..], world.Read(0, 1));
    }

    [Fact]
    public void WriteAtomic16_writes_all_or_refuses_all()
    {
        using DiskWorld world = DiskWorld.Of(DiskStoreKind.Memory);
        byte[] data = Blocks.Of(300, seed: 3);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteAtomic16, 1748, 300), data));
        Assert.Equal(data, world.Read(1748, 300));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteAtomic16, 2048, 0), []));
        Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(Sbc.WriteAtomic16, 2000, 49), Blocks.Of(49)));
        // Half of the data is no half of the write.
        TestCommand half = world.Execute(Cdbs.For(Sbc.WriteAtomic16, 0, 8), Blocks.Of(4, seed: 4));
        Assert.Equal(ScsiStatus.CheckCondition, half.Status);
        Blocks.AssertInvalidField(12, world.Execute(Cdbs.For(Sbc.WriteAtomic16, 0, 2), Blocks.Of(3)));
        Assert.Equal(new byte[8 * 512], world.Read(0, 8));
    }

    [Fact]
    public void WriteAtomic16_is_offered_where_the_store_can_promise_it()
    {
        using DiskWorld memory = DiskWorld.InMemory(options => options with { SizeBlocks = 4096 });
        using DiskWorld file = DiskWorld.InFile();
        Assert.Equal(2048, DiskLimits.MaxAtomicBlocks(memory.Disk.Store));
        Blocks.AssertInvalidField(12, memory.Execute(Cdbs.For(Sbc.WriteAtomic16, 0, 2048 + 1), Blocks.Of(1)));
        TestCommand refused = file.Execute(Cdbs.For(Sbc.WriteAtomic16, 0, 1), Blocks.Of(1));
        Assert.Equal(AdditionalSense.InvalidCommandOperationCode, refused.Sense.Additional);
    }

    [Fact]
    public void The_first_WriteAtomic16_waits_until_what_the_store_lent_has_been_sent()
    {
        using DiskWorld world = DiskWorld.InMemory();
        TestInitiator writer = world.Target.Login();
        world.Initiator.Port.HoldsAnswers = true;
        Assert.True(world.Send(Cdbs.For(Sbc.Read16, 0, 8)).IsAnswered);
        TestCommand first = world.Send(Cdbs.For(Sbc.WriteAtomic16, 0, 1), Blocks.Of(1), writer);
        world.Run();
        Assert.False(first.IsAnswered);
        world.Initiator.Port.SendAnswers();
        world.Run();
        Blocks.AssertGood(first);
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void OrWrite16_sets_bits_and_clears_none(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        byte[] before = Blocks.Of(300, seed: 1);
        byte[] mask = Blocks.Of(300, seed: 2);
        world.Write(1748, before);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.OrWrite16, 1748, 300), mask));
        Assert.Equal(before.Zip(mask, (a, b) => (byte)(a | b)), world.Read(1748, 300));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.OrWrite16, 2048, 0), []));
        Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(Sbc.OrWrite16, 2000, 49), Blocks.Of(49)));
    }

    [Fact]
    public void A_long_OrWrite16_reads_piece_by_piece()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { SizeBytes = 8 << 20 });
        byte[] before = Blocks.Of(5000, seed: 1);
        byte[] mask = Blocks.Of(5000, seed: 2);
        world.Write(3, before);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.OrWrite16, 3, 5000), mask));
        Assert.Equal(before.Zip(mask, (a, b) => (byte)(a | b)), world.Read(3, 5000));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void WriteSame10_WriteSame16_and_WriteSame32_repeat_a_block(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind, o => o with { SizeBytes = 4 << 20 });
        byte[] block = Blocks.Of(1);
        foreach (CommandRow row in (CommandRow[])[Sbc.WriteSame10, Sbc.WriteSame16, Sbc.WriteSame32])
        {
            byte[] edge = Blocks.Of(1, seed: 77);
            world.Write(9, edge);
            world.Write(5010, edge);
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 10, 5000), block));
            byte[] read = world.Read(9, 5002);
            Assert.Equal(edge, read[..512]);
            Assert.Equal(edge, read[^512..]);
            Assert.All(read[512..^512].Chunk(512), chunk => Assert.Equal(block, chunk));
            Blocks.AssertOutOfRange(8192, world.Execute(Cdbs.For(row, 8191, 2), block));
            world.Write(10, new byte[5000 * 512]);
        }
    }

    [Fact]
    public void WriteSame_of_no_blocks_goes_to_the_end()
    {
        using DiskWorld world = DiskWorld.InMemory();
        byte[] block = Blocks.Of(1);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteSame16, 2000, 0), block));
        Assert.All(world.Read(2000, 48).Chunk(512), chunk => Assert.Equal(block, chunk));
        Assert.Equal(new byte[512], world.Read(1999, 1));
    }

    [Fact]
    public void WriteSame_longer_than_its_limit_is_an_invalid_field()
    {
        using var world = new DiskWorld(new DiskOptions
        {
            Name = "null",
            Store = DiskStoreKind.Null,
            SizeBytes = 1UL << 40,
        });
        const ulong most = 0xFFFF;
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteSame16, 0, most), Blocks.Of(1)));
        Blocks.AssertInvalidField(10, world.Execute(Cdbs.For(Sbc.WriteSame16, 0, most + 1), Blocks.Of(1)));
        Blocks.AssertInvalidField(10, world.Execute(Cdbs.For(Sbc.WriteSame16, 0, 0), Blocks.Of(1)));
        Blocks.AssertInvalidField(28, world.Execute(Cdbs.For(Sbc.WriteSame32, 0, 0), Blocks.Of(1)));
    }

    [Fact]
    public void Data_that_is_longer_than_the_CDB_says_is_no_pattern_and_no_pair_of_halves()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Blocks.AssertInvalidField(7, world.Execute(Cdbs.For(Sbc.WriteSame10, 0, 4), Blocks.Of(2)));
        Blocks.AssertInvalidField(10, world.Execute(Cdbs.For(Sbc.WriteSame16, 0, 4), Blocks.Of(8)));
        Blocks.AssertInvalidField(13, world.Execute(Cdbs.For(Sbc.CompareAndWrite, 0, 0), new byte[512]));
        Blocks.AssertInvalidField(13, world.Execute(Cdbs.For(Sbc.CompareAndWrite, 0, 1), new byte[2048]));
        Assert.Equal(new byte[8 * 512], world.Read(0, 8));
    }

    [Fact]
    public void WriteSame16_without_data_writes_zeros()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.Write(4, Blocks.Of(8));
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteSame16, 5, 6, NoDataOut)));
        byte[] read = world.Read(4, 8);
        Assert.Equal(new byte[6 * 512], read[512..^512]);
        Assert.Equal(Blocks.Of(8)[..512], read[..512]);
    }

    [Fact]
    public void What_is_not_supported_of_WriteSame_is_an_invalid_field()
    {
        using DiskWorld thick = DiskWorld.InMemory();
        using DiskWorld thin = DiskWorld.InMemory(o => o with { Thin = true });
        foreach (CommandRow row in (CommandRow[])[Sbc.WriteSame10, Sbc.WriteSame16])
        {
            Blocks.AssertInvalidField(1, thick.Execute(Cdbs.For(row, 0, 1, Unmap), Blocks.Of(1)));
            const byte Anchor = 0x10;
            Blocks.AssertInvalidField(1, thin.Execute(Cdbs.For(row, 0, 1, Unmap | Anchor), Blocks.Of(1)));
        }
        Blocks.AssertInvalidField(10, thick.Execute(Cdbs.For(Sbc.WriteSame32, 0, 1, Unmap), Blocks.Of(1)));
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void WriteSame_with_UNMAP_leaves_what_its_block_says(DiskStoreKind kind)
    {
        using DiskWorld world = DiskWorld.Of(kind, o => o with { Thin = true });
        foreach (byte[] block in (byte[][])[new byte[512], Blocks.Of(1)])
        {
            world.Write(0, Blocks.Of(64, seed: 8));
            Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteSame16, 3, 50, Unmap), block));
            byte[] read = world.Read(0, 64);
            Assert.All(read[(3 * 512)..(53 * 512)].Chunk(512), chunk => Assert.Equal(block, chunk));
            Assert.Equal(Blocks.Of(64, seed: 8)[(53 * 512)..], read[(53 * 512)..]);
        }
        if (kind == DiskStoreKind.File)
            Assert.Single(world.Operations, FileOperationKind.PunchHole);
    }

    [Fact]
    public void An_abort_stops_a_WriteSame_before_its_next_piece()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { SizeBytes = 64 << 20 });
        world.FileCall = _ => null;
        TestCommand command = world.Send(Cdbs.For(Sbc.WriteSame16, 0, 60_000), Blocks.Of(1));
        world.Reactor.RunPass();
        var request = new Scstd.Core.TaskManagementRequest
        {
            Function = TaskManagementFunction.AbortTaskSet,
            Lun = Lun.FromNumber(0),
        };
        world.Initiator.Nexus.TaskManagementRequested(request);
        Assert.Empty(world.Initiator.Port.FunctionsExecuted);
        int before = world.Operations.Count;
        world.FileCall = RealFile.Run;
        world.Run();
        Assert.True(command.WasAborted);
        Assert.Contains(request, world.Initiator.Port.FunctionsExecuted);
        Assert.Equal(1, world.Operations.Count - before);
    }
}
