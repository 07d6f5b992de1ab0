using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Hosting;
using Scstd.Linux;
using Serilog;

namespace Scstd.Administration;

/// <summary>How long peers of the control socket may take, and how many there may be.</summary>
internal sealed record ControlLimits
{
    /// <summary>Our choice: an administrator, a monitor and their scripts; more would only be a fault of one.</summary>
    public int MostConnections { get; init; } = 32;

    /// <summary>Our choice: for the next request to be whole, or an answer to be taken.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Our choice: how often it is looked whether a peer still waits for an answer that takes time.</summary>
    public TimeSpan LookInterval { get; init; } = TimeSpan.FromMilliseconds(200);
}

/// <summary>
/// Takes requests from the control socket, one after the other on each connection, and answers them. Runs on the
/// thread pool: what it asks of reactors it asks by messages, and nothing that a peer does here reaches one otherwise.
/// </summary>
internal sealed partial class ControlServer : IAsyncDisposable
{
    private static readonly byte[] Welcome =
        ControlJson.Write(new Greeting(ProgramVersion.Text, ControlProtocol.Version));

    private readonly ControlSocket _socket;
    private readonly Func<ControlRequest, CancellationToken, Task<ControlAnswer>> _answer;
    private readonly ControlLimits _limits;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private int _connections;

    /// <param name="socket">Taken over.</param>
    /// <param name="answer">Does what is asked. May be called by several connections at a time.</param>
    /// <param name="log">For faults of our own.</param>
    /// <param name="limits">For tests.</param>
    public ControlServer(
        ControlSocket socket, Func<ControlRequest, CancellationToken, Task<ControlAnswer>> answer, ILogger log,
        ControlLimits? limits = null)
    {
        _socket = socket;
        _answer = answer;
        _log = log;
        _limits = limits ?? new ControlLimits();
        _accepting = Task.Run(AcceptAsync);
    }

    public string Path => _socket.Path;

