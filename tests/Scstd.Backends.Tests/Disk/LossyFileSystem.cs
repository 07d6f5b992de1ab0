using System.Diagnostics;

namespace Scstd.Backends.Tests.Disk;

/// <summary>A file system that believes that it has room, on a loop device whose image has none: what is written to
/// it stays in the page cache and is lost when it is written back. Needs the right to mount.</summary>
internal sealed class LossyFileSystem : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _mounted = [];

    public LossyFileSystem()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs the right to mount");
        try
        {
            string room = Mount("room", "-t", "tmpfs", "-o", "size=6m", "none");
            string image = System.IO.Path.Combine(room, "image");
            using (FileStream sparse = File.Create(image))
                sparse.SetLength(64 << 20);
            // Without a journal, whose loss would make it read-only.
            Run("mke2fs", "-q", "-F", "-m", "0", "-O", "^has_journal", image);
            Path = Mount("files", "-o", "loop", image);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    public void Dispose()
    {
        foreach (string place in Enumerable.Reverse(_mounted))
            Run("umount", place);
        _directory.Dispose();
    }

    private string Mount(string name, params string[] arguments)
    {
        string place = _directory.File(name);
        Directory.CreateDirectory(place);
        Run("mount", [.. arguments, place]);
        _mounted.Add(place);
        return place;
    }

    private static void Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            string said = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            Skip.If(process.ExitCode != 0, $"this system does not let {program}: {said}");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            Skip.If(true, $"this system has no {program}: {exception.Message}");
        }
    }
}
