using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>A unit whose device server keeps every command until the test ends it, so that a test can hold the moment
/// in which something else happens.</summary>
internal sealed class HeldUnit : IDisposable
{
    public const byte Move = 0xC0;
    public const byte MoveOut = 0xC1;
    public const byte Change = 0xC2;
    public const byte Read = 0xC3;

    private readonly List<ScsiCommand> _held = [];

    public HeldUnit()
    {
        Backend = new TestBackend
        {
            Commands =
            [
                Bind("MOVE", Move, DataDirection.None, CommandTraits.None),
                Bind("MOVE OUT", MoveOut, DataDirection.Out, CommandTraits.WritesMedium),
                Bind("CHANGE", Change, DataDirection.None, CommandTraits.ChangesUnit),
                Bind("READ", Read, DataDirection.None, CommandTraits.NeedsMedium),
            ],
        };
        Target = new TestTarget(Backend);
    }

    public TestBackend Backend { get; }

    public TestTarget Target { get; }

    /// <summary>With the device server now, in the order of their coming.</summary>
    public IReadOnlyList<ScsiCommand> Held => _held;

    public TestCommand Send(
        TestInitiator initiator, byte code, TaskAttribute attribute = TaskAttribute.Simple, byte[]? dataOut = null)
    {
        TestCommand command = initiator.Send(Lun.FromNumber(0), [code, 0, 0, 0, 0, 0], dataOut, 0, attribute);
        Target.Executor.Run();
        return command;
    }

    public void End(ScsiCommand command)
    {
        bool held = _held.Remove(command);
        Invariant.That(held, "the device server has the command");
        command.Complete();
        Target.Executor.Run();
    }

    /// <summary>CHECK CONDITION, MEDIUM ERROR.</summary>
    public void Fail(ScsiCommand command)
    {
        FailWithoutRunning(command);
        Target.Executor.Run();
    }

    public void EndWith(ScsiCommand command, ScsiStatus status)
    {
        bool held = _held.Remove(command);
        Invariant.That(held, "the device server has the command");
        command.Complete(status);
        Target.Executor.Run();
    }

    public void FailWithoutRunning(ScsiCommand command)
    {
        bool held = _held.Remove(command);
        Invariant.That(held, "the device server has the command");
        command.CheckCondition(new SenseData(SenseKey.MediumError, AdditionalSense.UnrecoveredReadError));
    }

    public void EndAll()
    {
        while (_held.Count > 0)
            End(_held[0]);
    }

    public void Dispose()
    {
        EndAll();
        Target.Dispose();
    }

    private CommandBinding Bind(string name, byte code, DataDirection direction, CommandTraits traits) => new(
        new CommandRow
        {
            Name = name,
            OperationCode = code,
            Direction = direction,
            Traits = traits,
            Usage = [code, 0, 0, 0, 0, 0],
            TransferLength = direction == DataDirection.Out ? static (_, _) => 512 : null,
        },
        _held.Add);
}
