using System.Runtime.InteropServices;

namespace Scstd.Linux;

public sealed record MemoryPagesOptions
{
    /// <summary>Touches every page now, so that none is missing later.</summary>
    public bool Populate { get; init; }

    /// <summary>Tries the pages that the administrator has set aside (vm.nr_hugepages) before ordinary ones.</summary>
    public bool ReservedHugePages { get; init; }
}

/// <summary>
/// Native memory in whole pages, zero at first, aligned to 2 MiB so that the kernel can back it with huge pages.
/// The collector neither moves nor scans it.
/// </summary>
public sealed unsafe class MemoryPages : SafeHandle
{
    public const int PageBytes = 4096;
    public const int HugePageBytes = 2 * 1024 * 1024;

    /// <summary>Our choice: what is populated at a time in the background.</summary>
    private const int PieceBytes = 16 * 1024 * 1024;

    private MemoryPages(nint address, long sizeBytes, bool hugeTlb)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        (SizeBytes, IsReservedHuge) = (sizeBytes, hugeTlb);
    }

    public override bool IsInvalid => handle == 0;

    public nint Address => handle;

    /// <summary>What was asked for, rounded up to whole pages.</summary>
    public long SizeBytes { get; }

    /// <summary>The pages come from the administrator's reserve.</summary>
    public bool IsReservedHuge { get; }

    /// <summary>Throws LinuxException if there is not so much.</summary>
    public static MemoryPages Allocate(long sizeBytes, MemoryPagesOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sizeBytes);
        options ??= new MemoryPagesOptions();
        return (options.ReservedHugePages ? TryReserved(sizeBytes, options) : null) ?? Ordinary(sizeBytes, options);
    }

    /// <summary>Puts memory behind a range now, so that no later access has to wait for it: a reactor that touches
    /// fresh huge pages stands still while the kernel clears them. From any thread, while others read and write; what
    /// they wrote stays. False where the kernel (before 5.14) cannot.</summary>
    public bool Populate(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, SizeBytes - offsetBytes);
        long start = offsetBytes / PageBytes * PageBytes;
        long end = Math.Min(RoundUp(offsetBytes + lengthBytes, PageBytes), SizeBytes);
        return end == start
            || LibC.Advise(handle + (nint)start, (nuint)(end - start), LibC.AdvisePopulateWrite) == 0;
    }

    /// <summary>Populates the beginning, piece by piece, on a thread of its own that ends by itself. Left out where it
    /// is more than half of the machine's (or container's) memory: that is then taken as it is used.</summary>
    public void PopulateInBackground(long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, SizeBytes);
        if (lengthBytes > GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2)
            return;
        new Thread(() => PopulateInPieces(lengthBytes)) { IsBackground = true, Name = "scstd-populate" }.Start();
    }

    /// <summary>Gives a range back to the kernel; it reads as zeros afterwards.</summary>
    public void Discard(long offsetBytes, long lengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, SizeBytes - offsetBytes);
        int unit = IsReservedHuge ? HugePageBytes : PageBytes;
        long end = offsetBytes + lengthBytes;
        long firstWhole = Math.Min(RoundUp(offsetBytes, unit), end);
        long endWhole = Math.Max(end / unit * unit, firstWhole);
        if (endWhole > firstWhole
            && LibC.Advise(handle + (nint)firstWhole, (nuint)(endWhole - firstWhole), LibC.AdviseDontNeed) != 0)
        {
            endWhole = firstWhole;
        }
        Clear(offsetBytes, firstWhole);
        Clear(endWhole, end);
    }

    protected override bool ReleaseHandle() => LibC.Unmap(handle, (nuint)SizeBytes) == 0;

    private static MemoryPages? TryReserved(long sizeBytes, MemoryPagesOptions options)
    {
        long size = RoundUp(sizeBytes, HugePageBytes);
        nint address = Map(size, Flags(options) | LibC.MapHugeTlb | LibC.MapHuge2Mib);
        return address == -1 ? null : new MemoryPages(address, size, hugeTlb: true);
    }

    private static MemoryPages Ordinary(long sizeBytes, MemoryPagesOptions options)
    {
        long size = RoundUp(sizeBytes, PageBytes);
        bool huge = size >= HugePageBytes;
        long reserved = huge ? size + HugePageBytes : size;
        nint start = Map(reserved, LibC.MapPrivate | LibC.MapAnonymous | LibC.MapNoReserve);
        if (start == -1)
            throw new LinuxException(LibC.LastError, $"mmap({size} bytes)");
        nint address = start;
        if (huge)
        {
            address = (nint)RoundUp(start, HugePageBytes);
            Trim(start, address);
            Trim(address + (nint)size, start + (nint)reserved);
            _ = LibC.Advise(address, (nuint)size, LibC.AdviseHugePage); // refused where the kernel has none
        }
        var pages = new MemoryPages(address, size, hugeTlb: false);
        if (options.Populate && !pages.Populate(0, size))
            pages.Touch();
        return pages;
    }

    private static int Flags(MemoryPagesOptions options) =>
        LibC.MapPrivate | LibC.MapAnonymous | (options.Populate ? LibC.MapPopulate : 0);

    private static nint Map(long sizeBytes, int flags) =>
        LibC.Map(0, (nuint)sizeBytes, LibC.ProtectRead | LibC.ProtectWrite, flags, -1, 0);

    private static void Trim(nint start, nint end)
    {
        if (end > start)
            _ = LibC.Unmap(start, (nuint)(end - start));
    }

    private static long RoundUp(long value, int unit) => (value + unit - 1) / unit * unit;

    /// <summary>After the advice for huge pages, which MAP_POPULATE would have come before.</summary>
    private void Touch()
    {
        for (long offset = 0; offset < SizeBytes; offset += PageBytes)
            Volatile.Write(ref *((byte*)handle + offset), 0);
    }

    private void PopulateInPieces(long lengthBytes)
    {
        for (long offset = 0; offset < lengthBytes; offset += PieceBytes)
        {
            // Held only meanwhile: a disk that is given up need not wait for all of it.
            bool held = false;
            try
            {
                DangerousAddRef(ref held);
                if (!Populate(offset, Math.Min(PieceBytes, lengthBytes - offset)))
                    return;
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            finally
            {
                if (held)
                    DangerousRelease();
            }
        }
    }

    private void Clear(long start, long end)
    {
        for (long at = start; at < end;)
        {
            int part = (int)Math.Min(end - at, 1 << 30);
            new Span<byte>((byte*)handle + at, part).Clear();
            at += part;
        }
    }
}
