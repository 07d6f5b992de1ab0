using Scstd.Linux;

namespace Scstd.Backends.Tape.Cartridges;

/// <summary>The calls that a cartridge makes on its file, one by one, so that a test can end the world between two of
/// them. All block; a failure is a <see cref="LinuxException"/>.</summary>
internal unsafe interface ICartridgeFile : IDisposable
{
    string Path { get; }

    bool IsReadOnly { get; }

    /// <summary>Measured at each call.</summary>
    long LengthBytes { get; }

    /// <summary>Uses the vectors up, none of which is empty. Less than they hold only at the end of the file.</summary>
    long Read(Span<IoVector> vectors, long offsetBytes);

    /// <summary>Uses the vectors up, none of which is empty.</summary>
    void Write(Span<IoVector> vectors, long offsetBytes);

    /// <summary>What was written is on stable storage.</summary>
    void Sync();

    /// <summary>False where the file system cannot.</summary>
    bool TryPunchHole(long offsetBytes, long lengthBytes);

    /// <summary>Where data begins at or behind; null: nowhere.</summary>
    long? NextData(long offsetBytes);

    /// <summary>Of a file that is empty: the file system holds one so long.</summary>
    bool CouldGrowTo(long lengthBytes);

    long Read(Span<byte> bytes, long offsetBytes)
    {
        if (bytes.IsEmpty)
            return 0;
        fixed (byte* first = bytes)
        {
            var vector = new IoVector((nint)first, bytes.Length);
            return Read(new Span<IoVector>(ref vector), offsetBytes);
        }
    }

    void Write(ReadOnlySpan<byte> bytes, long offsetBytes)
    {
        fixed (byte* first = bytes)
        {
            var vector = new IoVector((nint)first, bytes.Length);
            Write(new Span<IoVector>(ref vector), offsetBytes);
        }
    }
}

/// <summary>A file of the system, locked as long as it is open.</summary>
internal sealed class SystemCartridgeFile(BlockFile file) : ICartridgeFile
{
    public string Path => file.Path;

    public bool IsReadOnly => file.IsReadOnly;

    public long LengthBytes => file.MeasureSize();

    public long Read(Span<IoVector> vectors, long offsetBytes) => file.Read(vectors, offsetBytes);

    public void Write(Span<IoVector> vectors, long offsetBytes) => file.Write(vectors, offsetBytes);

    public void Sync() => file.SyncData();

    public bool TryPunchHole(long offsetBytes, long lengthBytes) => file.TryPunchHole(offsetBytes, lengthBytes);

    public long? NextData(long offsetBytes) => file.NextData(offsetBytes);

    public bool CouldGrowTo(long lengthBytes)
    {
        try
        {
            file.SetSize(lengthBytes);
        }
        catch (LinuxException exception) when (exception.Error is ErrorNumber.TooLarge or ErrorNumber.InvalidArgument)
        {
            return false;
        }
        catch (LinuxException exception) when (exception.Error is ErrorNumber.NoSpace)
        {
            // No file has holes there: how long one may become nothing but its growing tells.
        }
        file.SetSize(0);
        return true;
    }

    public void Dispose() => file.Dispose();
}
