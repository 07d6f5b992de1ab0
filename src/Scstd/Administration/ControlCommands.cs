using System.Diagnostics;
using Scstd.Backends.Changer;
using Scstd.Backends.Disk;
using Scstd.Backends.Tape;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Core;
using Scstd.Frontends.Iscsi;
using Scstd.Hosting;
using Serilog;

namespace Scstd.Administration;

/// <summary>What the daemon answers on its control socket.</summary>
/// <param name="server">What it is asked about.</param>
/// <param name="configuration">The file that it serves; null: the demonstration.</param>
/// <param name="reloader">Puts that file in force.</param>
/// <param name="log">Where changes are told.</param>
internal sealed class ControlCommands(Server server, string? configuration, Reloader? reloader, ILogger log)
{
    private readonly UnitCommands _commands = new(server);
    private readonly SessionCommands _sessions = new(server);
    private readonly Changes _changes = new(server, configuration, log);
    private readonly LibraryCommands _libraries = new(server, log);
    private readonly FaultBook _faults = new(server, log);

    public Task<ControlAnswer> AnswerAsync(ControlRequest request, CancellationToken cancellation) => request switch
    {
        StatusRequest => StatusAsync(),
        SessionsRequest sessions => SessionsAsync(sessions),
        UnitsRequest units => UnitsAsync(units),
        ReservationsRequest one => _commands.ReservationsAsync(Selected(one.Unit)),
        CommandsRequest one => _commands.CommandsAsync(SelectedOrLeaving(one.Unit)),
        HistogramsRequest { Session: { } session, Unit: null } => _sessions.HistogramsAsync(session),
        HistogramsRequest { Session: not null } or HistoryRequest { Unit: not null, Session: not null }
            or HistoryRequest { Unit: not null, Ended: true } => throw new ControlRefusal(
                ErrorCode.Malformed, "expected a unit or sessions, found both"),
        HistogramsRequest one => _commands.HistogramsAsync(Selected(one.Unit)),
        HistoryRequest { Session: null, Ended: not true } one => _commands.HistoryAsync(Selected(one.Unit)),
        HistoryRequest one => _sessions.HistoryAsync(one.Session, one.Ended == true),
        KickRequest kick => _changes.KickAsync(kick),
        MoveRequest move => _changes.MoveAsync(move),
        LibraryRequest library => Task.FromResult<ControlAnswer>(_libraries.Describe(library)),
        MoveCartridgeRequest move => _libraries.MoveAsync(move),
        ImportCartridgeRequest import => _libraries.ImportAsync(import),
        ExportCartridgeRequest export => _libraries.ExportAsync(export),
        CreateCartridgeRequest create => _libraries.CreateAsync(create),
        FreezeRequest freeze => _changes.FreezeAsync(Selected(freeze.Unit)[0], freeze.PatienceSeconds),
        ThawRequest thaw => _changes.ThawAsync(Selected(thaw.Unit)[0]),
        ResizeRequest resize => _changes.ResizeAsync(resize, cancellation),
        ReplaceRequest replace => _changes.ReplaceAsync(replace, cancellation),
        PortGroupsRequest => Task.FromResult<ControlAnswer>(PortGroups()),
        SetPortGroupRequest set => _changes.SetPortGroupAsync(set, cancellation),
        FaultsRequest one => _faults.DescribeAsync(Selected(one.Unit)),
        AddFaultRequest add => _faults.AddAsync(Selected(add.Unit == "*" ? null : add.Unit), add),
        ClearFaultsRequest clear => _faults.ClearAsync(Selected(clear.Unit), clear.Id),
        CheckRequest => Task.FromResult<ControlAnswer>(Check()),
        ReloadRequest reload => ReloadAsync(reload, cancellation),
        _ => throw new UnreachableException($"{request.GetType().Name} is no request of ours"),
    };

    private async Task<ControlAnswer> StatusAsync()
    {
        Survey<(ReactorRecord Reactor, IReadOnlyList<CommandLimitUse> Limits)> survey =
            await Survey<(ReactorRecord, IReadOnlyList<CommandLimitUse>)>.OfAsync(
                server, lane => (Describe(lane), CommandLimits.OfTargets(server, lane)));
        return new StatusAnswer(
            ProgramVersion.Text,
            Environment.ProcessId,
            Math.Round((DateTime.Now - Process.GetCurrentProcess().StartTime).TotalSeconds, 3),
            configuration,
            server.Daemon.Targets.Count,
            server.Daemon.Devices.Count,
            server.SessionCount,
            CounterReport.OpenFileDescriptors(),
            new BufferBytesRecord(
                (long)server.Arena.Taken * BufferPool.SlabBytes, (long)server.Arena.Capacity * BufferPool.SlabBytes),
            [.. server.Registry.Portals.Select(Describe)],
            [.. survey.Told.Select(told => told.Reactor)],
            [
                .. CommandLimits.Sum(survey.Told.SelectMany(told => told.Limits))
                    .Select(use => new TargetLimitRecord(use.Name, Describe(use))),
            ])
        {
            SilentReactors = survey.Silent,
        };
    }

