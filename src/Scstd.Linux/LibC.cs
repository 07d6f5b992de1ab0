using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The C library's calls that .NET lacks; blittable signatures only. Every one may set errno, which
/// <see cref="Marshal.GetLastPInvokeError"/> gives.</summary>
internal static unsafe partial class LibC
{
    internal const int OpenReadOnly = 0;
    internal const int OpenReadWrite = 2;
    internal const int OpenCreate = 0x40;
    internal const int OpenExclusive = 0x80;
    internal const int OpenTruncate = 0x200;
    internal const int OpenCloseOnExec = 0x80000;

    /// <summary>RWF_DSYNC and RWF_NOWAIT of preadv2(2).</summary>
    internal const int WriteDataSync = 0x2;
    internal const int DoNotWait = 0x8;

    /// <summary>FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE.</summary>
    internal const int FallocateKeepSize = 0x1;
    internal const int FallocatePunchHole = 0x2;

    /// <summary>The errno of the call just made.</summary>
    internal static int LastError => Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "preadv2", SetLastError = true)]
    internal static partial nint ReadVectors(int descriptor, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport("libc", EntryPoint = "pwritev2", SetLastError = true)]
    internal static partial nint WriteVectors(int descriptor, IoVector* vectors, int count, long offset, int flags);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    internal static partial int DataSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Fallocate(int descriptor, int mode, long offset, long length);
}
