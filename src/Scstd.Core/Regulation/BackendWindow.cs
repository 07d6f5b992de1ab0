namespace Scstd.Core;

/// <summary>
/// How many commands a device server may have at a time, so that those it has are done before their initiators lose
/// patience. Free while the store is quick; only when commands stay long is there a limit, which is then learned from
/// what comes out: Little's law says how many the store really works on at once (rate × shortest stay), and what is
/// beyond that only waits, better here, where it can still be answered, than there, where it cannot. Pure: it is told
/// the time and never asks for it.
/// </summary>
internal sealed class BackendWindow
{
    /// <summary>No limit.</summary>
    public const int Free = int.MaxValue;

    // Our choices. A part of the initiator's patience is left for the network and for our own clock's grain; a store
    // may become several times slower from one command to the next, so stays that can be shortened are kept well
    // below.
    private const double BudgetShare = 0.8;
    private const int EngageDivisor = 16;
    private const int ComfortDivisor = 8;
    private const double QueueingRatio = 1.3;
    private const double ProbeFactor = 0.75;
    private const double RateLost = 0.9;
    private const int FirstProbePause = 8;
    private const int LastProbePause = 256;

    private long _engageUs;
    private long _comfortUs;
    private long _epochStartUs;
    private int _epochEnded;
    private long _epochMinUs;
    private long _epochMaxUs;
    private long _epochSumUs;
    private int _epochPeak;
    private long _busyUs;
    private long _lastMinUs;
    private double _lastRate;
    private int _beforeProbe;
    private double _rateBeforeProbe;
    private int _probePause;
    private int _untilProbe;

    public BackendWindow(long abortTimeoutUs) => SetAbortTimeout(abortTimeoutUs);

    /// <summary>How long initiators wait. What was learned of the device server stays: another patience makes it
    /// neither quicker nor slower.</summary>
    public void SetAbortTimeout(long abortTimeoutUs)
    {
        BudgetUs = (long)(abortTimeoutUs * BudgetShare);
        _engageUs = abortTimeoutUs / EngageDivisor;
        _comfortUs = abortTimeoutUs / ComfortDivisor;
    }

    /// <summary>From its arrival to its answer a command may take this long.</summary>
    public long BudgetUs { get; private set; }

    /// <summary>A stay above this is not usual.</summary>
    public long EngageUs => _engageUs;

    /// <summary>Commands with the device server, at most.</summary>
    public int Limit { get; private set; } = Free;

    public bool IsFree => Limit == Free;

    /// <summary>What a command will take that the device server gets now, as far as is known.</summary>
    public long ExpectedUs { get; private set; }

    /// <summary>Commands per second that come out; 0: not known yet.</summary>
    public double RatePerSecond => _lastRate * 1_000_000;

    /// <summary>How many commands may be accepted at a time and still be done within the budget: those with the device
    /// server, and behind them as many rounds as the budget has room for.</summary>
    public int Acceptable => IsFree
        ? Free : (int)Math.Min(int.MaxValue / 2, Limit * Math.Max(1, BudgetUs / 3 / Math.Max(1, ExpectedUs)));

    /// <summary>Whether a command of this age that must wait until <paramref name="ahead"/> others have come out cannot
    /// be done in time any more. Most of the budget is for the device server, which may just become slower.</summary>
    public bool IsHopeless(long ageUs, int ahead)
    {
        long waitUs = _lastRate > 0 ? (long)(ahead / _lastRate) : 0;
        return ageUs + waitUs > BudgetUs / 3 || ageUs + waitUs + ExpectedUs > BudgetUs;
    }

    /// <summary>A command came out of the device server.</summary>
    public void Completed(long stayUs, long nowUs, int executing)
    {
        if (IsFree)
        {
            if (stayUs > _engageUs)
                Engage(nowUs, executing + 1, stayUs);
            else
                return;
        }
        _epochEnded++;
        _epochMinUs = Math.Min(_epochMinUs, stayUs);
        _epochMaxUs = Math.Max(_epochMaxUs, stayUs);
        _epochSumUs += stayUs;
        _epochPeak = Math.Max(_epochPeak, executing + 1);
    }

