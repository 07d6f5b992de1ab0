using Scstd.Hosting;
using Serilog.Core;
using Serilog.Events;
using Serilog.Parsing;

namespace Scstd.Tests.Hosting;

public sealed class LoggingTests
{
    [Theory]
    [InlineData(LogEventLevel.Verbose, "<7>")]
    [InlineData(LogEventLevel.Debug, "<7>")]
    [InlineData(LogEventLevel.Information, "<6>")]
    [InlineData(LogEventLevel.Warning, "<4>")]
    [InlineData(LogEventLevel.Error, "<3>")]
    [InlineData(LogEventLevel.Fatal, "<2>")]
    public void Each_line_for_the_journal_begins_with_its_priority(LogEventLevel level, string priority)
    {
        using var output = new StringWriter();
        new JournalFormatter().Format(
            Event(level, "two\nlines", new InvalidOperationException("broken")), output);

        string[] lines = output.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal($"{priority}two", lines[0]);
        Assert.Equal($"{priority}lines", lines[1]);
        Assert.All(lines, line => Assert.StartsWith(priority, line));
        Assert.Contains("broken", lines[2]);
    }

    [Fact]
    public void Who_logs_never_waits_and_what_is_dropped_is_counted()
    {
        const int Logged = 20_000;
        using var gate = new ManualResetEventSlim();
        var slow = new SlowSink(gate);
        using (var sink = new BackgroundSink(slow))
        {
            // Nothing of this can end while the sink below is stuck.
            for (int i = 0; i < Logged; i++)
                sink.Emit(Event(LogEventLevel.Information, "x", null));
            gate.Set();
        }

        long dropped = slow.Written.Where(text => text.Contains("dropped"))
            .Sum(text => long.Parse(text.Split(' ')[0]));
        Assert.True(dropped > 0);
        Assert.Equal(Logged, slow.Written.Count(text => text == "x") + dropped);
    }

    private static LogEvent Event(LogEventLevel level, string text, Exception? exception) =>
        new(DateTimeOffset.UnixEpoch, level, exception, new MessageTemplateParser().Parse(text), []);

    private sealed class SlowSink(ManualResetEventSlim gate) : ILogEventSink
    {
        public List<string> Written { get; } = [];

        public void Emit(LogEvent logEvent)
        {
            gate.Wait();
            Written.Add(logEvent.RenderMessage());
        }
    }
}
