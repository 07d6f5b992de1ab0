using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The three system calls of io_uring, which the C library has no functions for. Their numbers are the same
/// on every machine.</summary>
internal static unsafe partial class LibC
{
    internal const nint RingSetupCall = 425;
    internal const nint RingEnterCall = 426;
    internal const nint RingRegisterCall = 427;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint RingSetup(nint call, nint entries, void* parameters);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint RingEnter(
        nint call, nint ring, nint toSubmit, nint minComplete, nint flags, void* argument, nint argumentBytes);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint RingRegister(nint call, nint ring, nint what, void* argument, nint count);
}
