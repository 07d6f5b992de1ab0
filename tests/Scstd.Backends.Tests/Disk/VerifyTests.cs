using Scstd.Backends.Disk;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>VERIFY and WRITE AND VERIFY.</summary>
public sealed class VerifyTests
{
    private const byte CompareAll = 0x02;
    private const byte Reserved = 0x04;
    private const byte CompareOne = 0x06;

    public static TheoryData<DiskStoreKind, CommandRow> Verifies() =>
        ForBothStores(Sbc.Verify10, Sbc.Verify12, Sbc.Verify16, Sbc.Verify32);

    public static TheoryData<DiskStoreKind, CommandRow> WriteAndVerifies() => ForBothStores(
        Sbc.WriteAndVerify10, Sbc.WriteAndVerify12, Sbc.WriteAndVerify16, Sbc.WriteAndVerify32);

    [Theory]
    [MemberData(nameof(Verifies))]
    public void Without_comparison_the_medium_is_read_and_no_data_is_asked_for(DiskStoreKind kind, CommandRow row)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        Blocks.AssertGood(world.Execute(Cdbs.For(row, 0, 2048)));
        Blocks.AssertGood(world.Execute(Cdbs.For(row, 2048, 0)));
        Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(row, 2047, 2)));
        Blocks.AssertOutOfRange(2049, world.Execute(Cdbs.For(row, 2049, 0)));
    }

    [Theory]
    [MemberData(nameof(Verifies))]
    public void A_difference_is_told_by_its_offset_in_the_data(DiskStoreKind kind, CommandRow row)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        byte[] data = Blocks.Of(20);
        world.Write(30, data);
        byte[] cdb = Cdbs.For(row, 30, 20, CompareAll);
        Blocks.AssertGood(world.Execute(cdb, data));
        foreach (int at in (int[])[0, 511, 512, 5000, data.Length - 1])
        {
            byte[] other = [.. data];
            other[at] ^= 1;
            TestCommand command = world.Execute(cdb, other);
            Blocks.AssertSense(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, command);
            Assert.Equal((ulong)at, command.Sense.Information);
        }
    }

    [Theory]
    [MemberData(nameof(Verifies))]
    public void One_block_is_compared_with_all(DiskStoreKind kind, CommandRow row)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        world.Write(10, Blocks.Filled(7, 5));
        byte[] cdb = Cdbs.For(row, 10, 5, CompareOne);
        Blocks.AssertGood(world.Execute(cdb, Blocks.Filled(7, 1)));
        world.Write(13, Blocks.Filled(8, 1));
        TestCommand command = world.Execute(cdb, Blocks.Filled(7, 1));
        Blocks.AssertSense(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, command);
        Assert.Equal(0UL, command.Sense.Information);
    }

    [Theory]
    [MemberData(nameof(Verifies))]
    public void The_reserved_comparison_is_an_invalid_field(DiskStoreKind kind, CommandRow row)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        Blocks.AssertInvalidField(
            row.CdbLengthBytes == 32 ? 10 : 1, world.Execute(Cdbs.For(row, 0, 1, Reserved), Blocks.Of(1)));
    }

    [Fact]
    public void A_long_Verify16_goes_piece_by_piece_in_bounded_memory()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { SizeBytes = 64 << 20 });
        long most = 0;
        world.FileCall = operation =>
        {
            most = Math.Max(most, world.Target.Executor.Buffers.BytesOut);
            return RealFile.Run(operation);
        };
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.Verify16, 0, (64 << 20) / 512)));
        Assert.Equal(64, world.Operations.Count);
        Assert.Equal(1 << 20, most);
    }

    [Fact]
    public void A_bad_block_in_the_middle_of_a_Verify16_is_named()
    {
        using DiskWorld world = DiskWorld.InFile(o => o with { SizeBytes = 16 << 20 });
        world.FileCall = operation =>
            operation.OffsetBytes == 5 << 20 ? -ErrorNumber.InputOutput : RealFile.Run(operation);
        TestCommand command = world.Execute(Cdbs.For(Sbc.Verify16, 0, (16 << 20) / 512));
        Blocks.AssertSense(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError, command);
        Assert.Equal((5UL << 20) / 512, command.Sense.Information);
        Assert.Equal(6, world.Operations.Count);
    }

    [Theory]
    [MemberData(nameof(WriteAndVerifies))]
    public void What_is_written_is_read_back(DiskStoreKind kind, CommandRow row)
    {
        using DiskWorld world = DiskWorld.Of(kind);
        foreach (byte flags in (byte[])[0, CompareAll])
        {
            byte[] data = Blocks.Of(9, seed: flags);
            Blocks.AssertGood(world.Execute(Cdbs.For(row, 2039, 9, flags), data));
            Assert.Equal(data, world.Read(2039, 9));
        }
        if (kind == DiskStoreKind.File)
            Assert.Equal([FileOperationKind.WriteThrough, FileOperationKind.Read], world.Operations.Take(2));
        Blocks.AssertGood(world.Execute(Cdbs.For(row, 0, 0), []));
        Blocks.AssertOutOfRange(2048, world.Execute(Cdbs.For(row, 2040, 9), Blocks.Of(9)));
        foreach (byte flags in (byte[])[Reserved, CompareOne])
        {
            Blocks.AssertInvalidField(
                row.CdbLengthBytes == 32 ? 10 : 1, world.Execute(Cdbs.For(row, 0, 1, flags), Blocks.Of(1)));
        }
    }

    [Fact]
    public void A_medium_that_keeps_something_else_is_found_out_by_WriteAndVerify10()
    {
        using DiskWorld world = DiskWorld.InFile();
        world.FileCall = operation => operation.Kind == FileOperationKind.WriteThrough ? 512 : RealFile.Run(operation);
        byte[] data = Blocks.Of(1);
        Blocks.AssertGood(world.Execute(Cdbs.For(Sbc.WriteAndVerify10, 4, 1), data));
        TestCommand command = world.Execute(Cdbs.For(Sbc.WriteAndVerify10, 4, 1, CompareAll), data);
        Blocks.AssertSense(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify, command);
    }

    private static TheoryData<DiskStoreKind, CommandRow> ForBothStores(params CommandRow[] rows)
    {
        var data = new TheoryData<DiskStoreKind, CommandRow>();
        foreach (CommandRow row in rows)
        {
            data.Add(DiskStoreKind.Memory, row);
            data.Add(DiskStoreKind.File, row);
        }
        return data;
    }
}
