using Scstd.Core;
using Scstd.Scsi;

namespace Scstd.Testing;

/// <summary>
/// A whole target on one executor: units at their LUNs and as many initiators as a test asks for. A command is sent and
/// everything runs until it is answered.
/// </summary>
public sealed class TestTarget : IDisposable
{
    private readonly List<TestInitiator> _initiators = [];
    private readonly LunMap _map;

    /// <summary>One unit of <paramref name="backend"/> at LUN 0.</summary>
    public TestTarget(IBackend backend)
        : this(null, (0, backend))
    {
    }

    /// <summary>The same with a memory that outlives it.</summary>
    public TestTarget(IBackend backend, IUnitStateStore stateStore)
        : this(stateStore, (0, backend))
    {
    }

    public TestTarget(params (int Number, IBackend Backend)[] units)
        : this(null, units)
    {
    }

    private TestTarget(IUnitStateStore? stateStore, params (int Number, IBackend Backend)[] units)
    {
        Units =
        [
            .. units.Select(u => new LogicalUnit($"unit{u.Number}", u.Backend, [Executor], stateStore: stateStore)),
        ];
        _map = new LunMap(units.Select((u, i) => new LunMapEntry(u.Number, Units[i])));
    }

    public TestExecutor Executor { get; } = new();

    public IReadOnlyList<LogicalUnit> Units { get; }

    public LogicalUnit Unit => Units[0];

    /// <summary>A new I_T nexus; unless told otherwise, the unit attentions of its birth are taken away.</summary>
    public TestInitiator Login(
        bool keepUnitAttention = false, LunMap? map = null, bool afterLoss = false, string? name = null,
        bool isStranger = false, TargetPortIdentity? target = null, bool hasNewMicrocode = false)
    {
        name ??= $"iqn.2026-11.test:initiator{_initiators.Count},i,0x1";
        var initiator = new TestInitiator(Executor, name, map ?? _map, afterLoss, isStranger, target, hasNewMicrocode);
        _initiators.Add(initiator);
        if (!keepUnitAttention)
            initiator.TakeUnitAttentions();
        return initiator;
    }

    /// <summary>Ends every session that a test left open, and proves that nothing is still leased.</summary>
    public void Dispose()
    {
        foreach (TestInitiator initiator in _initiators)
            initiator.Logout();
        Executor.Dispose();
    }
}
