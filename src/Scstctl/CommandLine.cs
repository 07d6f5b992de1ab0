using System.CommandLine;
using Scstd.Control;

namespace Scstctl;

/// <summary>Every command is one request to the daemon and its answer.</summary>
internal static class CommandLine
{
    private static readonly Option<string> SocketOption = new("--socket")
    {
        HelpName = "PATH",
        Description = "The daemon's control socket.",
        DefaultValueFactory = _ =>
            Environment.GetEnvironmentVariable("SCSTCTL_SOCKET") ?? ControlProtocol.InstalledSocketPath,
        Recursive = true,
    };

    private static readonly Option<bool> JsonOption = new("--json")
    {
        Description = "Print the daemon's answer as one line of JSON.",
        Recursive = true,
    };

    public static async Task<int> RunAsync(string[] arguments)
    {
        RootCommand root = Root();
        ParseResult parsed = root.Parse(arguments);
        int status = await parsed.InvokeAsync();
        return parsed.Errors.Count > 0 ? ExitStatus.Misused : status;
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("scstctl: asks and directs scstd. Exit status: 0 done, 1 refused by the daemon, "
            + "2 wrong usage, 3 no daemon, 4 done but a reactor did not answer in time.")
        {
            SocketOption, JsonOption,
        };
        root.Add(Asking("status", "How the daemon is.", _ => new StatusRequest()));
        root.Add(Sessions());
        root.Add(AboutUnits("units", "What is served.", unit => new UnitsRequest(unit)));
        root.Add(Asking("check", "What is wrong with the daemon's configuration file as it is now.",
            _ => new CheckRequest()));
        root.Add(Asking("reload", "Put the daemon's configuration file as it is now in force, all or nothing.",
            _ => new ReloadRequest()));
        return root;
    }

    private static Command Sessions()
    {
        var target = new Option<string?>("--target") { HelpName = "NAME", Description = "Only of this target." };
        var initiator =
            new Option<string?>("--initiator") { HelpName = "NAME", Description = "Only of this initiator." };
        return Asking("sessions", "Who is logged in.",
            parsed => new SessionsRequest(parsed.GetValue(target), parsed.GetValue(initiator)), target, initiator);
    }

    private static Command AboutUnits(string name, string about, Func<string?, ControlRequest> request)
    {
        var unit = new Argument<string?>("UNIT")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "A device of the configuration; without it: all.",
        };
        return Asking(name, about, parsed => request(parsed.GetValue(unit)), unit);
    }

    private static Command Asking(
        string name, string about, Func<ParseResult, ControlRequest> request, params Symbol[] symbols)
    {
        var command = new Command(name, about);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }
        command.SetAction((parsed, cancellation) => AskAsync(
            parsed.GetValue(SocketOption)!, parsed.GetValue(JsonOption), request(parsed), cancellation));
        return command;
    }

    private static async Task<int> AskAsync(
        string socket, bool json, ControlRequest request, CancellationToken cancellation)
    {
        try
        {
            await using ControlClient client = await ControlClient.ConnectAsync(socket, cancellation);
            byte[] line = await client.AskRawAsync(ControlJson.Write(request), cancellation);
            ControlAnswer answer = ControlJson.ReadAnswer(line);
            if (json)
                Console.Out.WriteLine(System.Text.Encoding.UTF8.GetString(line));
            else
                AnswerText.Print(answer, Console.Out, Console.Error);
            return StatusOf(answer);
        }
        catch (ControlException exception)
        {
            Console.Error.WriteLine($"scstctl: {exception.Message}");
            return ExitStatus.Unreachable;
        }
        catch (System.Text.Json.JsonException exception)
        {
            Console.Error.WriteLine($"scstctl: the daemon's answer cannot be read: {exception.Message}");
            return ExitStatus.Unreachable;
        }
    }

    private static int StatusOf(ControlAnswer answer) => answer switch
    {
        ErrorAnswer or CheckAnswer { IsRight: false } or ReloadAnswer { IsApplied: false } => ExitStatus.Refused,
        { SilentReactors: not null } => ExitStatus.Partial,
        _ => ExitStatus.Done,
    };
}
