using System.Globalization;
using System.Net.Sockets;
using Scstd.Linux;

namespace Scstd.Administration;

/// <summary>
/// The listening socket in the file system. Whoever holds the lock beside it owns the path: the kernel lets go of a
/// lock with its process, whatever ended that, so a socket under a free lock is a dead daemon's and may be
/// taken away, and one under a lock never is.
/// </summary>
internal sealed class ControlSocket : IDisposable
{
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private const UnixFileMode FolderMode = OwnerAndGroup | UnixFileMode.UserExecute | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    // Our choice: they are taken in at once; a few that come together wait here.
    private const int Backlog = 16;

    private readonly FileStream _lock;

    private ControlSocket(string path, uint? group, FileStream held, Socket listener)
    {
        Path = path;
        Group = group;
        _lock = held;
        Listener = listener;
    }

    public string Path { get; }

    public Socket Listener { get; }

    /// <summary>Whose members may talk, besides root and the daemon's own user; null: those that the file lets in.
    /// </summary>
    public uint? Group { get; }

    /// <summary>Throws IOException, whose message is one sentence for the administrator.</summary>
    public static ControlSocket Open(string path, string? groupName)
    {
        uint? group = groupName is null ? null : NumberOf(groupName);
        FileStream held = Hold(path);
        try
        {
            return new ControlSocket(path, group, held, Listen(path, group));
        }
        catch (Exception exception)
        {
            held.Dispose();
            throw exception switch
            {
                IOException => exception,
                _ => new IOException($"control socket {path}: {exception.Message}", exception),
            };
        }
    }

    /// <summary>Root, the daemon's own user, and the members of the group.</summary>
    public bool Admits(PeerIdentity peer) =>
        peer.User == 0 || peer.User == LocalSocketCalls.EffectiveUser || Group is not { } group || peer.IsIn(group);

    /// <summary>Nobody finds it from now on. The lock's file stays: who takes it away may take another's
    /// lock.</summary>
    public void Dispose()
    {
        Listener.Dispose();
        File.Delete(Path);
        _lock.Dispose();
    }

    private static Socket Listen(string path, uint? group)
    {
        RemoveStale(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Nobody can connect before it listens.
            if (group is { } number)
                LocalSocketCalls.SetGroup(path, number);
            File.SetUnixFileMode(path, OwnerAndGroup);
            listener.Listen(Backlog);
            return listener;
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    private static FileStream Hold(string path)
    {
        string? folder = System.IO.Path.GetDirectoryName(path);
        try
        {
            // /run is empty after a boot; systemd makes the folder, whoever starts the daemon by hand need not.
            if (folder is { Length: > 0 } && !Directory.Exists(folder))
                Directory.CreateDirectory(folder, FolderMode);
            return new FileStream(path + ".lock", new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                // Whoever may open it may take the lock.
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException($"control socket {path}: permission denied in {folder}", exception);
        }
        catch (IOException exception)
        {
            throw new IOException(File.Exists(path + ".lock")
                ? $"control socket {path}: another daemon has it"
                : $"control socket {path}: {exception.Message}", exception);
        }
    }

    private static void RemoveStale(string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
            return;
        if (!IsSocket(path))
            throw new IOException($"control socket {path}: something else is there, and it is left alone");
        File.Delete(path);
    }

    /// <summary>open(2) opens all else, and refuses a socket by this error.</summary>
    private static bool IsSocket(string path)
    {
        const int NoSuchDeviceOrAddress = 6;
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite).Dispose();
            return false;
        }
        catch (IOException exception)
        {
            return exception.HResult == NoSuchDeviceOrAddress;
        }
    }

    private static uint NumberOf(string group) =>
        uint.TryParse(group, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number
            : LocalSocketCalls.FindGroup(group)
                ?? throw new IOException($"control: there is no group '{group}' on this system");
}
