using Scstd.Core;

namespace Scstd.Testing;

/// <summary>What units remember, in memory: a test starts them anew with it, holds a save back, or lets it fail.
/// </summary>
public sealed class TestStateStore : IUnitStateStore
{
    private readonly Queue<Action<bool>> _held = new();

    public Dictionary<(string UnitName, string Part), byte[]> Contents { get; } = [];

    /// <summary>A save ends only by <see cref="Settle"/>.</summary>
    public bool Holds { get; set; }

    public bool Fails { get; set; }

    public byte[]? Load(string unitName, string part) => Contents.GetValueOrDefault((unitName, part));

    public void Save(string unitName, string part, byte[]? content, IExecutor executor, Action<bool> saved)
    {
        byte[]? copy = content is null ? null : [.. content];
        _held.Enqueue(succeeds =>
        {
            if (succeeds && copy is null)
                Contents.Remove((unitName, part));
            else if (succeeds)
                Contents[(unitName, part)] = copy!;
            executor.Post(() => saved(succeeds));
        });
        if (!Holds)
            Settle(!Fails);
    }

    /// <summary>Ends the oldest save that is held.</summary>
    public void Settle(bool succeeds) => _held.Dequeue()(succeeds);
}
