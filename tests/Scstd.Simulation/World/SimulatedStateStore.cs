using Scstd.Core;

namespace Scstd.Simulation;

/// <summary>Keeps what units must remember, when the dice say so, and sometimes cannot.</summary>
internal sealed class SimulatedStateStore(World world) : IUnitStateStore
{
    private readonly Queue<(IExecutor Executor, Action<bool> Saved)> _saving = new();

    /// <summary>Saves that are not on stable storage yet.</summary>
    public int Count { get; private set; }

    /// <summary>Told before whoever asked for it.</summary>
    public Action<bool>? Saved { get; set; }

    public byte[]? Load(string unitName, string part) => null;

    public void Save(string unitName, string part, byte[]? content, IExecutor executor, Action<bool> saved)
    {
        Count++;
        _saving.Enqueue((executor, saved));
    }

    /// <summary>In the order of their coming. False if nothing is to be saved.</summary>
    public bool Step()
    {
        if (!_saving.TryDequeue(out (IExecutor Executor, Action<bool> Saved) next))
            return false;
        world.Progress++;
        bool isSaved = world.Dice(8) != 0;
        next.Executor.Post(() =>
        {
            Count--;
            Saved?.Invoke(isSaved);
            next.Saved(isSaved);
        });
        return true;
    }
}
