using Scstd.Linux;
using Scstd.Testing;

namespace Scstd.Backends.Tests.Disk;

/// <summary>The system's own answer to a file operation, and ways to spoil it.</summary>
internal static unsafe class RealFile
{
    private static readonly Func<FileOperation, long?> Call = new ManualReactor().ExecuteFile;

    public static long? Run(FileOperation operation) => Call(operation);

    /// <summary>At most this many bytes of a transfer.</summary>
    public static long? RunAtMost(FileOperation operation, int lengthBytes)
    {
        if (operation.Kind is FileOperationKind.Flush or FileOperationKind.PunchHole)
            return Run(operation);
        int count = operation.VectorCount;
        IoVector first = operation.Vectors[0];
        operation.VectorCount = 1;
        operation.Vectors[0].LengthBytes = (nuint)Math.Min((long)first.LengthBytes, lengthBytes);
        try
        {
            return Run(operation);
        }
        finally
        {
            operation.VectorCount = count;
            operation.Vectors[0] = first;
        }
    }

    public static bool IsWrite(FileOperation operation) =>
        operation.Kind is FileOperationKind.Write or FileOperationKind.WriteThrough;
}
