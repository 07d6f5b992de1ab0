using System.Threading.Channels;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Scstd.Hosting;

/// <summary>
/// Takes log events from reactors without making them wait: whoever reads standard error may be slow or asleep. What
/// does not fit is dropped and counted.
/// </summary>
internal sealed class BackgroundSink : ILogEventSink, IDisposable
{
    // Our choice: seconds of a bad day; each event is a few hundred bytes.
    private const int MostWaitingEvents = 8192;

    private static readonly TimeSpan LastMoments = TimeSpan.FromSeconds(2);
    private static readonly MessageTemplate Dropped =
        new MessageTemplateParser().Parse("{Count} log events were dropped: nobody reads them fast enough");

    private readonly Channel<LogEvent> _waiting = Channel.CreateBounded<LogEvent>(
        new BoundedChannelOptions(MostWaitingEvents) { SingleReader = true });

    private readonly ILogEventSink _sink;
    private readonly Task _writer;
    private int _dropped;

    public BackgroundSink(ILogEventSink sink)
    {
        _sink = sink;
        _writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    public void Emit(LogEvent logEvent)
    {
        if (!_waiting.Writer.TryWrite(logEvent))
            Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what waits, within a bound.</summary>
    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        _writer.Wait(LastMoments);
        (_sink as IDisposable)?.Dispose();
    }

    private void Write()
    {
        // Synchronous: this thread is for nothing else.
        while (_waiting.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_waiting.Reader.TryRead(out LogEvent? logEvent))
                _sink.Emit(logEvent);
            int dropped = Interlocked.Exchange(ref _dropped, 0);
            if (dropped > 0)
            {
                _sink.Emit(new LogEvent(DateTimeOffset.Now, LogEventLevel.Warning, null, Dropped,
                    [new LogEventProperty("Count", new ScalarValue(dropped))]));
            }
        }
    }
}
