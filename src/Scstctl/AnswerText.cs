using System.Globalization;
using Scstd.Control;

namespace Scstctl;

/// <summary>Answers for people: what was asked for on standard output, what went wrong on standard error.</summary>
internal static class AnswerText
{
    private static readonly string[] SizeUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static void Print(ControlAnswer answer, TextWriter output, TextWriter error)
    {
        switch (answer)
        {
            case ErrorAnswer refused:
                error.WriteLine($"scstctl: {refused.Message}");
                break;
            case StatusAnswer status:
                Print(status, output);
                break;
            case SessionsAnswer sessions:
                Print(sessions, output);
                break;
            case UnitsAnswer units:
                Print(units, output);
                break;
            case CheckAnswer check:
                Print(check, output);
                break;
            case ReservationsAnswer reservations:
                Print(reservations, output);
                break;
            case PortGroupsAnswer groups:
                CommandText.Print(groups, output);
                break;
            case FaultsAnswer faults:
                CommandText.Print(faults, output);
                break;
            case CommandsAnswer commands:
                CommandText.Print(commands, output, error);
                break;
            case HistogramsAnswer histograms:
                CommandText.Print(histograms, output);
                break;
            case HistoryAnswer history:
                CommandText.Print(history, output);
                break;
            case KickAnswer kick:
                SessionText.Print(kick, output);
                break;
            case MoveAnswer move:
                SessionText.Print(move, output);
                break;
            case LibrariesAnswer or CartridgeAnswer:
                LibraryText.Print(answer, output);
                break;
            case FreezeAnswer freeze:
                CommandText.Print(freeze, output);
                break;
            case ChangeAnswer change:
                CommandText.Print(change, output);
                break;
            case ReloadAnswer reload:
                Print(reload, output, error);
                break;
            default:
                error.WriteLine($"scstctl: {answer.GetType().Name} can be shown by --json only");
                break;
        }
        if (answer.SilentReactors is { } silent)
        {
            error.WriteLine($"scstctl: incomplete: reactor {string.Join(", ", silent)} did not answer in time");
        }
    }

    /// <summary>As short as three digits tell it.</summary>
    public static string Size(decimal bytes)
    {
        int unit = 0;
        while (bytes >= 1024 && unit < SizeUnits.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }
        string digits = bytes.ToString(bytes < 10 && bytes % 1 != 0 ? "0.##" : "0.#", CultureInfo.InvariantCulture);
        return digits + SizeUnits[unit];
    }

    private static void Print(StatusAnswer status, TextWriter output)
    {
        var up = TimeSpan.FromSeconds((long)status.UptimeSeconds);
        output.WriteLine($"scstd {status.Version}, process {status.ProcessId}, up {up:c}");
        output.WriteLine($"configuration  {status.Configuration ?? "none: the demonstration"}");
        output.WriteLine($"serves         {status.Targets} target(s), {status.Units} unit(s), "
            + $"{status.Sessions} session(s)");
        output.WriteLine($"data memory    {Size(status.BufferBytes.Taken)} of {Size(status.BufferBytes.AtMost)}");
        output.WriteLine();
        var portals = new Table("PORTAL", "TAG", "CONNECTIONS", "ACCEPTED", "TURNED AWAY", "FAILED LOGINS");
        foreach (PortalRecord one in status.Portals)
            portals.Add(one.Address, one.Tag, one.Connections, one.Accepted, one.TurnedAway, one.LoginFailures);
        portals.Print(output);
        output.WriteLine();
        var reactors = new Table("REACTOR", "IO", "CONNECTIONS", "COMMANDS", "READ", "WRITTEN", "SYSTEM CALLS");
        foreach (ReactorRecord one in status.Reactors)
        {
            reactors.Add(one.Index, one.Io, one.Connections, one.Commands, Size(one.DataInBytes),
                Size(one.DataOutBytes), one.SystemCalls);
        }
        reactors.Print(output);
        if (status.TargetLimits is not { Count: > 0 } limits)
            return;
        output.WriteLine();
        var targets = new Table("TARGET", "UNDER WAY", "AT MOST", "REFUSED");
        foreach (TargetLimitRecord one in limits)
            targets.Add(one.Target, one.Limit.InUse, one.Limit.AtMost, one.Limit.Refused);
        targets.Print(output);
    }

    private static void Print(SessionsAnswer sessions, TextWriter output)
    {
        var table = new Table(
            "ID", "INITIATOR", "TARGET", "GROUP", "PEER", "REACTOR", "LUNS", "UNDER WAY", "COMMANDS", "READ",
            "WRITTEN", "HALF", "99%", "MOST");
        foreach (SessionRecord one in sessions.Sessions)
        {
            table.Add(one.Id, one.Initiator, one.Target ?? "(discovery)", one.Now?.Group, one.Peer, one.Reactor,
                one.Now?.Luns.Count, one.Now?.CommandsInFlight, one.Commands, Size(one.DataInBytes),
                Size(one.DataOutBytes), Below(0.5), Below(0.99), Below(1));

            string? Below(double part) =>
                one.Now?.EnabledCounts is { Count: > 0 } counts ? CommandText.Below(counts, part) : null;
        }
        table.Print(output);
    }

