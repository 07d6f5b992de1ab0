using System.Net;
using System.Net.Sockets;

namespace Scstd.Linux;

/// <summary>Sockets as the reactors need them: opened, named and closed by plain system calls.</summary>
internal static unsafe class SocketCalls
{
    /// <summary>Our choice: what the kernel queues for us while one pass runs; it cuts at net.core.somaxconn.</summary>
    private const int Backlog = 1024;

    private const int MaxAddressBytes = 128; // sizeof(struct sockaddr_storage)

    /// <summary>Addresses of the machine itself that a socket may be bound to for a moment; see
    /// <see cref="ForgetSharing"/>.</summary>
    private static readonly IPAddress[] Asides =
        [IPAddress.IPv6Loopback, IPAddress.Loopback, IPAddress.Parse("127.255.255.254")];

    /// <summary>A bound socket that does not listen yet. IPv6 sockets take IPv6 only: a portal is one address of one
    /// family.</summary>
    /// <param name="endPoint">Its address.</param>
    /// <param name="sharesPort">Its address may overlap that of another socket that shares its port.</param>
    internal static SocketHandle Bind(IPEndPoint endPoint, bool sharesPort)
    {
        bool six = endPoint.AddressFamily == AddressFamily.InterNetworkV6;
        const int Type = LibC.SocketStream | LibC.SocketCloseOnExec;
        int descriptor = LibC.Socket(six ? LibC.AddressFamilyInet6 : LibC.AddressFamilyInet, Type, 0);
        if (descriptor < 0)
            throw Failed("socket", endPoint);
        var socket = new SocketHandle(descriptor);
        try
        {
            ReuseAddress(descriptor, true);
            if (sharesPort)
                SharePort(descriptor, true);
            if (six)
                SetOption(descriptor, LibC.LevelIpv6, LibC.Ipv6Only, 1);
            SocketAddress address = endPoint.Serialize();
            fixed (byte* raw = address.Buffer.Span)
            {
                if (LibC.Bind(descriptor, raw, (uint)address.Size) != 0)
                    throw Failed("bind", endPoint);
            }
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal static void Listen(SocketHandle socket, IPEndPoint endPoint)
    {
        if (LibC.Listen(socket.Descriptor, Backlog) != 0)
            throw Failed("listen", endPoint);
    }

    /// <summary>socket(7), SO_REUSEPORT: looked at while a socket is bound, of all that overlap; connections to an
    /// address are spread over those sockets there that have it.</summary>
    internal static void SharePort(int descriptor, bool on) =>
        SetOption(descriptor, LibC.LevelSocket, LibC.ReusePort, on ? 1 : 0);

    /// <summary>socket(7), SO_REUSEADDR: may be bound beside what is left of connections, and beside a socket that
    /// has it, too, and does not listen.</summary>
    internal static void ReuseAddress(int descriptor, bool on) =>
        SetOption(descriptor, LibC.LevelSocket, LibC.ReuseAddress, on ? 1 : 0);

    /// <summary>The kernel remembers of the last socket that was bound to a port and shared it that another of the same
    /// address and user may be let in without looking at all that are there (tb->fastreuseport). One that does not
    /// share, bound elsewhere on the port for a moment, makes it look again. Where that cannot be, nothing is lost but
    /// this.</summary>
    internal static void ForgetSharing(int port)
    {
        foreach (IPAddress aside in Asides)
        {
            try
            {
                Bind(new IPEndPoint(aside, port), sharesPort: false).Dispose();
                return;
            }
            catch (SocketException)
            {
                // Taken, or this machine has no such address: the next.
            }
        }
    }

    internal static IPEndPoint LocalEndPoint(int descriptor)
    {
        byte* raw = stackalloc byte[MaxAddressBytes];
        uint length = MaxAddressBytes;
        return LibC.GetSocketName(descriptor, raw, &length) == 0 ? EndPoint(raw, length) : Nowhere();
    }

    internal static IPEndPoint RemoteEndPoint(int descriptor)
    {
        byte* raw = stackalloc byte[MaxAddressBytes];
        uint length = MaxAddressBytes;
        return LibC.GetPeerName(descriptor, raw, &length) == 0 ? EndPoint(raw, length) : Nowhere();
    }

    /// <summary>Answers must not wait for the peer's acknowledgement of earlier ones (Nagle). A socket of another
    /// family than TCP refuses, which is no harm.</summary>
    internal static void SendAtOnce(int descriptor) => SetOption(descriptor, LibC.LevelTcp, LibC.TcpNoDelay, 1);

    /// <summary>The reactors choose by call whether to wait, never by the socket's own flag; but accept(2) has no
    /// other.</summary>
    internal static void SetNonBlocking(int descriptor, bool on)
    {
        int flags = LibC.FileControl(descriptor, LibC.GetStatusFlags, 0);
        if (flags != -1 && (flags & LibC.OpenNonBlocking) != 0 != on)
            _ = LibC.FileControl(descriptor, LibC.SetStatusFlags, flags ^ LibC.OpenNonBlocking);
    }

    /// <summary>Whether a connection leads back to this machine, as far as its addresses tell.</summary>
    internal static bool StaysHere(IPEndPoint local, IPEndPoint remote)
    {
        IPAddress peer = remote.Address.IsIPv4MappedToIPv6 ? remote.Address.MapToIPv4() : remote.Address;
        IPAddress own = local.Address.IsIPv4MappedToIPv6 ? local.Address.MapToIPv4() : local.Address;
        return IPAddress.IsLoopback(peer) || peer.Equals(own);
    }

    /// <summary>Ends a connection at once and throws away what the kernel has not got rid of (tcp_disconnect). The
    /// descriptor stays.</summary>
    internal static void Disconnect(int descriptor)
    {
        byte* nowhere = stackalloc byte[MaxAddressBytes];
        new Span<byte>(nowhere, MaxAddressBytes).Clear();
        *(ushort*)nowhere = LibC.AddressFamilyUnspecified;
        _ = LibC.Connect(descriptor, nowhere, MaxAddressBytes);
    }

    /// <summary>The error that a socket has kept, or 0.</summary>
    internal static int PendingError(int descriptor)
    {
        int error = 0;
        uint length = sizeof(int);
        return LibC.GetSocketOption(descriptor, LibC.LevelSocket, LibC.SocketError, &error, &length) == 0
            ? error
            : LibC.LastError;
    }

    private static void SetOption(int descriptor, int level, int name, int value) =>
        _ = LibC.SetSocketOption(descriptor, level, name, &value, sizeof(int));

    private static IPEndPoint EndPoint(byte* raw, uint lengthBytes)
    {
        ushort family = *(ushort*)raw;
        if (family is not (LibC.AddressFamilyInet or LibC.AddressFamilyInet6))
            return Nowhere();
        bool six = family == LibC.AddressFamilyInet6;
        var any = new IPEndPoint(six ? IPAddress.IPv6Any : IPAddress.Any, 0);
        SocketAddress address = any.Serialize();
        new ReadOnlySpan<byte>(raw, (int)Math.Min(lengthBytes, (uint)address.Size)).CopyTo(address.Buffer.Span);
        return (IPEndPoint)any.Create(address);
    }

    /// <summary>A socket without an Internet address, or one whose peer is gone.</summary>
    private static IPEndPoint Nowhere() => new(IPAddress.Any, 0);

    private static SocketException Failed(string call, IPEndPoint endPoint)
    {
        int error = LibC.LastError;
        SocketError code = error switch
        {
            ErrorNumber.AddressInUse => SocketError.AddressAlreadyInUse,
            ErrorNumber.AddressNotAvailable => SocketError.AddressNotAvailable,
            ErrorNumber.AccessDenied or ErrorNumber.OperationNotPermitted => SocketError.AccessDenied,
            ErrorNumber.AddressFamilyNotSupported => SocketError.AddressFamilyNotSupported,
            ErrorNumber.TooManyFiles or ErrorNumber.TooManyFilesInSystem => SocketError.TooManyOpenSockets,
            ErrorNumber.NoBuffers or ErrorNumber.OutOfMemory => SocketError.NoBufferSpaceAvailable,
            _ => SocketError.SocketError,
        };
        return new SocketException((int)code, $"{endPoint}: {call}: {LinuxException.Describe(error)}");
    }
}
