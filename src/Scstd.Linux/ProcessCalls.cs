using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>The end of the process.</summary>
public static partial class ProcessCalls
{
    /// <summary>Ends the process at once. <see cref="Environment.Exit"/> would first run handlers that wait for a
    /// reactor, and it may be a reactor that has to say that it can go on no longer.</summary>
    [DoesNotReturn]
    public static void ExitNow(int status)
    {
        Exit(status);
        throw new InvalidOperationException("the process goes on after its end");
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int status);
}