    private static void Print(UnitsAnswer units, TextWriter output)
    {
        var table = new Table("UNIT", "SIZE", "BLOCK", "STATE", "PROTECTED", "INSIDE", "AT MOST", "REFUSED", "LUNS",
            "USED", "LEFT", "ERRORS", "SPEED", "STORE");
        foreach (UnitRecord one in units.Units)
        {
            table.Add(one.Name, Size((decimal)one.Blocks * one.BlockBytes), one.BlockBytes, one.State,
                one.IsWriteProtected, one.CommandsInside, one.Limit?.AtMost, one.Limit?.Refused, one.Luns.Count,
                one.Space is { } space ? Size(space.UsedBytes) : null,
                one.Space is { } room ? Size(room.LeftBytes) + (room.IsShort ? " (short)" : "") : null,
                one.StoreFailures, Speed(one.Speed), one.Store);
        }
        table.Print(output);
    }

    private static string? Speed(UnitSpeedRecord? speed)
    {
        if (speed is null)
            return null;
        string away = speed.TurnedAway > 0 ? $", {speed.TurnedAway} turned away" : "";
        return (speed.IsThrottled
            ? $"slow: {CommandText.Duration(speed.ExpectedMs ?? 0)}, {speed.Window} at a time, {speed.Waiting} wait"
            : "quick") + away;
    }

    private static void Print(ReservationsAnswer reservations, TextWriter output)
    {
        var table = new Table(
            "UNIT", "RESERVATION", "GENERATION", "APTPL", "REGISTRANT", "TARGET", "PORT", "KEY", "HOLDS");
        foreach (UnitReservationRecord unit in reservations.Units)
        {
            string what = unit.ReservedBy is { } holder ? $"RESERVE by {holder}" : unit.Type ?? "none";
            if (unit.Registrants.Count == 0)
            {
                table.Add(
                    unit.Unit, what, unit.Generation, unit.PersistsThroughPowerLoss, null, null, null, null, null);
            }
            foreach (RegistrantRecord one in unit.Registrants)
            {
                table.Add(unit.Unit, what, unit.Generation, unit.PersistsThroughPowerLoss, one.Initiator, one.Target,
                    one.IsForAllTargetPorts ? "all" : one.TargetPort, $"0x{one.Key}", one.IsHolder);
            }
        }
        table.Print(output);
    }

    private static void Print(CheckAnswer check, TextWriter output)
    {
        Problems(check.File, check.Problems, "", output);
        Problems(check.File, check.Warnings, "warning: ", output);
        output.WriteLine(check.IsRight ? $"{check.File}: right" : $"{check.Problems.Count} problem(s)");
        if (check.Changes is not { } changes)
            return;
        foreach (string reason in check.Reasons)
            output.WriteLine($"a reload would change nothing: {reason}");
        foreach (string change in changes.Concat(check.AtNextStart))
            output.WriteLine($"would be: {change}");
        foreach (string session in check.SessionsChanged)
            output.WriteLine($"would see other LUNs: {session}");
        foreach (string session in check.SessionsEnded)
            output.WriteLine($"would end: {session}");
        if (changes.Count + check.AtNextStart.Count + check.Reasons.Count == 0)
            output.WriteLine("a reload would change nothing: it is served so already");
    }

    private static void Print(ReloadAnswer reload, TextWriter output, TextWriter error)
    {
        Problems(reload.File, reload.Problems, "", error);
        Problems(reload.File, reload.Warnings, "warning: ", error);
        foreach (string reason in reload.Reasons)
            error.WriteLine($"scstctl: nothing was changed: {reason}");
        if (!reload.IsApplied)
            return;
        foreach (string change in reload.Changes.Concat(reload.AtNextStart))
            output.WriteLine(change);
        output.WriteLine($"{reload.Changes.Count} change(s); {reload.SessionsChanged} session(s) see other LUNs, "
            + $"{reload.SessionsEnded} ended");
        if (reload.UnitsLeaving.Count > 0)
            output.WriteLine($"closed when their commands have ended: {string.Join(", ", reload.UnitsLeaving)}");
    }

    private static void Problems(
        string file, IReadOnlyList<ProblemRecord> problems, string kind, TextWriter output)
    {
        foreach (ProblemRecord one in problems)
            output.WriteLine($"{file}:{one.Line}:{one.Column}: {kind}{one.Message}");
    }
}
