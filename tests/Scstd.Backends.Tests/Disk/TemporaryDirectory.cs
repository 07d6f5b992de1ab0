namespace Scstd.Backends.Tests.Disk;

/// <summary>A directory that goes with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory;

    /// <summary>On a file system that is on a device or, where the test does not care, wherever temporary files are.
    /// </summary>
    public TemporaryDirectory(string? parent = null) =>
        _directory = parent is null
            ? Directory.CreateTempSubdirectory("scstd-disk-")
            : Directory.CreateDirectory(System.IO.Path.Combine(parent, $"scstd-disk-{Guid.NewGuid():N}"));

    public string Path => _directory.FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => _directory.Delete(recursive: true);
}
