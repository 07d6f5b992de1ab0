using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
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
        ParseResult parsed = Root().Parse(arguments);
        if (parsed.Errors.Count == 0)
            return await parsed.InvokeAsync();
        if (arguments.Contains(JsonOption.Name))
        {
            Tell(new ErrorAnswer(ErrorCode.Misused, string.Join(" ", parsed.Errors.Select(error => error.Message))));
            return ExitStatus.Misused;
        }
        // What was meant, and not a page of what there is.
        if (parsed.Action is ParseErrorAction action)
            action.ShowHelp = false;
        await parsed.InvokeAsync(new InvocationConfiguration { Output = Console.Error });
        string command = string.Join(' ', Names(parsed.CommandResult));
        Console.Error.WriteLine($"usage: {command} …; \"{command} --help\" tells more");
        return ExitStatus.Misused;
    }

    private static IEnumerable<string> Names(CommandResult command) =>
        [.. command.Parent is CommandResult outer ? Names(outer) : [], command.Command.Name];

    private static void Tell(ControlAnswer answer) =>
        Console.Out.WriteLine(System.Text.Encoding.UTF8.GetString(ControlJson.Write(answer)));

    private static RootCommand Root()
    {
        var root = new RootCommand("scstctl: asks and directs scstd. Exit status: 0 done, 1 refused by the daemon, "
            + "2 wrong usage, 3 no daemon, 4 not all of it in time, 5 done but not saved.")
        {
            SocketOption, JsonOption,
        };
        root.Add(Asking("status", "How the daemon is.", _ => new StatusRequest()));
        root.Add(Sessions());
        root.Add(AboutUnits("units", "What is served.", unit => new UnitsRequest(unit)));
        root.Add(AboutUnits("reservations", "Who has which unit reserved.", unit => new ReservationsRequest(unit)));
        root.Add(AboutUnits("commands", "Where every command is, the oldest first.",
            unit => new CommandsRequest(unit)));
        root.Add(Histograms());
        root.Add(History());
        root.Add(Top.Create(parsed => parsed.GetValue(SocketOption)!, parsed => parsed.GetValue(JsonOption)));
        root.Add(Freeze());
        root.Add(AboutUnit("thaw", "Let a frozen unit go on.", (unit, _) => new ThawRequest(unit)));
        root.Add(Kick());
        root.Add(Move());
        root.Add(Resize());
        root.Add(Replace());
        root.Add(Asking("port-groups", "In which state which paths are.", _ => new PortGroupsRequest()));
        root.Add(PortGroup());
        root.Add(LibraryCommands.Create(Asking));
        var faults = new Command("faults", "Faults that are injected to see what hosts make of them.");
        FaultCommands.AddTo(faults, Asking);
        root.Add(faults);
        root.Add(Asking("check", "What is wrong with the daemon's configuration file, and what a reload would do.",
            _ => new CheckRequest()));
        root.Add(Reload());
        return root;
    }

    private static Command Reload()
    {
        Option<int> patience = ChangePatience();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only tell what it would do, as \"check\" does." };
        var force = new Option<bool>("--force") { Description = "Also make smaller what is in use." };
        return Asking("reload", "Put the daemon's configuration file as it is now in force, all or nothing.",
            parsed => parsed.GetValue(dryRun) ? new CheckRequest()
                : new ReloadRequest(parsed.GetValue(patience), parsed.GetValue(force)),
            patience, force, dryRun);
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
        Argument<string?> unit = AnyUnit();
        return Asking(name, about, parsed => request(parsed.GetValue(unit)), unit);
    }

    private static Argument<string?> AnyUnit() => new("UNIT")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "A device of the configuration; without it: all.",
    };

    private static Option<string?> OfSession(string about) =>
        new("--session") { HelpName = "ID", Description = about };

    private static Command Histograms()
    {
        Argument<string?> unit = AnyUnit();
        Option<string?> session = OfSession("Of a session, by its number or its initiator's name.");
        session.Aliases.Add("--initiator");
        return Asking("histograms", "How long commands stayed in each state.",
            parsed => new HistogramsRequest(parsed.GetValue(unit), parsed.GetValue(session)), unit, session);
    }

    private static Command History()
    {
        Argument<string?> unit = AnyUnit();
        Option<string?> session = OfSession("Of a session, by its number or its initiator's name.");
        var ended = new Option<bool>("--ended") { Description = "Of the last sessions that have ended, and why." };
        return Asking("history", "The last moves of the state machines.",
            parsed => new HistoryRequest(
                parsed.GetValue(unit), parsed.GetValue(session), parsed.GetValue(ended) ? true : null),
            unit, session, ended);
    }

    private static readonly Argument<string> UnitArgument =
        new("UNIT") { Description = "A device of the configuration." };

    private static readonly Option<bool> SaveOption = new("--save")
    {
        Description = "Write it into the configuration file too, with the right to do so of who runs this.",
    };

    private static Command AboutUnit(
        string name, string about, Func<string, ParseResult, ControlRequest> request, params Symbol[] symbols) =>
        Asking(name, about, parsed => request(parsed.GetValue(UnitArgument)!, parsed), [UnitArgument, .. symbols]);

    private static Command Freeze()
    {
        Option<int> patience = Seconds("How long to wait for what its store has.", 10);
        return AboutUnit("freeze", "Let a unit stand still: what its store has is waited for, what comes is held.",
            (unit, parsed) => new FreezeRequest(unit, parsed.GetValue(patience)), patience);
    }

    private static Command Kick()
    {
        var session = new Argument<string>("SESSION") { Description = "Its number, or an initiator's name for all." };
        Option<int> patience = Seconds("How long the initiator may take to log out by itself.", 0);
        return Asking("kick", "End a session.",
            parsed => new KickRequest(parsed.GetValue(session)!, parsed.GetValue(patience)), session, patience);
    }

    private static Command Move()
    {
        var session = new Argument<int>("SESSION") { Description = "Its number." };
        var reactor = new Argument<int>("REACTOR") { Description = "Its number; \"status\" lists them." };
        return Asking("move", "Send a session to another reactor, where it goes on without being logged out.",
            parsed => new MoveRequest(parsed.GetValue(session), parsed.GetValue(reactor)), session, reactor);
    }

    private static Command Resize()
    {
        var size = new Argument<string>("SIZE") { Description = "Such as 512MiB or 1.5TiB." };
        Option<int> patience = ChangePatience();
        var force = new Option<bool>("--force") { Description = "Also make it smaller while it is in use." };
        return AboutUnit("resize", "Give a unit another size.",
            (unit, parsed) => new ResizeRequest(unit, parsed.GetValue(size)!, parsed.GetValue(patience),
                parsed.GetValue(force), parsed.GetValue(SaveOption)),
            size, patience, force, SaveOption);
    }

    private static Command Replace()
    {
        var target = new Argument<string>("TARGET") { Description = "Whose LUN it is." };
        var lun = new Argument<int>("LUN") { Description = "Its number.", CustomParser = Whole.Number };
        var group = new Option<string?>("--group") { HelpName = "NAME", Description = "The LUN of this group." };
        Option<int> patience = ChangePatience();
        return Asking("replace", "Let a LUN lead to another unit.",
            parsed => new ReplaceRequest(parsed.GetValue(target)!, parsed.GetValue(lun),
                parsed.GetValue(UnitArgument)!, parsed.GetValue(group), parsed.GetValue(patience),
                parsed.GetValue(SaveOption)),
            target, lun, UnitArgument, group, patience, SaveOption);
    }

    private static Command PortGroup()
    {
        var name = new Argument<string>("NAME") { Description = "A port group of the configuration." };
        Option<int> patience = ChangePatience();
        var state = new Argument<string>("STATE")
        {
            Description = "active-optimized, active-non-optimized, standby, unavailable, offline or transitioning.",
        };
        return new Command("port-group", "Direct a target port group.")
        {
            Asking("set", "Put it into another state.",
                parsed => new SetPortGroupRequest(parsed.GetValue(name)!, parsed.GetValue(state)!,
                    parsed.GetValue(patience), parsed.GetValue(SaveOption)),
                name, state, patience, SaveOption),
        };
    }

    private static Option<int> ChangePatience() =>
        Seconds("How long stores may be waited for; then nothing is changed.", 10);

    private static Option<int> Seconds(string about, int usual) =>
        new("--patience")
        {
            HelpName = "SECONDS",
            Description = about,
            DefaultValueFactory = _ => usual,
            CustomParser = Whole.Number,
        };

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
        bool maySave = symbols.Contains(SaveOption);
        command.SetAction((parsed, cancellation) => AskAsync(parsed, request(parsed), maySave, cancellation));
        return command;
    }

    private static async Task<int> AskAsync(
        ParseResult parsed, ControlRequest request, bool maySave, CancellationToken cancellation)
    {
        try
        {
            await using ControlClient client =
                await ControlClient.ConnectAsync(parsed.GetValue(SocketOption)!, cancellation);
            bool saves = maySave && parsed.GetValue(SaveOption);
            if (saves && await WhyNotSavedAsync(client, cancellation) is { } why)
            {
                Console.Error.WriteLine($"scstctl: nothing was changed: {why}");
                if (parsed.GetValue(JsonOption))
                    Tell(new ErrorAnswer(ErrorCode.Refused, why));
                return ExitStatus.Refused;
            }
            byte[] line = await client.AskRawAsync(ControlJson.Write(request), cancellation);
            ControlAnswer answer = ControlJson.ReadAnswer(line);
            if (parsed.GetValue(JsonOption))
                Console.Out.WriteLine(System.Text.Encoding.UTF8.GetString(line));
            else
                AnswerText.Print(answer, Console.Out, Console.Error);
            bool agrees = answer is not ChangeAnswer { Configuration: { } configuration }
                || FileEdit.Settle(configuration, saves, Console.Error);
            return saves && !agrees ? ExitStatus.NotSaved : StatusOf(answer);
        }
        catch (ControlException exception)
        {
            return Unreachable(parsed, exception.Message);
        }
        catch (System.Text.Json.JsonException exception)
        {
            return Unreachable(parsed, $"the daemon's answer cannot be read: {exception.Message}");
        }
    }

    /// <summary>Whether who runs this may write the file is known before anything is changed.</summary>
    private static async Task<string?> WhyNotSavedAsync(ControlClient client, CancellationToken cancellation) =>
        await client.AskAsync(new StatusRequest(), cancellation) is StatusAnswer { Configuration: { } file }
            ? FileEdit.WhyNotWritable(file) : null;

    private static int Unreachable(ParseResult parsed, string why)
    {
        if (parsed.GetValue(JsonOption))
            Tell(new ErrorAnswer(ErrorCode.Unreachable, why));
        Console.Error.WriteLine($"scstctl: {why}");
        return ExitStatus.Unreachable;
    }

    private static int StatusOf(ControlAnswer answer) => answer switch
    {
        ErrorAnswer or CheckAnswer { IsRight: false } or CheckAnswer { Reasons.Count: > 0 }
            or ReloadAnswer { IsApplied: false } => ExitStatus.Refused,
        { SilentReactors: not null } or FreezeAnswer { State: "Draining" }
            or KickAnswer { StillEnding: > 0 } or MoveAnswer { HasMoved: false } => ExitStatus.Partial,
        _ => ExitStatus.Done,
    };
}
