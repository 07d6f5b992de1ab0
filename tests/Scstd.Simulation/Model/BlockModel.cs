namespace Scstd.Simulation;

/// <summary>
/// What a READ of one block may bring: a register that many write. A write takes effect at one moment between its
/// coming and its end; one that failed or was aborted may have taken effect in that time, or not at all.
/// </summary>
internal sealed class BlockModel(World world)
{
    private readonly List<Written> _written = [new(0) { ReceivedAt = -2, EndedAt = -1, EffectiveBy = -1 }];
    private readonly HashSet<ulong> _swapped = [];

    /// <summary>The value of the write that came last and is known to have taken effect.</summary>
    public ulong LastKnown { get; private set; }

    public void WriteComes(ulong value) => _written.Add(new Written(value) { ReceivedAt = world.Now });

    /// <param name="value">Which write.</param>
    /// <param name="tookEffect">It was answered GOOD.</param>
    /// <param name="oldestRead">When the oldest READ came that is not answered yet.</param>
    public void WriteEnded(ulong value, bool tookEffect, long oldestRead)
    {
        Written ended = Find(value)!;
        ended.EndedAt = world.Now;
        if (tookEffect)
        {
            ended.EffectiveBy = Math.Min(ended.EffectiveBy, world.Now);
            LastKnown = value;
            Forget(oldestRead);
        }
    }

    /// <summary>COMPARE AND WRITE was answered GOOD: it found <paramref name="found"/>, and nobody else may have
    /// replaced the same value by another.</summary>
    public void Swapped(ulong found, long receivedAt)
    {
        ReadEnded(found, receivedAt);
        world.Law(_swapped.Add(found), "two COMPARE AND WRITE commands replaced the same value {0:X}", found);
    }

    public void ReadEnded(ulong value, long receivedAt)
    {
        Written? read = Find(value);
        world.Law(read is not null, "a READ brought {0:X}, which is older than what was there or was never written",
            value);
        foreach (Written other in _written)
        {
            world.Law(!(other.ReceivedAt > read!.EndedAt && other.EffectiveBy < receivedAt),
                "a READ brought {0:X} although a later write had ended before it came", value);
        }
        LastKnown = value;
        read!.EffectiveBy = Math.Min(read.EffectiveBy, world.Now);
    }

    /// <summary>Those that no READ can bring any more.</summary>
    private void Forget(long oldestRead)
    {
        long newest = -1;
        foreach (Written written in _written)
        {
            if (written.EffectiveBy < oldestRead)
                newest = Math.Max(newest, written.ReceivedAt);
        }
        for (int i = _written.Count - 1; i >= 0; i--)
        {
            if (_written[i].EndedAt < newest)
                _written.RemoveAt(i);
        }
    }

    private Written? Find(ulong value)
    {
        for (int i = _written.Count - 1; i >= 0; i--)
        {
            if (_written[i].Value == value)
                return _written[i];
        }
        return null;
    }

    private sealed class Written(ulong value)
    {
        public ulong Value => value;

        public long ReceivedAt { get; init; }

        public long EndedAt { get; set; } = long.MaxValue;

        /// <summary>It had taken effect by then: it was answered, or somebody had read it.</summary>
        public long EffectiveBy { get; set; } = long.MaxValue;
    }
}
