using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>A function, or the loss of the nexus, must not let begin what it covers.</summary>
public sealed class AbortOrderTests : IDisposable
{
    private readonly HeldUnit _unit = new();

    public void Dispose() => _unit.Dispose();

    private TestInitiator WithOwnTaskSet()
    {
        TestInitiator a = _unit.Target.Login();
        a.Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, 0x20, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).MustBeGood();
        return a;
    }

    [Fact]
    public void Abort_task_set_begins_no_write_that_waited_behind_an_ordered_command()
    {
        TestInitiator a = WithOwnTaskSet();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        TestCommand ordered = _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Ordered, new byte[512]);
        TestCommand behind = _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Simple, new byte[512]);
        Assert.Equal([running], _unit.Held);
        a.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.AbortTaskSet });
        Assert.True(ordered.WasAborted);
        Assert.DoesNotContain(behind, _unit.Held);
    }

    [Fact]
    public void The_loss_of_the_nexus_begins_no_write_that_waited_behind_an_ordered_command()
    {
        TestInitiator a = WithOwnTaskSet();
        TestCommand running = _unit.Send(a, HeldUnit.Move);
        _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Ordered, new byte[512]);
        TestCommand behind = _unit.Send(a, HeldUnit.MoveOut, TaskAttribute.Simple, new byte[512]);
        Assert.Equal([running], _unit.Held);
        bool ended = false;
        a.Nexus.End(() => ended = true);
        Assert.DoesNotContain(behind, _unit.Held);
        _unit.EndAll();
        _unit.Target.Executor.Run();
        Assert.True(ended);
    }

    /// <summary>As iSCSI does when the stream has not the buffer: the termination is answered from inside.</summary>
    private sealed class PromptPort : ITargetPort
    {
        public List<ScsiCommand> Owed { get; } = [];

        public void ReceiveDataOut(ScsiCommand command) => Owed.Add(command);

        public void SendCommandComplete(ScsiCommand command) => command.Release();

        public void TerminateDataTransfer(ScsiCommand command)
        {
            Owed.Remove(command);
            command.DataTransferTerminated();
        }

        public void CommandAborted(ScsiCommand command) => command.Release();

        public void TaskManagementFunctionExecuted(TaskManagementRequest request)
        {
        }
    }

    [Theory]
    [InlineData(0x20, 0x10, TaskAttribute.Ordered)]
    [InlineData(0x00, 0x00, TaskAttribute.Simple)]
    [InlineData(0x00, 0x10, TaskAttribute.Ordered)]
    public void The_loss_of_the_nexus_writes_no_commit_record_whose_journal_never_came(
        byte taskSetType, byte queueAlgorithm, TaskAttribute attribute)
    {
        _unit.Target.Login().Execute([0x15, 0x10, 0, 0, 16, 0],
            [0, 0, 0, 0, 0x0A, 0x0A, taskSetType, queueAlgorithm, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]);
        var port = new PromptPort();
        var nexus = new ItNexus(_unit.Target.Executor, port, TestInitiator.Target, "iqn.2026-11.test:prompt,i,0x9",
            new LunMap([new LunMapEntry(0, _unit.Target.Unit)]));
        while (nexus.ItlNexuses.First().UnitAttentions.TryTake(out _))
        {
        }
        TestCommand Write(ulong sequence)
        {
            var command = new TestCommand
            {
                Tag = sequence,
                Sequence = sequence,
                Attribute = attribute,
                ExpectedDataOutBytes = 512,
            };
            command.SetCdb([HeldUnit.MoveOut, 0, 0, 0, 0, 0]);
            nexus.CommandReceived(command);
            _unit.Target.Executor.Run();
            return command;
        }

        TestCommand journal = Write(1), commit = Write(2);
        Assert.Equal([journal, commit], port.Owed);
        port.Owed.Remove(commit);
        commit.DataOutReceived();
        _unit.Target.Executor.Run();
        Assert.Empty(_unit.Held);
        // The connection is lost before the journal's data came.
        nexus.End(() => { });
        _unit.Target.Executor.Run();
        Assert.Empty(_unit.Held);
    }
}
