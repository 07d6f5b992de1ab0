namespace Scstd.Linux;

/// <summary>The system calls that bring a state to stable storage, one by one, so that a test can end the world after
/// each. All block; a failure is a <see cref="LinuxException"/>.</summary>
internal interface IStateFileCalls
{
    /// <summary>Null: there is no such file.</summary>
    byte[]? Read(string path);

    /// <summary>Opens for writing an empty file of this name, whatever was there.</summary>
    int Create(string path);

    void Write(int descriptor, string path, ReadOnlySpan<byte> bytes);

    void Sync(int descriptor, string path);

    void Close(int descriptor);

    /// <summary>A second name for a file; the name must be free.</summary>
    void Link(string path, string second);

    /// <summary>Takes the place of what had the new name, in one step.</summary>
    void Rename(string from, string to);

    /// <summary>No error if it is not there.</summary>
    void Remove(string path);

    /// <summary>Makes names durable.</summary>
    void SyncFolder(string folder);

    bool HasFolder(string folder);

    /// <summary>In one that is there.</summary>
    void MakeFolder(string folder);
}

/// <summary>The kernel's.</summary>
internal sealed unsafe class StateFileCalls : IStateFileCalls
{
    /// <summary>rw-r-----: who may read it may read initiator names and reservation keys.</summary>
    private const uint Mode = 0x1A0;

    public byte[]? Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public int Create(string path)
    {
        const int Flags = LibC.OpenReadWrite | LibC.OpenCreate | LibC.OpenTruncate | LibC.OpenCloseOnExec;
        return LinuxException.Check(LibC.Open(path, Flags, Mode), "open", path);
    }

    public void Write(int descriptor, string path, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            for (int at = 0; at < bytes.Length;)
            {
                var vector = new IoVector((nint)(first + at), bytes.Length - at);
                nint written = LibC.WriteVectors(descriptor, &vector, 1, at, 0);
                if (written > 0)
                    at += (int)written;
                else if (written == 0 || LibC.LastError != ErrorNumber.Interrupted)
                    throw new LinuxException(written == 0 ? ErrorNumber.NoSpace : LibC.LastError, "pwritev2", path);
            }
        }
    }

    public void Sync(int descriptor, string path) => LinuxException.Check(LibC.Sync(descriptor), "fsync", path);

    public void Close(int descriptor) => _ = LibC.Close(descriptor);

    public void Link(string path, string second) => LinuxException.Check(LibC.Link(path, second), "link", second);

    public void Rename(string from, string to) => LinuxException.Check(LibC.Rename(from, to), "rename", to);

    public void Remove(string path)
    {
        if (LibC.Unlink(path) != 0 && LibC.LastError != ErrorNumber.NoSuchFile)
            throw new LinuxException(LibC.LastError, "unlink", path);
    }

    public void SyncFolder(string folder) => BlockFile.SyncDirectory(Path.Combine(folder, "."));

    public bool HasFolder(string folder) => Directory.Exists(folder);

    public void MakeFolder(string folder) => Directory.CreateDirectory(folder);
}