    /// <summary>Some time has passed.</summary>
    /// <param name="nowUs">Now.</param>
    /// <param name="executing">Commands with the device server.</param>
    /// <param name="oldestUs">How long the oldest of them has been there.</param>
    /// <param name="waiting">Commands that wait before the window.</param>
    public void Tick(long nowUs, int executing, long oldestUs, int waiting)
    {
        if (IsFree)
        {
            if (oldestUs <= _engageUs)
                return;
            Engage(nowUs, executing, oldestUs);
        }
        if (executing > 0 || waiting > 0)
        {
            _busyUs = nowUs;
        }
        else if (nowUs - _busyUs > BudgetUs)
        {
            // Nobody has asked for a while: what was learned is old.
            Release();
            return;
        }
        if (_epochEnded == 0)
        {
            // Nothing comes out: whatever is handed over now takes at least as long as what is there.
            ExpectedUs = Math.Max(ExpectedUs, oldestUs);
        }
        else if (nowUs - _epochStartUs >= Math.Min(_epochMinUs, BudgetUs / 2))
            EndEpoch(nowUs, waiting);
    }

    private void Engage(long nowUs, int executing, long stayUs)
    {
        Limit = Math.Max(1, executing);
        _busyUs = nowUs;
        ExpectedUs = stayUs;
        _lastRate = 0;
        _lastMinUs = long.MaxValue;
        _beforeProbe = 0;
        _probePause = _untilProbe = 0;
        BeginEpoch(nowUs);
    }

    private void Release()
    {
        Limit = Free;
        ExpectedUs = 0;
        _lastRate = 0;
    }

    private void BeginEpoch(long nowUs)
    {
        _epochStartUs = nowUs;
        _epochEnded = 0;
        _epochMinUs = long.MaxValue;
        _epochMaxUs = 0;
        _epochSumUs = 0;
        _epochPeak = 0;
    }

    private void EndEpoch(long nowUs, int waiting)
    {
        double rate = _epochEnded / (double)Math.Max(1, nowUs - _epochStartUs);
        long shortestUs = Math.Min(_epochMinUs, _lastMinUs);
        int served = Math.Max(1, (int)Math.Ceiling(rate * shortestUs));
        long averageUs = _epochSumUs / _epochEnded;
        if (_epochMaxUs <= _engageUs)
        {
            Release();
            return;
        }
        bool isDraining = _epochPeak > Limit;
        // One more than the store works on waits a whole round there: it must not be tried where that is long.
        bool isWanted = (waiting > 0 || _epochPeak >= Limit) && averageUs <= BudgetUs / 3;
        if (_epochMaxUs > shortestUs * QueueingRatio && _epochMaxUs > _comfortUs)
            Limit = Math.Min(Limit, Math.Max(served, Limit / 2));
        else if (_epochMaxUs > _comfortUs)
            Probe(rate, isWanted, isDraining);
        else if (isWanted)
            Grow(Math.Clamp((int)(Limit * _comfortUs / Math.Max(1, averageUs)) - Limit, 0, Limit));
        // Those that came before there was a limit tell only how fast they come out.
        ExpectedUs = isDraining ? (long)(Limit / rate) : averageUs;
        _lastRate = rate;
        _lastMinUs = _epochMinUs;
        BeginEpoch(nowUs);
    }

    /// <summary>All stay long and equally long. Either it is the store's own time, or a queue in it that has no end and
    /// no beginning: with fewer commands there the one costs throughput, the other nothing.</summary>
    private void Probe(double rate, bool isWanted, bool isDraining)
    {
        if (isDraining)
            return;
        if (_beforeProbe > 0)
        {
            bool lost = rate < _rateBeforeProbe * RateLost;
            if (lost)
            {
                Limit = Math.Max(Limit, _beforeProbe);
                _probePause = Math.Clamp(_probePause * 2, FirstProbePause, LastProbePause);
                _untilProbe = _probePause;
            }
            _beforeProbe = 0;
            if (lost)
                return;
        }
        if (_untilProbe > 0)
        {
            _untilProbe--;
            if (isWanted)
                Grow(Math.Max(1, Limit / 4));
            return;
        }
        if (_epochPeak <= 1)
            return;
        _beforeProbe = Limit;
        _rateBeforeProbe = rate;
        Limit = Math.Max(1, (int)(Math.Min(Limit, _epochPeak) * ProbeFactor));
    }

    private void Grow(int by) => Limit = (int)Math.Min(1 << 20, (long)Limit + by);
}
