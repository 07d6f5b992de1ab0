using System.Buffers.Binary;
using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>What a disk tells of itself.</summary>
public sealed class ReportTests
{
    [Theory]
    [InlineData(1UL, 0u)]
    [InlineData(2048UL, 2047u)]
    [InlineData(0xFFFF_FFFFUL, 0xFFFF_FFFEu)]
    [InlineData(0x1_0000_0000UL, 0xFFFF_FFFFu)]
    [InlineData(ulong.MaxValue, 0xFFFF_FFFFu)]
    public void ReadCapacity10_and_ReadCapacity16_tell_the_last_block(ulong blocks, uint last)
    {
        using DiskWorld world = Null(o => o with { SizeBlocks = blocks, BlockLengthBytes = 4096 });
        byte[] answer = world.Execute(Cdbs.For(Sbc.ReadCapacity10, 0, 0)).DataIn;
        Assert.Equal(8, answer.Length);
        Assert.Equal(last, BinaryPrimitives.ReadUInt32BigEndian(answer));
        Assert.Equal(4096u, BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(4)));

        byte[] longer = world.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, 255)).DataIn;
        Assert.Equal(32, longer.Length);
        Assert.Equal(blocks - 1, BinaryPrimitives.ReadUInt64BigEndian(longer));
        Assert.Equal(4096u, BinaryPrimitives.ReadUInt32BigEndian(longer.AsSpan(8)));
        Assert.Equal(new byte[20], longer[12..]);
    }

    [Fact]
    public void ReadCapacity16_tells_the_physical_block_and_thin_provisioning()
    {
        using DiskWorld world = Null(o => o with { PhysicalBlockExponent = 3, Thin = true });
        byte[] answer = world.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, 32)).DataIn;
        Assert.Equal([0, 3, 0xC0, 0], answer[12..16]);
    }

    [Fact]
    public void ReadCapacity16_is_cut_to_its_allocation_length()
    {
        using DiskWorld world = Null();
        for (uint length = 0; length <= 15; length++)
            Assert.Equal((int)length, world.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, length)).DataIn.Length);
    }

    [Fact]
    public void ReadDefectData10_and_ReadDefectData12_know_of_no_defect()
    {
        using DiskWorld world = Null();
        const byte BothListsInBytesFromIndex = 0x1C;
        byte[] ten = [0x37, 0, BothListsInBytesFromIndex, 0, 0, 0, 0, 0, 255, 0];
        Assert.Equal([0, BothListsInBytesFromIndex, 0, 0], world.Execute(ten).DataIn);
        byte[] twelve = [0xB7, BothListsInBytesFromIndex, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0];
        Assert.Equal([0, BothListsInBytesFromIndex, 0, 0, 0, 0, 0, 0], world.Execute(twelve).DataIn);
    }

    [Fact]
    public void The_block_limits_are_those_that_are_kept()
    {
        using DiskWorld world = DiskWorld.InMemory(o => o with { Thin = true, PhysicalBlockExponent = 4 });
        byte[] page = Page(world, 0xB0);
        Assert.Equal(0x3C, page.Length);
        Assert.Equal(0, page[0]); // WSNZ
        Assert.Equal(255, page[1]);
        Assert.Equal(16, BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(2)));
        Assert.Equal((8u << 20) / 512, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(4)));
        Assert.Equal((1u << 20) / 512, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(8)));
        Assert.Equal(uint.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(16)));
        Assert.Equal(256u, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(20)));
        Assert.Equal(8u, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(24)));
        Assert.Equal(0x8000_0000u, BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(28)));
        Assert.Equal(0xFFFFul, BinaryPrimitives.ReadUInt64BigEndian(page.AsSpan(32)));
        Assert.Equal(8 << 20, world.Disk.MaxTransferLengthBytes);
    }

    [Fact]
    public void A_disk_that_is_not_thin_tells_no_limits_of_unmapping()
    {
        using DiskWorld world = DiskWorld.InMemory();
        Assert.Equal(new byte[16], Page(world, 0xB0)[16..32]);
        Assert.DoesNotContain(world.Disk.VitalProductData, p => p.PageCode == 0xB2);
    }

    /// <summary>LBPME without UNMAP would send initiators to a command that is not there.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_disk_is_thin_to_all_who_ask_or_to_none(bool isWanted, bool canUnmap)
    {
        var options = new DiskOptions
        {
            Name = "null",
            Store = DiskStoreKind.Null,
            SizeBytes = 1 << 20,
            Thin = isWanted,
        };
        using var disk = new DiskBackend(options, new NullStore(2048, 512, canUnmap), [new ManualReactor()]);
        using var target = new TestTarget(disk);
        TestInitiator a = target.Login();
        Assert.Equal(0, a.Execute(Cdbs.For(Sbc.ReadCapacity16, 0, 32)).DataIn[14]);
        byte[] limits = disk.VitalProductData.Single(p => p.PageCode == 0xB0).Payload;
        Assert.Equal(new byte[16], limits[16..32]);
        Assert.DoesNotContain(disk.VitalProductData, p => p.PageCode == 0xB2);
        Assert.DoesNotContain(disk.Commands, c => c.Row == Sbc.Unmap || c.Row == Sbc.GetLbaStatus);
    }

    [Fact]
    public void A_thin_disk_tells_how_blocks_are_unmapped()
    {
        using DiskWorld world = DiskWorld.InMemory(o => o with { Thin = true });
        // THRESHOLD EXPONENT 3: sets of 8 of its 2048 blocks.
        Assert.Equal([0x03, 0xE4, 0x02, 0x00], Page(world, 0xB2));
    }

    [Fact]
    public void The_rotation_rate_is_the_configured_one()
    {
        using DiskWorld still = DiskWorld.InMemory();
        using DiskWorld turning = DiskWorld.InMemory(o => o with { RotationRate = 7200 });
        Assert.Equal([0, 1], Page(still, 0xB1)[..2]);
        Assert.Equal([0x1C, 0x20], Page(turning, 0xB1)[..2]);
    }

    [Fact]
    public void The_block_descriptor_has_two_lengths()
    {
        using DiskWorld world = Null(o => o with { SizeBlocks = 1UL << 40 });
        byte[] bytes = new byte[16];
        Assert.Equal(8, world.Disk.WriteModeBlockDescriptor(bytes, longLba: false));
        Assert.Equal([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 2, 0], bytes[..8]);
        Assert.Equal(16, world.Disk.WriteModeBlockDescriptor(bytes, longLba: true));
        Assert.Equal([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0], bytes);
    }

    [Fact]
    public void The_identity_stays_the_same_and_differs_between_disks()
    {
        LogicalUnitIdentity one = IdentityOf("one");
        Assert.Equal(one.Naa, IdentityOf("one").Naa);
        Assert.Equal(one.SerialNumber, IdentityOf("one").SerialNumber);
        Assert.NotEqual(one.Naa, IdentityOf("two").Naa);
        Assert.Equal(8, one.Naa.Length);
        Assert.Equal(0x3, one.Naa[0] >> 4);
        Assert.Equal(IdentityOf("one", serial: "S1").Naa, IdentityOf("two", serial: "S1").Naa);
    }

    private static LogicalUnitIdentity IdentityOf(string name, string? serial = null)
    {
        using DiskWorld world = Null(o => o with { Name = name, SerialNumber = serial });
        return world.Disk.Identity;
    }

    private static byte[] Page(DiskWorld world, byte pageCode) =>
        world.Disk.VitalProductData.Single(p => p.PageCode == pageCode).Payload;

    private static DiskWorld Null(Func<DiskOptions, DiskOptions>? with = null)
    {
        var options = new DiskOptions { Name = "null", Store = DiskStoreKind.Null, SizeBlocks = 2048 };
        return new DiskWorld(with?.Invoke(options) ?? options);
    }
}
