using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Targets;

/// <summary>Three units whose device servers keep every MOVE until the test ends it, and initiators with maps of their
/// own.</summary>
internal sealed class MapWorld : IDisposable
{
    public const byte Move = 0xC0;
    public const byte MoveOut = 0xC1;

    private static readonly byte[] ReportLunsCdb = [0xA0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0];

    private readonly List<ScsiCommand> _held = [];

    public MapWorld()
    {
        Target = new TestTarget((0, Backend()), (1, Backend()), (2, Backend()));
        (A, B, C) = (Target.Units[0], Target.Units[1], Target.Units[2]);
    }

    public TestTarget Target { get; }

    public LogicalUnit A { get; }

    public LogicalUnit B { get; }

    public LogicalUnit C { get; }

    /// <summary>With the device servers now, in the order of their coming.</summary>
    public IReadOnlyList<ScsiCommand> Held => _held;

    public static LunMap Map(params (int Number, LogicalUnit Unit)[] luns) =>
        new(luns.Select(l => new LunMapEntry(l.Number, l.Unit)));

    public TestInitiator Login(params (int Number, LogicalUnit Unit)[] luns) => Target.Login(map: Map(luns));

    public void Change(TestInitiator initiator, LunMap next, Action? settled = null)
    {
        initiator.Nexus.ChangeMap(next, settled);
        Target.Executor.Run();
    }

    public void Change(TestInitiator initiator, params (int Number, LogicalUnit Unit)[] luns) =>
        Change(initiator, Map(luns));

    public TestCommand Send(
        TestInitiator initiator, int lun, byte code = Move, TaskAttribute attribute = TaskAttribute.Simple,
        byte[]? dataOut = null)
    {
        TestCommand command = initiator.Send(
            Lun.FromNumber(lun), [code, 0, 0, 0, 0, 0], dataOut, 0, attribute);
        Target.Executor.Run();
        return command;
    }

    public TaskManagementRequest Request(
        TestInitiator initiator, TaskManagementFunction function, int lun, ScsiCommand? referenced = null)
    {
        var request = new TaskManagementRequest
        {
            Function = function,
            Lun = Lun.FromNumber(lun),
            Referenced = referenced,
        };
        initiator.Nexus.TaskManagementRequested(request);
        Target.Executor.Run();
        return request;
    }

    public void End(ScsiCommand command)
    {
        bool held = _held.Remove(command);
        Invariant.That(held, "the device server has the command");
        command.Complete();
        Target.Executor.Run();
    }

    public static AdditionalSense[] Pending(TestInitiator initiator, int lun) =>
        initiator.Nexus.Find(Lun.FromNumber(lun))!.UnitAttentions.Pending.ToArray();

    public static void ReportLuns(TestInitiator initiator) =>
        initiator.ExecuteOn(Lun.FromNumber(0), ReportLunsCdb).MustBeGood();

    public void Dispose()
    {
        while (_held.Count > 0)
            End(_held[0]);
        Target.Dispose();
    }

    private TestBackend Backend() => new()
    {
        Commands =
        [
            Bind("MOVE", Move, DataDirection.None),
            Bind("MOVE OUT", MoveOut, DataDirection.Out),
        ],
    };

    private CommandBinding Bind(string name, byte code, DataDirection direction) => new(
        new CommandRow
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = direction == DataDirection.Out ? CommandTraits.WritesMedium : CommandTraits.None,
            Usage = [code, 0, 0, 0, 0, 0],
            TransferLength = direction == DataDirection.Out ? static (_, _) => 512 : null,
        },
        _held.Add);
}
