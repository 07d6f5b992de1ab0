using CsCheck;
using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>What every store must keep: it behaves like an array of bytes, whatever the medium does short of failing.
/// </summary>
public sealed class BlockStoreContractTests
{
    private const int StoreBlocks = 512;
    private const int Lanes = 4;
    private const int LaneBlocks = StoreBlocks / Lanes;

    public enum Medium
    {
        Prompt,

        /// <summary>Transfers a part at a time.</summary>
        Short,

        /// <summary>Answers late and in another order.</summary>
        Late,

        /// <summary>Is interrupted now and then.</summary>
        Interrupted,
    }

    public static TheoryData<string, Medium> Stores()
    {
        var stores = new TheoryData<string, Medium> { { "memory", Medium.Prompt }, { "thin memory", Medium.Prompt } };
        foreach (string file in (string[])["file", "thin file"])
        {
            foreach (Medium medium in Enum.GetValues<Medium>())
                stores.Add(file, medium);
        }
        return stores;
    }

    [Theory]
    [MemberData(nameof(Stores))]
    public void A_store_behaves_like_an_array_of_bytes(string store, Medium medium)
    {
        Gen<(int Kind, int First, int Count, int Seed)> step =
            Gen.Select(Gen.Int[0, 4], Gen.Int[0, LaneBlocks - 1], Gen.Int[1, 40], Gen.Int[0, 1000]);
        step.Array[Lanes].Array[1, 12].Sample(rounds => Play(store, medium, rounds), iter: 8, threads: 1);
    }

    [SkippableFact]
    public void A_direct_file_behaves_like_an_array_of_bytes()
    {
        using var directory = new TemporaryDirectory(Environment.CurrentDirectory);
        DiskOptions options = Options("file", directory) with { Direct = true, BlockLengthBytes = 4096 };
        Skip.If(!CanOpen(options), "the file system of the working directory has no direct I/O");
        var random = new Random(4);
        for (int run = 0; run < 5; run++)
        {
            var rounds = new (int, int, int, int)[10][];
            for (int i = 0; i < rounds.Length; i++)
            {
                rounds[i] = [.. Enumerable.Range(0, Lanes).Select(_ =>
                    (random.Next(5), random.Next(LaneBlocks), random.Next(1, 40), random.Next(1000)))];
            }
            using (IBlockStore store = FileStoreOpening.Open(options, reactors: 1))
                Play(store, Medium.Late, rounds);
            File.Delete(options.Path!);
        }
    }

    [Fact]
    public void A_null_store_forgets_and_reads_zeros()
    {
        var reactor = new ManualReactor();
        using var store = new NullStore(StoreBlocks, 512, thin: true);
        using var pool = new TestExecutor();
        DataBuffer data = Leased(pool, 8 * 512);
        data.CopyFrom(Blocks.Of(8), 0);
        Assert.Equal(1, StoreRequest.Submit(store, reactor, BlockRequestKind.Write, 3, 8, data).TimesDone);
        Assert.Equal(1, StoreRequest.Submit(store, reactor, BlockRequestKind.Read, 3, 8, data).TimesDone);
        Assert.Equal(new byte[8 * 512], data.ToArray(8 * 512));
        data.Return();
    }

    private static void Play(string kind, Medium medium, (int Kind, int First, int Count, int Seed)[][] rounds)
    {
        using var directory = new TemporaryDirectory();
        DiskOptions options = Options(kind, directory);
        using IBlockStore store = options.Store == DiskStoreKind.Memory
            ? new MemoryStore(StoreBlocks, options.BlockLengthBytes, options.Thin)
            : FileStoreOpening.Open(options, reactors: 1);
        Play(store, medium, rounds);
    }

    /// <summary>In each round four requests are under way at once, each in its own quarter of the store.</summary>
    private static void Play(IBlockStore store, Medium medium, (int Kind, int First, int Count, int Seed)[][] rounds)
    {
        byte[] model = new byte[store.BlockCount * (ulong)store.BlockLengthBytes];
        using var pool = new TestExecutor();
        var reactor = new ManualReactor { ExecuteFile = Spoil(medium, store.BlockLengthBytes) };
        foreach ((int Kind, int First, int Count, int Seed)[] round in rounds)
        {
            var requests = new List<(StoreRequest Request, byte[]? Expected)>();
            for (int lane = 0; lane < round.Length; lane++)
            {
                (int kind, int first, int count, int seed) = round[lane];
                ulong lba = (ulong)((lane * LaneBlocks) + first);
                int blocks = Math.Min(count, LaneBlocks - first);
                requests.Add(Ask(store, reactor, pool, model, (kind, lba, blocks, seed)));
            }
            Settle(reactor);
            foreach ((StoreRequest request, byte[]? expected) in requests)
                Check(request, expected);
        }
        AssertHolds(store, reactor, pool, model);
    }

