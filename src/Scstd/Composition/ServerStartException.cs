using System.Net.Sockets;
using Scstd.Backends.Disk;
using Scstd.Backends.Tape;
using Scstd.Core;

namespace Scstd.Composition;

/// <summary>It cannot serve; the message is one sentence for the administrator.</summary>
internal sealed class ServerStartException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The sentence for a failure that the surroundings are to blame for; null: a bug of ours.</summary>
    public static string? Explains(Exception exception) => exception switch
    {
        ServerStartException or StoreUnavailableException or MediumFaultException or UnitStateException =>
            exception.Message,
        SocketException socket => socket.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "another program listens there already",
            SocketError.AddressNotAvailable => "this machine does not have the address",
            SocketError.AccessDenied => "permission denied",
            _ => socket.Message,
        },
        IOException or UnauthorizedAccessException => exception.Message,
        _ => null,
    };
}
