using System.Globalization;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Core;
using Scstd.Scsi;
using Serilog;

namespace Scstd.Administration;

/// <summary>What an administrator changes while the daemon serves. Every one is logged: what a machine's disks do must
/// be found again afterwards.</summary>
internal sealed class Changes(Server server, string? configuration, ILogger log)
{
    /// <summary>One administrator freezes as good as another: who thaws takes it back for all.</summary>
    private const string Administrator = "administrator";

    private const int MostPatienceSeconds = 3600;

    /// <summary>Our choice: a session whose commands have ended is gone at once, or when its initiator has had the
    /// time for a last word (2 s, <c>IscsiLimits.LastWordTimeoutMs</c>) and did not take it; one whose store hangs may
    /// take as long as the store.</summary>
    private static readonly TimeSpan PatienceWithEnding = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>As for a <see cref="Survey{T}"/>.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<ControlAnswer> KickAsync(KickRequest request)
    {
        Bounded(request.PatienceSeconds);
        bool isNumber = ushort.TryParse(request.Session, NumberStyles.None, CultureInfo.InvariantCulture,
            out ushort tsih);
        HashSet<int> meant =
        [
            .. server.Registry.DescribeSessions()
                .Where(session => isNumber ? session.Tsih == tsih : string.Equals(
                    session.InitiatorName, request.Session, StringComparison.OrdinalIgnoreCase))
                .Select(session => (int)session.Tsih),
        ];
        int ended = isNumber ? await server.Registry.KickAsync(tsih, request.PatienceSeconds)
            : await server.Registry.KickAsync(request.Session, null, request.PatienceSeconds);
        if (ended == 0)
        {
            throw ControlRefusal.NotFound("session", request.Session,
                server.Registry.DescribeSessions().Select(session => session.InitiatorName).Distinct());
        }
        log.Information("Administrator: {Count} session(s) of {Session:l} are to end", ended, request.Session);
        int left = await LeftOfAsync(meant, TimeSpan.FromSeconds(request.PatienceSeconds) + PatienceWithEnding);
        return new KickAnswer(ended, left);
    }

    private async Task<int> LeftOfAsync(HashSet<int> sessions, TimeSpan patience)
    {
        long start = Environment.TickCount64;
        while (true)
        {
            int left = server.Registry.DescribeSessions().Count(session => sessions.Contains(session.Tsih));
            if (left == 0 || Environment.TickCount64 - start >= patience.TotalMilliseconds)
                return left;
            await Task.Delay(LookInterval);
        }
    }

    /// <summary>Waits until it is there, or has given up to go there.</summary>
    public async Task<ControlAnswer> MoveAsync(MoveRequest request)
    {
        int reactors = server.Registry.Reactors.Count;
        if (request.Reactor < 0 || request.Reactor >= reactors)
        {
            throw new ControlRefusal(ErrorCode.Malformed,
                $"reactor: expected a number from 0 to {reactors - 1}, found {request.Reactor}");
        }
        int? Where() => server.Registry.DescribeSessions()
            .FirstOrDefault(one => one.Tsih == request.Session)?.ReactorIndex;
        if (Where() is not { } here)
        {
            throw ControlRefusal.NotFound("session", $"{request.Session}",
                server.Registry.DescribeSessions().Select(session => $"{session.Tsih}"));
        }
        if (here != request.Reactor
            && !await InTime(server.Registry.MoveAsync((ushort)request.Session, request.Reactor)))
        {
            throw new ControlRefusal(ErrorCode.Refused,
                $"session {request.Session} is a discovery session, is to end, or is on its way already");
        }
        log.Information("Administrator: session {Session} is to go to reactor {Reactor}", request.Session,
            request.Reactor);
        for (long start = Environment.TickCount64; Where() != request.Reactor;)
        {
            if (Where() is not { } now)
                throw new ControlRefusal(ErrorCode.Refused, $"session {request.Session} has ended meanwhile");
            if (Environment.TickCount64 - start >= Patience.TotalMilliseconds)
                return new MoveAnswer(request.Session, now, HasMoved: false);
            await Task.Delay(LookInterval);
        }
        return new MoveAnswer(request.Session, request.Reactor, HasMoved: true);
    }

