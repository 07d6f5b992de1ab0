using Scstd.Backends.Disk;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>What would only fail later is refused at the start, in words that say what to do.</summary>
public sealed class FileStoreOpeningTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private DiskOptions Options => new()
    {
        Name = "disk0",
        Store = DiskStoreKind.File,
        Path = _directory.File("disk.img"),
        SizeBytes = 1 << 20,
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_missing_file_is_created_sparse_with_its_size()
    {
        const long Size = 1L << 40;
        Open(Options with { SizeBytes = (ulong)Size }).Dispose();
        Assert.Equal(Size, new FileInfo(Options.Path!).Length);
    }

    [Fact]
    public void A_file_that_is_there_keeps_its_size_and_its_data()
    {
        File.WriteAllBytes(Options.Path!, Blocks.Of(100));
        using (DiskBackend disk = Open(Options with { SizeBytes = null }))
            Assert.Equal(100UL, disk.BlockCount);
        Assert.Equal(Blocks.Of(100), File.ReadAllBytes(Options.Path!));
    }

    [Fact]
    public void A_missing_file_without_a_size_is_refused() =>
        AssertRefused(Options with { SizeBytes = null }, "does not exist; give a size to have it created");

    [Fact]
    public void A_missing_file_is_not_created_read_only() =>
        AssertRefused(Options with { ReadOnly = true }, "does not exist");

    [Fact]
    public void A_directory_is_refused() =>
        AssertRefused(Options with { Path = _directory.Path }, "is a directory, a file is needed");

    [Fact]
    public void A_file_that_is_too_small_is_refused_and_left_alone()
    {
        File.WriteAllBytes(Options.Path!, Blocks.Of(3));
        AssertRefused(Options, "is too small: it has 1536 bytes, 1048576 are configured");
        Assert.Equal(Blocks.Of(3), File.ReadAllBytes(Options.Path!));
    }

    [Fact]
    public void An_empty_file_is_refused()
    {
        File.WriteAllBytes(Options.Path!, []);
        AssertRefused(Options with { SizeBytes = null }, "is empty");
    }

    [Fact]
    public void A_size_that_is_no_whole_number_of_blocks_is_refused()
    {
        File.WriteAllBytes(Options.Path!, new byte[1000]);
        AssertRefused(Options with { SizeBytes = null }, "its size of 1000 bytes is not a multiple of the block");
        AssertRefused(
            Options with { Store = DiskStoreKind.Memory, SizeBytes = 1000 },
            "its size of 1000 bytes is not a multiple of the block length of 512");
    }

    [Fact]
    public void A_file_is_no_block_device()
    {
        File.WriteAllBytes(Options.Path!, Blocks.Of(1));
        AssertRefused(
            Options with { Store = DiskStoreKind.BlockDevice, SizeBytes = null },
            "is a regular file, a block device is needed");
    }

    [Fact]
    public void A_character_device_is_neither() =>
        AssertRefused(Options with { Path = "/dev/null", SizeBytes = null }, "neither a regular file nor a disk");

    [Fact]
    public void Without_a_path_there_is_no_file() => AssertRefused(Options with { Path = null }, "a file needs a path");

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    [InlineData(520)]
    [InlineData(8192)]
    public void A_block_length_that_is_not_known_is_refused(int blockLengthBytes) =>
        AssertRefused(
            Options with { BlockLengthBytes = blockLengthBytes }, $"a block of {blockLengthBytes} bytes; 512, 1024");

    [Theory]
    [InlineData(-1)]
    [InlineData(16)]
    public void A_physical_block_exponent_that_has_no_bits_is_refused(int exponent) =>
        AssertRefused(Options with { PhysicalBlockExponent = exponent }, $"a physical block exponent of {exponent}");

    [Fact]
    public void More_than_a_file_can_have_is_refused()
    {
        AssertRefused(Options with { SizeBytes = null, SizeBlocks = ulong.MaxValue }, "more than it can keep");
        AssertRefused(Options with { SizeBytes = 1UL << 63 }, "more than a file can have");
    }

    [Fact]
    public void A_memory_disk_without_a_size_is_refused() =>
        AssertRefused(Options with { Store = DiskStoreKind.Memory, SizeBytes = null }, "needs a size");

    [SkippableFact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void A_file_without_permission_is_refused()
    {
        Skip.If(Environment.IsPrivilegedProcess, "the superuser may read everything");
        File.WriteAllBytes(Options.Path!, Blocks.Of(1));
        File.SetUnixFileMode(Options.Path!, UnixFileMode.None);
        AssertRefused(Options with { SizeBytes = null }, "permission denied");
    }

    [Fact]
    public void A_file_that_another_process_serves_is_refused_until_it_lets_go()
    {
        File.WriteAllBytes(Options.Path!, Blocks.Of(8));
        DiskOptions options = Options with { SizeBytes = null };
        using (new SecondProcess(options.Path!))
        {
            AssertRefused(options, "is locked by another process");
            AssertRefused(options with { ReadOnly = true }, "is locked by another process");
        }
        using DiskBackend disk = Open(options);
        Assert.Equal(8UL, disk.BlockCount);
    }

    [Fact]
    public void Two_disks_of_one_process_do_not_share_a_file_unless_both_only_read()
    {
        File.WriteAllBytes(Options.Path!, Blocks.Of(8));
        DiskOptions options = Options with { SizeBytes = null };
        using (Open(options))
            AssertRefused(options, "is locked");
        using DiskBackend reader = Open(options with { ReadOnly = true });
        using DiskBackend another = Open(options with { ReadOnly = true });
        Assert.Equal(reader.BlockCount, another.BlockCount);
    }

    [Fact]
    public void What_was_refused_leaves_no_lock_behind()
    {
        File.WriteAllBytes(Options.Path!, new byte[1000]);
        AssertRefused(Options with { SizeBytes = null }, "not a multiple");
        File.WriteAllBytes(Options.Path!, Blocks.Of(2));
        using DiskBackend disk = Open(Options with { SizeBytes = null });
        Assert.Equal(2UL, disk.BlockCount);
    }

    private static DiskBackend Open(DiskOptions options) => DiskBackend.Open(options, [new ManualReactor()]);

    private static void AssertRefused(DiskOptions options, string because)
    {
        StoreUnavailableException refused = Assert.Throws<StoreUnavailableException>(() => Open(options));
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
    }
}
