namespace Scstd.Linux;

/// <summary>How a block file is opened.</summary>
public sealed record BlockFileOptions
{
    public bool ReadOnly { get; init; }

    /// <summary>O_DIRECT: past the page cache.</summary>
    public bool Direct { get; init; }

    /// <summary>A file that does not exist is created with this size, sparse; one that exists keeps its own.</summary>
    public long? CreateSizeBytes { get; init; }

    /// <summary>Keeps other processes away: shared if <see cref="ReadOnly"/>, else exclusive.</summary>
    public bool Lock { get; init; } = true;
}

/// <summary>A regular file or block device that holds a disk's blocks.</summary>
public sealed unsafe partial class BlockFile : IDisposable
{
    private const uint OwnerOnly = 0x180; // 0600
    private const int AssumedDirectAlignmentBytes = 4096; // our choice where the kernel does not tell

    private BlockFile(string path, FileHandle handle, BlockFileOptions options, in ExtendedStatus status)
    {
        (Path, Handle) = (path, handle);
        (IsReadOnly, IsDirect) = (options.ReadOnly, options.Direct);
        IsBlockDevice = (status.Mode & LibC.ModeTypeMask) == LibC.ModeBlockDevice;
        bool tellsAlignment = (status.Mask & LibC.StatusDirectAlignment) != 0 && status.DirectOffsetAlignment > 0;
        if (IsBlockDevice)
        {
            LogicalSectorSizeBytes = Ask(LibC.BlockDeviceLogicalSector, "ioctl(BLKSSZGET)");
            PhysicalSectorSizeBytes = Ask(LibC.BlockDevicePhysicalSector, "ioctl(BLKPBSZGET)");
        }
        else
        {
            LogicalSectorSizeBytes = !options.Direct ? 1
                : tellsAlignment ? (int)status.DirectOffsetAlignment
                : AssumedDirectAlignmentBytes;
            PhysicalSectorSizeBytes = Math.Max(LogicalSectorSizeBytes, AssumedDirectAlignmentBytes);
        }
        MemoryAlignmentBytes = !options.Direct ? 1
            : tellsAlignment ? (int)status.DirectMemoryAlignment
            : AssumedDirectAlignmentBytes;
        SizeBytes = MeasureSize();
    }

    public string Path { get; }

    /// <summary>For <see cref="FileOperation.File"/>.</summary>
    public FileHandle Handle { get; }

    /// <summary>As it was when last measured.</summary>
    public long SizeBytes { get; private set; }

    public bool IsBlockDevice { get; }

    public bool IsReadOnly { get; }

    /// <summary>It did not exist before.</summary>
    public bool WasCreated { get; private init; }

    public bool IsDirect { get; }

    /// <summary>Offsets and lengths of operations must be multiples of this; 1 where any will do.</summary>
    public int LogicalSectorSizeBytes { get; }

    /// <summary>A write of whole units of this needs no reading first.</summary>
    public int PhysicalSectorSizeBytes { get; }

    /// <summary>Memory of operations must be aligned to this; 1 where any will do.</summary>
    public int MemoryAlignmentBytes { get; }

    /// <summary>Opens, and creates if asked. Throws LinuxException, which names the file.</summary>
    public static BlockFile Open(string path, BlockFileOptions options)
    {
        bool created = false;
        int descriptor = LibC.Open(path, Flags(options), 0);
        if (descriptor < 0 && LibC.LastError == ErrorNumber.NoSuchFile && options.CreateSizeBytes is not null)
        {
            descriptor = LibC.Open(path, Flags(options) | LibC.OpenCreate | LibC.OpenExclusive, OwnerOnly);
            created = descriptor >= 0;
        }
        if (descriptor < 0)
            throw OpenFailed(path, options);
        var first = new FileHandle(descriptor);
        try
        {
            return Complete(path, options, first, created);
        }
        catch
        {
            first.Dispose();
            if (created)
                _ = LibC.Unlink(path);
            throw;
        }
    }

