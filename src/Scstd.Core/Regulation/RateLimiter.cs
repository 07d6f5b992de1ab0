namespace Scstd.Core;

/// <summary>A rate limit on one executor: two buckets of tokens, commands and bytes. Who finds them empty waits in
/// order, by turns between the nexuses.</summary>
internal sealed class RateLimiter(RateLimit limit, IExecutor executor, double share) : IKeeper
{
    /// <summary>Our choice: what was not used for so long may be used at once.</summary>
    private const double BurstSeconds = 0.1;

    /// <summary>Our choice: fine enough that nobody sees steps, coarse against a command.</summary>
    private const int TickMs = 10;

    private const int AskEveryTicks = 10;

    private readonly FairQueue _waiting = new();
    private double _commands = Burst(limit.CommandsPerSecond, share);
    private double _bytes = Burst(limit.BytesPerSecond, share);
    private long _filledUs = executor.NowUs;
    private bool _isTicking;
    private int _ticks;

    public IExecutor Executor => executor;

    public int WaitingCount => _waiting.Count;

    /// <summary>Of the whole rate, what may be spent here.</summary>
    public double Share { get; set; } = share;

    /// <summary>True if the command was kept.</summary>
    public bool Keep(ScsiCommand command)
    {
        Fill();
        if (_waiting.Count == 0 && IsOpen)
        {
            Spend(command);
            return false;
        }
        command.ItlNexus!.Turnstile.KeepFor(command, this);
        _waiting.Enqueue(command);
        if (_isTicking)
            return true;
        _isTicking = true;
        limit.Ask(this);
        executor.PostAfter(TickMs, Tick);
        return true;
    }

    public void Forget(ScsiCommand command) => _waiting.Remove(command);

    public string WaitsFor(ScsiCommand command) => "a rate limit";

    /// <summary>A command passes while there is anything left; what it takes beyond that the next ones wait for. So a
    /// command larger than the burst passes, too.</summary>
    private bool IsOpen => (limit.CommandsPerSecond is null || _commands > 0) &&
        (limit.BytesPerSecond is null || _bytes > 0);

    private static double Burst(long? perSecond, double share) => Math.Max(1, (perSecond ?? 0) * share * BurstSeconds);

    private void Spend(ScsiCommand command)
    {
        _commands--;
        _bytes -= command.RequestedBytes;
    }

    private void Fill()
    {
        long nowUs = executor.NowUs;
        double seconds = (nowUs - _filledUs) / 1_000_000.0;
        _filledUs = nowUs;
        if (limit.CommandsPerSecond is { } commands)
            _commands = Math.Min(Burst(commands, Share), _commands + (commands * Share * seconds));
        if (limit.BytesPerSecond is { } bytes)
            _bytes = Math.Min(Burst(bytes, Share), _bytes + (bytes * Share * seconds));
    }

    private void Tick()
    {
        Fill();
        while (_waiting.Count > 0 && IsOpen)
        {
            ScsiCommand command = _waiting.Dequeue();
            Spend(command);
            command.ItlNexus!.Turnstile.Resume(command);
        }
        _isTicking = _waiting.Count > 0;
        if (!_isTicking)
            return;
        if (++_ticks % AskEveryTicks == 0)
            limit.Ask(this);
        executor.PostAfter(TickMs, Tick);
    }
}
