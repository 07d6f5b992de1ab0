using System.Runtime.InteropServices;

namespace Scstd.Linux.Tests;

/// <summary>For a moment this process has no descriptor left, as if it had opened as many as it may.</summary>
internal sealed partial class DescriptorLimit : IDisposable
{
    private const int OpenFiles = 7; // RLIMIT_NOFILE

    private readonly Limits _before;
    private readonly Stack<int> _fillers = new();

    public unsafe DescriptorLimit()
    {
        GC.Collect(); // finalizers give descriptors back
        GC.WaitForPendingFinalizers();
        Limits before;
        Assert.Equal(0, Get(OpenFiles, &before));
        _before = before;
        int highest = Directory.GetFiles("/proc/self/fd").Max(path => int.Parse(Path.GetFileName(path)));
        var lowered = new Limits { Soft = (nuint)highest + 8, Hard = before.Hard };
        Assert.Equal(0, Set(OpenFiles, &lowered));
        Fill();
    }

    /// <summary>Takes what has become free.</summary>
    public void Fill()
    {
        for (int filler = LibC.EventDescriptor(0, 0); filler >= 0; filler = LibC.EventDescriptor(0, 0))
            _fillers.Push(filler);
    }

    /// <summary>Gives one descriptor back.</summary>
    public void Spare() => _ = LibC.Close(_fillers.Pop());

    public unsafe void Dispose()
    {
        Limits before = _before;
        Assert.Equal(0, Set(OpenFiles, &before));
        while (_fillers.Count > 0)
            Spare();
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static unsafe partial int Get(int what, Limits* limits);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static unsafe partial int Set(int what, Limits* limits);

    private struct Limits
    {
        public nuint Soft;
        public nuint Hard;
    }
}
