namespace Scstd.Linux.Tests;

/// <summary>A directory that goes with the test; on disk, or in memory (tmpfs).</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory(bool inMemory = false)
    {
        string name = $"scstd-{Guid.NewGuid():N}";
        Path = System.IO.Path.Combine(inMemory ? "/dev/shm" : AppContext.BaseDirectory, name);
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
