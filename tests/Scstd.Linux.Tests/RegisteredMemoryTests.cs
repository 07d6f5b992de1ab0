using Scstd.Linux.IoUring;

namespace Scstd.Linux.Tests;

public sealed unsafe class RegisteredMemoryTests : IDisposable
{
    private const int SlabBytes = MemoryPages.HugePageBytes;
    private const int Slabs = 3;

    private readonly MemoryPages _pages = MemoryPages.Allocate(Slabs * SlabBytes);
    private readonly TemporaryDirectory _disk = new();
    private readonly List<string> _log = [];

    public void Dispose()
    {
        _disk.Dispose();
        _pages.Dispose();
    }

    [Fact]
    public void A_slab_is_known_while_the_reactor_has_it_and_only_whole_pieces_of_it()
    {
        using var ring = new Ring(null);
        var memory = new RegisteredMemory(ring, Region(), _log.Add);
        nint second = _pages.Address + SlabBytes;
        Assert.Equal(-1, memory.IndexOf(second, 4096));
        memory.Add(second);

        Assert.Equal(1, memory.IndexOf(second, SlabBytes));
        Assert.Equal(1, memory.IndexOf(second + SlabBytes - 1, 1));
        Assert.Equal(-1, memory.IndexOf(second + SlabBytes - 1, 2));
        Assert.Equal(-1, memory.IndexOf(second - 1, 1));
        Assert.Equal(-1, memory.IndexOf(second + SlabBytes, 1));
        Assert.Equal(-1, memory.IndexOf(_pages.Address + (Slabs * SlabBytes), 1));
        Assert.Equal(-1, memory.IndexOf(_pages.Address - 1, 1));
        memory.Remove(second);
        Assert.Equal(-1, memory.IndexOf(second, 4096));
        memory.Add(second);
        Assert.Equal(1, memory.IndexOf(second, 4096));
        Assert.Empty(_log);
    }

    [Fact]
    public void What_the_kernel_refuses_is_told_once_and_done_without()
    {
        using var ring = new Ring(null);
        var memory = new RegisteredMemory(ring, Region(), _log.Add);
        memory.Add(_pages.Address);
        nint gone = _pages.Address + SlabBytes;
        Assert.Equal(0, LibC.Unmap(gone, SlabBytes));
        memory.Add(gone);
        memory.Add(gone + SlabBytes);

        Assert.Equal(
            "io_uring registers no more data memory: Bad address; done without", Assert.Single(_log));
        Assert.Equal(-1, memory.IndexOf(gone, 4096));
        Assert.Equal(-1, memory.IndexOf(gone + SlabBytes, 4096));
        Assert.Equal(0, memory.IndexOf(_pages.Address, 4096));
        memory.Remove(gone);
        memory.Remove(_pages.Address);
        Assert.Equal(-1, memory.IndexOf(_pages.Address, 4096));
    }

    /// <summary>An old kernel, for one: the ring has a table already, and a second is refused.</summary>
    [Fact]
    public void Without_a_table_nothing_is_registered()
    {
        using var ring = new Ring(null);
        _ = new RegisteredMemory(ring, Region(), _log.Add);
        var memory = new RegisteredMemory(ring, Region(), _log.Add);
        memory.Add(_pages.Address);

        Assert.Contains("Device or resource busy", Assert.Single(_log), StringComparison.Ordinal);
        Assert.Equal(-1, memory.IndexOf(_pages.Address, 4096));
    }

    /// <summary>The pages are taken away from under the addresses: what is read into a registered slab goes to the
    /// pages that were there when it was registered, what is read by address to those that are there now.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Operations_use_the_registration_from_when_a_slab_is_taken_until_it_goes(bool direct)
    {
        using var running = new RunningReactor(
            new ReactorOptions { Kind = ReactorKind.IoUring, Slabs = Region() });
        using BlockFile file = BlockFile.Open(
            _disk.File("disk"), new BlockFileOptions { CreateSizeBytes = 1 << 20, Direct = direct });
        byte[] bytes = new byte[8192];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(file.Path, bytes);
        nint slab = _pages.Address + SlabBytes;
        var seen = new Span<byte>((void*)slab, 8192);

        Assert.Equal(8192, Run(running, file, FileOperationKind.Read, slab));
        Assert.True(seen.SequenceEqual(bytes), "by address, before");
        running.On(() => running.Reactor.SlabTaken(slab));
        seen.Clear();
        Assert.Equal(8192, Run(running, file, FileOperationKind.Read, slab));
        Assert.True(seen.SequenceEqual(bytes), "registered");
        _pages.Discard(SlabBytes, SlabBytes);
        Assert.Equal(8192, Run(running, file, FileOperationKind.Read, slab));
        Assert.False(seen.ContainsAnyExcept((byte)0), "registered, elsewhere");
        seen.Fill(7);
        Assert.Equal(8192, Run(running, file, FileOperationKind.WriteThrough, slab));
        Assert.Equal(bytes, File.ReadAllBytes(file.Path));
        running.On(() => running.Reactor.SlabGoes(slab));
        Assert.Equal(8192, Run(running, file, FileOperationKind.Read, slab));
        Assert.True(seen.SequenceEqual(bytes), "by address, after");
        Assert.Empty(running.Log);
    }

    private SlabRegion Region() => new(_pages.Address, SlabBytes, Slabs);

    private static long Run(RunningReactor running, BlockFile file, FileOperationKind kind, nint memory)
    {
        using var operation = new RecordingOperation(0) { Kind = kind, File = file.Handle, VectorCount = 1 };
        operation.Vectors[0] = new IoVector(memory, 8192);
        running.On(() => running.Reactor.Submit(operation));
        running.Until(() => operation.Completions > 0, "completed");
        operation.Free();
        return operation.KernelResult!.Value;
    }
}
