using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Enumeration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Core;
using Scstd.Scsi;
using Serilog;

namespace Scstd.Administration;

/// <summary>The faults that administrators have injected. They are no part of the configuration and end with the daemon
/// or their unit.</summary>
internal sealed class FaultBook(Server server, ILogger log)
{
    // Our choice: longer than any initiator waits.
    private const int MostDelayMs = 24 * 3600 * 1000;

    // Our choice: a test of hosts needs a few.
    private const int MostFaults = 64;

    private static readonly ScsiStatus[] Answers =
        [ScsiStatus.Busy, ScsiStatus.TaskSetFull, ScsiStatus.ReservationConflict, ScsiStatus.CheckCondition];

    private readonly SemaphoreSlim _turn = new(1);
    private Dictionary<LogicalUnit, List<InjectedFault>> _faults = [];
    private readonly ConcurrentDictionary<int, AddFaultRequest> _aims = new();
    private int _lastId;

    public async Task<ControlAnswer> AddAsync(IReadOnlyList<ServedUnit> devices, AddFaultRequest request)
    {
        InjectedFault fault = Read(request);
        await _turn.WaitAsync();
        try
        {
            Forget();
            if (_faults.Values.Sum(list => list.Count) + devices.Count > MostFaults)
                throw Refused($"there would be more than {MostFaults} faults");
            foreach (ServedUnit device in devices)
            {
                InjectedFault own = fault with { Id = ++_lastId };
                _aims[own.Id] = request;
                await SetAsync(device, [.. _faults.GetValueOrDefault(device.Unit, []), own]);
                log.Warning("Administrator: fault {Id} is injected into unit {Unit:l}: {Fault:l}", own.Id, device.Name,
                    WordsOf(own));
            }
            return await DescribeAsync(devices);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<ControlAnswer> ClearAsync(IReadOnlyList<ServedUnit> devices, int? id)
    {
        await _turn.WaitAsync();
        try
        {
            Forget();
            int cleared = 0;
            foreach (ServedUnit device in devices)
            {
                if (!_faults.TryGetValue(device.Unit, out List<InjectedFault>? list))
                    continue;
                List<InjectedFault> kept = [.. list.Where(fault => id is { } one && fault.Id != one)];
                cleared += list.Count - kept.Count;
                if (kept.Count < list.Count)
                    await SetAsync(device, kept);
                foreach (InjectedFault gone in list.Except(kept))
                {
                    _aims.TryRemove(gone.Id, out _);
                    log.Warning("Administrator: fault {Id} of unit {Unit:l} is cleared: {Fault:l}", gone.Id,
                        device.Name, WordsOf(gone));
                }
            }
            if (id is { } wanted && cleared == 0)
                throw new ControlRefusal(ErrorCode.NotFound, $"there is no fault {wanted}");
            return await DescribeAsync(devices);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<ControlAnswer> DescribeAsync(IReadOnlyList<ServedUnit> devices)
    {
        Survey<UnitView[]> survey = await Survey<UnitView[]>.OfAsync(
            server, lane => [.. devices.Select(device => device.Unit.ViewOn(lane.Executor, 0))]);
        var all = devices.SelectMany((device, index) => survey.Told.SelectMany(views => views[index].Faults)
            .GroupBy(view => view.Fault.Id)
            .Select(views => Describe(device.Name, [.. views], _aims.GetValueOrDefault(views.Key))));
        return new FaultsAnswer([.. all.OrderBy(fault => fault.Id)]) { SilentReactors = survey.Silent };
    }

    private async Task SetAsync(ServedUnit device, List<InjectedFault> faults)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        device.Unit.SetFaults(faults, done.SetResult);
        _faults[device.Unit] = faults;
        try
        {
            await done.Task.WaitAsync(TimeSpan.FromSeconds(2)); // As for a survey.
        }
        catch (TimeoutException)
        {
            throw new ControlRefusal(ErrorCode.TimedOut, "a reactor has not taken it in yet");
        }
    }

    /// <summary>Units that are served no more.</summary>
    private void Forget()
    {
        HashSet<LogicalUnit> served = [.. server.ServedUnits.Select(device => device.Unit)];
        foreach (InjectedFault gone in _faults.Where(row => !served.Contains(row.Key)).SelectMany(row => row.Value))
            _aims.TryRemove(gone.Id, out _);
        _faults = _faults.Where(row => served.Contains(row.Key)).ToDictionary();
    }

    // ---- From the wire ---------------------------------------------------------------------------------------------

    private InjectedFault Read(AddFaultRequest request)
    {
        if (!Enum.TryParse(request.Effect, ignoreCase: true, out FaultEffect effect) || !Enum.IsDefined(effect))
            throw ControlRefusal.NotFound("effect", request.Effect, Enum.GetNames<FaultEffect>());
        ScsiStatus status = StatusOf(request.Status);
        if (request.DelayMs is < 0 or > MostDelayMs)
            throw Malformed($"delayMs: expected 0 to {MostDelayMs}, found {request.DelayMs}");
        if (effect is FaultEffect.DelayCommand or FaultEffect.DelayFunction or FaultEffect.SlowStore
            && request.DelayMs == 0)
        {
            throw Malformed($"{effect} needs delayMs");
        }
        if (request.Parallel is < 0 or > 1024)
            throw Malformed($"parallel: expected 0 to 1024, found {request.Parallel}");
        if (request.Count is < 1)
            throw Malformed($"count: expected 1 or more, found {request.Count}");
        if (request.Probability is not (> 0 and <= 1))
            throw Malformed($"probability: expected more than 0 and at most 1, found {request.Probability}");
        if (request.Sense is not null != (status == ScsiStatus.CheckCondition))
            throw Malformed("sense and the status CheckCondition belong together");
        return new InjectedFault
        {
            Id = 0,
            Effect = effect,
            Initiators = Words(request),
            AppliesTo = AppliesTo(request),
            DataOnly = request.DataOnly,
            DelayMs = request.DelayMs,
            Parallel = request.Parallel,
            Status = status,
            Sense = request.Sense is { } sense ? SenseOf(sense) : default,
            Count = request.Count,
            Probability = request.Probability,
            Lun = request.Lun,
            Direction = DirectionOf(request.Direction),
            Blocks = BlocksOf(request),
        };
    }

    private static ScsiStatus StatusOf(string? name)
    {
        if (name is null)
            return ScsiStatus.Busy;
        foreach (ScsiStatus status in Answers)
        {
            if (string.Equals(status.ToString(), name, StringComparison.OrdinalIgnoreCase))
                return status;
        }
        throw ControlRefusal.NotFound("status", name, Answers.Select(status => status.ToString()));
    }

    private static DataDirection? DirectionOf(string? word) => word?.ToLowerInvariant() switch
    {
        null => null,
        "in" => DataDirection.In,
        "out" => DataDirection.Out,
        _ => throw ControlRefusal.NotFound("direction", word, ["in", "out"]),
    };

    private static (ulong First, ulong Last)? BlocksOf(AddFaultRequest request)
    {
        if (request.FirstLba is null && request.LastLba is null)
            return null;
        (ulong first, ulong last) = (request.FirstLba ?? 0, request.LastLba ?? ulong.MaxValue);
        return first <= last ? (first, last)
            : throw Malformed($"firstLba: expected no more than lastLba {last}, found {first}");
    }

    private static SenseData SenseOf(string text)
    {
        string[] parts = text.Split('/');
        byte[] bytes = [.. parts.Select(part =>
            byte.TryParse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte value) ? value
                : throw Malformed($"sense: expected three hexadecimal numbers such as 3/11/00, found '{text}'"))];
        return bytes.Length == 3 && bytes[0] <= 0x0F
            ? new SenseData((SenseKey)bytes[0], new AdditionalSense(bytes[1], bytes[2]))
            : throw Malformed($"sense: expected three hexadecimal numbers such as 3/11/00, found '{text}'");
    }

    private static string? Words(AddFaultRequest request)
    {
        string[] words = [.. new[] { request.Initiator, request.Target, request.Group }.OfType<string>()];
        return words.Length == 0 ? null : string.Join(", ", words);
    }

    /// <summary>Whom it concerns, as the configuration is now.</summary>
    private Func<ItNexus, bool>? AppliesTo(AddFaultRequest request)
    {
        if (request.Initiator is null && request.Target is null && request.Group is null)
            return null;
        IReadOnlyList<GroupSection>? groups = null;
        if (request.Target is { } name)
        {
            TargetSection target = server.Daemon.Targets.FirstOrDefault(one => one.Name.Text == name)
                ?? throw ControlRefusal.NotFound("target", name, server.Daemon.Targets.Select(one => one.Name.Text));
            groups = target.Groups;
        }
        if (request.Group is { } group)
        {
            if (groups is null)
                throw Malformed("a group needs its target");
            if (!groups.Any(one => one.Name.Text == group))
                throw ControlRefusal.NotFound("group", group, groups.Select(one => one.Name.Text));
        }
        return nexus =>
        {
            string initiator = nexus.InitiatorPort.Split(',')[0];
            return (request.Target is null || nexus.Target.DeviceName == request.Target)
                && (request.Initiator is null || Matches(request.Initiator, initiator))
                && (request.Group is null || groups!.FirstOrDefault(one => Has(one, initiator))?.Name.Text
                    == request.Group);
        };
    }

    /// <summary>The first pattern that matches decides; '!' in front excludes.</summary>
    private static bool Has(GroupSection group, string initiator)
    {
        string? first = group.Initiators.FirstOrDefault(pattern => Matches(pattern.TrimStart('!'), initiator));
        return first is not null && !first.StartsWith('!');
    }

    private static bool Matches(string pattern, string initiator) =>
        FileSystemName.MatchesSimpleExpression(pattern, initiator, ignoreCase: true);

    /// <summary>For the log: what it does, to whom, how often.</summary>
    private static string WordsOf(InjectedFault fault) => string.Join(", ", new[]
    {
        fault.Effect.ToString(),
        fault.DelayMs > 0 ? $"{fault.DelayMs} ms" : null,
        fault.Parallel > 0 ? $"{fault.Parallel} at a time" : null,
        fault.Effect == FaultEffect.AnswerCommand ? AnswerOf(fault) : null,
        fault.Initiators is { } whom ? $"for {whom}" : null,
        fault.DataOnly ? "data only" : null,
        fault.Direction is { } direction ? $"data {direction.ToString().ToLowerInvariant()}" : null,
        fault.Lun is { } lun ? $"LUN {lun}" : null,
        fault.Blocks is { } blocks ? $"blocks {blocks.First} to {blocks.Last}" : null,
        fault.Count is { } count ? $"{count} time(s)" : null,
        fault.Probability < 1 ? string.Create(CultureInfo.InvariantCulture, $"{fault.Probability} of them") : null,
    }.OfType<string>());

    private static string AnswerOf(InjectedFault fault) => fault.Status != ScsiStatus.CheckCondition
        ? fault.Status.ToString()
        : $"{(int)fault.Sense.Key:X}/{fault.Sense.Additional.Code:X2}/{fault.Sense.Additional.Qualifier:X2}";

    private static FaultRecord Describe(string unit, FaultView[] views, AddFaultRequest? aim)
    {
        InjectedFault fault = views[0].Fault;
        bool answers = fault.Effect == FaultEffect.AnswerCommand;
        return new FaultRecord(
            fault.Id, unit, fault.Effect.ToString(), fault.Initiators, fault.DataOnly, fault.DelayMs,
            answers ? fault.Status.ToString() : null,
            answers && fault.Status == ScsiStatus.CheckCondition
                ? AnswerOf(fault) : null,
            fault.Probability, views.Aggregate(0ul, (sum, view) => sum + view.Met), views.Sum(view => view.Holding),
            views.Select(view => view.Remaining).FirstOrDefault(remaining => remaining is not null))
        {
            Initiator = aim?.Initiator,
            Target = aim?.Target,
            Group = aim?.Group,
            Lun = fault.Lun,
            Direction = fault.Direction?.ToString().ToLowerInvariant(),
            FirstLba = fault.Blocks?.First,
            LastLba = fault.Blocks?.Last,
            Parallel = fault.Parallel,
        };
    }

    private static ControlRefusal Malformed(string message) => new(ErrorCode.Malformed, message);

    private static ControlRefusal Refused(string message) => new(ErrorCode.Refused, message);
}
