namespace Scstd.Linux.Tests;

/// <summary>The world has ended: no further call has any effect.</summary>
internal sealed class WorldEndedException : Exception;

/// <summary>What is left of the files after the end.</summary>
public enum Remains
{
    /// <summary>The process was killed: the kernel has all that was done.</summary>
    Everything,

    /// <summary>Power was lost: only what was synced, names as well as contents.</summary>
    SyncedOnly,

    /// <summary>Power was lost after the file system had written its names by itself, but no content.</summary>
    NamesAndSyncedContents,
}

/// <summary>
/// A folder in memory that tells what is on stable storage from what is not, and that can end the world or fail before
/// any one of its calls, or in the middle of a write.
/// </summary>
internal sealed class FragileFiles : IStateFileCalls
{
    private readonly Dictionary<int, Content> _open = [];
    private readonly Dictionary<string, Content> _names = [];
    private Dictionary<string, Content> _syncedNames = [];
    private readonly HashSet<string> _folders = ["/"];
    private readonly HashSet<string> _syncedFolders = ["/"];
    private int _descriptors;

    public int Calls { get; private set; }

    /// <summary>The number of the call before which the world ends.</summary>
    public int? EndsAt { get; set; }

    /// <summary>The number of the call that fails without effect (a write: half done).</summary>
    public int? FailsAt { get; set; }

    public IEnumerable<string> Names => _names.Keys.Order(StringComparer.Ordinal);

    /// <summary>A machine that starts again with what is left.</summary>
    public FragileFiles AfterTheEnd(Remains remains)
    {
        Dictionary<string, Content> names = remains == Remains.SyncedOnly ? _syncedNames : _names;
        var found = new FragileFiles();
        foreach ((string name, Content content) in names)
        {
            byte[] bytes = remains == Remains.Everything ? content.Bytes : content.Synced;
            found._names[name] = new Content { Bytes = bytes, Synced = bytes };
        }
        found._syncedNames = new(found._names);
        return found;
    }

    public void Overwrite(string path, byte[] bytes) => _names[path] = new Content { Bytes = bytes, Synced = bytes };

    public byte[]? Read(string path) => _names.TryGetValue(path, out Content? content) ? content.Bytes : null;

    public int Create(string path)
    {
        Call();
        if (_names.TryGetValue(path, out Content? there))
            there.Bytes = [];
        else
            _names[path] = there = new Content();
        _open[++_descriptors] = there;
        return _descriptors;
    }

    public void Write(int descriptor, string path, ReadOnlySpan<byte> bytes)
    {
        bool ends = Calls + 1 == EndsAt || Calls + 1 == FailsAt;
        _open[descriptor].Bytes = bytes[..(ends ? bytes.Length / 2 : bytes.Length)].ToArray();
        Call();
    }

    public void Sync(int descriptor, string path)
    {
        Call();
        _open[descriptor].Synced = _open[descriptor].Bytes;
    }

    public void Close(int descriptor) => _open.Remove(descriptor);

    public void Link(string path, string second)
    {
        Call();
        if (!_names.TryAdd(second, _names[path]))
            throw new LinuxException(ErrorNumber.FileExists, "link", second);
    }

    public void Rename(string from, string to)
    {
        Call();
        if (_names.TryGetValue(to, out Content? there) && ReferenceEquals(there, _names[from]))
            return;
        _names[to] = _names[from];
        _names.Remove(from);
    }

    public void Remove(string path)
    {
        Call();
        _names.Remove(path);
    }

    public void SyncFolder(string folder)
    {
        Call();
        _syncedNames = new(_names);
        foreach (string inside in _folders.Where(f => Path.GetDirectoryName(f) == folder).ToArray())
            _syncedFolders.Add(inside);
    }

    public bool HasFolder(string folder) => _folders.Contains(folder);

    public void MakeFolder(string folder)
    {
        Call();
        Assert.Contains(Path.GetDirectoryName(folder)!, _folders);
        _folders.Add(folder);
    }

    /// <summary>It is there when power comes back: its own name and those of all above it are durable.</summary>
    public bool IsDurable(string folder) =>
        _syncedFolders.Contains(folder) && (folder == "/" || IsDurable(Path.GetDirectoryName(folder)!));

    /// <summary>From before the test.</summary>
    public void AddFolder(string folder)
    {
        _folders.Add(folder);
        _syncedFolders.Add(folder);
    }

    private void Call()
    {
        Calls++;
        if (EndsAt is { } end && Calls >= end)
            throw new WorldEndedException();
        if (Calls == FailsAt)
            throw new LinuxException(ErrorNumber.InputOutput, "a call of the test's choice");
    }

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public byte[] Synced { get; set; } = [];
    }
}