    public async Task<ControlAnswer> FreezeAsync(ServedUnit device, int patienceSeconds)
    {
        Bounded(patienceSeconds);
        var frozen = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        device.Unit.Freeze(Administrator, frozen.SetResult);
        log.Information("Administrator: unit {Unit:l} is to freeze", device.Name);
        await Task.WhenAny(frozen.Task, Task.Delay(TimeSpan.FromSeconds(patienceSeconds)));
        return await DescribeFreezeAsync(device);
    }

    public async Task<ControlAnswer> ThawAsync(ServedUnit device)
    {
        var thawed = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        device.Unit.Thaw(Administrator, thawed.SetResult);
        if (!await InTime(thawed.Task))
            throw new ControlRefusal(ErrorCode.Refused, $"unit {device.Name} was not frozen");
        log.Information("Administrator: unit {Unit:l} goes on", device.Name);
        return await DescribeFreezeAsync(device);
    }

    public async Task<ControlAnswer> ResizeAsync(ResizeRequest request, CancellationToken cancellation)
    {
        if (!Units.TryParseSize(request.Size, out long bytes) || bytes <= 0)
        {
            throw new ControlRefusal(ErrorCode.Malformed,
                $"size: expected more than nothing, such as 512MiB or 1.5TiB, found '{request.Size}'");
        }
        string size = Units.FormatSize(bytes);
        AgreementRecord? Look() => Agreement.Look(
            configuration,
            daemon => daemon.FindDevice(request.Unit),
            device => device.SizeBytes == bytes
                || (device.Blocks is { } blocks && (UInt128)blocks * (uint)device.BlockBytes == (ulong)bytes),
            device => device.Has("size") ? device.PositionOf("size") : null,
            size);
        if (request.Save)
            Savable(Look());
        ChangeOutcome outcome = await MakeAsync(
            daemon => daemon.WithSize(request.Unit, bytes)
                ?? throw ControlRefusal.NotFound("unit", request.Unit, daemon.Devices.Select(one => one.Name.Text)),
            request.PatienceSeconds, cancellation, request.Force);
        return Answer(outcome, Look());
    }

    public async Task<ControlAnswer> ReplaceAsync(ReplaceRequest request, CancellationToken cancellation)
    {
        AgreementRecord? Look() => Agreement.Look(
            configuration,
            daemon => daemon.FindLun(request.Target, request.Group, request.Lun),
            lun => lun.Device.Text == request.Unit,
            lun => lun.Device.Position,
            request.Unit);
        if (request.Save)
            Savable(Look());
        ChangeOutcome outcome = await MakeAsync(daemon =>
        {
            Known("target", request.Target, daemon.Targets.Select(target => target.Name.Text));
            Known("unit", request.Unit, daemon.Devices.Select(device => device.Name.Text));
            TargetSection target = daemon.Targets.First(one => one.Name.Text == request.Target);
            if (request.Group is { } group)
                Known("group", group, target.Groups.Select(one => one.Name.Text));
            return Checked(daemon.WithLun(request.Target, request.Group, request.Lun, request.Unit)
                ?? throw new ControlRefusal(ErrorCode.NotFound, $"{request.Target} has no LUN {request.Lun} "
                    + (request.Group is { } of ? $"for group {of}" : "for those who belong to no group")));
        }, request.PatienceSeconds, cancellation);
        return Answer(outcome, Look());
    }

    /// <summary>What cannot be written is known before anything is changed.</summary>
    private void Savable(AgreementRecord? look)
    {
        if (look is null)
            throw new ControlRefusal(ErrorCode.Refused, "there is no configuration file to save it in");
        if (look is { Agrees: false, Edit: null })
        {
            throw new ControlRefusal(ErrorCode.Refused, $"{look.File} cannot be changed by --save, and nothing was "
                + $"changed: {look.Why}");
        }
    }

