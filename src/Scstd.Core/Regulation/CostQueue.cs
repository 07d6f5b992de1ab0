namespace Scstd.Core;

/// <summary>
/// Commands that wait for a limit, in the order of their coming within an I_T nexus, and fairly between the nexuses:
/// who has had the least of the limit goes first (start-time fair queueing). Time is what the commands cost, in seconds
/// of the whole limit.
/// </summary>
internal sealed class CostQueue(Func<ScsiCommand, double> cost)
{
    /// <summary>Our choice: who had nothing to do is behind the others by this much and no more, so that saving up does
    /// not let it hold them up.</summary>
    private const double MostBehindSeconds = 0.02;

    private readonly Dictionary<ItNexus, Lane> _lanes = [];
    private readonly PriorityQueue<Lane, double> _order = new();
    private double _now;

    public int Count { get; private set; }

    /// <summary>Nexuses that have had something of the limit lately, or wait for it.</summary>
    public int Nexuses => _lanes.Count;

    public void Enqueue(ScsiCommand command)
    {
        Lane lane = LaneOf(command.Nexus);
        lane.Commands.Enqueue(command);
        Count++;
        if (lane.IsInOrder)
            return;
        lane.IsInOrder = true;
        lane.PaidUntil = Start(lane);
        _order.Enqueue(lane, lane.PaidUntil);
    }

    /// <summary>True if the nexus waits for nothing and has had less than those that wait, even with this command: it
    /// may go before them, and that is counted.</summary>
    public bool TryOvertake(ScsiCommand command)
    {
        Lane lane = LaneOf(command.Nexus);
        double end = Start(lane) + cost(command);
        if (!lane.Commands.IsEmpty || end > _now)
            return false;
        lane.PaidUntil = end;
        return true;
    }

    public ScsiCommand Dequeue()
    {
        Lane lane = _order.Dequeue();
        while (lane.Commands.IsEmpty)
        {
            // Its last command was aborted.
            lane.IsInOrder = false;
            lane = _order.Dequeue();
        }
        ScsiCommand command = lane.Commands.Dequeue();
        Count--;
        _now = Math.Max(_now, lane.PaidUntil);
        lane.PaidUntil += cost(command);
        lane.IsInOrder = !lane.Commands.IsEmpty;
        if (lane.IsInOrder)
            _order.Enqueue(lane, lane.PaidUntil);
        return command;
    }

    public void Remove(ScsiCommand command)
    {
        if (_lanes.TryGetValue(command.Nexus, out Lane? lane) && lane.Commands.Remove(command))
            Count--;
    }

    /// <summary>Nexuses that are as far behind as they can be are as good as new ones; so are all when none waits.
    /// </summary>
    public void ForgetIdle()
    {
        if (Count == 0)
        {
            _lanes.Clear();
            _order.Clear();
            return;
        }
        foreach ((ItNexus nexus, Lane lane) in _lanes)
        {
            if (!lane.IsInOrder && lane.PaidUntil <= _now - MostBehindSeconds)
                _lanes.Remove(nexus);
        }
    }

    private double Start(Lane lane) => Math.Max(lane.PaidUntil, _now - MostBehindSeconds);

    private Lane LaneOf(ItNexus nexus)
    {
        if (!_lanes.TryGetValue(nexus, out Lane? lane))
        {
            lane = new Lane { PaidUntil = _now };
            _lanes.Add(nexus, lane);
        }
        return lane;
    }

    private sealed class Lane
    {
        public CommandQueue Commands { get; } = new();

        /// <summary>What it has had of the limit, on the clock of costs.</summary>
        public double PaidUntil;

        public bool IsInOrder;
    }
}
