using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Scstd.Composition;
using Scstd.Configuration;
using Scstd.Linux;
using Serilog.Core;

namespace Scstd.Hosting;

/// <summary>What is to be served, from a file or as the demonstration.</summary>
internal sealed record Assignment(DaemonSection Daemon, string Folder, bool IsDemonstration);

/// <summary>The server as the host starts and stops it.</summary>
internal sealed class ServerService(Assignment assignment, Logger log) : IHostedService, IDisposable
{
    /// <summary>sysexits(3), EX_SOFTWARE: a bug of ours.</summary>
    public const int BrokenStatus = 70;

    private const PosixSignal User1 = (PosixSignal)10; // SIGUSR1 on every Linux that .NET runs on.

    private Server? _server;
    private PosixSignalRegistration? _signal;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Server server = await Server.StartAsync(assignment.Daemon, assignment.Folder, log, Broken);
        _server = server;
        _signal = PosixSignalRegistration.Create(User1, Report);
        string addresses = string.Join(", ", server.EndPoints);
        Console.Out.WriteLine($"scstd {ProgramVersion.Text} serving {server.TargetCount} target(s) on {addresses}");
        Console.Out.Flush();
        if (assignment.IsDemonstration)
            Console.Error.WriteLine(Demonstration.Invitation(server.EndPoints[0]));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _signal?.Dispose();
        if (_server is { } server)
        {
            log.Information("Stopping");
            await server.StopAsync(assignment.Daemon.Limits.StopTimeout);
        }
    }

    public void Dispose() => _signal?.Dispose();

    /// <summary>Nothing can be trusted any more after a broken invariant: the process says so and ends, at once, so
    /// that no wrong answer leaves it.</summary>
    internal void Broken(Exception exception)
    {
        log.Fatal(exception, "scstd is broken and stops: {Why:l}", exception.Message);
        log.Dispose();
        ProcessCalls.ExitNow(BrokenStatus);
    }

    private void Report(PosixSignalContext context)
    {
        context.Cancel = true;
        _ = ReportAsync();
    }

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