    /// <summary>Makes a file's name durable: fsync of the directory that holds <paramref name="path"/>.</summary>
    public static void SyncDirectory(string path)
    {
        string directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "/";
        int flags = LibC.OpenReadOnly | LibC.OpenDirectory | LibC.OpenCloseOnExec;
        using var handle = new FileHandle(LinuxException.Check(LibC.Open(directory, flags, 0), "open", directory));
        LinuxException.Check(LibC.Sync(handle.Descriptor), "fsync", directory);
    }

    /// <summary>Asks for the size anew; it may have been changed from outside.</summary>
    public long MeasureSize()
    {
        if (IsBlockDevice)
        {
            long size;
            LinuxException.Check(
                LibC.Control(Handle.Descriptor, LibC.BlockDeviceSize, &size), "ioctl(BLKGETSIZE64)", Path);
            return SizeBytes = size;
        }
        return SizeBytes = Status(Handle.Descriptor, Path).SizeBytes;
    }

    /// <summary>The room that a regular file has taken and could take. Asks the file system, which may wait for its
    /// device or server: not for a reactor.</summary>
    public FileSpace MeasureSpace()
    {
        FileSystemStatus system;
        LinuxException.Check(LibC.FileSystemStatus(Handle.Descriptor, &system), "fstatfs", Path);
        ulong unit = (ulong)(system.FragmentBytes > 0 ? system.FragmentBytes : system.OptimalTransferBytes);
        ulong takenBlocks = system.Blocks - Math.Min(system.Blocks, system.FreeBlocks);
        return new FileSpace(
            Status(Handle.Descriptor, Path).AllocatedSectors * 512, system.AvailableBlocks * unit,
            (takenBlocks + system.AvailableBlocks) * unit);
    }

    public void SetSize(long sizeBytes)
    {
        LinuxException.Check(LibC.SetSize(Handle.Descriptor, sizeBytes), "ftruncate", Path);
        SizeBytes = sizeBytes;
    }

    /// <summary>Reserves space, so that writing there cannot fail for want of it.</summary>
    public void Preallocate(long offsetBytes, long lengthBytes) =>
        LinuxException.Check(
            LibC.Fallocate(Handle.Descriptor, LibC.FallocateKeepSize, offsetBytes, lengthBytes), "fallocate", Path);

    /// <summary>Whether <see cref="FileOperationKind.PunchHole"/> is to be had. Tried behind the end, where it changes
    /// nothing; a block device tells only when it is asked.</summary>
    public bool CanPunchHoles() => IsBlockDevice || LibC.Fallocate(
        Handle.Descriptor, LibC.FallocatePunchHole | LibC.FallocateKeepSize, SizeBytes, MemoryPages.PageBytes) == 0;

    /// <summary>fsync, on the calling thread: for setting up, not for a reactor.</summary>
    public void Sync() => LinuxException.Check(LibC.Sync(Handle.Descriptor), "fsync", Path);

    /// <summary>The same file opened once more, to read: it takes write errors by itself
    /// (<see cref="FileHandle.TakeWriteError"/>), and one that nobody has been told yet is among them.</summary>
    public FileHandle OpenAgain()
    {
        string own = $"/proc/self/fd/{Handle.Descriptor}";
        int descriptor = LibC.Open(own, LibC.OpenReadOnly | LibC.OpenCloseOnExec, 0);
        return new FileHandle(LinuxException.Check(descriptor, $"open({own})", Path));
    }

    /// <summary>Where data begins at or behind <paramref name="offsetBytes"/>, or null if only a hole follows.
    /// </summary>
    public long? NextData(long offsetBytes) => Seek(offsetBytes, LibC.SeekData, "lseek(SEEK_DATA)");

    /// <summary>Where a hole begins at or behind <paramref name="offsetBytes"/>; the end of the file counts as one.
    /// Null behind the end.</summary>
    public long? NextHole(long offsetBytes) => Seek(offsetBytes, LibC.SeekHole, "lseek(SEEK_HOLE)");

    /// <summary>The file is wanted no more before it was ever used: its name goes, if it was created here.</summary>
    public void RemoveIfCreated()
    {
        if (WasCreated)
            _ = LibC.Unlink(Path);
    }

    public void Dispose() => Handle.Dispose();

