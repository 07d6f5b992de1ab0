namespace Scstd.Frontends.Iscsi.Connections;

/// <summary>First in, first out, of values, in an array that only grows: no allocation once it is warm.</summary>
internal struct RingQueue<T>(int capacity)
    where T : struct
{
    private T[] _items = new T[capacity];
    private int _first;

    public int Count { get; private set; }

    /// <summary>The oldest, in place; there must be one.</summary>
    public readonly ref T First => ref _items[_first];

    public void Enqueue(in T item)
    {
        if (Count == _items.Length)
            Grow();
        int at = _first + Count;
        if (at >= _items.Length)
            at -= _items.Length;
        _items[at] = item;
        Count++;
    }

    public T Dequeue()
    {
        T item = _items[_first];
        _items[_first] = default;
        if (++_first == _items.Length)
            _first = 0;
        Count--;
        return item;
    }

    private void Grow()
    {
        var larger = new T[_items.Length * 2];
        int tail = _items.Length - _first;
        Array.Copy(_items, _first, larger, 0, tail);
        Array.Copy(_items, 0, larger, tail, _first);
        _items = larger;
        _first = 0;
    }
}
