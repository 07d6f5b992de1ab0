using Scstd.Scsi;
using Scstd.Testing;
using static Scstd.Scsi.PersistentReserveOutAction;

namespace Scstd.Core.Tests.Reservations;

/// <summary>
/// Ten thousand reservations and fences at random moments, on three executors whose work is interleaved by dice, with a
/// device server that ends its commands when it likes: from the moment the status is there, nothing of another nexus
/// touches the medium.
/// </summary>
public sealed class FencingTests : IDisposable
{
    private const int Executors = 3;
    private const byte Write = 0xC4;

    private readonly Random _random;
    private readonly TestExecutor[] _executors = [.. Enumerable.Range(0, Executors).Select(i => new TestExecutor(i))];
    private readonly List<ScsiCommand> _inside = [];
    private readonly List<TestInitiator> _initiators = [];
    private readonly List<(TestInitiator From, TestCommand Command)> _writes = [];
    private readonly LogicalUnit _unit;

    /// <summary>Nobody else may be with the device server, or come to it.</summary>
    private TestInitiator? _alone;

    private int _began;

    public FencingTests()
    {
        _random = new Random(20261123);
        var backend = new TestBackend
        {
            Commands = [new CommandBinding(
                new CommandRow
                {
                    Name = "WRITE",
                    OperationCode = Write,
                    Direction = DataDirection.Out,
                    Traits = CommandTraits.WritesMedium,
                    Usage = [Write, 0, 0, 0, 0, 0],
                    TransferLength = static (_, _) => 512,
                },
                Begin)],
        };
        _unit = new LogicalUnit("unit", backend, _executors, homeIndex: 1);
        for (int i = 0; i < 5; i++)
        {
            _initiators.Add(new TestInitiator(_executors[i % Executors], $"iqn.i{i},i,0x1",
                new LunMap([new LunMapEntry(0, _unit)]), afterLoss: false));
            _initiators[i].TakeUnitAttentions();
            _initiators[i].Port.HoldsDataOut = true;
        }
    }

    public void Dispose()
    {
        foreach (TestInitiator initiator in _initiators)
            initiator.Nexus.End(static () => { });
        Settle();
        foreach (TestExecutor executor in _executors)
            executor.Dispose();
    }

    [Fact]
    public void After_a_preempt_and_abort_nothing_of_the_preempted_lands()
    {
        for (int i = 0; i < 5000; i++)
        {
            TestInitiator fenced = Pick(null);
            TestInitiator fencing = Pick(fenced);
            Send(fencing, RegisterAndIgnoreExistingKey, newKey: 0xA);
            Send(fencing, Clear, key: 0xA);
            Send(fencing, RegisterAndIgnoreExistingKey, newKey: 0xA);
            Send(fenced, RegisterAndIgnoreExistingKey, newKey: 0xF);
            Send(fenced, Reserve, key: 0xF, type: 3);
            WriteFrom(fenced, _random.Next(6));
            Steps(_random.Next(30));

            byte[] list = PersistentReserve.List(0xA, 0xF);
            Finish(() => fencing.Send(PreemptAndAbort, list, type: 3));

            Assert.DoesNotContain(_inside, command => command.Nexus == fenced.Nexus);
            Assert.DoesNotContain(_writes, w => w.From == fenced && !w.Command.IsAnswered);
            Guard(fencing);
        }
        Assert.InRange(_began, 1000, int.MaxValue);
    }

    [Fact]
    public void After_a_reserve_nothing_of_the_others_lands()
    {
        for (int i = 0; i < 5000; i++)
        {
            TestInitiator holder = Pick(null);
            foreach (TestInitiator other in _initiators)
                WriteFrom(other, _random.Next(3));
            Steps(_random.Next(30));
            Finish(() => holder.Send(Lun.FromNumber(0), [0x16, 0, 0, 0, 0, 0], dataInBytes: 0));
            Assert.DoesNotContain(_inside, command => command.Nexus != holder.Nexus);
            Guard(holder);
            Finish(() => holder.Send(Lun.FromNumber(0), [0x17, 0, 0, 0, 0, 0], dataInBytes: 0));
        }
        Assert.InRange(_began, 1000, int.MaxValue);
    }