    private static int Flags(BlockFileOptions options) =>
        (options.ReadOnly ? LibC.OpenReadOnly : LibC.OpenReadWrite)
        | (options.Direct ? LibC.OpenDirect : 0)
        | LibC.OpenCloseOnExec;

    private static BlockFile Complete(string path, BlockFileOptions options, FileHandle opened, bool created)
    {
        ExtendedStatus status = Status(opened.Descriptor, path);
        int type = status.Mode & LibC.ModeTypeMask;
        if (type is not (LibC.ModeRegular or LibC.ModeBlockDevice))
            throw new LinuxException(ErrorNumber.InvalidArgument, "open", path, "neither a regular file nor a disk");
        if (options.Lock)
            Acquire(opened, path, options);
        bool isDisk = type == LibC.ModeBlockDevice;
        if (isDisk && options.Lock && !options.ReadOnly)
            ReopenExclusively(path, options, opened);
        FileHandle handle = FileProbe.Describe(opened, options.Direct, isDisk);
        var file = new BlockFile(path, handle, options, status) { WasCreated = created };
        if (!created)
            return file;
        file.SetSize(options.CreateSizeBytes!.Value);
        file.Sync();
        SyncDirectory(path);
        return file;
    }

    /// <summary>The lock belongs to the open file, not to the process: closing another descriptor of the same file
    /// does not lose it, as it would with a classic POSIX lock.</summary>
    private static void Acquire(FileHandle handle, string path, BlockFileOptions options)
    {
        var wanted = new FileLock { Type = options.ReadOnly ? LibC.ReadLock : LibC.WriteLock };
        if (LibC.FileControl(handle.Descriptor, LibC.SetOpenFileLock, (nint)(&wanted)) == 0)
            return;
        int error = LibC.LastError;
        string? hint = error is ErrorNumber.TryAgain or ErrorNumber.AccessDenied ? "locked by another process" : null;
        throw new LinuxException(error, "fcntl(F_OFD_SETLK)", path, hint);
    }

    /// <summary>A disk that is mounted or belongs to another driver refuses O_EXCL; a file lock would not tell.
    /// </summary>
    private static void ReopenExclusively(string path, BlockFileOptions options, FileHandle opened)
    {
        int descriptor = LibC.Open(path, Flags(options) | LibC.OpenExclusive, 0);
        if (descriptor < 0)
        {
            int error = LibC.LastError;
            string? hint = error == ErrorNumber.Busy ? "mounted, or in use by another driver" : null;
            throw new LinuxException(error, "open(O_EXCL)", path, hint);
        }
        opened.KeepOpenWith(new FileHandle(descriptor));
    }

    private static LinuxException OpenFailed(string path, BlockFileOptions options)
    {
        int error = LibC.LastError;
        string? hint = error == ErrorNumber.InvalidArgument && options.Direct
            ? "its file system may not know O_DIRECT"
            : null;
        return new LinuxException(error, "open", path, hint);
    }

    private static ExtendedStatus Status(int descriptor, string path)
    {
        ExtendedStatus status;
        const uint Mask = LibC.StatusBasic | LibC.StatusDirectAlignment;
        LinuxException.Check(
            LibC.ExtendedStatus(descriptor, "", LibC.AtEmptyPath, Mask, &status), "statx", path);
        return status;
    }

    private int Ask(nuint request, string call)
    {
        int value;
        LinuxException.Check(LibC.Control(Handle.Descriptor, request, &value), call, Path);
        return value;
    }

    private long? Seek(long offsetBytes, int whence, string call)
    {
        long found = LibC.Seek(Handle.Descriptor, offsetBytes, whence);
        if (found >= 0)
            return found;
        int error = LibC.LastError;
        return error == ErrorNumber.NoSuchDevice ? null : throw new LinuxException(error, call, Path);
    }
}

/// <summary>Room on a file system.</summary>
/// <param name="AllocatedBytes">What one file has taken.</param>
/// <param name="AvailableBytes">What files may still take.</param>
/// <param name="TotalBytes">What all files have taken and may still take, as df(1) counts.</param>
public readonly record struct FileSpace(ulong AllocatedBytes, ulong AvailableBytes, ulong TotalBytes);
