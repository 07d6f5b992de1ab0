namespace Scstd.Linux;

/*  name.state     the state: always there from the first save to the removal
    name.backup    the one before it: a second name of its file, made before it is replaced
    name.new       being written
    lock           held by the process that uses the folder

    A save:    write name.new, fsync it, link name.state to name.link, rename that to name.backup,
               rename name.new to name.state, fsync the folder.
    A removal: remove name.backup, fsync the folder, remove name.state, fsync the folder.
    Ended at any point, name.state is the old state or the new one, whole; a backup without it is a damage.          */

/// <summary>
/// A folder of small files that survive: each is replaced as a whole and is on stable storage when that is said to be
/// done. One thread does all the saves, in the order of the calls. What waits for it is bounded by its users, who let
/// out one save of a state at a time.
/// </summary>
public sealed class StateFolder : IDisposable
{
    private const string StateSuffix = ".state";
    private const string BackupSuffix = ".backup";
    private const string NewSuffix = ".new";
    private const string LinkSuffix = ".link";
    private const string LockName = "lock";

    private readonly string _folder;
    private readonly IStateFileCalls _calls;
    private readonly BlockFile? _lock;
    private readonly WorkerThreads _worker = new("scstd-state", 1);

    internal StateFolder(string folder, IStateFileCalls calls)
    {
        _folder = folder;
        _calls = calls;
    }

    private StateFolder(string folder, BlockFile held)
        : this(folder, new StateFileCalls()) => _lock = held;

    public string FolderPath => _folder;

