using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>What happens where the kernel, or whoever fences us in, does not give io_uring.</summary>
public sealed partial class RingRefusalTests
{
    private const int RingSetup = 425;
    private const int RingEnter = 426;
    private const int RingRegister = 427;

    [Theory]
    [InlineData(ErrorNumber.NotImplemented, "Function not implemented")]
    [InlineData(ErrorNumber.OperationNotPermitted, "Operation not permitted")]
    [InlineData(ErrorNumber.OutOfMemory, "Cannot allocate memory")]
    [InlineData(ErrorNumber.InvalidArgument, "Invalid argument")]
    public void A_refused_ring_is_told_with_its_reason_and_epoll_serves(int error, string words)
    {
        using var running = new RunningReactor(new ReactorOptions { Index = 3, RefuseRing = () => error });

        Assert.Equal("epoll", running.Reactor.Kind);
        Assert.Equal($"reactor 3: io_uring_setup: {words}; using epoll", Assert.Single(running.Log));
        running.AssertHealthy();
    }

    [Fact]
    public void A_ring_that_was_demanded_and_refused_is_an_error_that_leaves_nothing_open()
    {
        int before = RunningReactor.OpenDescriptors();
        var options = new ReactorOptions { Kind = ReactorKind.IoUring, RefuseRing = () => ErrorNumber.NotImplemented };
        PlatformNotSupportedException thrown =
            Assert.Throws<PlatformNotSupportedException>(() => ReactorFactory.Start(options, _ => { }));

        Assert.Equal("io_uring_setup: Function not implemented", thrown.Message);
        Assert.Equal(before, RunningReactor.OpenDescriptors());
    }

    [Fact]
    public void Without_refusal_the_ring_is_chosen_silently_even_when_the_best_flags_are_unknown()
    {
        int asked = 0;
        using var running = new RunningReactor(
            new ReactorOptions { RefuseRing = () => asked++ < 2 ? ErrorNumber.InvalidArgument : 0 });

        Assert.Equal("io_uring", running.Reactor.Kind);
        Assert.Empty(running.Log);
        running.AssertHealthy();
    }

    [Theory]
    [InlineData(RingSetup)]
    [InlineData(RingEnter)]
    [InlineData(RingRegister)]
    public void Behind_a_filter_that_forbids_one_of_its_calls_epoll_serves(int forbidden)
    {
        // The filter holds for this thread and those it starts, so only for the reactor.
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() =>
        {
            Forbid(forbidden);
            using var running = new RunningReactor(new ReactorOptions());
            Assert.Equal("epoll", running.Reactor.Kind);
            string line = Assert.Single(running.Log);
            Assert.Contains("Operation not permitted; using epoll", line, StringComparison.Ordinal);
            running.AssertHealthy();
        }));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [Fact]
    public void Behind_a_filter_that_forbids_every_asynchronous_call_workers_serve_direct_files()
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() =>
        {
            Forbid(RingSetup);
            Forbid((int)LibC.AioSetupCall);
            using var laws = new DirectFiles();
            laws.AssertServed();
        }));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    private sealed class DirectFiles() : ReactorFileLaws(ReactorKind.Auto)
    {
        public void AssertServed()
        {
            long before = WorkerThreads.Files.Enqueued;
            ReadOneBlockOften(direct: true, times: 20);
            Assert.Equal(21, WorkerThreads.Files.Enqueued - before);
        }
    }

    /// <summary>seccomp: this system call gives EPERM, every other is allowed.</summary>
    private static unsafe void Forbid(int systemCall)
    {
        const int SetNoNewPrivileges = 38;
        const int SetSeccomp = 22;
        const int Filter = 2;
        ulong* program = stackalloc ulong[]
        {
            Instruction(0x20, 0, 0, 0), // load the number of the call
            Instruction(0x15, 0, 1, (uint)systemCall), // this one?
            Instruction(0x06, 0, 0, 0x00050000 | ErrorNumber.OperationNotPermitted), // fail
            Instruction(0x06, 0, 0, 0x7fff0000), // allow
        };
        nint* header = stackalloc nint[] { 4, (nint)program };
        Assert.Equal(0, Control(SetNoNewPrivileges, 1, 0, 0, 0));
        Assert.Equal(0, Control(SetSeccomp, Filter, (nint)header, 0, 0));
    }

    private static ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint constant) =>
        code | ((ulong)ifTrue << 16) | ((ulong)ifFalse << 24) | ((ulong)constant << 32);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int what, nint first, nint second, nint third, nint fourth);
}
