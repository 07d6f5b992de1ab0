namespace Scstd.Core;

/// <summary>
/// So many commands and so many bytes a second, for a unit or for a group of initiators, over all executors together.
/// Each executor spends a share of its own without asking anybody; who has commands waiting says so to the first
/// executor, which shares the rate out anew between those that have, to each by the number of its initiators.
/// </summary>
public sealed class RateLimit
{
    /// <summary>Our choice: an executor that has not asked for so long wants nothing.</summary>
    private const long ForgottenMs = 500;

    /// <summary>Our choice: what those get together that have not asked, so that their first commands need not wait for
    /// a new sharing out.</summary>
    private const double IdlePart = 0.1;

    private readonly IReadOnlyList<IExecutor> _executors;
    private readonly long[] _askedAtMs;
    private readonly int[] _nexuses;
    private readonly RateLimiter[] _limiters;

    /// <param name="executors">All, in the order of their indices.</param>
    /// <param name="commandsPerSecond">Null: any number.</param>
    /// <param name="bytesPerSecond">Null: any number.</param>
    public RateLimit(IReadOnlyList<IExecutor> executors, long? commandsPerSecond, long? bytesPerSecond)
    {
        _executors = executors;
        CommandsPerSecond = commandsPerSecond;
        BytesPerSecond = bytesPerSecond;
        _nexuses = new int[executors.Count];
        _askedAtMs = new long[executors.Count];
        Array.Fill(_askedAtMs, long.MinValue / 2);
        _limiters = [.. executors.Select(executor => new RateLimiter(this, executor, 1.0 / executors.Count))];
    }

    public long? CommandsPerSecond { get; }

    public long? BytesPerSecond { get; }

    /// <summary>Commands that wait for the limit on an executor; to be asked there.</summary>
    public int WaitingOn(IExecutor executor) => On(executor).WaitingCount;

    internal RateLimiter On(IExecutor executor) => _limiters[executor.Index];

    /// <summary>An executor has commands waiting.</summary>
    internal void Ask(RateLimiter limiter)
    {
        if (_executors.Count == 1)
            return;
        int index = limiter.Executor.Index;
        int nexuses = Math.Max(1, limiter.Nexuses);
        _executors[0].Post(() => ShareOut(index, nexuses));
    }

    /// <summary>On the first executor.</summary>
    private void ShareOut(int asker, int nexuses)
    {
        long nowMs = _executors[0].NowMs;
        _askedAtMs[asker] = nowMs;
        _nexuses[asker] = nexuses;
        int idle = 0;
        int wanting = 0;
        for (int i = 0; i < _limiters.Length; i++)
        {
            if (IsForgotten(i, nowMs))
                idle++;
            else
                wanting += _nexuses[i];
        }
        double each = (idle == 0 ? 1 : 1 - IdlePart) / wanting;
        for (int i = 0; i < _limiters.Length; i++)
        {
            RateLimiter limiter = _limiters[i];
            double share = IsForgotten(i, nowMs) ? IdlePart / idle : each * _nexuses[i];
            limiter.Executor.Post(() => limiter.Share = share);
        }
    }

    private bool IsForgotten(int executor, long nowMs) => nowMs - _askedAtMs[executor] > ForgottenMs;
}
