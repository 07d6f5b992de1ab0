using System.Globalization;
using Scstd.Control;

namespace Scstctl;

/// <summary>What commands do, for people.</summary>
internal static class CommandText
{
    public static void Print(CommandsAnswer commands, TextWriter output, TextWriter error)
    {
        var table = new Table("UNIT", "LUN", "COMMAND", "LBA", "SIZE", "STATE", "AGE", "THERE", "BEFORE", "INITIATOR",
            "TAG", "CDB", "WAITS FOR");
        foreach (CommandRecord one in commands.Commands)
        {
            string note = (one.IsAborted ? "aborted, " : "") + one.WaitsFor;
            IEnumerable<string> before = (one.Stays ?? []).Where(stay => stay.State != one.State)
                .Select(stay => $"{stay.State} {Duration(stay.Ms)}");
            table.Add(one.Unit, one.Lun, one.Name, one.Lba, AnswerText.Size(one.LengthBytes), one.State,
                Duration(one.AgeMs), Duration(one.InStateMs), before.Any() ? string.Join(", ", before) : null,
                one.Initiator, $"{one.Tag:X}h", one.Cdb, note);
        }
        table.Print(output);
        if (commands.IsCut)
            error.WriteLine("scstctl: there are more; the oldest of each session are shown");
    }

    public static void Print(HistogramsAnswer histograms, TextWriter output)
    {
        bool areSessions = histograms.Histograms.Any(one => one.Session is not null);
        var table = new Table(
            areSessions ? "SESSION" : "UNIT", "STATE", "DIRECTION", "UP TO", "COMMANDS", "HALF", "99%", "MOST");
        foreach (HistogramRecord one in histograms.Histograms)
        {
            table.Add(areSessions ? $"{one.Session} {one.Initiator}" : one.Unit, one.State, one.Direction,
                AnswerText.Size(one.MaxBytes),
                one.Counts.Aggregate(0ul, (sum, count) => sum + count), Below(one.Counts, 0.5),
                Below(one.Counts, 0.99), Below(one.Counts, 1));
        }
        table.Print(output);
    }

    public static void Print(HistoryAnswer history, TextWriter output)
    {
        if (history.Sessions is { } sessions)
            SessionText.Print(sessions, output);
        foreach (UnitHistoryRecord unit in history.Units)
        {
            output.WriteLine($"unit {unit.Unit}: the last moves of commands");
            var moves = new Table("AGO", "REACTOR", "TAG", "OPCODE", "FROM", "TO");
            foreach (MoveRecord one in unit.Moves.OrderBy(move => move.AgoMs))
            {
                moves.Add(Duration(one.AgoMs), one.Reactor, $"{one.Tag:X}h", $"{one.OperationCode:X2}h", one.From,
                    one.To);
            }
            moves.Print(output);
            output.WriteLine($"unit {unit.Unit}: the last that happened at its gate");
            var gate = new Table("AGO", "WHAT");
            foreach (HistoryRecord one in unit.Gate)
                gate.Add(Duration(one.AgoMs), one.What);
            gate.Print(output);
        }
    }

    public static void Print(PortGroupsAnswer groups, TextWriter output)
    {
        var table = new Table("GROUP", "ID", "STATE", "PREFERRED", "EXPLICIT", "SESSIONS", "DEVICES", "PORTS");
        foreach (PortGroupRecord one in groups.Groups)
        {
            table.Add(one.Name, one.Id, one.State, one.IsPreferred, one.IsExplicit, one.Sessions, one.Devices.Count,
                string.Join(" ", one.Ports.Select(port => $"{port.Target},{port.Tag}")));
        }
        table.Print(output);
    }

    public static void Print(FaultsAnswer faults, TextWriter output)
    {
        var table = new Table("ID", "UNIT", "EFFECT", "FOR", "DELAY", "ANSWER", "PART", "MET", "HOLDS", "REMAINING");
        foreach (FaultRecord one in faults.Faults)
        {
            table.Add(one.Id, one.Unit, one.Effect, Aim(one),
                one.DelayMs > 0 ? Duration(one.DelayMs) : null, one.Sense ?? one.Status, one.Probability, one.Met,
                one.Holding, one.Remaining);
        }
        table.Print(output);
    }

    private static string Aim(FaultRecord one) => (one.Initiators ?? "all") + (one.DataOnly ? ", data only" : "")
        + (one.Direction is { } direction ? $", {direction}" : "") + (one.Lun is { } lun ? $", LUN {lun}" : "")
        + (one.FirstLba is { } first ? $", LBA {first}-{one.LastLba}" : "");

    public static void Print(FreezeAnswer freeze, TextWriter output)
    {
        output.WriteLine($"unit {freeze.Unit}: {freeze.State.ToLowerInvariant()}, {freeze.HeldCommands} command(s) "
            + "held" + (freeze.Reasons.Count > 0 ? $", frozen by {string.Join(", ", freeze.Reasons)}" : ""));
        foreach (string one in freeze.WaitsFor)
            output.WriteLine($"waits for {one}");
    }

    public static void Print(ChangeAnswer change, TextWriter output)
    {
        foreach (string one in change.Changes)
            output.WriteLine(one);
        output.WriteLine(change.Changes.Count == 0 ? "it was so already"
            : $"{change.SessionsChanged} session(s) see other LUNs, {change.SessionsEnded} ended");
    }

    /// <summary>In three digits or so.</summary>
    public static string Duration(double milliseconds) => milliseconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds * 1000:0}us"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.#}ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.#}s"),
    };

    /// <summary>The bound below which such a part of all stayed.</summary>
    public static string Below(IReadOnlyList<ulong> counts, double part) =>
        BoundUs(counts, part) is { } us ? "<" + Duration(us / 1000) : "-";

    /// <summary>The same in microseconds; null: there is nothing.</summary>
    public static double? BoundUs(IReadOnlyList<ulong> counts, double part)
    {
        ulong all = counts.Aggregate(0ul, (sum, count) => sum + count);
        ulong seen = 0;
        for (int i = 0; i < counts.Count && all > 0; i++)
        {
            seen += counts[i];
            if (seen >= all * part)
                return Math.Pow(2, i);
        }
        return null;
    }
}
