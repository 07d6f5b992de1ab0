namespace Scstd.Linux.Tests;

public sealed class EpollReactorStreamTests() : ReactorStreamLaws(ReactorKind.Epoll)
{
    [Fact]
    public void It_says_what_it_is() => AssertKind("epoll");
}

public sealed class EpollReactorConnectionTests() : ReactorConnectionLaws(ReactorKind.Epoll);

public sealed class EpollReactorFileTests() : ReactorFileLaws(ReactorKind.Epoll)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reads_that_the_kernel_does_for_us_need_no_worker(bool direct)
    {
        long before = WorkerThreads.Files.Enqueued;
        ReadOneBlockOften(direct, times: 500);

        // The kernel may have had to wait for the file's map now and then, which is a worker's part.
        Assert.InRange(WorkerThreads.Files.Enqueued - before, 0, 50);
    }
}

public sealed class EpollReactorLoopTests() : ReactorLoopLaws(ReactorKind.Epoll);

public sealed class EpollReactorSharingTests() : ReactorSharingLaws(ReactorKind.Epoll);
