namespace Scstd.Backends.Disk;

/// <summary>Sizes as an administrator gives them.</summary>
internal static class DiskSize
{
    /// <summary>Bytes, if a size is given that bytes can count.</summary>
    public static ulong? Wanted(DiskOptions options)
    {
        if (options.SizeBlocks is not { } blocks)
            return options.SizeBytes;
        UInt128 bytes = (UInt128)blocks * (uint)options.BlockLengthBytes;
        return bytes <= ulong.MaxValue ? (ulong)bytes : throw new StoreUnavailableException(
            $"disk {options.Name}: {blocks} blocks are more than it can keep");
    }

    /// <summary>Blocks of a store that exists only by its configuration.</summary>
    public static ulong Blocks(DiskOptions options)
    {
        int block = options.BlockLengthBytes;
        if (options.SizeBlocks is { } blocks and > 0)
            return blocks;
        if (options.SizeBytes is not { } bytes || bytes == 0)
            throw new StoreUnavailableException($"disk {options.Name}: needs a size");
        if (bytes % (uint)block != 0)
        {
            throw new StoreUnavailableException(
                $"disk {options.Name}: its size of {bytes} bytes is not a multiple of the block length of {block}");
        }
        return bytes / (uint)block;
    }

    /// <summary>Blocks of a size that a store is to have.</summary>
    public static ulong Blocks(string what, ulong sizeBytes, int blockLengthBytes)
    {
        if (sizeBytes == 0)
            throw new StoreUnavailableException($"{what}: a size of nothing");
        return sizeBytes % (uint)blockLengthBytes == 0 ? sizeBytes / (uint)blockLengthBytes
            : throw new StoreUnavailableException(
                $"{what}: its size of {sizeBytes} bytes is not a multiple of the block length of {blockLengthBytes}");
    }

    public static void Judge(DiskOptions options)
    {
        if (options.BlockLengthBytes is not (512 or 1024 or 2048 or 4096))
        {
            throw new StoreUnavailableException(
                $"disk {options.Name}: a block of {options.BlockLengthBytes} bytes; "
                + "512, 1024, 2048 or 4096 is possible");
        }
        if (options.PhysicalBlockExponent is < 0 or > 15)
        {
            throw new StoreUnavailableException(
                $"disk {options.Name}: a physical block exponent of {options.PhysicalBlockExponent}; "
                + "0 to 15 is possible");
        }
    }
}
