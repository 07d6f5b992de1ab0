using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The C library's calls that .NET lacks; blittable signatures only.</summary>
internal static unsafe partial class LibC
{
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);
}
