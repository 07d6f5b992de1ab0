using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

public sealed unsafe partial class MemoryPagesTests
{
    [Theory]
    [InlineData(1, false, false)]
    [InlineData(10_000, true, false)]
    [InlineData(5_000_000, false, false)]
    [InlineData(5_000_000, true, true)]
    public void Pages_are_aligned_zero_and_writable_to_the_last_byte(long size, bool populate, bool reserved)
    {
        var options = new MemoryPagesOptions { Populate = populate, ReservedHugePages = reserved };
        using MemoryPages pages = MemoryPages.Allocate(size, options);

        Assert.True(pages.SizeBytes >= size);
        Assert.Equal(0, pages.Address % (size >= MemoryPages.HugePageBytes ? MemoryPages.HugePageBytes : 4096));
        Span<byte> bytes = new((void*)pages.Address, (int)pages.SizeBytes);
        Assert.False(bytes.ContainsAnyExcept((byte)0));
        bytes.Fill(0xEE);
        Assert.Equal(0xEE, bytes[^1]);
    }

    [Theory]
    [InlineData(0, 65536)]
    [InlineData(1, 65534)]
    [InlineData(100, 50)]
    [InlineData(4095, 2)]
    [InlineData(8192, 0)]
    public void A_discarded_range_reads_as_zeros_and_its_neighbours_stay(int offset, int length)
    {
        using MemoryPages pages = MemoryPages.Allocate(65536);
        Span<byte> bytes = new((void*)pages.Address, 65536);
        bytes.Fill(0xEE);

        pages.Discard(offset, length);

        Assert.False(bytes.Slice(offset, length).ContainsAnyExcept((byte)0));
        Assert.False(bytes[..offset].ContainsAnyExcept((byte)0xEE));
        Assert.False(bytes[(offset + length)..].ContainsAnyExcept((byte)0xEE));
        Assert.Throws<ArgumentOutOfRangeException>(() => pages.Discard(1, 65536));
    }

    [Fact]
    public void Populating_a_range_keeps_what_was_written()
    {
        using MemoryPages pages = MemoryPages.Allocate(5_000_000);
        Span<byte> bytes = new((void*)pages.Address, 5_000_000);
        bytes[100_000] = 7;

        Assert.True(pages.Populate(99_999, 3_000_000));

        Assert.Equal(7, bytes[100_000]);
        Assert.False(bytes[100_001..].ContainsAnyExcept((byte)0));
        Assert.True(pages.Populate(0, pages.SizeBytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => pages.Populate(1, pages.SizeBytes));
    }

    [Fact]
    public void Populating_in_the_background_ends_with_all_pages_present_and_may_be_cut_short()
    {
        MemoryPages cut = MemoryPages.Allocate(256 << 20);
        cut.PopulateInBackground(cut.SizeBytes);
        cut.Dispose();
        using MemoryPages pages = MemoryPages.Allocate(40 << 20);
        pages.PopulateInBackground(pages.SizeBytes);

        Assert.True(SpinWait.SpinUntil(() => AllResident(pages), RunningReactor.Patience));
    }

    [Fact]
    public void More_than_the_address_space_is_refused_with_the_systems_words()
    {
        LinuxException thrown = Assert.Throws<LinuxException>(() => MemoryPages.Allocate(1L << 50));
        Assert.Contains("Cannot allocate memory", thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4096)]
    [InlineData(100_001)]
    public void A_copy_copies_just_the_range(int length)
    {
        using MemoryPages source = MemoryPages.Allocate(131072);
        using MemoryPages destination = MemoryPages.Allocate(131072);
        Span<byte> from = new((void*)source.Address, 131072);
        Span<byte> to = new((void*)destination.Address, 131072);
        new Random(length).NextBytes(from);

        NativeCopy.Copy(source.Address + 3, destination.Address + 7, length);

        Assert.True(from.Slice(3, length).SequenceEqual(to.Slice(7, length)));
        Assert.False(to[..7].ContainsAnyExcept((byte)0));
        Assert.False(to[(7 + length)..].ContainsAnyExcept((byte)0));
    }

    private static bool AllResident(MemoryPages pages)
    {
        byte[] present = new byte[pages.SizeBytes / MemoryPages.PageBytes];
        fixed (byte* vector = present)
            Assert.Equal(0, InCore(pages.Address, (nuint)pages.SizeBytes, vector));
        return Array.TrueForAll(present, page => (page & 1) != 0);
    }

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int InCore(nint address, nuint lengthBytes, byte* vector);
}
