using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Scstd.Composition;
using Serilog;
using Serilog.Core;

namespace Scstd.Hosting;

/// <summary>The generic host around the server: signals, systemd, log.</summary>
internal static class DaemonHost
{
    // Our choice: what follows the drain (ending connections, writing caches back) within the unit's TimeoutStopSec.
    private static readonly TimeSpan AfterDrain = TimeSpan.FromSeconds(30);

    /// <summary>Serves until a signal; the process' exit status.</summary>
    public static async Task<int> RunAsync(Assignment assignment, Signals signals)
    {
        var level = new LoggingLevelSwitch(Logging.LevelOf(assignment.Daemon.Log.Level));
        using Logger log = Logging.Create(level);
        using IHost host = Build(assignment, log, level, signals);
        var service = host.Services.GetRequiredService<ServerService>();
        AppDomain.CurrentDomain.UnhandledException += (_, broken) => service.Broken((Exception)broken.ExceptionObject);
        try
        {
            await host.StartAsync();
        }
        catch (ServerStartException exception)
        {
            log.Dispose();
            Console.Error.WriteLine($"scstd: {exception.Message}");
            return 1;
        }
        await host.WaitForShutdownAsync();
        return 0;
    }

    private static IHost Build(Assignment assignment, Logger log, LoggingLevelSwitch level, Signals signals)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        // AddSystemd asks whether the parent is called systemd, and so misses a service that is started through another
        // program; the socket is what systemd promises (sd_notify(3)).
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is { Length: > 0 })
        {
            builder.Services.AddSingleton<ISystemdNotifier, SystemdNotifier>();
            builder.Services.AddSingleton<IHostLifetime, SystemdLifetime>();
        }
        builder.Services.AddSerilog(log);
        builder.Services.AddSingleton(assignment);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton(level);
        builder.Services.AddSingleton(signals);
        builder.Services.AddSingleton<ServiceNotices>();
        builder.Services.AddSingleton<ServerService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ServerService>());
        builder.Services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        builder.Services.Configure<HostOptions>(options =>
            options.ShutdownTimeout = assignment.Daemon.Limits.StopTimeout + AfterDrain);
        return builder.Build();
    }
}
