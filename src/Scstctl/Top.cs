using System.CommandLine;
using System.Diagnostics;
using System.Text;
using Scstd.Control;

namespace Scstctl;

/// <summary>scstctl top: what units and sessions do, from the daemon's counters at two looks.</summary>
internal static class Top
{
    private static readonly Option<double> IntervalOption = new("--interval")
    {
        HelpName = "SECONDS",
        Description = "From one look to the next.",
        DefaultValueFactory = _ => 2,
    };

    private static readonly Option<int?> CountOption = new("--count")
    {
        HelpName = "N",
        Description = "So many looks; without it: until it is ended.",
    };

    public static Command Create(Func<ParseResult, string> socket, Func<ParseResult, bool> json)
    {
        var command = new Command("top", "What units and sessions do now: commands, bytes, time with the store.")
        {
            IntervalOption, CountOption,
        };
        IntervalOption.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600))
                result.AddError("--interval: expected 0.1 to 3600 seconds");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            try
            {
                await using ControlClient client = await ControlClient.ConnectAsync(socket(parsed), cancellation);
                return await WatchAsync(client, TimeSpan.FromSeconds(parsed.GetValue(IntervalOption)),
                    parsed.GetValue(CountOption) ?? int.MaxValue, json(parsed), cancellation);
            }
            catch (ControlException exception)
            {
                Console.Error.WriteLine($"scstctl: {exception.Message}");
                return ExitStatus.Unreachable;
            }
            catch (OperationCanceledException)
            {
                return ExitStatus.Done;
            }
        });
        return command;
    }

    private static async Task<int> WatchAsync(
        ControlClient client, TimeSpan interval, int count, bool json, CancellationToken cancellation)
    {
        (Look Look, long At) before = await LookAsync(client, cancellation);
        for (int i = 0; i < count; i++)
        {
            await Task.Delay(interval, cancellation);
            (Look Look, long At) now = await LookAsync(client, cancellation);
            TopAnswer top = Between(before.Look, now.Look, Stopwatch.GetElapsedTime(before.At, now.At).TotalSeconds);
            if (json)
                Console.Out.WriteLine(Encoding.UTF8.GetString(ControlJson.Write(top)));
            else
                Print(top, Console.Out, clears: !Console.IsOutputRedirected);
            before = now;
        }
        return ExitStatus.Done;
    }

    /// <summary>What was done between two looks. What began anew in between counts from nothing.</summary>
    public static TopAnswer Between(Look before, Look now, double seconds) => new(
        Math.Round(seconds, 3),
        [
            .. now.Units.Select(unit => Rate(
                unit.Name, null, unit.CommandsInside, CountersOf(unit),
                before.Units.FirstOrDefault(one => one.Name == unit.Name) is { } was ? CountersOf(was) : null,
                seconds)),
        ],
        [
            .. now.Sessions.Select(session => Rate(
                session.Initiator, session.Id, session.Now?.CommandsInFlight ?? 0, CountersOf(session),
                before.Sessions.FirstOrDefault(one => one.Id == session.Id && one.Peer == session.Peer) is { } was
                    ? CountersOf(was) : null,
                seconds)).OrderByDescending(rate => rate.CommandsPerSecond),
        ]);

    public static void Print(TopAnswer top, TextWriter output, bool clears)
    {
        // ECMA-48: cursor home, erase the display.
        if (clears)
            output.Write("\u001b[H\u001b[2J");
        Print("UNIT", top.Units, output);
        output.WriteLine();
        Print("INITIATOR", top.Sessions, output);
        if (!clears)
            output.WriteLine();
    }

    private static void Print(string head, IReadOnlyList<RateRecord> rates, TextWriter output)
    {
        var table = new Table(head, "SESSION", "IOPS", "READ/S", "WRITTEN/S", "UNDER WAY", "HALF", "99%", "MOST");
        foreach (RateRecord one in rates)
        {
            table.Add(one.Name, one.Session, Math.Round(one.CommandsPerSecond),
                AnswerText.Size((decimal)one.ReadBytesPerSecond), AnswerText.Size((decimal)one.WrittenBytesPerSecond),
                one.Inside, Time(one.HalfUs), Time(one.P99Us), Time(one.MostUs));
        }
        table.Print(output);
    }

    private static string? Time(double? us) => us is { } some ? "<" + CommandText.Duration(some / 1000) : null;

    private static async Task<(Look Look, long At)> LookAsync(ControlClient client, CancellationToken cancellation)
    {
        UnitsAnswer units = await AskAsync<UnitsAnswer>(client, new UnitsRequest(), cancellation);
        SessionsAnswer sessions = await AskAsync<SessionsAnswer>(client, new SessionsRequest(), cancellation);
        return (new Look(units.Units, [.. sessions.Sessions.Where(one => one.Target is not null)]),
            Stopwatch.GetTimestamp());
    }

    private static async Task<T> AskAsync<T>(
        ControlClient client, ControlRequest request, CancellationToken cancellation) where T : ControlAnswer =>
        await client.AskAsync(request, cancellation) switch
        {
            T { SilentReactors: null } answer => answer,
            T => throw new ControlException("a reactor did not answer in time"),
            ErrorAnswer refused => throw new ControlException(refused.Message),
            _ => throw new ControlException("the daemon gave another answer than was asked for"),
        };

    private static Counters CountersOf(UnitRecord unit) => new(
        unit.Totals?.Commands ?? 0, unit.Totals?.DataInBytes ?? 0, unit.Totals?.DataOutBytes ?? 0,
        unit.Totals?.EnabledCounts ?? []);

    private static Counters CountersOf(SessionRecord session) => new(
        session.Commands, session.DataInBytes, session.DataOutBytes, session.Now?.EnabledCounts ?? []);

    private static RateRecord Rate(
        string name, int? session, int inside, Counters now, Counters? was, double seconds)
    {
        if (was is null || was.Commands > now.Commands)
            was = new Counters(0, 0, 0, []);
        ulong[] counts =
            [.. now.Times.Select((count, i) => count - Math.Min(count, i < was.Times.Count ? was.Times[i] : 0))];
        return new RateRecord(
            name, session, PerSecond(now.Commands, was.Commands), PerSecond(now.DataInBytes, was.DataInBytes),
            PerSecond(now.DataOutBytes, was.DataOutBytes), inside, CommandText.BoundUs(counts, 0.5),
            CommandText.BoundUs(counts, 0.99), CommandText.BoundUs(counts, 1));

        double PerSecond(ulong after, ulong before) =>
            Math.Round((after - Math.Min(after, before)) / Math.Max(seconds, 0.001), 1);
    }

    private sealed record Counters(
        ulong Commands, ulong DataInBytes, ulong DataOutBytes, IReadOnlyList<ulong> Times);
}

/// <summary>What the daemon counted until one moment.</summary>
internal sealed record Look(IReadOnlyList<UnitRecord> Units, IReadOnlyList<SessionRecord> Sessions);
