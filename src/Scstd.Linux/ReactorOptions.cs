namespace Scstd.Linux;

/// <summary>Which of the kernel's interfaces a reactor uses.</summary>
public enum ReactorKind
{
    /// <summary>io_uring if the kernel grants it and it passes its test, else epoll.</summary>
    Auto,
    IoUring,
    Epoll,
}

public sealed record ReactorOptions
{
    public int Index { get; init; }

    public ReactorKind Kind { get; init; }

    /// <summary>The core that the reactor's thread is bound to; never the process, so that the run-time's own
    /// threads stay free.</summary>
    public int? Cpu { get; init; }

    /// <summary>What it does without work. Anything but <see cref="ReactorLatency.Power"/> is for a reactor that has
    /// a core of its own.</summary>
    public ReactorLatency Latency { get; init; }

    /// <summary>The thread's name.</summary>
    public string? Name { get; init; }

    /// <summary>An exception escaped from a callback on the reactor's thread, which is a bug of ours. Called there;
    /// the loop ends when it returns. Without it the exception ends the process.</summary>
    public Action<Exception>? Faulted { get; init; }

    /// <summary>How a test makes the kernel refuse: stands in for io_uring_setup and gives an errno, or 0 to let the
    /// real call happen.</summary>
    internal Func<int>? RefuseRing { get; init; }
}
