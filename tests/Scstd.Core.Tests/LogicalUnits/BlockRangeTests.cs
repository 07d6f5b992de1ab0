using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.LogicalUnits;

/// <summary>Commands that are atomic against what overlaps them (COMPARE AND WRITE), on two executors: CDB byte 2 is
/// the first block, byte 3 how many.</summary>
public sealed class BlockRangeTests : IDisposable
{
    private const byte Read = 0xC0;
    private const byte Atomic = 0xC1;
    private const byte WriteAnywhere = 0xC2;
    private const byte Change = 0xC3;
    private const byte Naca = 0x04;

    private readonly TestExecutor _home = new();
    private readonly TestExecutor _other = new(index: 1);
    private readonly List<ScsiCommand> _held = [];
    private readonly LogicalUnit _unit;
    private readonly TestInitiator _a;
    private readonly TestInitiator _b;

    public BlockRangeTests()
    {
        var backend = new TestBackend
        {
            Commands =
            [
                Bind(Read, CommandTraits.NeedsMedium, BlocksOf),
                Bind(Atomic, CommandTraits.NeedsMedium | CommandTraits.WritesMedium | CommandTraits.HoldsRange,
                    BlocksOf),
                Bind(WriteAnywhere, CommandTraits.NeedsMedium | CommandTraits.WritesMedium, null),
                Bind(Change, CommandTraits.ChangesUnit, null),
            ],
        };
        _unit = new LogicalUnit("unit", backend, [_home, _other]);
        var map = new LunMap([new LunMapEntry(0, _unit)]);
        _a = new TestInitiator(_home, "a", map);
        _b = new TestInitiator(_other, "b", map);
        _a.TakeUnitAttentions();
        _b.TakeUnitAttentions();
    }

    public void Dispose()
    {
        while (_held.Count > 0)
            End(_held[0]);
        foreach (TestInitiator initiator in (TestInitiator[])[_a, _b])
        {
            initiator.Nexus.End(static () => { });
            TestExecutor.RunAll(_home, _other);
        }
        _home.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData(0, 4, 3, 1, true)]
    [InlineData(0, 4, 4, 1, false)]
    [InlineData(4, 1, 0, 4, false)]
    [InlineData(4, 1, 0, 5, true)]
    [InlineData(4, 0, 0, 9, false)]
    [InlineData(ulong.MaxValue, 1, 0, ulong.MaxValue, false)]
    [InlineData(ulong.MaxValue - 1, 1, 0, ulong.MaxValue, true)]
    public void Extents_overlap_where_they_share_a_block(
        ulong first, ulong count, ulong otherFirst, ulong otherCount, bool overlap)
    {
        var one = new BlockExtent(first, count);
        var other = new BlockExtent(otherFirst, otherCount);
        Assert.Equal(overlap, one.Overlaps(other));
        Assert.Equal(overlap, other.Overlaps(one));
    }

    [Fact]
    public void What_overlaps_on_another_executor_waits_and_what_does_not_goes_on()
    {
        TestCommand atomic = Send(_a, Atomic, 8, 2);
        TestCommand overlapping = Send(_b, Read, 9, 4), disjoint = Send(_b, Read, 10, 4);
        Assert.Equal([atomic, disjoint], _held);
        End(atomic);
        Assert.Equal([disjoint, overlapping], _held);
        Assert.Equal(ScsiStatus.Good, atomic.Status);
    }

    [Fact]
    public void An_atomic_command_waits_for_what_had_begun_on_its_blocks_anywhere()
    {
        TestCommand overlapping = Send(_b, Read, 9, 4), disjoint = Send(_b, Read, 20, 4);
        TestCommand atomic = Send(_a, Atomic, 8, 2);
        Assert.Equal([overlapping, disjoint], _held);
        End(overlapping);
        Assert.Equal([disjoint, atomic], _held);
    }

    [Fact]
    public void Two_atomic_commands_on_different_blocks_run_together_and_on_the_same_ones_in_turn()
    {
        TestCommand first = Send(_a, Atomic, 0, 1), elsewhere = Send(_b, Atomic, 1, 1), second = Send(_b, Atomic, 0, 1);
        Assert.Equal([first, elsewhere], _held);
        End(first);
        Assert.Equal([elsewhere, second], _held);
    }

    [Fact]
    public void An_atomic_command_without_blocks_waits_for_nobody()
    {
        TestCommand first = Send(_a, Atomic, 0, 1), none = Send(_b, Atomic, 0, 0);
        Assert.Equal([first, none], _held);
    }

    [Fact]
    public void A_reader_that_waits_comes_before_the_next_atomic_command()
    {
        TestCommand first = Send(_a, Atomic, 0, 1), reader = Send(_b, Read, 0, 1), second = Send(_a, Atomic, 0, 1);
        Assert.Equal([first], _held);
        End(first);
        Assert.Equal([reader], _held);
        End(reader);
        Assert.Equal([second], _held);
    }

    [Fact]
    public void Head_of_queue_gets_its_blocks_and_reaches_them_before_what_waits()
    {
        TestCommand first = Send(_a, Atomic, 0, 1), second = Send(_a, Atomic, 0, 1);
        TestCommand ahead = Send(_b, Atomic, 0, 1, TaskAttribute.HeadOfQueue);
        TestCommand reader = Send(_b, Read, 0, 1), firstReader = Send(_b, Read, 0, 1, TaskAttribute.HeadOfQueue);
        End(first);
        Assert.Equal([firstReader], _held);
        End(firstReader);
        Assert.Equal([ahead], _held);
        End(ahead);
        Assert.Equal([reader], _held);
        End(reader);
        Assert.Equal([second], _held);
    }

