using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Scstd.Linux;

/// <summary>Who may talk over a Unix socket, and who does.</summary>
public static unsafe partial class LocalSocketCalls
{
    // asm-generic/socket.h
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;
    private const int PeerGroups = 59;

    // asm-generic/poll.h
    private const short PollHangUp = 0x10;
    private const short PollInvalid = 0x20;

    // Our choice: Linux allows 65,536 groups for a process, and nobody who has more than these uses them all.
    private const int MostGroups = 4096;

    private const int GroupEntryBytes = 1 << 16;

    /// <summary>unix(7), SO_PEERCRED: who connected, as the kernel noted it then.</summary>
    public static PeerIdentity PeerOf(Socket socket)
    {
        Span<uint> credentials = stackalloc uint[3];
        socket.GetRawSocketOption(SocketLevel, PeerCredentials, MemoryMarshal.AsBytes(credentials));
        return new PeerIdentity((int)credentials[0], credentials[1], credentials[2], GroupsOf(socket));
    }

    /// <summary>The user that this process acts as.</summary>
    public static uint EffectiveUser => GetEffectiveUser();

    /// <summary>A group by its name, from wherever the system keeps its groups; null: there is none.</summary>
    public static uint? FindGroup(string name)
    {
        byte* entry = stackalloc byte[64]; // struct group: name, password, number, members.
        nint buffer = Marshal.AllocHGlobal(GroupEntryBytes);
        try
        {
            nint found = 0;
            int error = GetGroupByName(name, entry, buffer, GroupEntryBytes, &found);
            return error == 0 && found != 0 ? *(uint*)(entry + (2 * sizeof(nint))) : null;
        }
        finally
        {
            Marshal.FreeHGlobal(buffer);
        }
    }

    /// <summary>A user's name, from wherever the system keeps its users; null: there is none.</summary>
    public static string? NameOf(uint user)
    {
        byte* entry = stackalloc byte[64]; // struct passwd: the name comes first.
        nint buffer = Marshal.AllocHGlobal(GroupEntryBytes);
        try
        {
            nint found = 0;
            int error = GetUserByNumber(user, entry, buffer, GroupEntryBytes, &found);
            return error == 0 && found != 0 ? Marshal.PtrToStringUTF8(*(nint*)entry) : null;
        }
        finally
        {
            Marshal.FreeHGlobal(buffer);
        }
    }

    /// <summary>Gives a file to a group; throws <see cref="LinuxException"/>.</summary>
    public static void SetGroup(string path, uint group) =>
        LinuxException.Check(ChangeOwner(path, uint.MaxValue, group), "chown", path);

    /// <summary>poll(2), POLLHUP: the peer has closed its end, or shut both directions.</summary>
    public static bool HasHungUp(Socket socket)
    {
        var entry = new PollEntry { Descriptor = (int)socket.Handle };
        return Poll(&entry, 1, 0) > 0 && (entry.Returned & (PollHangUp | PollInvalid)) != 0;
    }

    private static uint[] GroupsOf(Socket socket)
    {
        var groups = new uint[MostGroups];
        try
        {
            int bytes = socket.GetRawSocketOption(SocketLevel, PeerGroups, MemoryMarshal.AsBytes(groups.AsSpan()));
            return groups[..(bytes / sizeof(uint))];
        }
        catch (SocketException)
        {
            return []; // Older kernels do not tell; the primary group is known all the same.
        }
    }

    /// <summary>struct pollfd.</summary>
    private struct PollEntry
    {
        public int Descriptor;
        public short Wanted;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollEntry* entries, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getpwuid_r")]
    private static partial int GetUserByNumber(uint user, byte* entry, nint buffer, nint bufferBytes, nint* found);

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetGroupByName(string name, byte* entry, nint buffer, nint bufferBytes, nint* found);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}

/// <param name="ProcessId">Which process connected.</param>
/// <param name="User">As whom.</param>
/// <param name="Group">Its primary group.</param>
/// <param name="Groups">Its others.</param>
public sealed record PeerIdentity(int ProcessId, uint User, uint Group, IReadOnlyList<uint> Groups)
{
    public bool IsIn(uint group) => Group == group || Groups.Contains(group);
}
