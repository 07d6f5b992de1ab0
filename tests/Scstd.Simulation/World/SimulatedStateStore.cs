using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>Keeps what units must remember, when the dice say so, and sometimes cannot. What it has brought to stable
/// storage is there after the end of the whole target, whether or not anybody had been told.</summary>
internal sealed class SimulatedStateStore(World world) : IUnitStateStore
{
    private readonly Queue<PendingSave> _saving = new();
    private readonly Dictionary<string, byte[]> _durable = [];

    /// <summary>Of the save whose end is on its way.</summary>
    private bool _hasLanded;

    /// <summary>Saves that are not on stable storage yet, or whose end is on its way.</summary>
    public int Count { get; private set; }

    /// <summary>Told before whoever asked for it.</summary>
    public Action<bool>? Saved { get; set; }

    public byte[]? Load(string unitName, string part) => _durable.GetValueOrDefault(part);

    public void Save(string unitName, string part, byte[]? content, IExecutor executor, Action<bool> saved)
    {
        Count++;
        _hasLanded = false;
        _saving.Enqueue(new PendingSave(part, content, executor, saved));
    }

    /// <summary>In the order of their coming. False if nothing is to be saved.</summary>
    public bool Step()
    {
        if (!_saving.TryDequeue(out PendingSave? next))
            return false;
        world.Progress++;
        bool isSaved = world.Dice(8) != 0;
        if (isSaved)
            Land(next);
        next.Executor.Post(() =>
        {
            Count--;
            Saved?.Invoke(isSaved);
            next.Saved(isSaved);
        });
        return true;
    }

    /// <summary>The whole target ends. What is under way succeeds or does not. True if a save that nobody was told
    /// of is on stable storage.</summary>
    public bool EndAbruptly()
    {
        bool wasUnderWay = Count > 0;
        if (_saving.TryDequeue(out PendingSave? last) && world.Dice(2) == 0)
            Land(last);
        _saving.Clear();
        Count = 0;
        return wasUnderWay && _hasLanded;
    }

    private void Land(PendingSave save)
    {
        _hasLanded = true;
        if (save.Content is { } content)
            _durable[save.Part] = content;
        else
            _durable.Remove(save.Part);
    }

    private sealed record PendingSave(string Part, byte[]? Content, IExecutor Executor, Action<bool> Saved);
}