    [Fact]
    public void A_write_that_does_not_say_where_overlaps_everything()
    {
        TestCommand atomic = Send(_a, Atomic, 0, 1), anywhere = Send(_b, WriteAnywhere, 0, 0);
        Assert.Equal([atomic], _held);
        End(atomic);
        Assert.Equal([anywhere], _held);
    }

    [Fact]
    public void An_atomic_command_that_is_aborted_while_it_waits_holds_nothing()
    {
        TestCommand reader = Send(_b, Read, 0, 1), atomic = Send(_a, Atomic, 0, 1), second = Send(_b, Read, 0, 1);
        Abort(_a, atomic);
        Assert.True(atomic.WasAborted);
        End(reader);
        Assert.Equal([second], _held);
    }

    [Fact]
    public void One_that_is_aborted_while_it_runs_holds_its_blocks_until_it_has_gone()
    {
        TestCommand atomic = Send(_a, Atomic, 0, 1), reader = Send(_b, Read, 0, 1);
        Abort(_a, atomic);
        Assert.Equal([atomic], _held);
        Assert.Empty(_a.Port.FunctionsExecuted);
        End(atomic);
        Assert.Single(_a.Port.FunctionsExecuted);
        Assert.Equal([reader], _held);
    }

    [Fact]
    public void What_waits_for_blocks_can_be_aborted()
    {
        TestCommand atomic = Send(_a, Atomic, 0, 1), reader = Send(_b, Read, 0, 1);
        Abort(_b, reader);
        Assert.True(reader.WasAborted);
        End(atomic);
        Assert.Empty(_held);
    }

    [Fact]
    public void A_change_of_the_unit_and_atomic_commands_wait_for_each_other()
    {
        TestCommand atomic = Send(_a, Atomic, 0, 1), change = Send(_b, Change, 0, 0), later = Send(_a, Atomic, 5, 1);
        Assert.Equal([atomic], _held);
        End(atomic);
        Assert.Equal([change], _held);
        End(change);
        Assert.Equal([later], _held);
    }

    [Fact]
    public void A_failed_one_gives_its_blocks_back()
    {
        TestCommand atomic = Send(_a, Atomic, 0, 1), reader = Send(_b, Read, 0, 1);
        Fail(atomic);
        Assert.Equal([reader], _held);
    }

    [Theory]
    [InlineData(Read)]
    [InlineData(Atomic)]
    public void A_fault_that_waits_for_the_end_of_an_aca_condition_keeps_no_blocks_from_who_ends_it(byte code)
    {
        TestCommand first = Send(_a, Read, 5, 1, control: Naca), second = Send(_b, code, 0, 1, control: Naca);
        TestCommand waiting = Send(_b, Atomic, 0, 1);
        Assert.Equal([first, second], _held);
        Fail(first);
        Fail(second);
        Assert.True(first.IsAnswered);
        Assert.False(second.IsAnswered);
        TestCommand inside = Send(_a, Atomic, 0, 1, TaskAttribute.Aca);
        Assert.Equal([inside], _held);
        End(inside);
        _a.Nexus.TaskManagementRequested(new TaskManagementRequest { Function = TaskManagementFunction.ClearAca });
        TestExecutor.RunAll(_home, _other);
        Assert.True(second.IsAnswered);
        _b.Nexus.TaskManagementRequested(new TaskManagementRequest { Function = TaskManagementFunction.ClearAca });
        TestExecutor.RunAll(_home, _other);
        Assert.Equal([waiting], _held);
    }

    private static BlockExtent BlocksOf(ReadOnlySpan<byte> cdb) => new(cdb[2], cdb[3]);

    private TestCommand Send(
        TestInitiator initiator,
        byte code,
        byte first,
        byte count,
        TaskAttribute attribute = TaskAttribute.Simple,
        byte control = 0)
    {
        TestCommand command = initiator.Send(
            Lun.FromNumber(0), [code, 0, first, count, 0, control], dataInBytes: 0, attribute: attribute);
        TestExecutor.RunAll(_home, _other);
        return command;
    }

    private void End(ScsiCommand command)
    {
        bool held = _held.Remove(command);
        Assert.True(held);
        command.Complete();
        TestExecutor.RunAll(_home, _other);
    }

    private void Fail(ScsiCommand command)
    {
        bool held = _held.Remove(command);
        Assert.True(held);
        command.CheckCondition(new SenseData(SenseKey.Miscompare, AdditionalSense.MiscompareDuringVerify));
        TestExecutor.RunAll(_home, _other);
    }

    private void Abort(TestInitiator initiator, TestCommand command)
    {
        initiator.Nexus.TaskManagementRequested(
            new TaskManagementRequest { Function = TaskManagementFunction.AbortTask, Referenced = command });
        TestExecutor.RunAll(_home, _other);
    }

    private CommandBinding Bind(byte code, CommandTraits traits, BlocksOfCdb? blocks) => new(
        new CommandRow
        {
            Name = $"{code:X2}",
            OperationCode = code,
            Traits = traits,
            Usage = [code, 0, 0xFF, 0xFF, 0, 0],
        },
        _held.Add,
        Blocks: blocks);
}