    /// <summary>A reload of a file that says the same would be refused with the same words.</summary>
    private DaemonSection Checked(DaemonSection next)
    {
        IReadOnlyList<Problem> problems = ConfigurationChecks.OfLuns(next, new Surroundings(
            configuration ?? Demonstration.DataFolder, credentials: null, onlineCpuList: null));
        return problems.Count == 0 ? next : throw new ControlRefusal(ErrorCode.Refused, string.Join("; ",
            problems.Select(problem => configuration is null ? problem.Message
                : $"{configuration}:{problem.Position}: {problem.Message}")));
    }

    public async Task<ControlAnswer> SetPortGroupAsync(SetPortGroupRequest request, CancellationToken cancellation)
    {
        AsymmetricAccessState state = PortGroupSection.StateOf(request.State)
            ?? throw ControlRefusal.NotFound("state", request.State, PortGroupSection.StateWords);
        AgreementRecord? Look() => Agreement.Look(
            configuration,
            daemon => daemon.FindPortGroup(request.Name),
            group => group.State == state,
            group => group.Has("state") ? group.PositionOf("state") : null,
            PortGroupSection.WordOf(state));
        if (request.Save)
            Savable(Look());
        ChangeOutcome outcome = await MakeAsync(daemon =>
        {
            Known("port group", request.Name, daemon.PortGroups.Select(group => group.Name.Text));
            return daemon.WithPortGroups(group => group.Name.Text == request.Name ? state : null);
        }, request.PatienceSeconds, cancellation);
        return Answer(outcome, Look());
    }

    public static async Task<FreezeReport> ReportAsync(ServedUnit device)
    {
        var told = new TaskCompletionSource<FreezeReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        device.Unit.DescribeFreeze(told.SetResult);
        return await InTime(told.Task);
    }

    private static async Task<ControlAnswer> DescribeFreezeAsync(ServedUnit device)
    {
        FreezeReport report = await ReportAsync(device);
        return new FreezeAnswer(
            device.Name, report.State.ToString(), report.Reasons, report.HeldCommands, report.WaitsFor);
    }

    private async Task<ChangeOutcome> MakeAsync(
        Func<DaemonSection, DaemonSection> next, int patienceSeconds, CancellationToken cancellation,
        bool mayShrink = false)
    {
        Bounded(patienceSeconds);
        try
        {
            ChangeOutcome outcome =
                await server.ChangeAsync(next, TimeSpan.FromSeconds(patienceSeconds), cancellation, mayShrink);
            foreach (string change in outcome.Changes)
                log.Information("Administrator: {Change:l}", change);
            return outcome;
        }
        catch (ChangeRefusedException refusal)
        {
            log.Warning("Administrator: nothing was changed: {Why:l}", refusal.Message);
            throw new ControlRefusal(ErrorCode.Refused, refusal.Message);
        }
    }

    private static ChangeAnswer Answer(ChangeOutcome outcome, AgreementRecord? configuration) =>
        new(outcome.Changes, outcome.SessionsChanged, outcome.SessionsEnded, configuration);

    private static async Task<T> InTime<T>(Task<T> task)
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new ControlRefusal(ErrorCode.TimedOut, "a reactor did not answer in time");
        }
    }

    internal static void Bounded(int patienceSeconds)
    {
        if (patienceSeconds is < 0 or > MostPatienceSeconds)
        {
            throw new ControlRefusal(ErrorCode.Malformed,
                $"patienceSeconds: expected 0 to {MostPatienceSeconds}, found {patienceSeconds}");
        }
    }

    private static void Known(string what, string name, IEnumerable<string> known)
    {
        string[] all = [.. known];
        if (!all.Contains(name))
            throw ControlRefusal.NotFound(what, name, all);
    }
}
