using Scstd.Scsi;
using Scstd.Testing;

namespace Scstd.Core.Tests.Regulation;

/// <summary>Limits of commands under whatever may happen, in any order of the executors' work, from a seed.</summary>
public sealed class CommandLimitSeedTests
{
    private const int Seeds = 100;

    /// <summary>Between two commands everything comes to rest: then one is refused if, and only if, as many as may be
    /// are in, and it is told what SAM-5 §5.3.1 says.</summary>
    [Fact]
    public void A_command_is_refused_exactly_when_all_places_are_taken()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            var dice = new Random(seed);
            int most = dice.Next(1, 12);
            using var world = new LimitWorld(executors: dice.Next(1, 5));
            world.LimitUnit(most);
            world.Run();
            TestInitiator[] all =
                [.. Enumerable.Range(0, 6).Select(_ => world.Login(dice.Next(world.Executors.Length)))];
            for (int step = 0; step < 300; step++)
            {
                world.Rest();
                if (world.Held.Count > 0 && dice.Next(5) < 2)
                {
                    world.End(world.Held[dice.Next(world.Held.Count)]);
                    continue;
                }
                int before = world.Held.Count;
                TestInitiator sender = all[dice.Next(all.Length)];
                bool hasOthers = sender.ItlNexus.CommandCount > 0;
                TestCommand command = world.SendAndRun(sender, dice.Next(2) == 0 ? LimitWorld.Read : LimitWorld.Write);
                string at = $"seed {seed}, step {step}: {before} of {most} in, {command}";
                Assert.True(command.IsAnswered == (before == most), at);
                if (command.IsAnswered)
                    Assert.True(command.Status == (hasOthers ? ScsiStatus.TaskSetFull : ScsiStatus.Busy), at);
            }
        }
    }

    [Fact]
    public void No_permit_is_lost_or_made_and_no_more_commands_are_in_than_may_be()
    {
        int refused = 0, waited = 0, aborted = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            var run = new Run(seed);
            run.Do(steps: 600);
            refused += run.Refused;
            waited += run.Waited;
            aborted += run.Aborted;
        }
        // The dice met what they were to meet.
        Assert.True(refused > Seeds && waited > Seeds && aborted > Seeds, $"{refused} {waited} {aborted}");
    }

    /// <summary>One seed's course.</summary>
    private sealed class Run(int seed)
    {
        private readonly Random _dice = new(seed);
        private readonly LimitWorld _world = new(executors: 1 + (seed % 4), units: 2);
        private readonly List<TestCommand> _sent = [];
        private readonly Dictionary<CommandLimit, int> _inBefore = [];
        private int _step;

        public int Refused => _sent.Count(c => c.Status is ScsiStatus.TaskSetFull or ScsiStatus.Busy);

        public int Waited { get; private set; }

        public int Aborted => _sent.Count(command => command.WasAborted);

        public void Do(int steps)
        {
            _world.LimitUnit(_dice.Next(1, 9));
            _world.LimitTarget(_dice.Next(1, 9));
            for (int i = 0; i < 4; i++)
                Login();
            for (_step = 0; _step < steps; _step++)
            {
                Act();
                for (int i = _dice.Next(4); i > 0; i--)
                    _world.Executors[_dice.Next(_world.Executors.Length)].RunOne();
                Judge();
            }
            _world.EndAll();
            Assert.All(_sent, command => Assert.True(command.IsAnswered, At("a command has no end")));
            foreach (CommandLimit limit in Limits())
            {
                (int used, int unused, int left, int inMessages) = _world.Account(limit);
                Assert.True((used, inMessages) == (0, 0) && unused + left == limit.Most,
                    At($"{used} used, {unused} unused, {left} left, {inMessages} in messages of {limit.Most}"));
            }
            _world.Dispose();
        }

        private void Act()
        {
            TestInitiator one = _world.Initiators[_dice.Next(_world.Initiators.Count)];
            switch (_dice.Next(100))
            {
                case < 45:
                    Send(one);
                    break;
                case < 70 when _world.Held.Count > 0:
                    _world.End(_world.Held[_dice.Next(_world.Held.Count)]);
                    break;
                case < 80 when one.Port.Owed.Count > 0:
                    one.Port.GiveDataOut();
                    break;
                case < 88 when _sent.LastOrDefault(c => !c.IsAnswered && !c.IsAborted) is { } command:
                    Abort(command);
                    break;
                case 90:
                    _world.Logout(one);
                    Login();
                    break;
                case 91:
                    _world.LimitUnit(_dice.Next(4) == 0 ? null : _dice.Next(1, 9), _dice.Next(2));
                    break;
                case 92:
                    _world.LimitTarget(_dice.Next(4) == 0 ? null : _dice.Next(1, 9));
                    break;
                case 93:
                    one.Nexus.TaskManagementRequested(new TaskManagementRequest
                    {
                        Function = TaskManagementFunction.AbortTaskSet,
                        Sequence = ulong.MaxValue,
                    });
                    EndAborted();
                    break;
                case 94:
                    _world.Rest();
                    break;
            }
        }

        private void Send(TestInitiator initiator)
        {
            byte code = _dice.Next(8) switch
            {
                0 => LimitWorld.Inquiry,
                < 4 => LimitWorld.Write,
                _ => LimitWorld.Read,
            };
            TaskAttribute attribute = _dice.Next(12) switch
            {
                0 => TaskAttribute.Ordered,
                1 => TaskAttribute.HeadOfQueue,
                _ => TaskAttribute.Simple,
            };
            TestCommand command = _world.Send(initiator, code, attribute, _dice.Next(2));
            if (command.Keeper is CommandShare)
                Waited++;
            _sent.Add(command);
        }

        private void Abort(TestCommand command)
        {
            command.Nexus.TaskManagementRequested(new TaskManagementRequest
            {
                Function = TaskManagementFunction.AbortTask,
                Lun = command.Lun,
                Referenced = command,
                Sequence = ulong.MaxValue,
            });
            EndAborted();
        }

        /// <summary>The device server hurries up.</summary>
        private void EndAborted()
        {
            foreach (ScsiCommand command in _world.Held.Where(command => command.IsAborted).ToArray())
                _world.End(command);
        }

        private void Login()
        {
            TestInitiator initiator = _world.Login(_dice.Next(_world.Executors.Length));
            initiator.Port.HoldsDataOut = _dice.Next(2) == 0;
        }

        private IEnumerable<CommandLimit> Limits() => _world.Units
            .Select(unit => unit.TurnstileOf(_world.Executors[0]).Share?.Limit).Append(_world.TargetLimit)
            .OfType<CommandLimit>();

        private void Judge()
        {
            foreach (CommandLimit limit in Limits())
            {
                (int used, int unused, int left, int inMessages) = _world.Account(limit);
                Assert.True(used + unused + left + inMessages == limit.Most && unused >= 0,
                    At($"{used} used, {unused} unused, {left} left, {inMessages} in messages of {limit.Most}"));
                if (!limit.IsOpen)
                    continue;
                Assert.True(inMessages >= 0, At($"{inMessages} in messages"));
                Assert.True(used <= Math.Max(limit.Most, _inBefore.GetValueOrDefault(limit, int.MaxValue)),
                    At($"{used} are in, of {limit.Most}; before there were {_inBefore.GetValueOrDefault(limit)}"));
                _inBefore[limit] = used;
            }
        }

        private string At(string what) => $"seed {seed}, step {_step}: {what}";
    }
}