    /// <summary>Others try, also with data that comes only now: none of it may come to the device server.</summary>
    private void Guard(TestInitiator alone)
    {
        _alone = alone;
        foreach (TestInitiator other in _initiators.Where(initiator => initiator != alone))
            WriteFrom(other, 1);
        Settle();
        _alone = null;
        _writes.Clear();
    }

    private void Begin(ScsiCommand command)
    {
        Assert.True(_alone is null || command.Nexus == _alone.Nexus, "a write landed that a reservation forbids");
        Assert.False(command.IsAborted);
        _began++;
        _inside.Add(command);
    }

    private void WriteFrom(TestInitiator initiator, int count)
    {
        for (int i = 0; i < count; i++)
        {
            TaskAttribute attribute = _random.Next(8) == 0 ? TaskAttribute.Ordered : TaskAttribute.Simple;
            _writes.Add((initiator, initiator.Send(
                Lun.FromNumber(0), [Write, 0, 0, 0, 0, 0], new byte[512], attribute: attribute)));
        }
    }

    private void Send(
        TestInitiator initiator, PersistentReserveOutAction action, ulong key = 0, ulong newKey = 0, byte type = 0) =>
        Finish(() => initiator.Send(action, PersistentReserve.List(key, newKey), type));

    /// <summary>Until it is GOOD: it may meet unit attentions, and, before a CLEAR, a conflict.</summary>
    private void Finish(Func<TestCommand> send)
    {
        for (int tries = 0; tries < 50; tries++)
        {
            TestCommand command = send();
            for (int i = 0; !command.IsAnswered; i++)
            {
                Assert.InRange(i, 0, 100_000);
                Steps(1);
            }
            Assert.False(command.WasAborted);
            if (command.Status != ScsiStatus.CheckCondition || command.Sense.Key != SenseKey.UnitAttention)
            {
                command.MustBeGood();
                return;
            }
        }
        Assert.Fail("unit attentions without end");
    }

    /// <summary>One thing after the other, as the dice say.</summary>
    private void Steps(int count)
    {
        for (int i = 0; i < count; i++)
        {
            switch (_random.Next(6))
            {
                case 0 when _inside.Count > 0:
                    EndOne();
                    break;
                case 1:
                    GiveData(_initiators[_random.Next(_initiators.Count)]);
                    break;
                default:
                    foreach (TestInitiator initiator in _initiators)
                        Feed(initiator);
                    _executors[_random.Next(Executors)].RunOne();
                    break;
            }
        }
    }

    /// <summary>A list of parameters comes at once; a write's data when the dice say.</summary>
    private static void Feed(TestInitiator initiator)
    {
        if (initiator.Port.Owed.Count > 0 && initiator.Port.Owed[0].Cdb[0] != Write)
            initiator.Port.GiveDataOut();
    }

    private static void GiveData(TestInitiator initiator)
    {
        if (initiator.Port.Owed.Count > 0)
            initiator.Port.GiveDataOut();
    }

    private void EndOne()
    {
        ScsiCommand command = _inside[_random.Next(_inside.Count)];
        _inside.Remove(command);
        command.Complete();
    }

    private void Settle()
    {
        bool moved = true;
        while (moved)
        {
            TestExecutor.RunAll(_executors);
            moved = _inside.Count > 0;
            if (moved)
                EndOne();
            foreach (TestInitiator initiator in _initiators)
            {
                moved |= initiator.Port.Owed.Count > 0;
                GiveData(initiator);
            }
        }
        TestExecutor.RunAll(_executors);
    }

    private TestInitiator Pick(TestInitiator? not)
    {
        TestInitiator picked = _initiators[_random.Next(_initiators.Count)];
        return picked == not ? Pick(not) : picked;
    }
}
