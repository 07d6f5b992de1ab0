namespace Scstd.Linux.Tests;

/// <summary>What every reactor owes to file operations.</summary>
public abstract class ReactorFileLaws : IDisposable
{
    private const int SizeBytes = 1 << 20;

    private readonly RunningReactor _running;
    private readonly TemporaryDirectory _disk = new();
    private readonly TemporaryDirectory _memory = new(inMemory: true);

    protected ReactorFileLaws(ReactorKind kind) => _running = new RunningReactor(new ReactorOptions { Kind = kind });

    public void Dispose()
    {
        _running.Dispose();
        _disk.Dispose();
        _memory.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void What_is_written_in_pieces_is_read_back_in_other_pieces(bool inMemory, bool direct)
    {
        using BlockFile file = Open(inMemory, direct);
        var random = new Random(3);
        byte[] expected = new byte[SizeBytes];
        FileOperationKind[] kinds = [FileOperationKind.Write, FileOperationKind.WriteThrough];
        for (int offset = 0; offset < SizeBytes; offset += 65536)
        {
            using var write = new RecordingOperation(65536, 16) { Kind = kinds[(offset >> 16) % 2] };
            random.NextBytes(write.Bytes);
            write.Bytes.CopyTo(expected.AsSpan(offset));
            Assert.Equal(65536, Run(file, write, offset));
            write.Free();
        }
        using var flush = new RecordingOperation(0, 1) { Kind = FileOperationKind.Flush };
        Assert.Equal(0, Run(file, flush, 0));
        using var read = new RecordingOperation(SizeBytes, 64) { Kind = FileOperationKind.Read };
        Assert.Equal(SizeBytes, ReadAll(file, read));

        Assert.True(read.Bytes.SequenceEqual(expected));
        Assert.Equal(expected, File.ReadAllBytes(file.Path));
        read.Free();
        flush.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_punched_hole_reads_as_zeros_and_gives_its_space_back(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        File.WriteAllBytes(file.Path, Enumerable.Repeat((byte)0xAA, SizeBytes).ToArray());
        using var punch = new RecordingOperation(0, 1) { Kind = FileOperationKind.PunchHole, LengthBytes = 65536 };

        Assert.Equal(0, Run(file, punch, 131072));

        byte[] bytes = File.ReadAllBytes(file.Path);
        Assert.Equal(SizeBytes, bytes.Length);
        Assert.False(bytes.AsSpan(131072, 65536).ContainsAnyExcept((byte)0));
        Assert.Equal(0xAA, bytes[131071]);
        Assert.Equal(0xAA, bytes[131072 + 65536]);
        Assert.Equal(131072, file.NextHole(0));
        punch.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_read_over_the_end_is_short_and_behind_it_empty(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        using var read = new RecordingOperation(8192, 2) { Kind = FileOperationKind.Read };

        Assert.Equal(4096, Run(file, read, SizeBytes - 4096));
        Assert.Equal(0, Run(file, read, SizeBytes));
        read.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_error_comes_as_its_negated_errno(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        using BlockFile readOnly = BlockFile.Open(
            file.Path, new BlockFileOptions { ReadOnly = true, Lock = false });
        using var write = new RecordingOperation(512) { Kind = FileOperationKind.Write };
        Assert.Equal(-ErrorNumber.BadDescriptor, Run(readOnly, write, 0));
        write.Kind = FileOperationKind.Read;
        Assert.Equal(-ErrorNumber.InvalidArgument, Run(file, write, -512));

        using var full = new FileHandle(LibC.Open("/dev/full", LibC.OpenReadWrite | LibC.OpenCloseOnExec, 0));
        write.Kind = FileOperationKind.Write;
        Assert.Equal(-ErrorNumber.NoSpace, Run(full, write, 0));
        write.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_operation_never_completes_inside_its_submission_and_completes_on_its_reactor(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        using var read = new RecordingOperation(4096) { Kind = FileOperationKind.Read, File = file.Handle };
        int inside = _running.On(() =>
        {
            _running.Reactor.Submit(read);
            return read.Completions;
        });
        _running.Until(() => read.Completions > 0, "completed");

        Assert.Equal(0, inside);
        Assert.Equal(1, read.Completions);
        Assert.Same(_running.Reactor, read.CompletedOn);
        read.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_operation_may_be_submitted_again_from_its_completion_but_not_twice(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        using var read = new RecordingOperation(4096) { Kind = FileOperationKind.Read, File = file.Handle };
        Exception? twice = null;
        read.WhenCompleted = operation =>
        {
            if (operation.Completions == 3000)
                return;
            operation.OffsetBytes = operation.Completions % 256 * 4096;
            _running.Reactor.Submit(operation);
            twice ??= Record.Exception(() => _running.Reactor.Submit(operation));
        };
        _running.On(() => _running.Reactor.Submit(read));
        _running.Until(() => read.Completions == 3000, "3000 completions");

        Assert.IsType<InvalidOperationException>(twice);
        Assert.Equal(4096, read.KernelResult);
        read.Free();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Far_more_operations_than_any_queue_holds_all_complete(bool direct)
    {
        using BlockFile file = Open(inMemory: false, direct);
        var operations = new List<RecordingOperation>();
        for (int i = 0; i < 3000; i++)
        {
            operations.Add(new RecordingOperation(4096)
            {
                Kind = i % 7 == 0 ? FileOperationKind.Flush
                    : i % 3 == 0 ? FileOperationKind.Write
                    : FileOperationKind.Read,
                File = file.Handle,
                OffsetBytes = i % 256 * 4096,
            });
        }
        _running.On(() => operations.ForEach(_running.Reactor.Submit));
        _running.Until(() => operations.TrueForAll(operation => operation.Completions == 1), "all completed");

        Assert.All(
            operations,
            operation => Assert.Equal(operation.Kind == FileOperationKind.Flush ? 0 : 4096, operation.KernelResult));
        operations.ForEach(operation => operation.Free());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_read_in_steady_state_allocates_nothing(bool inMemory)
    {
        using BlockFile file = Open(inMemory);
        using var read = new RecordingOperation(4096) { Kind = FileOperationKind.Read, File = file.Handle };
        using var done = new ManualResetEventSlim();
        const int Looks = 6;
        long[] allocated = new long[Looks];
        read.WhenCompleted = operation =>
        {
            if (operation.Completions % 1000 == 0)
                allocated[(operation.Completions / 1000) - 1] = GC.GetAllocatedBytesForCurrentThread();
            if (operation.Completions < 1000 * Looks)
                _running.Reactor.Submit(operation);
            else
                done.Set();
        };
        _running.On(() => _running.Reactor.Submit(read));
        Assert.True(done.Wait(RunningReactor.Patience));

        // What the runtime does once (a method compiled anew) is no steady state: the median of a thousand reads.
        long[] each = [.. allocated.Skip(1).Zip(allocated, (later, earlier) => later - earlier).Order()];
        Assert.Equal(0, each[each.Length / 2]);
        read.Free();
    }

    protected void ReadOneBlockOften(bool direct, int times)
    {
        using BlockFile file = Open(inMemory: false, direct);
        using var operation = new RecordingOperation(4096) { Kind = FileOperationKind.Write };
        Assert.Equal(4096, Run(file, operation, 0));
        operation.Kind = FileOperationKind.Read;
        for (int i = 0; i < times; i++)
            Assert.Equal(4096, Run(file, operation, 0));
        operation.Free();
    }

    private BlockFile Open(bool inMemory, bool direct = false) => BlockFile.Open(
        (inMemory ? _memory : _disk).File("disk"),
        new BlockFileOptions { CreateSizeBytes = SizeBytes, Direct = direct });

    private long Run(BlockFile file, RecordingOperation operation, long offsetBytes) =>
        Run(file.Handle, operation, offsetBytes);

    private long Run(FileHandle file, RecordingOperation operation, long offsetBytes)
    {
        (operation.File, operation.OffsetBytes) = (file, offsetBytes);
        int before = operation.Completions;
        _running.On(() => _running.Reactor.Submit(operation));
        _running.Until(() => operation.Completions > before, "completed");
        return operation.KernelResult!.Value;
    }

    /// <summary>A read may be short; its owner goes on where it stopped.</summary>
    private long ReadAll(BlockFile file, RecordingOperation read)
    {
        long done = 0;
        while (done < SizeBytes)
        {
            long part = Run(file, read, done);
            Assert.True(part > 0);
            done += part;
            read.Skip(part);
        }
        return done;
    }
}
