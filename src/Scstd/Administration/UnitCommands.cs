using System.Globalization;
using Scstd.Composition;
using Scstd.Control;
using Scstd.Core;

namespace Scstd.Administration;

/// <summary>What is known of the commands of units: where they are, how long they took, what moved last.</summary>
internal sealed class UnitCommands(Server server)
{
    // Our choice: more is no list for anybody; a reactor that copies it still answers others in time.
    private const int MostCommandsOfUnit = 4096;

    public async Task<ControlAnswer> CommandsAsync(IReadOnlyList<ServedUnit> devices)
    {
        Survey<UnitView[]> survey = await AskAsync(devices, MostCommandsOfUnit);
        CommandRecord[] commands =
        [
            .. Named(devices, survey)
                .SelectMany(one => one.View.Commands.Select(command => Describe(one.Unit, one.View, command)))
                .OrderByDescending(command => command.AgeMs),
        ];
        bool isCut = survey.Told.Any(views => views.Any(view => view.Commands.Count == MostCommandsOfUnit));
        return new CommandsAnswer(commands, isCut) { SilentReactors = survey.Silent };
    }

    public async Task<ControlAnswer> HistogramsAsync(IReadOnlyList<ServedUnit> devices)
    {
        Survey<UnitView[]> survey = await AskAsync(devices, 0);
        return new HistogramsAnswer(
        [
            .. Named(devices, survey)
                .SelectMany(one => one.View.Histograms.Select(histogram => (one.Unit, Histogram: histogram)))
                .GroupBy(one => (one.Unit, one.Histogram.State, one.Histogram.Direction, one.Histogram.MaxBytes))
                .Select(group => new HistogramRecord(
                    group.Key.Unit, group.Key.State.ToString(), group.Key.Direction.ToString(), group.Key.MaxBytes,
                    Sum(group.Select(one => one.Histogram.Counts)))),
        ])
        {
            SilentReactors = survey.Silent,
        };
    }

    public async Task<ControlAnswer> HistoryAsync(IReadOnlyList<ServedUnit> devices)
    {
        Survey<UnitView[]> survey = await AskAsync(devices, 0);
        return new HistoryAnswer(
        [
            .. devices.Select((device, index) => new UnitHistoryRecord(
                device.Name,
                [.. survey.Told.SelectMany(views => Moves(views[index]))],
                [.. survey.Told.SelectMany(views => Gate(views[index]))])),
        ])
        {
            SilentReactors = survey.Silent,
        };
    }

    /// <summary>Each unit's home knows; a home that does not answer leaves its units out.</summary>
    public async Task<ControlAnswer> ReservationsAsync(IReadOnlyList<ServedUnit> devices)
    {
        var survey = await Survey<UnitReservationRecord[]>.OfAsync(server, lane =>
        [
            .. devices.Where(device => ReferenceEquals(device.Unit.Home, lane.Executor))
                .Select(device => Describe(device.Name, device.Unit.DescribeReservation())),
        ]);
        Dictionary<string, UnitReservationRecord> told =
            survey.Told.SelectMany(one => one).ToDictionary(one => one.Unit);
        return new ReservationsAnswer(
            [.. devices.Where(device => told.ContainsKey(device.Name)).Select(device => told[device.Name])])
        {
            SilentReactors = survey.Silent,
        };
    }

    private static UnitReservationRecord Describe(string unit, ReservationView view) => new(
        unit, view.ReservedBy, view.Type?.ToString(), view.Generation, view.PersistsThroughPowerLoss,
        [
            .. view.Registrants.Select(one => new RegistrantRecord(
                one.Initiator, one.Target, one.TargetPort, one.Key.ToString("x16", CultureInfo.InvariantCulture),
                one.IsHolder, one.IsForAllTargetPorts)),
        ]);

    private Task<Survey<UnitView[]>> AskAsync(IReadOnlyList<ServedUnit> devices, int maxCommands) =>
        Survey<UnitView[]>.OfAsync(
            server, lane => [.. devices.Select(device => device.Unit.ViewOn(lane.Executor, maxCommands))]);

    private static IEnumerable<(string Unit, UnitView View)> Named(
        IReadOnlyList<ServedUnit> devices, Survey<UnitView[]> survey) =>
        devices.SelectMany((device, index) => survey.Told.Select(views => (device.Name, views[index])));

    private static CommandRecord Describe(string unit, UnitView view, CommandView command) => new(
        unit, command.Initiator, command.Target, command.Lun.ToString(), command.Tag, command.Name,
        command.Attribute.ToString(), command.State.ToString(), Milliseconds(command.AgeUs),
        Milliseconds(command.InStateUs), command.LogicalBlockAddress, command.LengthBytes, command.IsAborted,
        command.WaitsFor, view.Executor, Convert.ToHexStringLower(command.Cdb),
        [
            .. command.Stays.OrderBy(stay => stay.State == command.State)
                .Select(stay => new StayRecord(stay.State.ToString(), Milliseconds(stay.Us))),
        ]);

    private static IEnumerable<MoveRecord> Moves(UnitView view) => view.Moves.Select(move => new MoveRecord(
        view.Executor, Milliseconds(view.NowUs - move.AtUs), move.Tag, move.OperationCode, move.From.ToString(),
        move.To.ToString()));

    private static IEnumerable<HistoryRecord> Gate(UnitView view) =>
        view.GateHistory.Select(entry => new HistoryRecord(Milliseconds(view.NowUs - entry.AtUs), entry.What));

    private static ulong[] Sum(IEnumerable<IReadOnlyList<uint>> all)
    {
        ulong[] sum = [];
        foreach (IReadOnlyList<uint> counts in all)
        {
            if (sum.Length < counts.Count)
                Array.Resize(ref sum, counts.Count);
            for (int i = 0; i < counts.Count; i++)
                sum[i] += counts[i];
        }
        return sum;
    }

    private static double Milliseconds(long us) => us / 1000.0;
}