    private async Task<ControlAnswer> SessionsAsync(SessionsRequest request)
    {
        if (request.Target is { } target)
            Known("target", target, server.Daemon.Targets.Select(one => one.Name.Text));
        IReadOnlyList<SessionInfo> all = server.Registry.DescribeSessions();
        if (request.Initiator is { } initiator)
            Known("session of initiator", initiator, all.Select(one => one.InitiatorName));
        (Dictionary<int, SessionSnapshot> now, IReadOnlyList<int>? silent) = await MomentsAsync();
        return new SessionsAnswer(
        [
            .. all.Where(one => (request.Target ?? one.TargetName) == one.TargetName
                    && (request.Initiator ?? one.InitiatorName) == one.InitiatorName)
                .OrderBy(one => one.TargetName, StringComparer.Ordinal)
                .ThenBy(one => one.InitiatorName, StringComparer.Ordinal).ThenBy(one => one.Tsih)
                .Select(one => Describe(one, now.GetValueOrDefault(one.Tsih))),
        ])
        {
            SilentReactors = silent,
        };
    }

    /// <summary>What only the sessions' own reactors know; nothing, if one of them does not answer.</summary>
    private async Task<(Dictionary<int, SessionSnapshot> Now, IReadOnlyList<int>? Silent)> MomentsAsync()
    {
        Survey<int> survey = await Survey<int>.OfAsync(server, lane => lane.Reactor.Index);
        if (survey.Silent is { } silent)
            return ([], silent);
        IReadOnlyList<SessionSnapshot> all = await server.Registry.DescribeSessionsAsync();
        return (all.ToDictionary(one => (int)one.Tsih), null);
    }

    private async Task<ControlAnswer> UnitsAsync(UnitsRequest request)
    {
        IReadOnlyList<ServedUnit> devices = SelectedOrLeaving(request.Unit);
        Survey<(Inside[] Units, IReadOnlyList<CommandLimitUse> Limits)> survey =
            await Survey<(Inside[], IReadOnlyList<CommandLimitUse>)>.OfAsync(server, lane =>
                ([.. devices.Select(device => View(device, lane))], CommandLimits.OfUnits(server, lane)));
        Dictionary<string, CommandLimitUse> limits =
            CommandLimits.Sum(survey.Told.SelectMany(told => told.Limits)).ToDictionary(use => use.Name);
        FreezeState[] freezing = survey.Silent is null
            ? await Task.WhenAll(devices.Select(async device => (await Changes.ReportAsync(device)).State))
            : new FreezeState[devices.Count];
        ILookup<string, LunRecord> luns = LunsOfUnits();
        return new UnitsAnswer(
        [
            .. devices.Select((device, index) =>
                Describe(device, [.. survey.Told.Select(told => told.Units[index])], freezing[index], luns) with
                {
                    Limit = limits.TryGetValue(device.Name, out CommandLimitUse use) ? Describe(use) : null,
                }),
        ])
        {
            SilentReactors = survey.Silent,
        };
    }

    private PortGroupsAnswer PortGroups()
    {
        IReadOnlyList<SessionInfo> sessions = server.Registry.DescribeSessions();
        return new PortGroupsAnswer(
        [
            .. server.Daemon.PortGroups.Select(group =>
            {
                (string Target, ushort Tag)[] ports = [.. group.PortsIn(server.Daemon)];
                return new PortGroupRecord(
                    group.Name.Text, group.Id, PortGroupSection.WordOf(group.State), group.IsPreferred,
                    group.IsExplicit, [.. ports.Select(port => new TargetPortRecord(port.Target, port.Tag))],
                    [.. server.Daemon.Devices.Select(device => device.Name.Text).Where(group.Concerns)],
                    sessions.Count(one => ports.Contains((one.TargetName ?? "", one.PortalGroupTag))));
            }),
        ]);
    }

