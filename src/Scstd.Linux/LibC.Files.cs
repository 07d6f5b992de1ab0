using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The kernel's struct flock.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileLock
{
    public short Type;
    public short Whence;
    public long Start;
    public long Length;
    public int Process;
}

/// <summary>The kernel's struct statx, as far as it is of use here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct ExtendedStatus
{
    [FieldOffset(0x00)]
    public uint Mask;

    [FieldOffset(0x1c)]
    public ushort Mode;

    [FieldOffset(0x28)]
    public long SizeBytes;

    /// <summary>In units of 512 bytes, whatever the file system's are.</summary>
    [FieldOffset(0x30)]
    public ulong AllocatedSectors;

    [FieldOffset(0x98)]
    public uint DirectMemoryAlignment;

    [FieldOffset(0x9c)]
    public uint DirectOffsetAlignment;
}

/// <summary>The kernel's struct statfs, as far as it is of use here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct FileSystemStatus
{
    [FieldOffset(0)]
    public long Type;

    [FieldOffset(8)]
    public long OptimalTransferBytes;

    /// <summary>Counted in <see cref="FragmentBytes"/>, as the two below.</summary>
    [FieldOffset(16)]
    public ulong Blocks;

    [FieldOffset(24)]
    public ulong FreeBlocks;

    /// <summary>Free, and not kept for root.</summary>
    [FieldOffset(32)]
    public ulong AvailableBlocks;

    /// <summary>Zero in old file systems: the optimal transfer is the unit then (statvfs(3)).</summary>
    [FieldOffset(72)]
    public long FragmentBytes;
}

/// <summary>Opening, measuring, locking and memory.</summary>
internal static unsafe partial class LibC
{
    internal const ushort ModeTypeMask = 0xF000;
    internal const ushort ModeRegular = 0x8000;
    internal const ushort ModeBlockDevice = 0x6000;

    internal const int AtEmptyPath = 0x1000;
    internal const uint StatusBasic = 0x7ff;
    internal const uint StatusDirectAlignment = 0x2000;

    /// <summary>F_OFD_SETLK with F_RDLCK and F_WRLCK.</summary>
    internal const int SetOpenFileLock = 37;
    internal const short ReadLock = 0;
    internal const short WriteLock = 1;

    internal const nuint BlockDeviceSize = 0x80081272; // BLKGETSIZE64
    internal const nuint BlockDeviceLogicalSector = 0x1268; // BLKSSZGET
    internal const nuint BlockDevicePhysicalSector = 0x127B; // BLKPBSZGET

    /// <summary>SYNC_FILE_RANGE_WAIT_BEFORE.</summary>
    internal const uint SyncRangeWaitBefore = 1;

    internal const int SeekData = 3;
    internal const int SeekHole = 4;

    internal const long TmpfsType = 0x01021994;
    internal const long RamfsType = 0x858458f6;

    internal const int ProtectRead = 1;
    internal const int ProtectWrite = 2;
    internal const int MapShared = 0x1;
    internal const int MapPrivate = 0x2;
    internal const int MapAnonymous = 0x20;
    internal const int MapNoReserve = 0x4000;
    internal const int MapPopulate = 0x8000;
    internal const int MapHugeTlb = 0x40000;
    internal const int MapHuge2Mib = 21 << 26;

    internal const int AdviseDontNeed = 4;
    internal const int AdviseHugePage = 14;
    internal const int AdvisePopulateWrite = 23;

    /// <summary>O_DIRECT is one of the few flags that differ between machines.</summary>
    internal static int OpenDirect =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x10000 : 0x4000;

    /// <summary>O_DIRECTORY, likewise.</summary>
    internal static int OpenDirectory =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ExtendedStatus(
        int directory, string path, int flags, uint mask, ExtendedStatus* status);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    internal static partial int FileSystemStatus(int descriptor, FileSystemStatus* status);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int SetSize(int descriptor, long sizeBytes);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    internal static partial int SyncRange(int descriptor, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(int descriptor, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(string path, string second);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Map(
        nint address, nuint lengthBytes, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Unmap(nint address, nuint lengthBytes);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint address, nuint lengthBytes, int advice);

    [LibraryImport("libc", EntryPoint = "memcpy")]
    internal static partial void* CopyMemory(void* destination, void* source, nuint lengthBytes);
}
