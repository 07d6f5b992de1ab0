using System.Net.Sockets;
using System.Text.Json;

namespace Scstd.Control;

/// <summary>A conversation with the daemon, for one caller at a time.</summary>
public sealed class ControlClient : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly LineChannel _channel;

    private ControlClient(NetworkStream stream, LineChannel channel, Greeting greeting)
    {
        _stream = stream;
        _channel = channel;
        Greeting = greeting;
    }

    public Greeting Greeting { get; }

    /// <summary>Throws <see cref="ControlException"/>, whose message is for the administrator.</summary>
    public static async Task<ControlClient> ConnectAsync(string path, CancellationToken cancellation = default)
    {
        NetworkStream stream = await OpenAsync(path, cancellation);
        var channel = new LineChannel(stream, ControlProtocol.MostAnswerBytes);
        try
        {
            byte[] line = await ReadAsync(channel, cancellation);
            Greeting greeting = ControlJson.ReadGreeting(line);
            if (greeting.Protocol != ControlProtocol.Version)
            {
                throw new ControlException(greeting.Protocol == 0 && ErrorIn(line) is { } why ? why
                    : $"the daemon {greeting.Scstd} speaks version {greeting.Protocol} of the control protocol, "
                    + $"this program version {ControlProtocol.Version}");
            }
            return new ControlClient(stream, channel, greeting);
        }
        catch (Exception exception)
        {
            await channel.DisposeAsync();
            await stream.DisposeAsync();
            if (exception is JsonException)
                throw new ControlException($"{path}: this is not the control socket of scstd", exception);
            throw;
        }
    }

    /// <summary>Asks, and returns the answer's line as it came. Throws <see cref="ControlException"/>.</summary>
    public async Task<byte[]> AskRawAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation = default)
    {
        try
        {
            await _channel.WriteAsync(request, cancellation);
        }
        catch (IOException exception)
        {
            throw new ControlException($"the daemon closed the connection: {exception.Message}", exception);
        }
        return await ReadAsync(_channel, cancellation);
    }

    /// <summary>Throws <see cref="ControlException"/>.</summary>
    public async Task<ControlAnswer> AskAsync(ControlRequest request, CancellationToken cancellation = default)
    {
        byte[] line = await AskRawAsync(ControlJson.Write(request), cancellation);
        try
        {
            return ControlJson.ReadAnswer(line);
        }
        catch (JsonException exception)
        {
            throw new ControlException($"the daemon's answer cannot be read: {exception.Message}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _stream.DisposeAsync();
    }

    private static async Task<NetworkStream> OpenAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new ControlException(Explain(path, exception), exception);
        }
    }

    private static string Explain(string path, Exception exception) => exception switch
    {
        SocketException when Directory.Exists(path) => $"{path}: this is a folder and not a socket",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => IsRegular(path)
            ? $"{path}: this is a file and not a socket" : $"{path}: no daemon listens there any more",
        SocketException { SocketErrorCode: SocketError.AccessDenied } =>
            $"{path}: permission denied; root and the group of the socket may talk to the daemon",
        ArgumentException => $"{path}: no socket can have this path: expected 1 to 107 characters",
        SocketException when !File.Exists(path) => $"{path}: there is no such socket; does scstd run?",
        _ => $"{path}: {exception.Message}",
    };

    /// <summary>open(2) refuses a socket.</summary>
    private static bool IsRegular(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<byte[]> ReadAsync(LineChannel channel, CancellationToken cancellation)
    {
        try
        {
            return await channel.ReadAsync(cancellation)
                ?? throw new ControlException("the daemon closed the connection without an answer");
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            throw new ControlException($"the daemon's answer was lost: {exception.Message}", exception);
        }
    }

    /// <summary>Who may not ask is told so instead of a greeting.</summary>
    private static string? ErrorIn(byte[] line) => ControlJson.ReadAnswer(line) is ErrorAnswer error
        ? error.Message : null;
}

/// <summary>The daemon could not be asked; the message is one sentence for the administrator.</summary>
public sealed class ControlException(string message, Exception? inner = null) : Exception(message, inner);
