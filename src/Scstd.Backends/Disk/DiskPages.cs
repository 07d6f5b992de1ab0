using System.Buffers.Binary;
using Scstd.Core;

namespace Scstd.Backends.Disk;

/// <summary>The pages a disk tells of itself: vital product data (SBC-4 §6.6) and mode pages (§6.5).</summary>
internal static class DiskPages
{
    public const byte Caching = 0x08;

    private const byte WriteCacheEnabled = 0x04;

    public static IReadOnlyList<VitalProductDataPage> VitalProductData(
        DiskOptions options, IBlockStore store, ThinProvisioning? thin)
    {
        var pages = new List<VitalProductDataPage>
        {
            new(0xB0, BlockLimits(options, store)),
            new(0xB1, Characteristics(options)),
        };
        if (DiskLimits.IsThin(options, store))
            pages.Add(new VitalProductDataPage(0xB2, Provisioning(store, thin)));
        return pages;
    }

    public static IReadOnlyList<ModePage> Modes(DiskOptions options, IBlockStore store, ThinProvisioning? thin)
    {
        ModePage[] pages = [ErrorRecovery(), CachingPage(options, store), InformationalExceptions()];
        return thin is null ? pages : [.. pages, thin.Page];
    }

    /// <summary>WCE of the caching mode page.</summary>
    public static bool HasWriteCache(ModePage page) =>
        page.PageCode == Caching && (page.Current[0] & WriteCacheEnabled) != 0;

    // ---- Vital product data ----------------------------------------------------------------------------------------

    /// <summary>B0h, SBC-4 §6.6.4; the offsets are the standard's less the page's header of four.</summary>
    private static byte[] BlockLimits(DiskOptions options, IBlockStore store)
    {
        int block = store.BlockLengthBytes;
        byte[] page = new byte[60];
        page[1] = DiskLimits.MaxCompareAndWriteBlocks;
        // OPTIMAL TRANSFER LENGTH GRANULARITY: a physical block, or what the file system moves at least.
        Write16(page, 2, (ushort)Math.Max(1 << options.PhysicalBlockExponent, 4096 / block));
        Write32(page, 4, (uint)(DiskLimits.MaxTransferBytes / block));
        Write32(page, 8, (uint)(DiskLimits.OptimalTransferBytes / block));
        if (DiskLimits.IsThin(options, store))
        {
            Write32(page, 16, uint.MaxValue);
            Write32(page, 20, DiskLimits.MaxUnmapDescriptors);
            Write32(page, 24, (uint)store.UnmapGranularityBlocks);
            Write32(page, 28, 0x8000_0000); // UGAVALID, alignment 0
        }
        Write64(page, 32, DiskLimits.MaxWriteSameBlocks);
        // MAXIMUM ATOMIC TRANSFER LENGTH; no alignment, granularity or boundary.
        Write32(page, 40, (uint)DiskLimits.MaxAtomicBlocks(store));
        return page;
    }

    /// <summary>B1h, SBC-4 §6.6.2: rotation rate; VBULS is not needed, FUAB 0: SYNCHRONIZE CACHE and FUA mean stable
    /// storage.</summary>
    private static byte[] Characteristics(DiskOptions options)
    {
        byte[] page = new byte[60];
        Write16(page, 0, (ushort)options.RotationRate);
        return page;
    }

    /// <summary>B2h, SBC-4 §6.6.6: THRESHOLD EXPONENT, zero where nothing is measured; LBPU, LBPWS, LBPWS10, LBPRZ 001b
    /// (unmapped blocks read as zeros), thin.</summary>
    private static byte[] Provisioning(IBlockStore store, ThinProvisioning? thin)
    {
        byte[] page = new byte[4];
        page[0] = (byte)(thin?.ThresholdExponent ?? 0);
        bool unmaps = store.UnmapGranularityBlocks > 0;
        page[1] = (byte)(unmaps ? 0xE4 : 0x04);
        page[2] = 0x02;
        return page;
    }

    // ---- Mode pages, without their header of two bytes -------------------------------------------------------------

    /// <summary>01h, SBC-4 §6.5.8: errors are reported, nothing is retried behind the initiator's back.</summary>
    private static ModePage ErrorRecovery() => ModePage.Fixed(0x01, new byte[10]);

    /// <summary>08h, SBC-4 §6.5.6. WCE is the truth about plain writes, and an initiator's to change where there is a
    /// cache to switch off. Where the configuration has switched it off nobody switches it on: what is not changeable
    /// is not taken from saved values either.</summary>
    private static ModePage CachingPage(DiskOptions options, IBlockStore store)
    {
        byte[] values = new byte[18];
        byte[] changeable = new byte[18];
        if (store.HasVolatileCache && options.WriteBack)
            changeable[0] = values[0] = WriteCacheEnabled;
        return new ModePage
        {
            PageCode = Caching,
            Current = values,
            Default = [.. values],
            Changeable = changeable,
        };
    }

    /// <summary>1Ch, SPC-4 §7.5.11: DEXCPT, no predictions are made.</summary>
    private static ModePage InformationalExceptions()
    {
        byte[] values = new byte[10];
        values[0] = 0x08;
        return ModePage.Fixed(0x1C, values);
    }

    private static void Write16(byte[] page, int offset, ushort value) =>
        BinaryPrimitives.WriteUInt16BigEndian(page.AsSpan(offset), value);

    private static void Write32(byte[] page, int offset, uint value) =>
        BinaryPrimitives.WriteUInt32BigEndian(page.AsSpan(offset), value);

    private static void Write64(byte[] page, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64BigEndian(page.AsSpan(offset), value);
}
