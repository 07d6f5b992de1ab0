using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CsCheck;
using Scstd.Administration;
using Scstd.Control;
using Scstd.Linux;
using Scstd.Tests.Composition;

namespace Scstd.Tests.Administration;

/// <summary>Conversations on the socket, with a daemon behind it that only echoes.</summary>
public sealed class ControlServerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Events _events = new();

    private string Where => _folder.File("control.sock");

    public void Dispose() => _folder.Dispose();

    private ControlServer Start(ControlLimits? limits = null) =>
        new(ControlSocket.Open(Where, null), Answer, _events.Log, limits);

    private static Task<ControlAnswer> Answer(ControlRequest request, CancellationToken cancellation) => request switch
    {
        UnitsRequest { Unit: "broken" } => throw new InvalidOperationException("planted by a test"),
        UnitsRequest { Unit: { } unit } => throw ControlRefusal.NotFound("unit", unit, ["disk1", "disk2"]),
        _ => Task.FromResult<ControlAnswer>(new CheckAnswer("a.yaml", true, [], [])),
    };

    [Fact]
    public async Task Requests_are_answered_one_by_one_on_one_connection()
    {
        await using ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        Assert.Equal(new Greeting("0.1.0", ControlProtocol.Version), client.Greeting);
        for (int i = 0; i < 3; i++)
            Assert.True(Assert.IsType<CheckAnswer>(await client.AskAsync(new CheckRequest())).IsRight);
    }

    [Fact]
    public async Task Several_requests_in_one_packet_get_their_answers_in_order()
    {
        await using ControlServer server = Start();
        string[] lines = await Say("{\"command\":\"check\"}\n{\"command\":\"units\",\"unit\":\"a\"}\n"u8.ToArray(), 2);
        Assert.StartsWith("{\"answer\":\"check\"", lines[0]);
        Assert.StartsWith("{\"answer\":\"error\"", lines[1]);
    }

    [Fact]
    public async Task An_unknown_name_is_answered_with_the_nearest()
    {
        await using ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        Assert.Equal(new ErrorAnswer(ErrorCode.NotFound, "there is no unit 'dsk2'; did you mean 'disk2'?"),
            await client.AskAsync(new UnitsRequest("dsk2")));
        byte[] misspelt = await client.AskRawAsync("{\"command\":\"stauts\"}"u8.ToArray());
        Assert.Equal(new ErrorAnswer(ErrorCode.Malformed, "there is no command 'stauts'; did you mean 'status'?"),
            ControlJson.ReadAnswer(misspelt));
    }

    [Fact]
    public async Task A_fault_of_ours_is_told_and_logged_and_the_conversation_goes_on()
    {
        await using ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        Assert.Equal(new ErrorAnswer(ErrorCode.Internal, "a fault of scstd: planted by a test"),
            await client.AskAsync(new UnitsRequest("broken")));
        Assert.IsType<CheckAnswer>(await client.AskAsync(new CheckRequest()));
        Assert.Contains(_events.Lines, line => line.StartsWith("Error") && line.Contains("planted by a test"));
    }

    [Fact]
    public async Task Who_hangs_up_wants_no_answer_and_who_only_has_said_all_still_waits()
    {
        var began = new TaskCompletionSource<CancellationToken>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<ControlAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new ControlServer(
            ControlSocket.Open(Where, null),
            (_, cancellation) =>
            {
                began.SetResult(cancellation);
                return answer.Task.WaitAsync(cancellation);
            },
            _events.Log, new ControlLimits { LookInterval = TimeSpan.FromMilliseconds(1) });
        using (Socket quiet = Connect())
        {
            quiet.Send("{\"command\":\"reload\"}\n"u8);
            quiet.Shutdown(SocketShutdown.Send);
            Assert.False(LocalSocketCalls.HasHungUp(quiet));
            Assert.False((await began.Task).IsCancellationRequested);
            answer.SetResult(new CheckAnswer("a.yaml", true, [], []));
            var told = new StringBuilder();
            byte[] some = new byte[4096];
            while (told.ToString().Count(one => one == '\n') < 2)
                told.Append(Encoding.UTF8.GetString(some, 0, await quiet.ReceiveAsync(some)));
            Assert.Contains("\n{\"answer\":\"check\"", told.ToString());
        }
        (began, answer) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new());
        CancellationToken cancelled;
        using (Socket gone = Connect())
        {
            gone.Send("{\"command\":\"reload\"}\n"u8);
            cancelled = await began.Task;
            Assert.False(cancelled.IsCancellationRequested);
        }
        var heard = new TaskCompletionSource();
        using CancellationTokenRegistration registration = cancelled.Register(heard.SetResult);
        await heard.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task What_changes_something_is_logged_with_who_asked_and_what_only_asks_is_not()
    {
        await using ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        await client.AskAsync(new KickRequest("iqn.2026-11.org.example:host", 3));
        await client.AskAsync(new CheckRequest());
        string line = Assert.Single(_events.Lines, one => one.Contains("Administrator"));
        Assert.Contains($"(process {Environment.ProcessId}) asks "
            + "{\"command\":\"kick\",\"session\":\"iqn.2026-11.org.example:host\",\"patienceSeconds\":3}", line);
        Assert.Contains(Environment.UserName, line);
    }

    [Theory]
    [InlineData("{\"command\":\"units\",\"unti\":\"a\"}", "units: there is no key 'unti'")]
    [InlineData("{\"command\":\"units\",\"unit\":5}", "units: the value of 'unit' is not of the kind")]
    [InlineData("{\"command\":\"freeze\"}", "freeze: it lacks ")]
    public async Task A_mistake_in_a_request_is_told_in_its_own_words(string request, string words)
    {
        await using ControlServer server = Start();
        string answer = Assert.Single(await Say(Encoding.UTF8.GetBytes(request + "\n"), 1));
        string message = Assert.IsType<ErrorAnswer>(ControlJson.ReadAnswer(Encoding.UTF8.GetBytes(answer))).Message;
        Assert.StartsWith(words, message);
        Assert.DoesNotContain("Scstd", message);
        Assert.DoesNotContain(".NET", message);
    }

    [Fact]
    public async Task A_path_that_can_be_no_socket_is_told_so()
    {
        string file = _folder.Write("file", "");
        Assert.Equal($"{file}: this is a file and not a socket",
            (await Assert.ThrowsAsync<ControlException>(() => ControlClient.ConnectAsync(file))).Message);
        Assert.Equal($"{_folder.Path}: this is a folder and not a socket",
            (await Assert.ThrowsAsync<ControlException>(() => ControlClient.ConnectAsync(_folder.Path))).Message);
        Assert.EndsWith("expected 1 to 107 characters", (await Assert.ThrowsAsync<ControlException>(
            () => ControlClient.ConnectAsync("/" + new string('x', 200)))).Message);
    }

    [Fact]
    public async Task A_line_without_an_end_is_refused_and_the_next_peer_is_served()
    {
        await using ControlServer server = Start();
        string[] lines = await Say(new byte[ControlProtocol.MostRequestBytes + 1], 1);
        Assert.Contains("a line is longer than 65536 bytes", Assert.Single(lines));
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        Assert.IsType<CheckAnswer>(await client.AskAsync(new CheckRequest()));
    }

    [Fact]
    public async Task A_peer_too_many_is_told_so()
    {
        await using ControlServer server = Start(new ControlLimits { MostConnections = 1 });
        await using ControlClient first = await ControlClient.ConnectAsync(Where);
        ControlException refusal =
            await Assert.ThrowsAsync<ControlException>(() => ControlClient.ConnectAsync(Where));
        Assert.Equal("the control socket has its 1 connections", refusal.Message);
        Assert.IsType<CheckAnswer>(await first.AskAsync(new CheckRequest()));
    }

    [Fact]
    public async Task A_peer_that_says_nothing_is_given_up()
    {
        await using ControlServer server = Start(new ControlLimits { Patience = TimeSpan.FromMilliseconds(50) });
        await using var stream = new NetworkStream(Connect(), ownsSocket: true);
        var channel = new LineChannel(stream, ControlProtocol.MostAnswerBytes);
        Assert.NotNull(await channel.ReadAsync(CancellationToken.None));
        Assert.Null(await channel.ReadAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_daemon_that_stops_ends_its_conversations()
    {
        ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        await server.DisposeAsync();
        await Assert.ThrowsAsync<ControlException>(() => client.AskAsync(new CheckRequest()));
        Assert.False(File.Exists(Where));
    }

    /// <summary>Whatever a line holds, it gets one answer, and the connection lives.</summary>
    [Fact]
    public async Task Random_lines_are_answered_with_an_error_and_harm_nothing()
    {
        await using ControlServer server = Start();
        await using ControlClient client = await ControlClient.ConnectAsync(Where);
        Gen<byte[]> noise = Gen.Byte.Array[0, 300];
        Gen<string> requests = Gen.OneOf(Gen.Const("{\"command\":\"units\",\"unit\":\"a\"}"),
            Gen.Const("{\"command\":\"check\"}"), Gen.Const("{\"command\":[[[{}]]]}"));
        Gen<byte[]> mutated = Gen.Select(requests, Gen.Int[0, 40], Gen.Byte, (text, at, with) =>
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            bytes[at % bytes.Length] = with;
            return bytes;
        });
        await Gen.OneOf(noise, mutated).Where(line => !line.Contains((byte)'\n')).SampleAsync(async line =>
        {
            byte[] answer = await client.AskRawAsync(line);
            return ControlJson.ReadAnswer(answer) is ErrorAnswer or CheckAnswer;
        }, threads: 1, iter: 500);
        Assert.IsType<CheckAnswer>(await client.AskAsync(new CheckRequest()));
        Assert.DoesNotContain(_events.Lines, line => line.StartsWith("Error"));
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(Where));
        return socket;
    }

    /// <summary>Sends bytes and takes lines, the greeting apart.</summary>
    private async Task<string[]> Say(byte[] bytes, int answers)
    {
        await using var stream = new NetworkStream(Connect(), ownsSocket: true);
        var channel = new LineChannel(stream, ControlProtocol.MostAnswerBytes);
        Assert.NotNull(await channel.ReadAsync(CancellationToken.None));
        await stream.WriteAsync(bytes);
        var lines = new List<string>();
        while (lines.Count < answers && await channel.ReadAsync(CancellationToken.None) is { } line)
            lines.Add(Encoding.UTF8.GetString(line));
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
        return [.. lines];
    }
}
