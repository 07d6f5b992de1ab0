using System.Numerics;
using Scstd.Core;
using Scstd.Linux;

namespace Scstd.Backends.Disk;

/// <summary>
/// Blocks in memory. A read lends the memory itself; a write copies into it. There is no cache and nothing more stable
/// behind it: the memory is the medium, and ends with the process.
/// </summary>
/// <remarks>Two commands on one block at one time, on two reactors, may mix their bytes, as on any disk; what must not
/// be mixed with (COMPARE AND WRITE) holds its blocks alone.</remarks>
public sealed unsafe class MemoryStore : IBlockStore
{
    private const int PageBytes = MemoryPages.PageBytes;

    /// <summary>Our choice: a disk may grow to so many times its first size.</summary>
    private const int GrowthFactor = 16;

    /// <summary>Our choice: pages that one UNMAP request gives back. The kernel takes some 200 ns for each, so it keeps
    /// a reactor no longer than copying does between two turns (<see cref="DiskOperation"/>).</summary>
    private const int UnmapPagesMax = 4096;

    /// <summary>Our choice: words of the map that one UNMAP request looks at, 64 GiB of disk in a quarter of a
    /// millisecond.</summary>
    private const int UnmapWordsMax = 1 << 18;

    /// <summary>Our choice: and to no more than this, of which a process has room for a hundred.</summary>
    private const long GrowthBytesMax = 1L << 40;

    private readonly MemoryPages _pages;
    private readonly byte* _base;

    /// <summary>Thin: one bit a page that was ever written since it was unmapped.</summary>
    private readonly ulong[]? _mapped;

    public MemoryStore(ulong blockCount, int blockLengthBytes, bool thin)
    {
        BlockCount = blockCount;
        BlockLengthBytes = blockLengthBytes;
        UInt128 lengthBytes = (UInt128)blockCount * (uint)blockLengthBytes;
        if (lengthBytes > long.MaxValue)
            throw new StoreUnavailableException($"memory: {lengthBytes} bytes are more than memory can be");
        _pages = Allocate((long)lengthBytes);
        _base = (byte*)_pages.Address;
        if (thin)
            _mapped = new ulong[(_pages.SizeBytes / PageBytes / 64) + 1];
        else
            _pages.PopulateInBackground((long)lengthBytes); // it has all its blocks: no reactor shall wait for one
    }

    /// <summary>Addresses that nothing is behind until it is written cost nothing, and blocks that were lent may not
    /// move: so there is room to grow from the beginning, where the system gives it.</summary>
    private static MemoryPages Allocate(long lengthBytes)
    {
        long roomBytes = lengthBytes > long.MaxValue / GrowthFactor
            ? lengthBytes : Math.Min(lengthBytes * GrowthFactor, Math.Max(lengthBytes, GrowthBytesMax));
        try
        {
            return MemoryPages.Allocate(roomBytes);
        }
        catch (LinuxException) when (roomBytes > lengthBytes)
        {
            // A strict bound on address space: it serves as it is, and cannot grow.
        }
        catch (LinuxException exception)
        {
            throw Refused(lengthBytes, exception);
        }
        try
        {
            return MemoryPages.Allocate(lengthBytes);
        }
        catch (LinuxException exception)
        {
            throw Refused(lengthBytes, exception);
        }
    }

    private static StoreUnavailableException Refused(long lengthBytes, LinuxException exception) =>
        new($"memory: the system does not give {lengthBytes} bytes: {exception.Message}", exception);

    public string Description => "memory";

    public int BlockLengthBytes { get; }

    public ulong BlockCount { get; private set; }

    public bool IsReadOnly => false;

    public bool HasVolatileCache => false;

    public bool IsInMemory => true;

    public bool CopiesItself => true;

    public int UnmapGranularityBlocks => _mapped is null ? 0 : PageBytes / BlockLengthBytes;

    public bool TryLend(ulong lba, int blocks, DataBuffer data)
    {
        data.Lend((nint)(_base + OffsetOf(lba)), blocks * BlockLengthBytes);
        return true;
    }

