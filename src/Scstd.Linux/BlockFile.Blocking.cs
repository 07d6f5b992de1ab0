namespace Scstd.Linux;

/// <summary>Plain calls of the calling thread, for who may wait: never a reactor.</summary>
public sealed unsafe partial class BlockFile
{
    /// <summary>Fills the vectors, which it uses up; returns less than they hold only at the end of the file. Throws
    /// LinuxException.</summary>
    public long Read(Span<IoVector> vectors, long offsetBytes)
    {
        long doneBytes = 0;
        while (!vectors.IsEmpty)
        {
            nint result = Transfer(vectors, offsetBytes + doneBytes, writes: false);
            if (result == 0)
                break;
            doneBytes += result;
            vectors = Advance(vectors, result);
        }
        return doneBytes;
    }

    /// <summary>Writes all that the vectors hold, using them up. Throws LinuxException; then a part may be written.
    /// </summary>
    public void Write(Span<IoVector> vectors, long offsetBytes)
    {
        while (!vectors.IsEmpty)
        {
            nint result = Transfer(vectors, offsetBytes, writes: true);
            if (result == 0)
                throw new LinuxException(ErrorNumber.NoSpace, "pwritev2", Path);
            offsetBytes += result;
            vectors = Advance(vectors, result);
        }
    }

    /// <summary>fdatasync. After it has failed the kernel takes the pages that it could not write for clean: that
    /// another succeeds says nothing about them.</summary>
    public void SyncData() => LinuxException.Check(LibC.DataSync(Handle.Descriptor), "fdatasync", Path);

    /// <summary>The range reads as zeros and takes no room; false where the file system cannot do that.</summary>
    public bool TryPunchHole(long offsetBytes, long lengthBytes)
    {
        const int Mode = LibC.FallocatePunchHole | LibC.FallocateKeepSize;
        while (LibC.Fallocate(Handle.Descriptor, Mode, offsetBytes, lengthBytes) != 0)
        {
            int error = LibC.LastError;
            if (error == ErrorNumber.NotSupported)
                return false;
            if (error != ErrorNumber.Interrupted)
                throw new LinuxException(error, "fallocate", Path);
        }
        return true;
    }

    private nint Transfer(Span<IoVector> vectors, long offsetBytes, bool writes)
    {
        int count = Math.Min(vectors.Length, FileOperation.MaxVectors);
        fixed (IoVector* first = vectors)
        {
            while (true)
            {
                nint result = writes
                    ? LibC.WriteVectors(Handle.Descriptor, first, count, offsetBytes, 0)
                    : LibC.ReadVectors(Handle.Descriptor, first, count, offsetBytes, 0);
                if (result >= 0)
                    return result;
                int error = LibC.LastError;
                if (error != ErrorNumber.Interrupted)
                    throw new LinuxException(error, writes ? "pwritev2" : "preadv2", Path);
            }
        }
    }

    /// <summary>Drops what is through from the front, and vectors of no length with it.</summary>
    private static Span<IoVector> Advance(Span<IoVector> vectors, nint doneBytes)
    {
        while (!vectors.IsEmpty && doneBytes >= (nint)vectors[0].LengthBytes)
        {
            doneBytes -= (nint)vectors[0].LengthBytes;
            vectors = vectors[1..];
        }
        if (doneBytes > 0)
        {
            vectors[0].Address += doneBytes;
            vectors[0].LengthBytes -= (nuint)doneBytes;
        }
        return vectors;
    }
}
