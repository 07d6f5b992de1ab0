namespace Scstd.Linux.Tests;

public sealed class EpollReactorStreamTests() : ReactorStreamLaws(ReactorKind.Epoll)
{
    [Fact]
    public void It_says_what_it_is() => AssertKind("epoll");
}

public sealed class EpollReactorConnectionTests() : ReactorConnectionLaws(ReactorKind.Epoll);

public sealed class EpollReactorFileTests() : ReactorFileLaws(ReactorKind.Epoll);

public sealed class EpollReactorLoopTests() : ReactorLoopLaws(ReactorKind.Epoll);