    /// <summary>Creates the folder if need be and keeps every other process out of it. Throws IOException or
    /// UnauthorizedAccessException.</summary>
    public static StateFolder Open(string folder)
    {
        Make(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)), new StateFileCalls());
        string path = Path.Combine(folder, LockName);
        try
        {
            BlockFile held = BlockFile.Open(path, new BlockFileOptions { CreateSizeBytes = 0 });
            return new StateFolder(folder, held);
        }
        catch (LinuxException exception) when (
            exception.Error is ErrorNumber.TryAgain or ErrorNumber.AccessDenied &&
            exception.Call.StartsWith("fcntl", StringComparison.Ordinal))
        {
            throw new IOException($"{folder}: another scstd keeps its state there", exception);
        }
    }

    /// <summary>Every level that is missing, each with a name that is durable: what is saved in it must be found.
    /// </summary>
    internal static void Make(string folder, IStateFileCalls calls)
    {
        if (calls.HasFolder(folder))
            return;
        string parent = Path.GetDirectoryName(folder) ?? "/";
        Make(parent, calls);
        calls.MakeFolder(folder);
        calls.SyncFolder(parent);
    }

    /// <summary>What was last saved under the name; null: nothing. Blocks. Throws <see cref="StateFileException"/> if
    /// neither it nor the state before it is whole.</summary>
    /// <param name="name">Of the state.</param>
    /// <param name="complain">Hears of what had to be passed over.</param>
    /// <param name="owner">Who asks; another's state is set aside, and is no state. Null: anybody may have it, as
    /// anybody may have what was saved without an owner.</param>
    public LoadedState? Load(string name, Action<string> complain, string? owner = null)
    {
        byte[]? file = _calls.Read(PathOf(name, StateSuffix));
        string why = "";
        if (file is not null && StateFileText.Read(name, file, out why) is { } state)
            return OfOwner(name, state, isBackup: false, owner, complain);
        byte[]? backup = _calls.Read(PathOf(name, BackupSuffix));
        if (file is null && backup is null)
            return null;
        string problem = PathOf(name, StateSuffix) + (file is null ? " is missing" : $" is damaged: {why}");
        if (backup is null)
            throw new StateFileException($"{problem}; it has no backup. Restore it, or remove it to begin anew");
        if (StateFileText.Read(name, backup, out string alsoWhy) is not { } earlier)
        {
            throw new StateFileException($"{problem}; its backup {PathOf(name, BackupSuffix)} is damaged too: "
                + $"{alsoWhy}. Restore one of them, or remove both to begin anew");
        }
        if (OfOwner(name, earlier, isBackup: true, owner, complain) is not { } loaded)
            return null;
        complain($"{problem}; the state before it is used instead, from {PathOf(name, BackupSuffix)}");
        return loaded;
    }

    private LoadedState? OfOwner(string name, OwnedState state, bool isBackup, string? owner, Action<string> complain)
    {
        if (owner is null || state.Owner is not { } other || other == owner)
            return new LoadedState(state.Content, isBackup);
        SetAside(name, other);
        complain($"{PathOf(name, StateSuffix)} is the state of {other} and not of {owner}, which has its name now and "
            + $"begins without any; it is kept as {PathOf(name, StateSuffix)}.{other}");
        return null;
    }

    /// <summary>The state last: as long as it is there, this is found to be undone.</summary>
    private void SetAside(string name, string owner)
    {
        foreach (string suffix in (string[])[BackupSuffix, StateSuffix])
        {
            string path = PathOf(name, suffix);
            if (_calls.Read(path) is not null)
                _calls.Rename(path, $"{path}.{owner}");
            _calls.SyncFolder(_folder);
        }
    }

    /// <summary>Saves, or removes with null, on the worker's thread; then <paramref name="done"/> is called there with
    /// null, or why it could not be brought to stable storage, and then the state before is still there.</summary>
    /// <param name="name">Of the state.</param>
    /// <param name="content">Anything.</param>
    /// <param name="done">See above.</param>
    /// <param name="owner">Whose it is; null: anybody's. One line that can end a file's name.</param>
    public void Save(string name, byte[]? content, Action<IOException?> done, string? owner = null) =>
        _worker.Enqueue(new Job(this, name, owner, content, done));

    /// <summary>Lets another process use the folder.</summary>
    public void Dispose() => _lock?.Dispose();

    /// <summary>The same on the calling thread. Throws IOException.</summary>
    internal void SaveNow(string name, byte[]? content, string? owner = null)
    {
        if (content is null)
            RemoveNow(name);
        else
            ReplaceNow(name, StateFileText.Write(name, owner, content));
    }

    private void ReplaceNow(string name, byte[] file)
    {
        string state = PathOf(name, StateSuffix);
        string fresh = PathOf(name, NewSuffix);
        WriteSynced(fresh, file);
        byte[]? before = _calls.Read(state);
        // A damaged one must not push out the backup that stands in for it.
        if (before is not null && StateFileText.Read(name, before, out _) is not null)
            KeepBackup(name);
        _calls.Rename(fresh, state);
        try
        {
            _calls.SyncFolder(_folder);
        }
        catch (IOException)
        {
            TakeBack(name, before is not null);
            throw;
        }
    }

    private void RemoveNow(string name)
    {
        _calls.Remove(PathOf(name, BackupSuffix));
        _calls.SyncFolder(_folder);
        string state = PathOf(name, StateSuffix);
        byte[]? before = _calls.Read(state);
        _calls.Remove(state);
        try
        {
            _calls.SyncFolder(_folder);
        }
        catch (IOException)
        {
            if (before is not null)
            {
                WriteSynced(PathOf(name, NewSuffix), before);
                _calls.Rename(PathOf(name, NewSuffix), state);
            }
            throw;
        }
    }

    private void WriteSynced(string path, byte[] file)
    {
        int descriptor = _calls.Create(path);
        try
        {
            _calls.Write(descriptor, path, file);
            _calls.Sync(descriptor, path);
        }
        finally
        {
            _calls.Close(descriptor);
        }
    }

    private void KeepBackup(string name)
    {
        string link = PathOf(name, LinkSuffix);
        _calls.Remove(link);
        _calls.Link(PathOf(name, StateSuffix), link);
        // rename(2) does nothing where both names are the same file already: the link must not stay behind.
        _calls.Rename(link, PathOf(name, BackupSuffix));
        _calls.Remove(link);
    }

    /// <summary>The names may or may not be durable: the old one is put back, so that whoever loads finds what the
    /// caller goes on with.</summary>
    private void TakeBack(string name, bool hadState)
    {
        string state = PathOf(name, StateSuffix);
        if (!hadState)
        {
            _calls.Remove(state);
            return;
        }
        string link = PathOf(name, LinkSuffix);
        _calls.Remove(link);
        _calls.Link(PathOf(name, BackupSuffix), link);
        _calls.Rename(link, state);
    }

    private string PathOf(string name, string suffix) => Path.Combine(_folder, name + suffix);

    private sealed class Job(
        StateFolder folder, string name, string? owner, byte[]? content, Action<IOException?> done) : IWorkItem
    {
        public IWorkItem? Following { get; set; }

        public void Run()
        {
            IOException? failure = null;
            try
            {
                folder.SaveNow(name, content, owner);
            }
            catch (IOException exception)
            {
                failure = exception;
            }
            catch (UnauthorizedAccessException exception)
            {
                failure = new IOException(exception.Message, exception);
            }
            done(failure);
        }
    }
}

/// <summary>What was saved.</summary>
/// <param name="Content">As it was saved.</param>
/// <param name="IsOfBackup">It is the state before the last, which is not whole.</param>
public sealed record LoadedState(byte[] Content, bool IsOfBackup);

/// <summary>A saved state that is not whole. The message is for the administrator.</summary>
public sealed class StateFileException(string message) : IOException(message);
