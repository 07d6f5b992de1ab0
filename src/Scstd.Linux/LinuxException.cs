using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>A system call that failed, with the file it was about.</summary>
public sealed class LinuxException : IOException
{
    /// <param name="hint">What the errno means here, where its text alone would puzzle.</param>
    public LinuxException(int error, string call, string? path = null, string? hint = null)
        : base(Compose(error, call, path, hint))
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

    private static string Compose(int error, string call, string? path, string? hint)
    {
        string text = hint is null ? $"{call}: {Describe(error)}" : $"{hint} ({call}: {Describe(error)})";
        return path is null ? text : $"{path}: {text}";
    }
}
