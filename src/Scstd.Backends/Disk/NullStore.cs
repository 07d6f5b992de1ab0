using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Disk;

/// <summary>
/// Discards what is written and reads zeros, for measuring everything but the medium. Has any size, up to the
/// protocol's 2^64−1 blocks, because it keeps none of them.
/// </summary>
public sealed class NullStore : IBlockStore
{
    // Our choice: one segment of the pool's largest size; a longer read lends it several times.
    private const int ZerosLengthBytes = BufferPool.MaxSegmentBytes;

    // Only ever read: the kernel shows its one page of zeros everywhere in it, so a unit costs no memory.
    private readonly MemoryPages _zeros = MemoryPages.Allocate(ZerosLengthBytes);

    public NullStore(ulong blockCount, int blockLengthBytes, bool thin)
    {
        BlockCount = blockCount;
        BlockLengthBytes = blockLengthBytes;
        UnmapGranularityBlocks = thin ? 1 : 0;
    }

    public string Description => "null";

    public int BlockLengthBytes { get; }

    public ulong BlockCount { get; private set; }

    public bool IsReadOnly => false;

    public bool HasVolatileCache => false;

    public bool IsInMemory => true;

    public int UnmapGranularityBlocks { get; }

    public bool TryLend(ulong lba, int blocks, DataBuffer data)
    {
        int left = blocks * BlockLengthBytes;
        while (left > 0)
        {
            int take = Math.Min(left, ZerosLengthBytes);
            data.Lend(_zeros.Address, take);
            left -= take;
        }
        return true;
    }

    public void Submit(BlockRequest request)
    {
        request.Begin(parts: 1);
        switch (request.Kind)
        {
            case BlockRequestKind.Read:
                BufferBytes.Clear(request.Data!, request.DataOffsetBytes, (int)request.Blocks * BlockLengthBytes);
                break;
            case BlockRequestKind.FindExtent:
                request.IsMapped = false;
                request.Blocks = BlockCount - request.Lba;
                break;
            default:
                break;
        }
        request.PartDone();
    }

    public void FlushAndWait()
    {
    }

    public void AcknowledgeErrors()
    {
    }

    public ulong PrepareSize(ulong? sizeBytes) =>
        sizeBytes is { } bytes ? DiskSize.Blocks(Description, bytes, BlockLengthBytes) : BlockCount;

    public void Adopt(ulong blockCount) => BlockCount = blockCount;

    public void Dispose() => _zeros.Dispose();
}
