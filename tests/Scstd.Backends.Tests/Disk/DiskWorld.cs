using Scstd.Backends.Disk;
using Scstd.Core;
using Scstd.Linux;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>A disk as an initiator meets it: behind a real logical unit, on a reactor that the test steps.</summary>
internal sealed class DiskWorld : IDisposable
{
    private readonly TemporaryDirectory? _directory;
    private readonly List<FileOperationKind> _operations = [];

    public DiskWorld(DiskOptions options, TemporaryDirectory? directory = null)
        : this(options, DiskBackend.Open(options, [new ManualReactor()]), directory)
    {
    }

    private DiskWorld(DiskOptions options, DiskBackend disk, TemporaryDirectory? directory)
    {
        Options = options;
        _directory = directory;
        Disk = disk;
        Reactor = (ManualReactor)disk.Reactors[0];
        Reactor.ExecuteFile = operation =>
        {
            _operations.Add(operation.Kind);
            return FileCall(operation);
        };
        Target = new TestTarget(Disk);
        Initiator = Target.Login();
    }

    public DiskOptions Options { get; }

    public DiskBackend Disk { get; }

    public ManualReactor Reactor { get; }

    public TestTarget Target { get; }

    public TestInitiator Initiator { get; }

    /// <summary>What the medium does.</summary>
    public Func<FileOperation, long?> FileCall { get; set; } = RealFile.Run;

    /// <summary>File operations that were tried, in order.</summary>
    public IReadOnlyList<FileOperationKind> Operations => _operations;

    /// <summary>In memory, 2048 blocks of 512 bytes.</summary>
    public static DiskWorld InMemory(Func<DiskOptions, DiskOptions>? with = null)
    {
        var options = new DiskOptions { Name = "memory", Store = DiskStoreKind.Memory, SizeBytes = 1 << 20 };
        return new DiskWorld(with is null ? options : with(options));
    }

    /// <summary>A new sparse file, 2048 blocks of 512 bytes.</summary>
    public static DiskWorld InFile(Func<DiskOptions, DiskOptions>? with = null)
    {
        var directory = new TemporaryDirectory();
        var options = new DiskOptions
        {
            Name = "file",
            Store = DiskStoreKind.File,
            Path = directory.File("disk.img"),
            SizeBytes = 1 << 20,
        };
        return new DiskWorld(with is null ? options : with(options), directory);
    }

    public static DiskWorld Of(DiskStoreKind kind, Func<DiskOptions, DiskOptions>? with = null) =>
        kind == DiskStoreKind.File ? InFile(with) : InMemory(with);

    /// <summary>Sends a command and runs everything until nothing moves any more; it must have been answered.</summary>
    public TestCommand Execute(
        ReadOnlySpan<byte> cdb, byte[]? dataOut = null, TestInitiator? from = null, uint dataInBytes = 1 << 24)
    {
        TestCommand command = Send(cdb, dataOut, from, dataInBytes);
        Run();
        Assert.True(command.IsAnswered, $"{command.Cdb[0]:X2}h is not answered");
        return command;
    }

    public TestCommand Send(
        ReadOnlySpan<byte> cdb, byte[]? dataOut = null, TestInitiator? from = null, uint dataInBytes = 1 << 24) =>
        (from ?? Initiator).Send(Lun.FromNumber(0), cdb, dataOut, dataInBytes);

    public void Run()
    {
        bool moved = true;
        while (moved)
        {
            moved = !Target.Executor.IsIdle;
            Target.Executor.Run();
            moved |= Reactor.RunPass();
        }
    }

    public byte[] Read(ulong lba, uint blocks)
    {
        TestCommand command = Execute(Cdbs.For(Sbc.Read16, lba, blocks));
        Assert.Equal(ScsiStatus.Good, command.Status);
        return command.DataIn;
    }

    public void Write(ulong lba, byte[] data)
    {
        byte[] cdb = Cdbs.For(Sbc.Write16, lba, (ulong)(data.Length / Disk.BlockLengthBytes));
        Assert.Equal(ScsiStatus.Good, Execute(cdb, data).Status);
    }

    /// <summary>Nothing was left behind: no operation at work, no buffer leased.</summary>
    public void Dispose()
    {
        Run();
        Target.Dispose();
        Assert.Equal(0, Disk.UnderWayOn(Reactor));
        Disk.Dispose();
        _directory?.Dispose();
    }
}