    /// <summary>The file as it is now; what is served stays as it is.</summary>
    private CheckAnswer Check()
    {
        ConfigurationFile file = ConfigurationFile.Read(configuration ?? throw NoFile());
        var answer = new CheckAnswer(file.Path, file.IsRight, [.. file.Problems.Select(Reloader.Describe)],
            [.. file.Warnings.Select(Reloader.Describe)]);
        if (!file.IsRight)
            return answer;
        ChangePreview preview = server.Preview(file.Daemon);
        return answer with
        {
            Changes = preview.Difference.Changes,
            AtNextStart = preview.Difference.AtNextStart,
            Reasons = preview.Difference.Refusals,
            SessionsChanged = preview.SessionsChanged,
            SessionsEnded = preview.SessionsEnded,
        };
    }

    private async Task<ControlAnswer> ReloadAsync(ReloadRequest request, CancellationToken cancellation)
    {
        Changes.Bounded(request.PatienceSeconds);
        return await (reloader ?? throw NoFile()).ReloadAsync(
            TimeSpan.FromSeconds(request.PatienceSeconds), cancellation, request.Force);
    }

    private static ControlRefusal NoFile() =>
        new(ErrorCode.Refused, "the demonstration is served, from no configuration file");

    private IReadOnlyList<ServedUnit> Selected(string? unit)
    {
        IReadOnlyList<ServedUnit> all = server.ServedUnits;
        if (unit is null)
            return all;
        Known("unit", unit, all.Select(one => one.Name));
        return [.. all.Where(one => one.Name == unit)];
    }

    /// <summary>One that was taken away is there until its last command has ended.</summary>
    private IReadOnlyList<ServedUnit> SelectedOrLeaving(string? unit)
    {
        IReadOnlyList<ServedDevice> leaving = server.LeavingDevices;
        if (unit is null)
            return [.. server.ServedUnits, .. leaving];
        return leaving.FirstOrDefault(device => device.Name == unit) is { } one ? [one] : Selected(unit);
    }

    private static void Known(string what, string name, IEnumerable<string> known)
    {
        string[] all = [.. known];
        if (!all.Contains(name))
            throw ControlRefusal.NotFound(what, name, all);
    }

    // ---- From the rooms' words to the wire's -----------------------------------------------------------------------

    private static ReactorRecord Describe(Lane lane)
    {
        IscsiCounters counters = lane.Iscsi.Counters;
        return new ReactorRecord(
            lane.Reactor.Index, lane.Reactor.Kind, lane.Iscsi.ConnectionCount, counters.Commands,
            counters.DataInBytes, counters.DataOutBytes, lane.Reactor.Passes, lane.Reactor.Sleeps,
            lane.Reactor.SystemCalls, lane.Executor.Buffers.BytesOut, counters.LoginFailures,
            counters.ProtocolFaults, counters.Rejects, counters.DigestErrors);
    }

    private static CommandLimitRecord Describe(CommandLimitUse use) =>
        new(use.Most, use.View.InUse, use.View.Refused);

    private static PortalRecord Describe(IscsiPortal portal) => new(
        portal.EndPoint.ToString(), portal.Options.Tag, portal.ConnectionCount, portal.AcceptedCount,
        portal.TurnedAwayCount, portal.LoginFailureCount);

    private static SessionRecord Describe(SessionInfo session, SessionSnapshot? now) => new(
        session.Tsih, session.TargetName, session.InitiatorName, session.InitiatorAlias, session.Isid,
        session.PortalGroupTag, session.Peer.ToString(), session.ReactorIndex,
        session.Parameters.HeaderDigest.ToString(), session.Parameters.DataDigest.ToString(),
        session.Parameters.MaxBurstLength, session.Counters.Commands, session.Counters.DataInBytes,
        session.Counters.DataOutBytes, session.Counters.Rejects, now is null ? null : Describe(now));

    private static SessionMomentRecord Describe(SessionSnapshot now) => new(
        now.State, now.AgeMs / 1000.0, now.Group, now.CommandsInFlight, now.QueueDepth,
        [
            .. now.Luns.Select(lun => new SessionLunRecord(
                lun.Number, lun.UnitName, lun.IsReadOnly, lun.CommandsInFlight, lun.UnitAttentions)),
        ],
        now.TimesEnabled);

    /// <summary>A unit as one reactor sees it; the gate's holder is known at its home alone.</summary>
    private static Inside View(ServedUnit device, Lane lane) => new(
        device.Unit.AdmittedOn(lane.Executor),
        ReferenceEquals(device.Unit.Home, lane.Executor) ? device.Unit.GateHolder : null,
        ReferenceEquals(device.Unit.Home, lane.Executor) && device.Unit.WaitsToChange,
        device.Unit.RegulatorOn(lane.Executor), (device.Backend as DiskBackend)?.FailuresOn(lane.Reactor) ?? 0,
        device.Unit.TotalsOn(lane.Executor));

