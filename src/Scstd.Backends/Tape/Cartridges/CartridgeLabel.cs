namespace Scstd.Backends.Tape.Cartridges;

/// <summary>What a cartridge is: stays until it is formatted.</summary>
/// <param name="Identity">16 bytes by which it is told from all others.</param>
/// <param name="Seed">Checksums and chains begin with it; another one after each format.</param>
/// <param name="Medium">As the device server sees it; the tab, not whether the file may be written.</param>
/// <param name="Regions">Where partitions may lie.</param>
internal sealed record CartridgeLabel(
    byte[] Identity, uint Seed, MediumDescription Medium, IReadOnlyList<PartitionRegion> Regions)
{
    private const byte Worm = 1;
    private const byte WriteProtected = 2;
    private const byte Cleaning = 4;
    private const int IdentityBytes = 16;

    public void Write(FormatWriter to)
    {
        to.Bytes(Identity);
        to.UInt32(Seed);
        to.Byte((byte)((Medium.IsWorm ? Worm : 0) | (Medium.IsWriteProtected ? WriteProtected : 0)
            | (Medium.IsCleaning ? Cleaning : 0)));
        to.Byte(Medium.DensityCode);
        to.Text(Medium.Barcode);
        to.Text(Medium.SerialNumber);
        to.UInt64(Medium.CapacityBytes);
        to.UInt16((ushort)Regions.Count);
        foreach (PartitionRegion region in Regions)
        {
            to.UInt64((ulong)region.StartBytes);
            to.UInt64(region.CapacityBytes);
        }
    }

    /// <summary>Null if it cannot be believed.</summary>
    public static CartridgeLabel? Read(ref FormatReader from)
    {
        byte[] identity = from.Bytes(IdentityBytes);
        uint seed = from.UInt32();
        byte flags = from.Byte();
        byte density = from.Byte();
        string barcode = from.Text(CartridgeFormat.TextBytesMax);
        string serial = from.Text(CartridgeFormat.TextBytesMax);
        ulong capacity = from.UInt64(CartridgeFormat.CapacityBytesMax);
        int count = from.Count(CartridgeFormat.PartitionsMax);
        from.Require(count > 0);
        var regions = new List<PartitionRegion>(count);
        long start = CartridgeFormat.LogsOffsetBytes;
        for (int i = 0; i < count; i++)
        {
            var region = new PartitionRegion(
                (long)from.UInt64(2 * CartridgeFormat.CapacityBytesMax),
                from.UInt64(CartridgeFormat.CapacityBytesMax));
            from.Require(region.StartBytes == start);
            start = region.EndBytes;
            regions.Add(region);
        }
        var medium = new MediumDescription(
            barcode, density, (flags & Worm) != 0, (flags & WriteProtected) != 0, (flags & Cleaning) != 0, serial,
            capacity);
        return from.IsGood ? new CartridgeLabel(identity, seed, medium, regions) : null;
    }

    /// <summary>Regions one behind the other.</summary>
    public static IReadOnlyList<PartitionRegion> Lay(IReadOnlyList<ulong> capacitiesBytes)
    {
        var regions = new List<PartitionRegion>(capacitiesBytes.Count);
        long start = CartridgeFormat.LogsOffsetBytes;
        foreach (ulong capacity in capacitiesBytes)
        {
            regions.Add(new PartitionRegion(start, capacity));
            start = regions[^1].EndBytes;
        }
        return regions;
    }
}

/// <param name="StartBytes">In the file.</param>
/// <param name="CapacityBytes">Of its log.</param>
internal readonly record struct PartitionRegion(long StartBytes, ulong CapacityBytes)
{
    private const ulong Mask = (ulong)CartridgeFormat.PartitionAlignmentBytes - 1;

    /// <summary>Where the next one may begin.</summary>
    public long EndBytes => StartBytes + (long)((CapacityBytes + Mask) & ~Mask);
}
