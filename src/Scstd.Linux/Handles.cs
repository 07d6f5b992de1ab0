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
    internal FileHandle(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    public override bool IsInvalid => handle == -1;

    public int Descriptor => (int)handle;

    protected override bool ReleaseHandle() => LibC.Close((int)handle) == 0;
}
