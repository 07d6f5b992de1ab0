using Microsoft.Extensions.Hosting;
using Scstd.Administration;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Control;
using Scstd.Linux;
using Serilog.Core;

namespace Scstd.Hosting;

/// <summary>What is to be served, from a file or (without one) as the demonstration.</summary>
internal sealed record Assignment(DaemonSection Daemon, string Folder, string? ConfigurationPath)
{
    public bool IsDemonstration => ConfigurationPath is null;
}

/// <summary>The server as the host starts and stops it.</summary>
internal sealed class ServerService(
    Assignment assignment, Logger log, LoggingLevelSwitch level, Signals signals, ServiceNotices notices)
    : IHostedService
{
    /// <summary>sysexits(3), EX_SOFTWARE: a bug of ours.</summary>
    public const int BrokenStatus = 70;

    private Server? _server;
    private Reloader? _reloader;
    private ControlServer? _control;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Whoever has the socket is the daemon of this place: nothing is opened before that is known.
        ControlSocket? socket = OpenSocket();
        Server server;
        try
        {
            server = await Server.StartAsync(assignment.Daemon, assignment.Folder, log, Broken);
        }
        catch
        {
            socket?.Dispose();
            throw;
        }
        _server = server;
        if (assignment.ConfigurationPath is { } file)
            _reloader = new Reloader(server, file, log, notices, Follow);
        if (socket is not null)
        {
            var commands = new ControlCommands(server, assignment.ConfigurationPath, _reloader, log);
            _control = new ControlServer(socket, commands.AnswerAsync, log);
        }
        signals.Attach(Reload, Report);
        string addresses = string.Join(", ", server.EndPoints);
        Console.Out.WriteLine($"scstd {ProgramVersion.Text} serving {server.TargetCount} target(s) on {addresses}");
        Console.Out.Flush();
        if (assignment.IsDemonstration)
            Console.Error.WriteLine(Demonstration.Invitation(server.EndPoints[0], _control?.Path));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        signals.Detach();
        if (_control is { } control)
            await control.DisposeAsync();
        if (_server is { } server)
        {
            log.Information("Stopping");
            await server.StopAsync(server.Daemon.Limits.StopTimeout);
        }
    }

    /// <summary>Nothing can be trusted any more after a broken invariant: the process says so and ends, at once, so
    /// that no wrong answer leaves it.</summary>
    internal void Broken(Exception exception)
    {
        log.Fatal(exception, "scstd is broken and stops: {Why:l}", exception.Message);
        log.Dispose();
        ProcessCalls.ExitNow(BrokenStatus);
    }

    /// <summary>A socket that the configuration names must be had. The place of an installed daemon is only tried:
    /// whoever runs a second daemon, or one of his own, shall not be kept from it.</summary>
    private ControlSocket? OpenSocket()
    {
        ControlSection control = assignment.Daemon.Control;
        if (!control.IsEnabled)
            return null;
        bool isWanted = (control.Socket ?? control.Group) is not null && !assignment.IsDemonstration;
        string path = control.Socket is { } socket
            ? Path.GetFullPath(socket.Text, assignment.Folder)
            : ControlProtocol.InstalledSocketPath;
        try
        {
            return ControlSocket.Open(path, control.Group?.Text);
        }
        catch (IOException exception) when (!isWanted)
        {
            log.Warning("scstctl has no way in: {Why:l}", exception.Message);
            return null;
        }
        catch (IOException exception)
        {
            DaemonSection daemon = assignment.Daemon;
            SourcePosition place = (control.Socket ?? control.Group)!.Value.Position;
            throw new ServerStartException($"{daemon.At(place)}{exception.Message}", exception);
        }
    }

    private void Follow(DaemonSection next) => level.MinimumLevel = Logging.LevelOf(next.Log.Level);

    private void Reload()
    {
        if (_reloader is { } reloader)
            _ = ReloadAsync(reloader);
    }

    private async Task ReloadAsync(Reloader reloader)
    {
        try
        {
            await reloader.ReloadAsync();
        }
        catch (Exception exception)
        {
            log.Error(exception, "Reload failed");
        }
    }

    private void Report() => _ = ReportAsync();

    private async Task ReportAsync()
    {
        try
        {
            if (_server is { } server)
                Console.Out.WriteLine($"counters {await CounterReport.MakeAsync(server)}");
        }
        catch (TimeoutException)
        {
            log.Error("A reactor did not tell its counters in time");
        }
        catch (IOException exception)
        {
            log.Error("The counters could not be told: {Why:l}", exception.Message);
        }
    }
}
