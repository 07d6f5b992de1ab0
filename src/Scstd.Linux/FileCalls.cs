using System.Diagnostics;

namespace Scstd.Linux;

/// <summary>A file operation as the plain system call of the calling thread.</summary>
internal static unsafe class FileCalls
{
    /// <summary>Bytes transferred, 0, or a negated errno.</summary>
    internal static long Run(FileOperation operation)
    {
        int descriptor = operation.File!.Descriptor;
        while (true)
        {
            long result = operation.Kind switch
            {
                FileOperationKind.Read => Read(descriptor, operation, 0),
                FileOperationKind.Write => Write(descriptor, operation, 0),
                FileOperationKind.WriteThrough => Write(descriptor, operation, LibC.WriteDataSync),
                FileOperationKind.Flush => LibC.DataSync(descriptor),
                FileOperationKind.PunchHole => LibC.Fallocate(
                    descriptor,
                    LibC.FallocatePunchHole | LibC.FallocateKeepSize,
                    operation.OffsetBytes,
                    operation.LengthBytes),
                _ => throw new UnreachableException($"file operation {operation.Kind}"),
            };
            if (result >= 0)
                return result;
            int error = LibC.LastError;
            if (error != ErrorNumber.Interrupted)
                return -error;
        }
    }

    /// <summary>A read that only takes what needs no waiting; EAGAIN or EOPNOTSUPP where it would wait.</summary>
    internal static long ReadWithoutWaiting(FileOperation operation)
    {
        long result = Read(operation.File!.Descriptor, operation, LibC.DoNotWait);
        return result >= 0 ? result : -LibC.LastError;
    }

    private static long Read(int descriptor, FileOperation operation, int flags) =>
        LibC.ReadVectors(descriptor, operation.Vectors, operation.VectorCount, operation.OffsetBytes, flags);

    private static long Write(int descriptor, FileOperation operation, int flags) =>
        LibC.WriteVectors(descriptor, operation.Vectors, operation.VectorCount, operation.OffsetBytes, flags);
}