    private static (StoreRequest, byte[]?) Ask(
        IBlockStore store,
        ManualReactor reactor,
        TestExecutor pool,
        byte[] model,
        (int Kind, ulong Lba, int Blocks, int Seed) step)
    {
        int block = store.BlockLengthBytes;
        Span<byte> range = model.AsSpan((int)step.Lba * block, step.Blocks * block);
        BlockRequestKind kind = (BlockRequestKind)step.Kind;
        if (kind == BlockRequestKind.Unmap && store.UnmapGranularityBlocks == 0)
            kind = BlockRequestKind.Read;
        switch (kind)
        {
            case BlockRequestKind.Read:
                DataBuffer into = Leased(pool, range.Length);
                return (Submit(into), range.ToArray());
            case BlockRequestKind.Write or BlockRequestKind.WriteThrough:
                byte[] written = Blocks.Of(step.Blocks, step.Seed, block);
                written.CopyTo(range);
                DataBuffer from = Leased(pool, range.Length);
                from.CopyFrom(written, 0);
                return (Submit(from), null);
            case BlockRequestKind.Unmap:
                range.Clear();
                return (Submit(null), null);
            default:
                return (Submit(null), null);
        }

        StoreRequest Submit(DataBuffer? data) =>
            StoreRequest.Submit(store, reactor, kind, step.Lba, (ulong)step.Blocks, data);
    }

    private static void Check(StoreRequest request, byte[]? expected)
    {
        Assert.Equal(1, request.TimesDone);
        Assert.False(request.HasFailed);
        if (expected is not null)
            Assert.Equal(expected, request.Data!.ToArray(expected.Length));
        request.Data?.Return();
    }

    private static void AssertHolds(IBlockStore store, ManualReactor reactor, TestExecutor pool, byte[] model)
    {
        DataBuffer all = Leased(pool, model.Length);
        StoreRequest request = StoreRequest.Submit(store, reactor, BlockRequestKind.Read, 0, store.BlockCount, all);
        Settle(reactor);
        Assert.Equal(1, request.TimesDone);
        bool holds = model.AsSpan().SequenceEqual(all.ToArray(model.Length));
        Assert.True(holds, "the store does not hold what was written");
        all.Return();
    }

    /// <summary>A pass in which the medium answers nothing is not the end.</summary>
    private static void Settle(ManualReactor reactor)
    {
        do
            reactor.RunPass();
        while (reactor.FilesUnderWay > 0);
    }

    private static Func<FileOperation, long?> Spoil(Medium medium, int blockLengthBytes)
    {
        var random = new Random(17);
        return operation => medium switch
        {
            Medium.Short => RealFile.RunAtMost(operation, random.Next(1, 3 * blockLengthBytes)),
            Medium.Late when random.Next(4) != 0 => null,
            Medium.Interrupted when random.Next(3) == 0 => -ErrorNumber.Interrupted,
            _ => RealFile.Run(operation),
        };
    }

    private static DiskOptions Options(string kind, TemporaryDirectory directory) => new()
    {
        Name = kind,
        Store = kind.EndsWith("memory", StringComparison.Ordinal) ? DiskStoreKind.Memory : DiskStoreKind.File,
        Path = directory.File("disk.img"),
        SizeBlocks = StoreBlocks,
        Thin = kind.StartsWith("thin", StringComparison.Ordinal),
    };

    private static bool CanOpen(DiskOptions options)
    {
        try
        {
            FileStoreOpening.Open(options, reactors: 1).Dispose();
            return true;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    private static DataBuffer Leased(TestExecutor pool, int lengthBytes)
    {
        var data = new DataBuffer();
        Assert.True(data.TryLease(pool.Buffers, lengthBytes));
        return data;
    }
}
