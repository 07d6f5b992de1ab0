using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>A system call that failed, with the file it was about.</summary>
public sealed class LinuxException : IOException
{
    public LinuxException(int error, string call, string? path = null)
        : base(path is null ? $"{call}: {Describe(error)}" : $"{path}: {call}: {Describe(error)}")
    {
        (Error, Call, Path) = (error, call, path);
        HResult = error;
    }

    /// <summary>The errno.</summary>
    public int Error { get; }

    public string Call { get; }

    public string? Path { get; }

    /// <summary>The text of strerror(3).</summary>
    public static string Describe(int error) => Marshal.GetPInvokeErrorMessage(error);

    /// <summary>The call's result, if it is not −1.</summary>
    internal static int Check(int result, string call, string? path = null) =>
        result != -1 ? result : throw new LinuxException(Marshal.GetLastPInvokeError(), call, path);
}