    /// <summary>Nobody is listened to any more; a request that is being done is left to its end, its answer to
    /// nobody.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Socket peer = await _socket.Listener.AcceptAsync(_stopping.Token);
                _ = ServeAsync(peer);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException exception)
            {
                // Out of descriptors, most likely: it passes, and must not be asked for in a tight loop meanwhile.
                _log.Warning("Control socket: {Why:l}", exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket peer)
    {
        Interlocked.Increment(ref _connections);
        try
        {
            await using var stream = new NetworkStream(peer, ownsSocket: true);
            await using var channel = new LineChannel(stream, ControlProtocol.MostRequestBytes);
            if (Refusal(peer) is { } refusal)
                await SendAsync(channel, ControlJson.Write(refusal));
            else
                await ConverseAsync(channel, peer);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException
            or ObjectDisposedException)
        {
            // The peer went, or took too long; nothing of it is left but this connection.
            _log.Debug("Control socket: a connection ended: {Why:l}", exception.Message);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private ErrorAnswer? Refusal(Socket peer)
    {
        PeerIdentity identity = LocalSocketCalls.PeerOf(peer);
        if (!_socket.Admits(identity))
        {
            _log.Warning("Control socket: process {Process} of user {User} was turned away", identity.ProcessId,
                identity.User);
            return new ErrorAnswer(ErrorCode.Forbidden, "permission denied: neither root nor a member of the group");
        }
        return Volatile.Read(ref _connections) > _limits.MostConnections
            ? new ErrorAnswer(ErrorCode.Refused, $"the control socket has its {_limits.MostConnections} connections")
            : null;
    }

    private async Task ConverseAsync(LineChannel channel, Socket peer)
    {
        await SendAsync(channel, Welcome);
        while (true)
        {
            byte[]? line;
            try
            {
                using CancellationTokenSource patience = Patience();
                line = await channel.ReadAsync(patience.Token);
            }
            catch (InvalidDataException exception)
            {
                // Where the next request would begin is not known.
                await SendAsync(channel, ControlJson.Write(new ErrorAnswer(ErrorCode.Malformed, exception.Message)));
                return;
            }
            if (line is null)
                return;
            await SendAsync(channel, ControlJson.Write(await AnswerAsync(line, peer)));
        }
    }

    private async Task<ControlAnswer> AnswerAsync(byte[] line, Socket peer)
    {
        ControlRequest request;
        try
        {
            request = ControlJson.ReadRequest(line);
        }
        catch (JsonException exception)
        {
            return new ErrorAnswer(ErrorCode.Malformed, Explain(line, exception));
        }
        if (!OnlyAsks(request))
            Record(line, peer);
        try
        {
            return await WhilePeerWaitsAsync(peer, cancellation => _answer(request, cancellation));
        }
        catch (ControlRefusal refusal)
        {
            return refusal.Answer;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _log.Error(exception, "Control socket: {Request:l} failed", request.GetType().Name);
            return new ErrorAnswer(ErrorCode.Internal, $"a fault of scstd: {exception.Message}");
        }
    }

    private static bool OnlyAsks(ControlRequest request) => request is StatusRequest or SessionsRequest
        or UnitsRequest or ReservationsRequest or CommandsRequest or HistogramsRequest or HistoryRequest
        or FaultsRequest or CheckRequest;

    /// <summary>Who asked for what, as it was asked: JSON has no line ends inside.</summary>
    private void Record(byte[] line, Socket peer)
    {
        // Our choice: every request that makes sense, and no page of log for one that does not.
        const int MostBytes = 1024;
        PeerIdentity who = LocalSocketCalls.PeerOf(peer);
        _log.Information("Administrator: {User:l} (process {Process}) asks {Request:l}",
            LocalSocketCalls.NameOf(who.User) ?? $"user {who.User}", who.ProcessId,
            Encoding.UTF8.GetString(line.AsSpan(0, Math.Min(line.Length, MostBytes))).TrimEnd());
    }

    /// <summary>A peer that is gone wants nothing any more: what has not begun for it is left. One that only has
    /// nothing more to say (shutdown(2) of its writing half) still waits.</summary>
    private async Task<ControlAnswer> WhilePeerWaitsAsync(
        Socket peer, Func<CancellationToken, Task<ControlAnswer>> answer)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        Task<ControlAnswer> answering = answer(gone.Token);
        while (await Task.WhenAny(answering, Task.Delay(_limits.LookInterval, CancellationToken.None)) != answering)
        {
            if (LocalSocketCalls.HasHungUp(peer))
            {
                await gone.CancelAsync();
                break;
            }
        }
        return await answering;
    }

    private async Task SendAsync(LineChannel channel, byte[] line)
    {
        using CancellationTokenSource patience = Patience();
        await channel.WriteAsync(line, patience.Token);
    }

    private CancellationTokenSource Patience()
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        patience.CancelAfter(_limits.Patience);
        return patience;
    }

    /// <summary>What is wrong with the line; a command that is only misspelt is told by its right name.</summary>
    private static string Explain(byte[] line, JsonException exception)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return "a request is a JSON object such as {\"command\":\"status\"}";
            if (!document.RootElement.TryGetProperty("command", out JsonElement command)
                || command.ValueKind != JsonValueKind.String)
            {
                return "a request needs the key \"command\": one of " + string.Join(", ", ControlJson.CommandNames);
            }
            string name = command.GetString()!;
            return ControlJson.CommandNames.Contains(name) ? $"{name}: {WordsOf(exception)}"
                : $"there is no command '{name}'{Spelling.Suggest(name, ControlJson.CommandNames)}";
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return "a request is one line of JSON: " + exception.Message;
        }
    }

    /// <summary>The reader's words are about our types; who wrote the line knows its keys.</summary>
    private static string WordsOf(JsonException exception)
    {
        Match unknown = UnknownKey().Match(exception.Message);
        if (unknown.Success)
            return $"there is no key '{unknown.Groups[1].Value}'";
        Match missing = MissingKey().Match(exception.Message);
        if (missing.Success)
            return $"it lacks {missing.Groups[1].Value}";
        return exception.Path is { Length: > 2 } path
            ? $"the value of '{path[2..]}' is not of the kind that is expected there" : exception.Message;
    }

    [GeneratedRegex("The JSON property '([^']*)' could not be mapped")]
    private static partial Regex UnknownKey();

    [GeneratedRegex("missing required properties[^:]*: (.*)\\.")]
    private static partial Regex MissingKey();
}

/// <summary>A request cannot be done; nothing was changed.</summary>
internal sealed class ControlRefusal(string code, string message) : Exception(message)
{
    public ErrorAnswer Answer { get; } = new(code, message);

    // Our choice: more names are no help in one line.
    private const int MostNames = 8;

    public static ControlRefusal NotFound(string what, string name, IEnumerable<string> known)
    {
        string[] all = [.. known];
        string suggestion = Spelling.Suggest(name, all);
        if (suggestion.Length == 0 && all.Length is > 0 and <= MostNames)
            suggestion = $" (there are: {string.Join(", ", all)})";
        return new(ErrorCode.NotFound, $"there is no {what} '{name}'{suggestion}");
    }
}
