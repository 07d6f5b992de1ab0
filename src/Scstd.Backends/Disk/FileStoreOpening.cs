using Scstd.Linux;

namespace Scstd.Backends.Disk;

/// <summary>
/// Opens files and block devices for disks and refuses, in words for the administrator, what would only fail later.
/// </summary>
public static class FileStoreOpening
{
    /// <summary>Throws <see cref="StoreUnavailableException"/>.</summary>
    public static FileStore Open(DiskOptions options, int reactors)
    {
        string path = options.Path
            ?? throw new StoreUnavailableException($"disk {options.Name}: a {Word(options.Store)} needs a path");
        ulong? wanted = DiskSize.Wanted(options);
        if (wanted > long.MaxValue)
            throw new StoreUnavailableException($"{path}: {wanted} bytes are more than a file can have");
        BlockFile file = OpenFile(options, path, (long?)wanted);
        try
        {
            return new FileStore(file, Judge(options, file, (long?)wanted), reactors);
        }
        catch (LinuxException exception)
        {
            file.Dispose();
            throw new StoreUnavailableException(exception.Message, exception);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static BlockFile OpenFile(DiskOptions options, string path, long? wantedBytes)
    {
        if (Directory.Exists(path))
            throw new StoreUnavailableException($"{path}: is a directory, a {Word(options.Store)} is needed");
        bool mayCreate = options.Store == DiskStoreKind.File && !options.ReadOnly;
        if (!File.Exists(path) && (!mayCreate || wantedBytes is null))
        {
            throw new StoreUnavailableException(mayCreate
                ? $"{path}: does not exist; give a size to have it created"
                : $"{path}: does not exist");
        }
        try
        {
            return BlockFile.Open(path, new BlockFileOptions
            {
                ReadOnly = options.ReadOnly,
                Direct = options.Direct,
                CreateSizeBytes = mayCreate ? wantedBytes : null,
            });
        }
        catch (LinuxException exception)
        {
            throw new StoreUnavailableException(Explain(options, path, exception), exception);
        }
    }

    private static string Explain(DiskOptions options, string path, LinuxException exception) => exception.Error switch
    {
        ErrorNumber.AccessDenied or ErrorNumber.TryAgain when IsAboutLock(exception) =>
            $"{path}: is locked by another process",
        ErrorNumber.Busy => $"{path}: is mounted, or in use by another driver",
        ErrorNumber.AccessDenied or ErrorNumber.OperationNotPermitted =>
            $"{path}: permission denied; the daemon needs to read{(options.ReadOnly ? "" : " and write")} it",
        ErrorNumber.ReadOnlyFileSystem => $"{path}: its file system is read-only; serve it with readOnly",
        ErrorNumber.InvalidArgument when options.Direct =>
            $"{path}: cannot be opened for direct I/O; its file system may not know it",
        ErrorNumber.NoSpace => $"{path}: no space left to create it",
        _ => exception.Message,
    };

    private static bool IsAboutLock(LinuxException exception) =>
        exception.Call.StartsWith("fcntl", StringComparison.Ordinal);

    private static FileStoreGeometry Judge(DiskOptions options, BlockFile file, long? wantedBytes)
    {
        int block = options.BlockLengthBytes;
        bool wantsDevice = options.Store == DiskStoreKind.BlockDevice;
        if (wantsDevice != file.IsBlockDevice)
        {
            throw new StoreUnavailableException(
                $"{file.Path}: is {(file.IsBlockDevice ? "a block device" : "a regular file")}, "
                + $"a {Word(options.Store)} is needed");
        }
        if (wantedBytes > file.SizeBytes)
        {
            throw new StoreUnavailableException(
                $"{file.Path}: is too small: it has {file.SizeBytes} bytes, {wantedBytes} are configured");
        }
        long sizeBytes = wantedBytes ?? file.SizeBytes;
        if (sizeBytes == 0)
            throw new StoreUnavailableException($"{file.Path}: is empty; give a size, or remove it to have it created");
        if (sizeBytes % block != 0)
        {
            throw new StoreUnavailableException(
                $"{file.Path}: its size of {sizeBytes} bytes is not a multiple of the block length of {block}");
        }
        JudgeAlignment(options, file);
        if (options.Thin && !options.ReadOnly && !file.CanPunchHoles())
            throw new StoreUnavailableException($"{file.Path}: its file system cannot free blocks; it cannot be thin");
        return new FileStoreGeometry(
            $"{Word(options.Store)} {file.Path}",
            (ulong)(sizeBytes / block),
            block,
            options.ReadOnly,
            options.Thin ? Math.Max(1, file.PhysicalSectorSizeBytes / block) : 0);
    }

    /// <summary>A block smaller than the device's sector would need a read, a change and a write in one: refused rather
    /// than done without protection against a crash between them.</summary>
    private static void JudgeAlignment(DiskOptions options, BlockFile file)
    {
        int block = options.BlockLengthBytes;
        if (!options.Direct)
            return;
        if (block % file.LogicalSectorSizeBytes != 0)
        {
            throw new StoreUnavailableException(
                $"{file.Path}: direct I/O there needs blocks of {file.LogicalSectorSizeBytes} bytes and not {block}; "
                + "raise the block length or do without direct I/O");
        }
        if (block % file.MemoryAlignmentBytes != 0)
        {
            throw new StoreUnavailableException(
                $"{file.Path}: direct I/O there needs memory aligned to {file.MemoryAlignmentBytes} bytes, more than "
                + $"the block length of {block}; raise it or do without direct I/O");
        }
    }

    private static string Word(DiskStoreKind kind) => kind == DiskStoreKind.BlockDevice ? "block device" : "file";
}
