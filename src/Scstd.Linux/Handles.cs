using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>A connected or listening socket.</summary>
public sealed class SocketHandle : SafeHandle
{
    public SocketHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    public override bool IsInvalid => handle == -1;

    public int Descriptor => (int)handle;

    protected override bool ReleaseHandle() => LibC.Close((int)handle) == 0;
}

/// <summary>An open file or block device.</summary>
public sealed class FileHandle : SafeHandle
{
    private FileHandle? _second;

    internal FileHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <summary>The file lives in memory (tmpfs): a plain read or write of the reactor's own thread never waits for
    /// a device, and costs less than any way around it.</summary>
    public bool Inline { get; internal set; }

    /// <summary>A buffered read with RWF_NOWAIT is answered from the page cache, or refused at once.</summary>
    public bool ReadsWithoutWaiting { get; internal set; }

    /// <summary>Opened with O_DIRECT: memory, offset and length keep the device's alignment.</summary>
    public bool IsDirect { get; internal set; }

    /// <summary>
    /// An error of writing back that the kernel has recorded for the file since this was opened, or since it was last
    /// told here or by an fsync of this: its errno, or 0. Linux tells such an error once to every struct file, and of
    /// two calls on one that run together to one alone (errseq_t). Looks and does not wait: what is written back behind
    /// the end of any file is what is waited for.
    /// </summary>
    public int TakeWriteError()
    {
        while (LibC.SyncRange(Descriptor, long.MaxValue - 1, 1, LibC.SyncRangeWaitBefore) != 0)
        {
            int error = LibC.LastError;
            if (error != ErrorNumber.Interrupted)
                return error;
        }
        return 0;
    }

    /// <summary>A second descriptor that is closed with this one.</summary>
    internal void KeepOpenWith(FileHandle second) => _second = second;

    public override bool IsInvalid => handle == -1;

    /// <summary>-1 when it is closed: the number may be another file's by then.</summary>
    public int Descriptor => IsClosed ? -1 : (int)handle;

    protected override bool ReleaseHandle()
    {
        _second?.Dispose();
        return LibC.Close((int)handle) == 0;
    }
}
