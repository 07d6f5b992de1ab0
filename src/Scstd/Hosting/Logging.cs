using System.Globalization;
using Scstd.Configuration;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace Scstd.Hosting;

/// <summary>The log goes to standard error: in colours to a terminal, in the journal's way to the journal.</summary>
internal static class Logging
{
    private const string Template =
        "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u4} {Message:lj}{NewLine}{Exception}";

    /// <param name="level">The least important events; may be turned while the log is written.</param>
    public static Logger Create(LoggingLevelSwitch level)
    {
        LoggerConfiguration console = new LoggerConfiguration().MinimumLevel.Verbose();
        console = IsForJournal
            ? console.WriteTo.Console(new JournalFormatter(), standardErrorFromLevel: LogEventLevel.Verbose)
            : console.WriteTo.Console(outputTemplate: Template, formatProvider: CultureInfo.InvariantCulture,
                standardErrorFromLevel: LogEventLevel.Verbose);
        return new LoggerConfiguration().MinimumLevel.ControlledBy(level)
            // The host's own messages repeat what ours say.
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            // It would tell a failed start with a stack trace; we tell it in one sentence.
            .MinimumLevel.Override("Microsoft.Extensions.Hosting.Internal.Host", LogEventLevel.Fatal)
            .WriteTo.Sink(new BackgroundSink(console.CreateLogger()))
            .CreateLogger();
    }

    /// <summary>systemd.exec(5): set when standard output or error is connected to the journal.</summary>
    private static bool IsForJournal => Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };

    public static LogEventLevel LevelOf(LogLevel level) => level switch
    {
        LogLevel.Verbose => LogEventLevel.Verbose,
        LogLevel.Debug => LogEventLevel.Debug,
        LogLevel.Warning => LogEventLevel.Warning,
        LogLevel.Error => LogEventLevel.Error,
        _ => LogEventLevel.Information,
    };
}

/// <summary>sd-daemon(3): each line begins with its priority; the journal has the time itself.</summary>
internal sealed class JournalFormatter : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        int priority = PriorityOf(logEvent.Level);
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        logEvent.RenderMessage(text, CultureInfo.InvariantCulture);
        if (logEvent.Exception is { } exception)
            text.Write($"\n{exception}");
        foreach (string line in text.ToString().Split('\n'))
            output.Write($"<{priority}>{line.TrimEnd('\r')}\n");
    }

    /// <summary>syslog(3).</summary>
    private static int PriorityOf(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal => 2,
        LogEventLevel.Error => 3,
        LogEventLevel.Warning => 4,
        LogEventLevel.Information => 6,
        _ => 7,
    };
}
