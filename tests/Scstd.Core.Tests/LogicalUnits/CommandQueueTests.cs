using System.Diagnostics;
using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

public sealed class CommandQueueTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_command_leaves_from_anywhere_and_the_others_keep_their_order(int leaves)
    {
        var queue = new CommandQueue();
        List<ScsiCommand> commands = [new(), new(), new()];
        commands.ForEach(queue.Enqueue);
        Assert.True(queue.Remove(commands[leaves]));
        Assert.False(queue.Remove(commands[leaves]));
        commands.RemoveAt(leaves);
        var last = new ScsiCommand();
        commands.Add(last);
        queue.Enqueue(last);
        foreach (ScsiCommand expected in commands)
            Assert.Same(expected, queue.Dequeue());
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public void A_command_of_another_queue_is_left_alone()
    {
        CommandQueue queue = new(), other = new();
        ScsiCommand first = new(), elsewhere = new();
        queue.Enqueue(first);
        other.Enqueue(elsewhere);
        Assert.False(queue.Remove(elsewhere));
        Assert.Same(elsewhere, other.First);
        Assert.Same(first, queue.First);
    }

    [Fact]
    public void To_abort_many_held_commands_takes_not_much_longer_than_to_receive_them()
    {
        const int Nexuses = 64;
        const int CommandsEach = 512;
        using var unit = new HeldUnit();
        TestInitiator[] initiators = [.. Enumerable.Range(0, Nexuses).Select(_ => unit.Target.Login())];
        unit.Target.Unit.Freeze("test", static _ => { });
        unit.Target.Executor.Run();
        List<TestCommand> held = [];
        var receiving = Stopwatch.StartNew();
        for (int i = 0; i < CommandsEach; i++)
        {
            foreach (TestInitiator initiator in initiators)
                held.Add(initiator.Send(Lun.FromNumber(0), [HeldUnit.Move, 0, 0, 0, 0, 0], dataInBytes: 0));
        }
        receiving.Stop();
        var aborting = Stopwatch.StartNew();
        Assert.Equal(TaskManagementResponse.FunctionComplete,
            initiators[^1].Request(TaskManagementFunction.LogicalUnitReset));
        aborting.Stop();
        Assert.DoesNotContain(held, command => !command.IsAnswered);
        unit.Target.Unit.Thaw("test", static _ => { });
        unit.Target.Executor.Run();
        Assert.Empty(unit.Held);
        // With a queue that is searched it is a hundred times as long.
        Assert.True(aborting.Elapsed < (20 * receiving.Elapsed) + TimeSpan.FromMilliseconds(200),
            $"received in {receiving.ElapsedMilliseconds} ms, aborted in {aborting.ElapsedMilliseconds} ms");
    }
}
