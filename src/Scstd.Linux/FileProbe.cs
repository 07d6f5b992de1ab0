namespace Scstd.Linux;

/// <summary>Finds out once, when a file is opened, how a reactor reaches it best.</summary>
internal static unsafe class FileProbe
{
    /// <summary>The same open file, with what was found. NFS and FUSE refuse RWF_NOWAIT just as tmpfs does, yet they
    /// wait for others: so only a file system that lives in memory is read and written inline.</summary>
    internal static FileHandle Describe(FileHandle opened, bool direct, bool isDisk)
    {
        opened.IsDirect = direct;
        opened.Inline = !isDisk && LivesInMemory(opened.Descriptor);
        opened.ReadsWithoutWaiting = !direct && !opened.Inline && TakesDoNotWait(opened.Descriptor);
        return opened;
    }

    private static bool LivesInMemory(int descriptor)
    {
        FileSystemStatus status;
        return LibC.FileSystemStatus(descriptor, &status) == 0
            && status.Type is LibC.TmpfsType or LibC.RamfsType;
    }

    private static bool TakesDoNotWait(int descriptor)
    {
        byte ignored;
        var vector = new IoVector((nint)(&ignored), 1);
        return LibC.ReadVectors(descriptor, &vector, 1, 0, LibC.DoNotWait) >= 0
            || LibC.LastError == ErrorNumber.TryAgain;
    }
}
