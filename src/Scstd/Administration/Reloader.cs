using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Serilog;

namespace Scstd.Administration;

/// <summary>Reads the configuration anew and puts it in force, all or nothing, one reload after the other.</summary>
/// <param name="server">What serves.</param>
/// <param name="path">The file.</param>
/// <param name="log">Where it is told what came of it.</param>
/// <param name="notices">Whom it is told that a reload begins and ends.</param>
/// <param name="applied">What else goes by the configuration follows it.</param>
internal sealed class Reloader(
    Server server, string path, ILogger log, IReloadNotices? notices, Action<DaemonSection> applied)
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="patience">How long stores may be waited for; null: <see cref="Server.UsualPatience"/>.</param>
    /// <param name="cancellation">Whoever asked is gone: what has not begun is left.</param>
    /// <param name="mayShrink">Devices in use may become smaller.</param>
    public async Task<ReloadAnswer> ReloadAsync(
        TimeSpan? patience = null, CancellationToken cancellation = default, bool mayShrink = false)
    {
        await _turn.WaitAsync(cancellation);
        notices?.Reloading();
        string came = "failed";
        try
        {
            // A file system may make the thread wait, and a name service too.
            ConfigurationFile file = await Task.Run(() => ConfigurationFile.Read(path));
            ReloadAnswer answer =
                file.IsRight ? await ApplyAsync(file, patience, mayShrink, cancellation) : Wrong(file);
            Tell(answer, file);
            came = answer.IsApplied ? $"{answer.Changes.Count} change(s)"
                : $"nothing was changed: {answer.Reasons[0]}";
            return answer;
        }
        finally
        {
            notices?.Reloaded(came);
            _turn.Release();
        }
    }

    private static ReloadAnswer Wrong(ConfigurationFile file) => Nothing(file) with
    {
        Problems = [.. file.Problems.Select(Describe)],
        Reasons = [$"{file.Problems.Count} problem(s) in {file.Path}"],
    };

    private async Task<ReloadAnswer> ApplyAsync(
        ConfigurationFile file, TimeSpan? patience, bool mayShrink, CancellationToken cancellation)
    {
        try
        {
            ChangeOutcome outcome = await server.ChangeAsync(_ => file.Daemon, patience, cancellation, mayShrink);
            applied(file.Daemon);
            return Nothing(file) with
            {
                IsApplied = true,
                Changes = outcome.Changes,
                AtNextStart = outcome.AtNextStart,
                SessionsChanged = outcome.SessionsChanged,
                SessionsEnded = outcome.SessionsEnded,
                UnitsLeaving = outcome.Leaving,
            };
        }
        catch (ChangeRefusedException refusal)
        {
            return Nothing(file) with { Reasons = refusal.Reasons };
        }
    }

    private void Tell(ReloadAnswer answer, ConfigurationFile file)
    {
        foreach (string line in file.Report())
            log.Error("{Problem:l}", line);
        foreach (string line in file.ReportWarnings())
            log.Warning("{Warning:l}", line);
        foreach (string reason in answer.Reasons)
            log.Error("Reload: nothing was changed: {Why:l}", reason);
        foreach (string change in answer.Changes.Concat(answer.AtNextStart))
            log.Information("Reload: {Change:l}", change);
        if (answer.IsApplied)
        {
            log.Information("Reload: done, {Count} change(s); {Changed} session(s) see other LUNs, {Ended} ended",
                answer.Changes.Count, answer.SessionsChanged, answer.SessionsEnded);
        }
    }

    private static ReloadAnswer Nothing(ConfigurationFile file) =>
        new(file.Path, false, [], [], [], [.. file.Warnings.Select(Describe)], [], 0, 0, []);

    internal static ProblemRecord Describe(Problem problem) =>
        new(problem.Position.Line, problem.Position.Column, problem.Message);
}

/// <summary>Whoever started the daemon and wants to know when a reload is over.</summary>
internal interface IReloadNotices
{
    void Reloading();

    /// <param name="outcome">In a few words.</param>
    void Reloaded(string outcome);
}
