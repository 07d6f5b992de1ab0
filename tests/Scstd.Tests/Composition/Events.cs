using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Scstd.Tests.Composition;

/// <summary>Keeps what is logged, as text.</summary>
internal sealed class Events : ILogEventSink
{
    private readonly List<string> _lines = [];

    public Events() => Log = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(this).CreateLogger();

    public Logger Log { get; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public void Emit(LogEvent logEvent)
    {
        lock (_lines)
            _lines.Add($"{logEvent.Level}: {logEvent.RenderMessage()} {logEvent.Exception}");
    }
}
