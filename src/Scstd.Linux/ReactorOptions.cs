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

    /// <summary>Large sends to other machines are made without copying, where that works.</summary>
    public bool ZeroCopy { get; init; } = true;

    /// <summary>Where the memory of file operations lies for the most part; what the reactor has of it is told by
    /// <see cref="Reactor.SlabTaken"/>.</summary>
    public SlabRegion Slabs { get; init; }

    /// <summary>The thread's name.</summary>
    public string? Name { get; init; }

    /// <summary>An exception escaped from a callback on the reactor's thread, which is a bug of ours. Called there;
    /// the loop ends when it returns. Without it the exception ends the process.</summary>
    public Action<Exception>? Faulted { get; init; }

    /// <summary>How a test makes the kernel refuse: stands in for io_uring_setup and gives an errno, or 0 to let the
    /// real call happen.</summary>
    internal Func<int>? RefuseRing { get; init; }

    /// <summary>How a test takes the way to other machines with a peer on this one.</summary>
    internal bool ZeroCopyToSelf { get; init; }

    /// <summary>Our choice: so often in a row the kernel may say that it had to copy after all (a device that cannot
    /// gather, a bridge or tunnel to a neighbour on this machine). Then nothing is to be gained on that connection.
    /// </summary>
    internal int ZeroCopyMostCopied { get; init; } = 4;
}

/// <summary>Memory that is handed out in slabs.</summary>
/// <param name="Address">Of the first.</param>
/// <param name="SlabBytes">A power of two.</param>
/// <param name="Count">How many there are, one behind the other.</param>
public readonly record struct SlabRegion(nint Address, int SlabBytes, int Count);
