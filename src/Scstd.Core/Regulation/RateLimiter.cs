namespace Scstd.Core;

/// <summary>A rate limit on one executor: two buckets of tokens, commands and bytes. Who finds them empty waits, fairly
/// between the initiators.</summary>
internal sealed class RateLimiter(RateLimit limit, IExecutor executor, double share) : IKeeper
{
    /// <summary>Our choice: what was not used for so long may be used at once.</summary>
    private const double BurstSeconds = 0.1;

    /// <summary>Our choice: an executor that is late by less still gives out all of the rate to those that wait.
    /// </summary>
    private const double LatestSeconds = 1;

    /// <summary>Our choice: fine enough that nobody sees steps, coarse against a command.</summary>
    private const int TickMs = 10;

    private const int AskEveryTicks = 10;

    private readonly CostQueue _waiting = new(command => CostSeconds(limit, command));
    private double _commands = Burst(limit.CommandsPerSecond, share);
    private double _bytes = Burst(limit.BytesPerSecond, share);
    private long _filledUs = executor.NowUs;
    private bool _isTicking;
    private int _ticks;

    public IExecutor Executor => executor;

    public int WaitingCount => _waiting.Count;

    /// <summary>Nexuses that use the limit here.</summary>
    public int Nexuses => _waiting.Nexuses;

    /// <summary>Of the whole rate, what may be spent here.</summary>
    public double Share { get; set; } = share;

    /// <summary>True if the command was kept.</summary>
    public bool Keep(ScsiCommand command)
    {
        Fill();
        // Who sends one command at a time would else have one in each tick, and the others all the rest: while it has
        // had less it goes before them, on account of the tick to come.
        if (_waiting.Count == 0 ? IsOpen : IsOpenTo(TickMs / 1000.0) && _waiting.TryOvertake(command))
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
    private bool IsOpen => IsOpenTo(0);

    /// <summary>With what will come in so many seconds.</summary>
    private bool IsOpenTo(double seconds) =>
        (limit.CommandsPerSecond is not { } commands || _commands > -seconds * commands * Share) &&
        (limit.BytesPerSecond is not { } bytes || _bytes > -seconds * bytes * Share);

    /// <summary>Of the whole limit, so many seconds are used up by a command.</summary>
    private static double CostSeconds(RateLimit limit, ScsiCommand command) => Math.Max(
        limit.CommandsPerSecond is { } commands ? 1.0 / commands : 0,
        limit.BytesPerSecond is { } bytes ? (double)command.RequestedBytes / bytes : 0);

    private static double Burst(long? perSecond, double share) => Math.Max(1, (perSecond ?? 0) * share * BurstSeconds);

    private double Most(long perSecond) =>
        Math.Max(Burst(perSecond, Share), _waiting.Count == 0 ? 0 : perSecond * Share * LatestSeconds);

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
            _commands = Math.Min(Most(commands), _commands + (commands * Share * seconds));
        if (limit.BytesPerSecond is { } bytes)
            _bytes = Math.Min(Most(bytes), _bytes + (bytes * Share * seconds));
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
        bool asks = ++_ticks % AskEveryTicks == 0;
        _isTicking = _waiting.Count > 0;
        if (asks || !_isTicking)
            _waiting.ForgetIdle();
        if (!_isTicking)
            return;
        if (asks)
            limit.Ask(this);
        executor.PostAfter(TickMs, Tick);
    }
}
