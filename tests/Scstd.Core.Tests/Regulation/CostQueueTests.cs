using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>Who goes next when several wait for a limit.</summary>
public sealed class CostQueueTests : IDisposable
{
    private readonly TestExecutor _executor = new();
    private readonly CostQueue _queue = new(static command => command.RequestedBytes / 1000.0);

    public void Dispose() => _executor.Dispose();

    [Fact]
    public void Nexuses_share_by_cost_and_not_by_commands()
    {
        var large = new Source(_executor, 8);
        var small = new Source(_executor, 1);
        Dictionary<ItNexus, long> bytes = Serve(160, large, small);
        Assert.InRange(bytes[large.Nexus], bytes[small.Nexus] - 8, bytes[small.Nexus] + 8);
    }

    [Fact]
    public void A_nexus_that_was_idle_has_not_saved_up()
    {
        var busy = new Source(_executor, 1);
        Serve(1000, busy);
        var late = new Source(_executor, 1);
        Dictionary<ItNexus, long> bytes = Serve(200, busy, late);
        Assert.InRange(bytes[late.Nexus], 100, 125);
    }

    [Fact]
    public void One_that_has_had_less_may_overtake_until_it_has_had_as_much()
    {
        var busy = new Source(_executor, 1);
        var shallow = new Source(_executor, 1);
        Serve(10, busy, shallow);
        Serve(10, busy);
        int overtakes = 0;
        while (overtakes < 100 && _queue.TryOvertake(shallow.Next()))
            overtakes++;
        Assert.InRange(overtakes, 8, 12);
        Assert.False(_queue.TryOvertake(busy.Next()));
    }

    [Fact]
    public void A_nexus_whose_commands_were_all_aborted_holds_nobody_up()
    {
        var gone = new Source(_executor, 1);
        var other = new Source(_executor, 1);
        ScsiCommand command = gone.Next();
        _queue.Enqueue(command);
        _queue.Enqueue(other.Next());
        _queue.Remove(command);
        Assert.Equal(1, _queue.Count);
        Assert.Same(other.Nexus, _queue.Dequeue().Nexus);
        _queue.ForgetIdle();
        Assert.Equal((0, 0), (_queue.Count, _queue.Nexuses));
        ScsiCommand last = gone.Next();
        _queue.Enqueue(last);
        _queue.Remove(last);
        _queue.ForgetIdle();
        Assert.Equal((0, 0), (_queue.Count, _queue.Nexuses));
    }

    /// <summary>Each keeps three commands waiting; what is served of each, in bytes.</summary>
    private Dictionary<ItNexus, long> Serve(int commands, params Source[] sources)
    {
        Dictionary<ItNexus, long> bytes = sources.ToDictionary(source => source.Nexus, _ => 0L);
        Dictionary<ItNexus, Source> byNexus = sources.ToDictionary(source => source.Nexus);
        foreach (Source source in sources)
        {
            for (int i = 0; i < 3; i++)
                _queue.Enqueue(source.Next());
        }
        for (int i = 0; i < commands; i++)
        {
            ScsiCommand command = _queue.Dequeue();
            bytes[command.Nexus] += command.RequestedBytes;
            _queue.Enqueue(byNexus[command.Nexus].Next());
        }
        while (_queue.Count > 0)
            _queue.Dequeue();
        return bytes;
    }

    /// <summary>An initiator whose commands are all of one size.</summary>
    private sealed class Source(TestExecutor executor, long bytes)
    {
        public ItNexus Nexus { get; } = new(executor, new TestPort(), TestInitiator.Target, "source", LunMap.Empty);

        public ScsiCommand Next() => new TestCommand { Nexus = Nexus, RequestedBytes = bytes };
    }
}
