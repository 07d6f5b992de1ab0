namespace Scstd.Linux.Tests;

public sealed class UringReactorStreamTests() : ReactorStreamLaws(ReactorKind.IoUring)
{
    [Fact]
    public void It_says_what_it_is() => AssertKind("io_uring");
}

public sealed class UringReactorConnectionTests() : ReactorConnectionLaws(ReactorKind.IoUring);

public sealed class UringReactorFileTests() : ReactorFileLaws(ReactorKind.IoUring);

public sealed class UringReactorLoopTests() : ReactorLoopLaws(ReactorKind.IoUring);

public sealed class UringReactorSharingTests() : ReactorSharingLaws(ReactorKind.IoUring);