    private UnitRecord Describe(
        ServedUnit device, Inside[] views, FreezeState freezing, ILookup<string, LunRecord> luns)
    {
        LogicalUnitIdentity identity = device.Backend.Identity;
        DiskBackend? disk = device.Backend as DiskBackend;
        return new UnitRecord(
            device.Name, StoreOf(device.Backend), disk?.BlockCount ?? 0,
            device.Backend.BlockLengthBytes, identity.SerialNumber, Convert.ToHexStringLower(identity.Naa),
            server.LeavingDevices.Any(one => ReferenceEquals(one.Unit, device.Unit)) ? "removed, draining"
                : views.Any(view => view.WaitsToChange) ? "draining"
                : freezing != FreezeState.Open ? freezing.ToString().ToLowerInvariant()
                : device.Backend.NotReady is { } why ? $"not ready ({why.Additional})" : "ready",
            device.Unit.IsWriteProtected, device.Unit.Home.Index, views.Sum(view => view.Admitted),
            views.Select(view => view.GateHolder).FirstOrDefault(holder => holder is not null),
            [.. luns[device.Name]],
            Sum([.. views.Select(view => view.Totals)]),
            Space: disk?.Thin is { } thin ? Describe(thin) : null)
        {
            Speed = SpeedOf([.. views.Select(view => view.Regulator)]),
            StoreFailures = views.Aggregate(0ul, (sum, view) => sum + view.Failures),
        };
    }

    /// <summary>What keeps its data, in words.</summary>
    private static string StoreOf(IBackend backend) => backend switch
    {
        DiskBackend disk => disk.Store.Description,
        TapeBackend drive => drive.Barcode is { } barcode
            ? $"{drive.Personality.Name} drive, cartridge {barcode}" : $"{drive.Personality.Name} drive, empty",
        ChangerBackend => "medium changer",
        _ => backend.DeviceType.ToString(),
    };

    private static UnitSpeedRecord SpeedOf(RegulatorView[] all)
    {
        RegulatorView[] slow = [.. all.Where(one => one.Limit is not null)];
        bool isSlow = slow.Length > 0;
        return new UnitSpeedRecord(
            isSlow, isSlow ? slow.Sum(one => one.Limit) : null,
            isSlow ? Math.Round(slow.Max(one => one.ExpectedUs) / 1000.0, 3) : null,
            isSlow ? Math.Round(slow.Sum(one => one.RatePerSecond), 3) : null,
            all.Sum(one => one.Waiting), all.Aggregate(0ul, (sum, one) => sum + one.TurnedAway));
    }

    private static UnitSpaceRecord Describe(ThinProvisioning thin)
    {
        StoreSpace space = thin.Space;
        return new UnitSpaceRecord(
            space.UsedBytes, space.AvailableBytes, space.TotalBytes, thin.LeftThresholdBytes, thin.IsShort);
    }

    private static UnitTotalsRecord? Sum(UnitTotals[] all) => all.Length == 0 ? null : new UnitTotalsRecord(
        all.Aggregate(0ul, (sum, one) => sum + one.Commands),
        all.Aggregate(0ul, (sum, one) => sum + one.DataInBytes),
        all.Aggregate(0ul, (sum, one) => sum + one.DataOutBytes),
        [.. all[0].TimesEnabled.Select((_, i) => all.Aggregate(0ul, (sum, one) => sum + one.TimesEnabled[i]))]);

    /// <summary>Of each unit, which LUNs lead there: worked out once for all, for there may be thousands.</summary>
    private ILookup<string, LunRecord> LunsOfUnits()
    {
        var luns = new List<(string Unit, LunRecord Lun)>();
        foreach (TargetSection target in server.Daemon.Targets)
        {
            Add(target.Luns, null);
            foreach (GroupSection group in target.Groups)
                Add(group.Luns, group.Name.Text);

            void Add(IReadOnlyList<LunSection> map, string? group) => luns.AddRange(map.Select(lun =>
                (lun.Device.Text, new LunRecord(target.Name.Text, group, lun.Number))));
        }
        return luns.ToLookup(one => one.Unit, one => one.Lun);
    }

    private readonly record struct Inside(
        int Admitted, string? GateHolder, bool WaitsToChange, RegulatorView Regulator, ulong Failures,
        UnitTotals Totals);
}
