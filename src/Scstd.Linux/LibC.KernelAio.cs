using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>Linux AIO, which the C library has no functions for either.</summary>
internal static unsafe partial class LibC
{
    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static nint AioSetupCall { get; } = IsArm64 ? 0 : 206;

    internal static nint AioDestroyCall { get; } = IsArm64 ? 1 : 207;

    internal static nint AioSubmitCall { get; } = IsArm64 ? 2 : 209;

    internal static nint AioGetEventsCall { get; } = IsArm64 ? 4 : 208;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint AioSetup(nint call, nint depth, nint* context);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint AioDestroy(nint call, nint context);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint AioSubmit(nint call, nint context, nint count, void** controlBlocks);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint AioGetEvents(
        nint call, nint context, nint least, nint most, void* events, void* timeout);
}
