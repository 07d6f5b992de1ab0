using System.Runtime.InteropServices;

namespace Scstd.Linux;

public enum PathKind
{
    Missing,
    Regular,
    BlockDevice,
    Directory,
    Other,
}

/// <summary>What a path is and may be used for, found out without changing anything and without opening for
/// writing.</summary>
public static unsafe partial class PathProbe
{
    // linux/fcntl.h, unistd.h
    private const int AtWorkingDirectory = -100;
    private const int AtEffectiveAccess = 0x200;
    private const int MayRead = 4;
    private const int MayWrite = 2;
    private const ushort ModeDirectory = 0x4000;

    /// <summary>Of what a symbolic link leads to; null: it cannot be told.</summary>
    public static PathKind? KindOf(string path)
    {
        ExtendedStatus status;
        if (LibC.ExtendedStatus(AtWorkingDirectory, path, 0, LibC.StatusBasic, &status) != 0)
            return LibC.LastError == ErrorNumber.NoSuchFile ? PathKind.Missing : null;
        return (status.Mode & LibC.ModeTypeMask) switch
        {
            LibC.ModeRegular => PathKind.Regular,
            LibC.ModeBlockDevice => PathKind.BlockDevice,
            ModeDirectory => PathKind.Directory,
            _ => PathKind.Other,
        };
    }

    /// <summary>Its size in bytes; of what a symbolic link leads to; null: it cannot be told.</summary>
    public static long? LengthOf(string path)
    {
        ExtendedStatus status;
        return LibC.ExtendedStatus(AtWorkingDirectory, path, 0, LibC.StatusBasic, &status) == 0
            ? status.SizeBytes : null;
    }

    /// <summary>access(2) by the effective user: null, or the error of who would open it so.</summary>
    public static LinuxException? Refusal(string path, bool writes)
    {
        int error = Access(AtWorkingDirectory, path, MayRead | (writes ? MayWrite : 0), AtEffectiveAccess) == 0
            ? 0 : LibC.LastError;
        return error == 0 ? null : new LinuxException(error, "access", path);
    }

    /// <summary>Its file system does not know O_DIRECT: an open for reading tells.</summary>
    public static bool RefusesDirect(string path)
    {
        int descriptor = LibC.Open(path, LibC.OpenReadOnly | LibC.OpenDirect | LibC.OpenCloseOnExec, 0);
        if (descriptor < 0)
            return LibC.LastError == ErrorNumber.InvalidArgument;
        new FileHandle(descriptor).Dispose();
        return false;
    }

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(int directory, string path, int mode, int flags);
}
