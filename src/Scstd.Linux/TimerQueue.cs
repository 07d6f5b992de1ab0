namespace Scstd.Linux;

/// <summary>A binary heap of armed timers: arm, move and cancel in O(log n), no ticks while nothing is due.</summary>
public sealed class TimerQueue
{
    private ReactorTimer[] _heap = new ReactorTimer[16];
    private int _count;

    public int Count => _count;

    /// <summary>When the first timer is due, or <see cref="long.MaxValue"/> without any.</summary>
    public long NextDueMs => _count == 0 ? long.MaxValue : _heap[0].DueMs;

    /// <summary>Runs all timers due at <paramref name="nowMs"/>; what they arm for now runs in the next call.</summary>
    public void RunDue(long nowMs)
    {
        for (int budget = _count; budget > 0 && _count > 0 && _heap[0].DueMs <= nowMs; budget--)
        {
            ReactorTimer timer = _heap[0];
            Disarm(timer);
            timer.Expire();
        }
    }

    internal void Arm(ReactorTimer timer, long dueMs)
    {
        Disarm(timer);
        if (_count == _heap.Length)
            Array.Resize(ref _heap, _count * 2);
        timer.DueMs = dueMs;
        Place(timer, _count);
        SiftUp(_count++);
    }

    internal void Disarm(ReactorTimer timer)
    {
        int index = timer.HeapIndex;
        if (index < 0)
            return;
        timer.HeapIndex = -1;
        ReactorTimer last = _heap[--_count];
        _heap[_count] = null!;
        if (ReferenceEquals(last, timer))
            return;
        Place(last, index);
        SiftUp(index);
        SiftDown(last.HeapIndex);
    }

    private void Place(ReactorTimer timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }

    private void SiftUp(int index)
    {
        ReactorTimer timer = _heap[index];
        while (index > 0 && _heap[(index - 1) / 2].DueMs > timer.DueMs)
        {
            Place(_heap[(index - 1) / 2], index);
            index = (index - 1) / 2;
        }
        Place(timer, index);
    }

    private void SiftDown(int index)
    {
        ReactorTimer timer = _heap[index];
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _count)
                break;
            if (child + 1 < _count && _heap[child + 1].DueMs < _heap[child].DueMs)
                child++;
            if (_heap[child].DueMs >= timer.DueMs)
                break;
            Place(_heap[child], index);
            index = child;
        }
        Place(timer, index);
    }
}
