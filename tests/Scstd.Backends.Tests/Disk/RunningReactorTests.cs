using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>File stores on the reactors that the daemon runs, each on its own thread.</summary>
public sealed class RunningReactorTests
{
    private const int Requests = 64;
    private const int BlocksEach = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(ReactorKind.Epoll, false)]
    [InlineData(ReactorKind.Epoll, true)]
    [InlineData(ReactorKind.Auto, false)]
    [InlineData(ReactorKind.Auto, true)]
    public async Task What_one_reactor_wrote_the_other_reads(ReactorKind kind, bool thin)
    {
        using var directory = new TemporaryDirectory();
        using Reactor first = Start(kind, index: 0);
        using Reactor second = Start(kind, index: 1);
        using var pool = new TestExecutor();
        using FileStore store = FileStoreOpening.Open(
            new DiskOptions
            {
                Name = "disk",
                Store = DiskStoreKind.File,
                Path = directory.File("disk.img"),
                SizeBlocks = Requests * BlocksEach,
                Thin = thin,
            },
            reactors: 2);
        byte[] written = Blocks.Of(Requests * BlocksEach);
        DataBuffer from = Leased(pool, written.Length);
        from.CopyFrom(written, 0);
        await Run(store, first, BlockRequestKind.Write, from);
        await Run(store, first, BlockRequestKind.Flush, null);
        DataBuffer into = Leased(pool, written.Length);
        await Run(store, second, BlockRequestKind.Read, into);
        Assert.Equal(written, into.ToArray(written.Length));
        if (thin)
        {
            await Run(store, second, BlockRequestKind.Unmap, null);
            await Run(store, first, BlockRequestKind.Read, into);
            Assert.Equal(new byte[written.Length], into.ToArray(written.Length));
        }
        from.Return();
        into.Return();
        Assert.True(first.Stop());
        Assert.True(second.Stop());
    }

    private static Reactor Start(ReactorKind kind, int index) =>
        ReactorFactory.Start(new ReactorOptions { Index = index, Kind = kind }, static _ => { });

    private static DataBuffer Leased(TestExecutor pool, int lengthBytes)
    {
        var data = new DataBuffer();
        Assert.True(data.TryLease(pool.Buffers, lengthBytes));
        return data;
    }

    /// <summary>The whole store in many requests that are under way together.</summary>
    private static async Task Run(IBlockStore store, Reactor reactor, BlockRequestKind kind, DataBuffer? data)
    {
        AwaitedRequest[] requests = await reactor.InvokeAsync(() =>
        {
            var all = new AwaitedRequest[Requests];
            for (int i = 0; i < Requests; i++)
            {
                all[i] = new AwaitedRequest
                {
                    Reactor = reactor,
                    Kind = kind,
                    Lba = (ulong)(i * BlocksEach),
                    Blocks = BlocksEach,
                    Data = data,
                    DataOffsetBytes = i * BlocksEach * Blocks.Bytes,
                };
            }
            foreach (AwaitedRequest request in all)
                store.Submit(request);
            return all;
        });
        await Task.WhenAll(requests.Select(request => request.Done)).WaitAsync(Patience);
        Assert.All(requests, request => Assert.False(request.HasFailed));
    }

    private sealed class AwaitedRequest : BlockRequest
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public override void Completed() => _done.SetResult();
    }
}