    public void Submit(BlockRequest request)
    {
        Invariant.That(
            request.Lba <= BlockCount && request.Blocks <= BlockCount - request.Lba,
            "a request stays inside the store");
        request.Begin(parts: 1);
        switch (request.Kind)
        {
            case BlockRequestKind.Read:
                request.Data!.CopyFrom(BytesOf(request), request.DataOffsetBytes);
                break;
            case BlockRequestKind.Write or BlockRequestKind.WriteThrough:
                // Marked again afterwards: an UNMAP at the same time clears the marks before it gives the pages away,
                // so whatever of the data survives it is marked.
                Mark(request);
                request.Data!.CopyTo(BytesOf(request), request.DataOffsetBytes);
                Mark(request);
                break;
            case BlockRequestKind.Unmap:
                long start = OffsetOf(request.Lba);
                long end = Unmap(start, OffsetOf(request.Lba + request.Blocks), UnmapPagesMax, UnmapWordsMax);
                request.Blocks = (ulong)((end - start) / BlockLengthBytes);
                break;
            case BlockRequestKind.FindExtent:
                FindExtent(request);
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

    /// <summary>A thin disk counts its pages; what the machine has for them is the machine's.</summary>
    public StoreSpace? MeasureSpace()
    {
        if (_mapped is null)
            return null;
        ulong pages = 0;
        foreach (ulong word in _mapped)
            pages += (ulong)BitOperations.PopCount(word);
        ulong sizeBytes = BlockCount * (ulong)BlockLengthBytes;
        ulong usedBytes = Math.Min(sizeBytes, pages * PageBytes);
        return new StoreSpace(usedBytes, sizeBytes - usedBytes, sizeBytes, IsShared: false);
    }

    public ulong PrepareSize(ulong? sizeBytes)
    {
        ulong blocks = sizeBytes is { } bytes ? DiskSize.Blocks(Description, bytes, BlockLengthBytes) : BlockCount;
        return blocks <= (ulong)(_pages.SizeBytes / BlockLengthBytes) ? blocks : throw new StoreUnavailableException(
            $"memory: has room for {_pages.SizeBytes} bytes and cannot grow to {sizeBytes}");
    }

    /// <summary>What is cut off is gone, and reads as zeros if it is ever served again.</summary>
    public void Adopt(ulong blockCount)
    {
        if (blockCount < BlockCount)
            Discard(OffsetOf(blockCount), OffsetOf(BlockCount));
        BlockCount = blockCount;
    }

    public void Dispose() => _pages.Dispose();

    private long OffsetOf(ulong lba) => (long)lba * BlockLengthBytes;

    private Span<byte> BytesOf(BlockRequest request) =>
        new(_base + OffsetOf(request.Lba), (int)request.Blocks * BlockLengthBytes);

    private bool IsMapped(long page) => (Volatile.Read(ref _mapped![page >> 6]) & (1UL << (int)(page & 63))) != 0;

    /// <summary>Reactors share the words of the map: only the first write to a page pays for an atomic.</summary>
    private void Mark(BlockRequest request)
    {
        if (_mapped is null || request.Blocks == 0)
            return;
        long last = (OffsetOf(request.Lba + request.Blocks) - 1) / PageBytes;
        for (long page = OffsetOf(request.Lba) / PageBytes; page <= last; page++)
        {
            if (!IsMapped(page))
                Interlocked.Or(ref _mapped[page >> 6], 1UL << (int)(page & 63));
        }
    }

    private void Discard(long startBytes, long endBytes)
    {
        if (_mapped is not null)
        {
            Unmap(startBytes, endBytes, pagesMax: int.MaxValue, wordsMax: int.MaxValue);
            return;
        }
        long firstPage = Math.Min(endBytes, (startBytes + PageBytes - 1) / PageBytes * PageBytes);
        Clear(startBytes, firstPage);
        _pages.Discard(firstPage, endBytes - firstPage);
    }

    /// <summary>Whole pages go back to the system, the rest is cleared: both read zeros. What was not written since it
    /// was last unmapped does so already. Returns where it ended, the bounds being reached.</summary>
    private long Unmap(long startBytes, long endBytes, int pagesMax, int wordsMax)
    {
        long firstPage = (startBytes + PageBytes - 1) / PageBytes;
        long endPage = endBytes / PageBytes;
        if (firstPage > endPage)
        {
            ClearIfMapped(startBytes, endBytes);
            return endBytes;
        }
        ClearIfMapped(startBytes, firstPage * PageBytes);
        long page = UnmapPages(firstPage, endPage, pagesMax, wordsMax);
        if (page < endPage)
            return page * PageBytes;
        ClearIfMapped(endPage * PageBytes, endBytes);
        return endBytes;
    }

    /// <summary>Word by word of the map; what follows each other is given back in one go. The marks go first, see
    /// <see cref="Submit"/>.</summary>
    private long UnmapPages(long page, long endPage, int pagesMax, int wordsMax)
    {
        long given = page;
        long end = page;
        for (int pages = 0, words = 0; page < endPage && pages < pagesMax && words < wordsMax; words++)
        {
            long next = Math.Min(endPage, (page | 63) + 1);
            ulong mask = (ulong.MaxValue >> (int)(64 - (next - page))) << (int)(page & 63);
            ulong mapped = Volatile.Read(ref _mapped![page >> 6]) & mask;
            if (mapped != 0)
            {
                Interlocked.And(ref _mapped[page >> 6], ~mask);
                pages += BitOperations.PopCount(mapped);
                if (end != page)
                {
                    _pages.Discard(given * PageBytes, (end - given) * PageBytes);
                    given = page;
                }
                end = next;
            }
            page = next;
        }
        _pages.Discard(given * PageBytes, (end - given) * PageBytes);
        return page;
    }

    /// <summary>Within one page.</summary>
    private void ClearIfMapped(long startBytes, long endBytes)
    {
        if (startBytes < endBytes && IsMapped(startBytes / PageBytes))
            Clear(startBytes, endBytes);
    }

    private void Clear(long startBytes, long endBytes) =>
        new Span<byte>(_base + startBytes, (int)(endBytes - startBytes)).Clear();

    private void FindExtent(BlockRequest request)
    {
        if (_mapped is null)
        {
            request.IsMapped = true;
            request.Blocks = BlockCount - request.Lba;
            return;
        }
        long blocksPerPage = PageBytes / BlockLengthBytes;
        long page = (long)request.Lba / blocksPerPage;
        request.IsMapped = IsMapped(page);
        long pages = ((long)BlockCount + blocksPerPage - 1) / blocksPerPage;
        while (page < pages && IsMapped(page) == request.IsMapped)
            page = NextPage(page, request.IsMapped);
        request.Blocks = Math.Min(BlockCount, (ulong)(Math.Min(page, pages) * blocksPerPage)) - request.Lba;
    }

    /// <summary>A page on, or to the next word if this one has nothing else to show.</summary>
    private long NextPage(long page, bool mapped)
    {
        ulong word = Volatile.Read(ref _mapped![page >> 6]);
        ulong others = (mapped ? ~word : word) >> (int)(page & 63);
        return others == 0 ? (page | 63) + 1 : page + BitOperations.TrailingZeroCount(others);
    }
}
