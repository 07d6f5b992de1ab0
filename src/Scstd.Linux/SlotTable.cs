namespace Scstd.Linux;

/// <summary>Objects under small numbers, for the kernel can carry a number but no reference.</summary>
internal sealed class SlotTable<T>
    where T : class
{
    private T?[] _objects = new T?[64];
    private int[] _free = new int[64];
    private int _freeCount;
    private int _used;

    internal T this[int slot] => _objects[slot]!;

    internal int Count => _used - _freeCount;

    internal int Add(T target)
    {
        int slot;
        if (_freeCount > 0)
        {
            slot = _free[--_freeCount];
        }
        else
        {
            if (_used == _objects.Length)
                Array.Resize(ref _objects, _used * 2);
            slot = _used++;
        }
        _objects[slot] = target;
        return slot;
    }

    internal void Remove(int slot)
    {
        if (_objects[slot] is null)
            throw new InvalidOperationException($"slot {slot} is empty");
        _objects[slot] = null;
        if (_freeCount == _free.Length)
            Array.Resize(ref _free, _freeCount * 2);
        _free[_freeCount++] = slot;
    }
}
