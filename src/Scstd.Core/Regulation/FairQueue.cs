namespace Scstd.Core;

/// <summary>
/// Commands that wait, in the order of their coming within a nexus, and by turns between the nexuses: a nexus with many
/// commands does not make one with a few wait longer than a round.
/// </summary>
internal sealed class FairQueue
{
    private readonly LinkedList<Lane> _round = new();
    private readonly Dictionary<ItlNexus, Lane> _lanes = [];

    public int Count { get; private set; }

    /// <summary>How many would go before one more of this nexus.</summary>
    public int AheadOf(ItlNexus itl)
    {
        bool waits = _lanes.TryGetValue(itl, out Lane? lane);
        long rounds = (waits ? lane!.Count : 0) + 1;
        return (int)Math.Min(Count, rounds * (_round.Count + (waits ? 0 : 1)) - 1);
    }

    public void Enqueue(ScsiCommand command)
    {
        ItlNexus itl = command.ItlNexus!;
        if (!_lanes.TryGetValue(itl, out Lane? lane))
        {
            lane = new Lane();
            _lanes.Add(itl, lane);
            _round.AddLast(lane.Turn);
        }
        lane.Commands.Enqueue(command);
        lane.Count++;
        Count++;
    }

    /// <summary>Whose turn it is; null: nobody waits.</summary>
    public ScsiCommand? Peek() => _round.First?.Value.Commands.First;

    public ScsiCommand Dequeue()
    {
        Lane lane = _round.First!.Value;
        _round.Remove(lane.Turn);
        ScsiCommand command = lane.Commands.Dequeue();
        lane.Count--;
        Count--;
        if (lane.Commands.IsEmpty)
            _lanes.Remove(command.ItlNexus!);
        else
            _round.AddLast(lane.Turn);
        return command;
    }

    public bool Remove(ScsiCommand command)
    {
        if (!_lanes.TryGetValue(command.ItlNexus!, out Lane? lane) || !lane.Commands.Remove(command))
            return false;
        lane.Count--;
        Count--;
        if (lane.Commands.IsEmpty)
        {
            _lanes.Remove(command.ItlNexus!);
            _round.Remove(lane.Turn);
        }
        return true;
    }

    /// <summary>The oldest of each nexus, and those behind it, as long as <paramref name="gone"/> says so: taken out.
    /// </summary>
    public IReadOnlyList<ScsiCommand> TakeWhile(Func<ScsiCommand, bool> gone)
    {
        List<ScsiCommand>? taken = null;
        foreach (Lane lane in _round)
        {
            for (ScsiCommand? first = lane.Commands.First; first is not null && gone(first);
                first = lane.Commands.First)
            {
                (taken ??= []).Add(first);
                lane.Commands.Dequeue();
                lane.Count--;
                Count--;
            }
        }
        if (taken is null)
            return [];
        foreach (ScsiCommand command in taken)
        {
            if (_lanes.TryGetValue(command.ItlNexus!, out Lane? lane) && lane.Commands.IsEmpty)
            {
                _lanes.Remove(command.ItlNexus!);
                _round.Remove(lane.Turn);
            }
        }
        return taken;
    }

    private sealed class Lane
    {
        public readonly CommandQueue Commands = new();
        public readonly LinkedListNode<Lane> Turn;
        public int Count;

        public Lane() => Turn = new LinkedListNode<Lane>(this);
    }
}
